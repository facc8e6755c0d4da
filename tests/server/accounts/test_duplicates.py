"""How alike two accounts are: what counts, what does not, and that the order does not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.duplicates import REFUSED, SHOWN, likelihood, name_similarity, same_address
from server.accounts.models import Site


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller Getränke AG", "Mueller Getraenke"),
        ("Garage Beck GmbH", "Beck Garage"),
        ("BÄCKEREI MEIER", "Bäckerei Meier AG"),
    ],
)
def test_legal_forms_accents_case_and_order_do_not_count(one: str, other: str) -> None:
    assert name_similarity(one, other) == 1


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_does_not_depend_on_the_order(one: str, other: str) -> None:
    assert name_similarity(one, other) == name_similarity(other, one)
    assert 0 <= name_similarity(one, other) <= 1


@given(st.floats(0, 1), st.booleans(), st.booleans(), st.none() | st.floats(0, 1e6))
def test_another_sign_never_speaks_against(alike: float, phone: bool, address: bool, distance_m: float | None) -> None:
    score = likelihood(alike, phone, address, distance_m)
    assert 0 <= score <= 1
    assert likelihood(alike, True, address, distance_m) >= score
    assert likelihood(alike, phone, True, distance_m) >= score
    assert likelihood(1, phone, address, distance_m) >= score


def test_the_thresholds_tell_twins_from_namesakes() -> None:
    assert likelihood(1, False, True, None) >= REFUSED, "the same name at the same address"
    assert likelihood(0, True, True, None) >= REFUSED, "the same phone at the same address"
    assert SHOWN <= likelihood(0, True, False, None) < REFUSED, "one phone number alone: a switchboard, perhaps"
    assert likelihood(1, False, False, 20_000) < SHOWN, "a namesake twenty kilometres away"
    assert likelihood(0, False, False, 5) < SHOWN, "a neighbour"


def test_addresses_are_the_same_with_the_same_number_only() -> None:
    site = Site(street="Landstrasse 12", postcode="9490", city="Vaduz")
    assert same_address(site, "Landstr. 12", "9490", None)
    assert same_address(site, "Landstrasse 12", None, "VADUZ")
    assert not same_address(site, "Landstrasse 14", "9490", "Vaduz")
    assert not same_address(site, "Landstrasse 12", "9494", "Vaduz")
