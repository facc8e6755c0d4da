"""What holds for every address, whatever is written."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import EVERYWHERE, addresses

from geo.geocode.confidence import FEATURES, SPEAK_FOR, Model, fit, shipped
from geo.geocode.geocoder import Geocoder
from geo.geocode.normalise import street_name
from geo.geocode.types import AddressQuery, Answer
from geo.geocode.vocabulary import fold
from geo.osm.records import AddressPoint

Town = Callable[[str], Geocoder]

_COUNTRIES = sorted(EVERYWHERE)
_KNOWN = {country: addresses(EVERYWHERE[country], country) for country in _COUNTRIES}
_WORD = st.text("abcdefghijklmnopqrstuvwxyzäöéłñøß", min_size=4, max_size=10)


@st.composite
def known_addresses(draw: st.DrawFn) -> tuple[str, AddressPoint]:
    country = draw(st.sampled_from(_COUNTRIES))
    return country, draw(st.sampled_from(_KNOWN[country]))


def fields(a: AddressPoint, street: str) -> AddressQuery:
    return AddressQuery(street=street, postcode=a.postcode, city=a.city, country=a.country)


@given(st.text(max_size=60))
def test_a_normalised_name_is_its_own_normal_form(text: str) -> None:
    once = " ".join(street_name(text).words)
    assert " ".join(street_name(once).words) == once
    assert fold(fold(text)) == fold(text)


@settings(deadline=None, max_examples=200)
@given(known_addresses(), st.booleans(), st.sampled_from([str, str.upper, str.lower]))
def test_an_address_of_the_index_finds_itself_however_it_is_written(
    town: Town, known: tuple[str, AddressPoint], as_line: bool, case: Callable[[str], str]
) -> None:
    country, a = known
    line = AddressQuery(query=case(f"{a.street} {a.number}, {a.postcode} {a.city}"))
    question = line if as_line else fields(a, case(f"{a.street} {a.number}"))
    answer = town(country).locate(question)
    assert (answer.point, answer.number) == (a.point, a.number)
    assert answer.is_confident, answer


@settings(deadline=None, max_examples=200)
@given(known_addresses(), _WORD, st.sampled_from(["{w} {s} {n}", "{s} {n} {w}", "{s} {n}, {w}", "{w}, {s} {n}"]))
def test_a_noise_word_anywhere_never_raises_the_confidence(
    town: Town, known: tuple[str, AddressPoint], word: str, form: str
) -> None:
    country, a = known
    plain = town(country).locate(fields(a, f"{a.street} {a.number}"))
    noisy = town(country).locate(fields(a, form.format(w=word, s=a.street, n=a.number)))
    assert noisy.confidence <= plain.confidence


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_answers_do_not_depend_on_the_batch_its_order_or_its_size(town: Town, data: st.DataObject) -> None:
    country = data.draw(st.sampled_from(_COUNTRIES))
    some = data.draw(st.lists(st.sampled_from(_KNOWN[country]), min_size=1, max_size=12))
    noise = data.draw(st.sampled_from(["", "c/o Haddock ", "Flat 3, ", "Xyzzy "]))
    questions = [fields(a, f"{noise}{a.street[:-1]} {a.number}") for a in some]
    batch = list(town(country).locate_many(questions))
    assert batch == list(town(country).locate_many(questions[::-1]))[::-1]
    assert batch == [town(country).locate(question) for question in questions]
    assert batch == [answer for q in questions for answer in town(country).locate_many([q, q])][::2]


@settings(deadline=None, max_examples=60)
@given(known_addresses(), st.integers(400, 9_000))
def test_a_number_far_beyond_the_street_is_never_confident(
    town: Town, known: tuple[str, AddressPoint], far: int
) -> None:
    country, a = known
    last = max(int("".join(filter(str.isdigit, h.number.split("/")[0]))) for h in _KNOWN[country])
    assert not town(country).locate(fields(a, f"{a.street} {last + far}")).is_confident


def test_only_agreement_may_raise_the_confidence() -> None:
    for name, weight in zip(FEATURES, shipped().weights, strict=True):
        assert weight >= 0 if name in SPEAK_FOR else weight <= 0, name


def test_a_fit_keeps_the_signs_even_when_the_cases_ask_otherwise() -> None:
    typo = FEATURES.index("typo")
    plain, typed = ([1.0 if at in (0, *extra) else 0.0 for at in range(len(FEATURES))] for extra in ((), (typo,)))
    rows = [tuple(plain)] * 20 + [tuple(typed)] * 20
    model = fit(rows, [False] * 20 + [True] * 20, [1.0] * 40, Model((0.0,) * len(FEATURES)))
    assert model.weights[typo] == 0.0
    assert model.confidence(plain) == pytest.approx(0.5, abs=0.05)


def test_an_answer_says_what_was_understood(town: Town) -> None:
    answer: Answer = town("IT").locate(AddressQuery(query="V. D. Alighieri, 90/H, 15121 Alessandria AL"))
    assert (answer.street, answer.number, answer.postcode, answer.city, answer.country) == (
        "Via Dante Alighieri", "90/H", "15121", "Alessandria", "IT",
    )  # fmt: skip
