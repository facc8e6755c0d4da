"""How alike two accounts are: what counts, what does not, and that the order does not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.types import LonLat
from server.accounts.duplicates.resemblance import Commonness, compare, likelihood, places_compared
from server.accounts.duplicates.search import REFUSED, SHOWN
from server.accounts.duplicates.traits import Traits, essence, traits

VADUZ = {"street": "Landstrasse 12", "postcode": "9490", "city": "Vaduz"}
NOBODY = Commonness(0, {})


def score(one: Traits, other: Traits) -> float:
    return likelihood(compare(one, other))


def firm(name: str, **more: object) -> Traits:
    return traits(name, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller Getränke AG", "Mueller Getraenke"),
        ("Garage Beck GmbH", "Beck Garage"),
        ("BÄCKEREI MEIER", "Bäckerei Meier AG"),
        ("Officina Rossi S.r.l.", "Rossi Officina"),
    ],
)
def test_legal_forms_accents_case_and_order_do_not_count(one: str, other: str) -> None:
    assert sorted(essence(one)) == sorted(essence(other))


texts = st.none() | st.text(max_size=25)
points = st.none() | st.builds(LonLat, st.floats(-179, 179), st.floats(-85, 85))
firms = st.builds(
    traits,
    st.text(max_size=30),
    phone=st.sampled_from([None, "+4232371212", "+4232371213"]),
    email=st.sampled_from([None, "info@beck.li", "beck@gmail.com"]),
    website=st.none() | st.sampled_from(["https://beck.li", "https://["]),
    street=texts,
    postcode=texts,
    city=texts,
    point=points,
)


@given(firms, firms)
def test_likeness_lies_between_0_and_1_and_does_not_depend_on_the_order(one: Traits, other: Traits) -> None:
    there, back = compare(one, other), compare(other, one)
    assert there.features == pytest.approx(back.features)
    assert 0 <= likelihood(there) <= 1
    assert likelihood(there) == pytest.approx(likelihood(back))
    assert all(0 <= feature <= 1 for feature in there.features)


@given(firms)
def test_nothing_material_changes_by_writing_a_name_in_capitals(one: Traits) -> None:
    assert traits("Beck Garage", phone=one.phone).print() == traits("BECK GARAGE AG", phone=one.phone).print()


def test_the_thresholds_tell_twins_from_namesakes() -> None:
    here, there = LonLat(9.52, 47.14), LonLat(9.72, 47.2)
    name = "Garage Hinterlechner"
    assert score(firm(name, **VADUZ), firm(name, **VADUZ)) >= REFUSED, "the same name at the same address"
    mine, short = firm(name, phone="+4231", **VADUZ), firm("Hinterlechner", phone="+4231", **VADUZ)
    assert score(mine, short) >= SHOWN, "a shortened name, with phone and address"
    assert score(firm(name, phone="+4231", **VADUZ), firm(name, phone="+4231", **VADUZ)) > score(mine, short)
    assert score(firm(name, point=here), firm(name, point=there)) < SHOWN, "a namesake twenty kilometres away"
    assert score(firm(name, point=here), firm("Blumen Rosa", point=here)) < SHOWN, "a neighbour"


def test_firms_that_share_a_house_and_a_switchboard_are_not_one() -> None:
    one, other = firm("Praxis Dr. Öhri", phone="+4231", **VADUZ), firm("Treuhand Wohlwend", phone="+4231", **VADUZ)
    assert score(one, other) < SHOWN


def test_a_branch_elsewhere_is_not_the_same_shop() -> None:
    one = firm("Denner", website="https://denner.li", **VADUZ, point=LonLat(9.52, 47.14))
    other = firm("Denner", website="https://denner.li", street="Im Rietle 3", city="Schaan", point=LonLat(9.51, 47.16))
    assert score(one, other) < SHOWN
    assert "address" in compare(one, other).contradictions()


def test_at_one_door_another_street_is_no_contradiction() -> None:
    """A rep who stood before "Elektro Büchel" wrote another street: the office was never asked about the two."""
    door: dict[str, object] = {"city": "Ruggell", "point": LonLat(9.5209, 47.2352)}
    known = firm("Elektro Büchel", street="Rotengasse 5", postcode="9491", phone="+423398", **door, uncertainty_m=12.0)
    new = firm("Elektro Buchel GmbH", street="Landstrasse 12", **door, uncertainty_m=10.0)
    assert score(known, new) >= SHOWN
    assert score(known, firm("Elektro Buchel GmbH", street="Landstrasse 12", **door)) < SHOWN, "in the same town"
    other = firm("Blumen Rosa", street="Landstrasse 12", **door, uncertainty_m=10.0)
    assert score(known, other) < SHOWN, "a neighbour"


TOLD_APART = [
    ("Dr. med. Maria Hasler", "Dr. med. Mario Hasler", ["name"]),
    ("Advokatur Gassner Christian", "Advokatur Gassner Christina", ["name"]),
    ("Malergeschäft Josef Nigg", "Malergeschäft Jose Nigg", ["name"]),
    ("Presta Werk I", "Presta Werk II", ["name"]),
    ("Hoval Halle A", "Hoval Halle B", ["name"]),
    ("Dr. A. Huber", "Dr. B. Huber", ["name"]),
    ("Dr. A. Huber", "Dr. E. Huber", ["name"]),
    ("Schreinerei Büchel sen.", "Schreinerei Büchel jun.", ["name"]),
    ("Kita Zwergli Gruppe Eins", "Kita Zwergli Gruppe Zwei", ["name"]),
    ("Beck AG", "Beck GmbH", ["legal form"]),
    ("Ospelt Catering GmbH", "Ospelt Catering GmbH & Co. KG", ["legal form"]),
    ("Kaiser Metallbau AG", "Kaiser Metallbau GmbH", ["legal form"]),
    ("Beck AG", "Beck", []),
    ("Beck Ltd", "BECK LIMITED", []),
    ("Garage Beck A.G.", "Beck Garage AG", []),
    ("Officina Rossi S.r.l.", "Rossi Officina SRL", []),
    ("Auto Haus Müller", "Autohaus Mueller", []),
    ("Garage Hinterlechner", "Garage Hinterlechnr", []),
    ("Garage Beck Vaduz", "Garage Beck", []),
]


@pytest.mark.parametrize(("one", "other", "said"), TOLD_APART)
def test_what_tells_two_of_nearly_one_name_apart_is_said(one: str, other: str, said: list[str]) -> None:
    """All of these were merged without a person."""
    here = {"phone": "+4231", **VADUZ}
    found = compare(firm(one, **here), firm(other, **here))
    assert [label for label in found.contradictions() if label in ("name", "legal form", "number")] == said
    assert found.apart == compare(firm(other, **here), firm(one, **here)).apart == tuple(said)
    assert likelihood(found) >= SHOWN, "people are still asked"


def test_two_numbers_of_the_companys_own_list_are_a_contradiction() -> None:
    assert compare(firm("Beck", number="1"), firm("Beck", number="2")).contradictions() == ["number"]
    assert compare(firm("Beck", number="1"), firm("Beck")).contradictions() == []


def test_addresses_are_the_same_with_the_same_number_only() -> None:
    def same(street: str, postcode: str | None, city: str | None) -> bool:
        other = traits("", street=street, postcode=postcode, city=city)
        return places_compared(traits("", **VADUZ), other, NOBODY)["address_same"] > 0.5

    assert same("Landstr. 12", "9490", None)
    assert same("Landstrasse 12", None, "VADUZ")
    assert not same("Landstrasse 14", "9490", "Vaduz")
    assert not same("Landstrasse 12", "9494", "Schaan")
