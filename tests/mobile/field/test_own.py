"""The company's own fields on the phone: the same values are taken and refused as on the server."""

from datetime import date
from decimal import Decimal

import pytest

from mobile.field import capture, conflicts, drafts, entries, forms, own, rights
from mobile.field.limits import Unfit
from mobile.field.store.overlay import lay_over
from mobile.screens.trouble import told
from mobile.texts import Words
from server.fields.models import FieldKind
from server.fields.values import Choice, Shape, accepted
from server.kit.errors import Invalid
from tests.mobile.conftest import uid

CHOICES = [
    {"value": "s", "label": "Side"}, {"value": "f", "label": "Front"},
    {"value": "r", "label": "Roof", "archived": True},
]  # fmt: skip
WRITTEN = {
    "text": ("Mrs  Beck ", "", "x" * 500, "x" * 501, "AB-12"),
    "long_text": (" two\n lines ", "x" * 20_000, "x" * 20_001, ""),
    "number": ("12", "12,5", "12.50", " 1'000 ", "twelve", "12 EUR", "NaN", "1e400", "4", "2001", "-3", "", "0", "1e3"),
    "money": ("12.50", "CHF 12", "12,5 chf", "twelve CHF", "4", "2001 CHF", ""),
    "date": ("2026-03-31", "31.3.2026", "31.02.2026", "tomorrow", ""),
    "flag": (True, False, None),
    "choice": ("s", "r", None),
    "choices": (["f", "s"], ["r"], []),
    "url": ("bakery.li", "https://bakery.li/a?b", "bakery", "x" * 501, ""),
    "mail": ("anna@bakery.li", "mailto:anna@bakery.li", "anna@ bakery", ""),
    "phone": ("+423 237 12 12", "079 123", "0041 79 123 45 67", "call me", "12", "x" * 61, ""),
}
RULES = {"text": {}, "number": {"minimum": "5", "maximum": "2000"}, "money": {"minimum": "5", "maximum": "2000"}}


def field_of(kind, **more):
    held = {"key": "k", "label": "Doors", "kind": kind, "choices": CHOICES if "choice" in kind else [], "unit": None}
    return held | {"object": "account", "position": 1, "archived": False, "section": None, "help": None} | more


def server_says(kind, value, *, pattern=None, minimum=None, maximum=None, unit=None):
    choices = [Choice(one["value"], one["label"], bool(one.get("archived"))) for one in CHOICES]
    least, most = (None if one is None else Decimal(one) for one in (minimum, maximum))
    shape = Shape(FieldKind(kind), "Doors", choices, unit=unit, minimum=least, maximum=most, pattern=pattern)
    return accepted(shape, value)


@pytest.mark.parametrize(("kind", "value"), [(kind, one) for kind, several in WRITTEN.items() for one in several])
@pytest.mark.parametrize(
    "rules", [{}, {"unit": "CHF"}, {"pattern": "[A-Z]{2}-[0-9]+"}, {"minimum": "5", "maximum": "2000"}]
)
def test_the_phone_takes_and_refuses_what_the_server_does_and_stores_the_same(kind, value, rules):
    rules = {
        name: one for name, one in rules.items()
        if kind in {"pattern": ("text", "long_text", "url", "mail"), "unit": ("money",)}.get(name, ("number", "money"))
    }  # fmt: skip
    try:
        expected = server_says(kind, value, **rules)
    except Invalid:
        with pytest.raises(Unfit) as refused:
            own.accepted(field_of(kind, **rules), value)
        for language in ("en", "de"):
            assert "Doors" in told(Words(language), refused.value)
        return
    found = own.accepted(field_of(kind, **rules), value)
    assert server_says(kind, found, **rules) == expected, "what the phone sends is what the server stores"
    if kind != "money":
        assert found == expected
    stored = field_of(kind, **rules)
    assert own.changes([stored], {"k": expected}, {"k": own.shown(stored, expected)}) == {}, "untouched is unchanged"


def test_every_kind_that_the_server_has_is_known():
    assert WRITTEN.keys() == set(FieldKind)


def test_a_required_field_is_not_emptied_but_one_that_never_was_filled_keeps_nothing_from_being_saved():
    field = field_of("text", required=True)
    with pytest.raises(Unfit) as refused:
        own.changes([field], {"k": "x"}, {"k": " "})
    assert [one.code for one in refused.value.faults] == ["missing"]
    assert own.changes([field], {}, {"k": ""}) == {}


def test_a_choice_that_was_taken_out_is_offered_only_where_it_stands():
    offered = lambda held: [one["value"] for one in own.offered(field_of("choice"), held)["choices"]]  # noqa: E731
    assert (offered(None), offered("r"), offered(["r", "s"])) == (["s", "f"], ["s", "f", "r"], ["s", "f", "r"])


def test_one_field_leaves_the_others_of_its_row_alone():
    doc = {"id": "a", "phone": "1", "custom": {"beds": 3, "chain": "x"}}
    ops = [{"e": "account", "k": "patch", "f": {"custom.beds": [3, 4], "phone": ["1", "2"]}}]
    ops.append({"e": "account", "k": "patch", "f": {"custom.chain": ["x", None], "custom.new": [None, True]}})
    assert lay_over(doc, ops) == {"id": "a", "phone": "2", "custom": {"beds": 4, "new": True}}
    assert doc["custom"] == {"beds": 3, "chain": "x"}, "the server's row is as it was"
    assert lay_over({"id": "a"}, ops[1:]) == {"id": "a", "custom": {"new": True}}


@pytest.fixture
def store(server, phone):
    beds = field_of("number", key="beds", label="Beds", unit="pc")
    doors = field_of("choices", key="doors", label="Doors", position=2)
    for n, field in enumerate((beds, doors, doors | {"object": "site", "key": "gates", "label": "Gates"})):
        server.put("custom_field", uid(6600 + n), field, 412)
    account = server.world.rows["account", uid(1001)]["d"]
    server.put("account", uid(1001), account | {"custom": {"beds": 3}, "interval_days": 14})
    server.schema = 5
    assert phone.sync().ok
    return phone.store


def test_a_server_of_an_older_schema_is_sent_none_of_it(server, phone):
    assert phone.sync().ok
    assert not rights.takes_all(phone.store)
    server.schema = 5
    assert phone.sync().ok
    assert rights.takes_all(phone.store)


def test_an_edit_names_the_fields_one_by_one_with_what_was_seen(store):
    seen = store.cache.shown("account", uid(1001))
    (op,) = own.change(store, "account", uid(1001), {"custom.beds": 4, "custom.doors": ["s"]}, seen)
    assert op.body["f"] == {"custom.beds": [3, 4], "custom.doors": [None, ["s"]]}
    shown = own.filled(store, "account", store.cache.doc("account", uid(1001)), Words("en"))
    assert shown == [("Beds", "4 pc"), ("Doors", "Side")]
    assert own.change(store, "account", uid(1001), {"custom.beds": 3}, seen) == []
    many = {f"custom.k{n}": n for n in range(60)}
    assert [len(op.body["f"]) for op in own.change(store, "account", uid(1001), many, seen)] == [50, 10]


def test_a_refused_entry_is_opened_with_all_that_was_typed(store, server):
    seen = store.cache.shown("account", uid(1001))
    (first,) = own.change(store, "account", uid(1001), {"custom.beds": 4}, seen)
    edit = capture.edit(store, "account", uid(1001), {"interval_days": 21, "status": "former", "phone": None}, seen)
    place = capture.edit(
        store, "site", uid(2001), {"name": "Depot", "street": "Gasse 3", "service_s": 2700, "country": None}
    )
    (gates,) = own.change(store, "site", uid(2001), {"custom.gates": ["s", "f"]}, store.cache.shown("site", uid(2001)))
    for op in (first, edit, place, gates):
        store.outbox.acknowledge(op.n, "rejected", {"error": {"code": "invalid"}})
        assert drafts.reopen(store, op) == ("edit_account", {"account_id": uid(1001)})
    (draft,) = drafts.unfinished(store)
    typed = drafts.typed_in(draft.body)
    assert typed == {
        "own": {"beds": "4"}, "interval_days": "21", "status": "former", "phone": "", "site_name": "Depot",
        "street": "Gasse 3", "lasts": "45", "own_site": {"gates": ["s", "f"]},
    }  # fmt: skip
    assert entries.content(store, first) == [("custom.beds", 4)]


def test_another_site_has_a_form_of_its_own(store, server, phone):
    other = {"account_id": uid(1001), "name": "Depot", "is_main": False, "street": "Gasse 1", "city": "Vaduz"}
    server.put("site", uid(2901), other, 412)
    assert phone.sync().ok
    op = capture.edit(store, "site", uid(2901), {"street": "Gasse 3"})
    store.outbox.acknowledge(op.n, "rejected", {"error": {"code": "invalid"}})
    assert drafts.reopen(store, op) == ("edit_account", {"account_id": uid(1001), "site_id": uid(2901)})


def test_a_question_about_an_own_field_knows_what_it_holds_now_and_is_answered(store):
    (op,) = own.change(store, "account", uid(1001), {"custom.beds": 4}, store.cache.shown("account", uid(1001)))
    clash = {"id": "c", "field": "custom.beds", "base": 3, "mine": 4, "server": 5, "by": None, "at": None}
    store.outbox.acknowledge(op.n, "conflict", {"conflicts": [clash | {"policy": "keep_server", "kind": "concurrent"}]})
    base = store.cache.base("account", uid(1001))[1]
    store.cache.put_base("account", uid(1001), 9, base | {"custom": {"beds": 5}})
    (question,) = conflicts.questions(store)
    assert (question.stored, question.has_moved) == (5, False)
    answer = conflicts.answer(store, question, mine=True)
    assert answer.body["f"] == {"custom.beds": [5, 4]}


def test_numbers_are_grouped_as_everywhere():
    field = {"kind": "number", "unit": "points"}
    said = {language: own.in_words(Words(language), field, 12_345.5) for language in ("en", "de")}
    assert said == {"en": "12,345.5 points", "de": "12.345,5 Punkte"}


@pytest.mark.parametrize(
    ("language", "written", "amount"),
    [
        ("de", "1.234,50", "1234.50"), ("de", "1234,5", "1234.5"), ("de", "1'234.50", "1234.50"),
        ("de", "1,234.50", "1234.50"), ("de", "1.234", "1234"), ("de", "1.234.567", "1234567"), ("de", "1,5", "1.5"),
        ("de", "12.50", "12.50"), ("de", "0.125", "0.125"), ("en", "1,234.50", "1234.50"), ("en", "1,234", "1234"),
        ("en", "1.234", "1.234"), ("en", "1.234,50", "1234.50"), ("en", "1,5", "1.5"),
    ],
)  # fmt: skip
def test_a_figure_is_read_as_its_language_writes_it_and_what_the_app_writes_is_read_back(language, written, amount):
    field = field_of("money", unit="CHF")
    assert own.accepted(field, written, language=language) == {"amount": amount, "currency": "CHF"}
    told = Words(language).money(Decimal(amount), "CHF")
    assert Decimal(own.accepted(field, told, language=language)["amount"]) == Decimal(amount)
    shown = own.shown(field, {"amount": amount, "currency": "CHF"})
    assert Decimal(own.accepted(field, shown, language=language)["amount"]) == Decimal(amount), "as the form shows it"
    question = {"key": "q", "label": "Rent", "kind": "number"}
    sent = forms.answers_to([question], {"q": written}, language)["q"]
    assert Decimal(str(server_says("number", sent))) == Decimal(amount), "as an answer of a visit"


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_day_is_read_as_the_app_writes_it(language):
    words = Words(language)
    for month in range(1, 13):
        for one in (date(2027, month, 9), date(2027, month, 28)):
            name = forms.MONTHS[language][month - 1]
            for text in (f"{one.day} {name} 2027", f"{one.day}. {name} 2027", f"{words.day(one)} 2027"):
                assert forms.day(text) == one, text
    assert forms.day("31 Feb 2027") is forms.day("3 Foo 2027") is forms.day("3 Feb") is None
