"""Accounts are found by what is typed of them, and named before they are entered twice."""

from mobile.field import around, taking
from mobile.field.finding import AccountIndex
from mobile.field.reached import dialled
from mobile.field.store.folding import fold, matches, variants
from tests.mobile.conftest import uid


def test_search_forgives_accents_case_and_written_out_umlauts():
    folded = fold("Müller GmbH Zürich")
    for query in ("muller", "MÜLLER", "mueller", "zuri mull", "gmbh"):
        assert matches([variants(w) for w in query.split()], folded), query
    assert not matches([variants("uller")], folded)
    assert fold("Straße Øst") == "strasse ost"


def test_search_forgives_one_slip_of_the_finger_in_a_word(synced):
    index = AccountIndex(synced.store)
    for typed in ("mueler", "mullre", "bakerei", "backrei", "näsche", "naschr", "vaduuz", "bäkcerei"):
        assert index.search(typed), typed
    for typed in ("mxxler", "vad0z0", "xyz", "baer"):
        assert index.search(typed) == [], typed


def test_a_new_lead_beside_an_account_of_that_name_is_noticed(synced):
    index = AccountIndex(synced.store)

    def alike(name, lon):
        near = around.Neighbours(synced.store, index, lon, 47.141).alike(name)
        return [(one.who.name, round(one.distance_m)) for one in near]

    assert alike("Muller", 9.521) == [("Müller GmbH", 134)]
    assert [name for name, _far in alike("muller gmbh", 9.554)] == ["Müller GmbH"], "the very name, 2.6 km away"
    assert [name for name, _far in alike("Muller", 9.554)] == ["Müller GmbH"], "people leave the legal form out"
    assert alike("Mull", 9.554) == [], "of a name that is not whole, who is near is told"
    assert alike("Muller", 9.9) == [], "it is far away"
    assert alike("Mu", 9.521) == [], "two letters say nothing"


def test_a_new_account_without_a_place_is_compared_by_name_and_town(synced):
    known = around.Neighbours(synced.store, AccountIndex(synced.store), None, None)
    alike = lambda name, town="": [one.who.name for one in known.alike(name, town)]  # noqa: E731
    for name in ("Muller", "Mueller", "Müller AG", "Muller & Co. KG", "Müler GmbH"):
        assert alike(name, "vaduz") == ["Müller GmbH"], name
    assert (alike("Muller"), alike("Muller", "Zürich"), alike("GmbH"), alike("Mul")) == (["Müller GmbH"], [], [], [])


def test_the_list_of_accounts_is_searched_by_name_city_and_number(synced):
    index = AccountIndex(synced.store)
    assert [line.name for line in index.search("")] == ["Bäckerei Näscher", "Müller GmbH"]
    assert [line.name for line in index.search("nascher vad")] == ["Bäckerei Näscher"]
    assert [line.name for line in index.search("k1")] == ["Müller GmbH"]
    assert index.search("nobody") == []


def gathered(store):
    index = AccountIndex(store)
    while not index.people.is_whole:
        index.people.go_on(1)
    return index


def told(index, typed):
    return [(hit.line.name, hit.by) for hit in index.hits(typed)]


def test_an_account_is_found_by_its_people_and_by_any_part_of_a_phone_number(synced):
    taking.new_contact(synced.store, uid(1002), first_name="Eva", last_name="Heeb", phone="+423 378 46 27")
    index = gathered(synced.store)
    for typed in ("eva heeb", "HEEB", "heeb ev"):
        assert told(index, typed) == [("Bäckerei Näscher", "Eva Heeb")], typed
    for typed in ("3784627", "378 46", "00423 378", "+423/378-46"):
        assert told(index, typed) == [("Bäckerei Näscher", "Eva Heeb, +423 378 46 27")], typed
    assert told(index, "462x") == told(index, "999999") == []
    assert index.search("heeb") == [], "who is compared with a new account is compared by its own name"


def test_what_one_sees_of_an_account_comes_before_what_one_does_not(synced):
    name = {"first_name": "Vera", "last_name": "Müller"}
    taking.new_contact(synced.store, uid(1002), **name)
    index = gathered(synced.store)
    assert told(index, "muller") == [("Müller GmbH", ""), ("Bäckerei Näscher", "Vera Müller")]
    assert told(index, "k1") == [("Müller GmbH", "K1")]
    assert told(index, "") == [("Bäckerei Näscher", ""), ("Müller GmbH", "")]
    assert told(index, "mueler") == [("Müller GmbH", "")]


def test_a_number_is_dialled_without_what_only_helps_the_eye():
    assert dialled("+423/378 46 27") == "tel:+4233784627"
    assert dialled("+41 (0)44 211-12 13") == "tel:+41442111213"
    assert dialled("044.211 12 13") == "tel:0442111213"
