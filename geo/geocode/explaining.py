"""What became of each word of an address, and in what a candidate differs from what was written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import OSA

from geo.geocode.columns import COLUMNS
from geo.geocode.geocoder import Geocoder
from geo.geocode.matching import Match
from geo.geocode.names import country_code, glued, postcode_key, postcode_variants
from geo.geocode.parsing import Parsed, segments
from geo.geocode.types import AddressQuery, Answer, Candidate
from geo.types import Grade

_WORD = re.compile(r"[^\s,;|()]+")
_ALIKE = 0.7
"""Similarity of two street names from which on one is probably the other, misspelt."""
_FIELDS = ("street", "postcode", "city", "country", "query")


class Role(StrEnum):
    """What a written word was taken for."""

    STREET = "street"
    NUMBER = "number"
    POSTCODE = "postcode"
    CITY = "city"
    COUNTRY = "country"
    DROPPED = "dropped"
    """It says nothing about the place: a company, a floor, a box."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word as it was written."""

    field: str
    """The field of the question that it stands in."""
    text: str
    """As written."""
    role: Role
    """What it was taken for."""
    contradicts: bool = False
    """Whether the best candidate says otherwise."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing to say about a candidate beside what was written."""

    code: str
    """`street_same`, `street_other`, `number_between`, `postcode_other`, ..."""
    value: str = ""
    """What the candidate says."""
    is_doubt: bool = False
    """Whether it speaks against the candidate."""


@dataclass(frozen=True, slots=True)
class Option:
    """A candidate with its reasons."""

    candidate: Candidate
    """Where it would be."""
    differences: tuple[Difference, ...]
    """In the order street, number, postcode, city."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer with what led to it."""

    answer: Answer
    """The answer."""
    tokens: tuple[Token, ...]
    """Every written word, field by field."""
    options: tuple[Option, ...]
    """What a person can choose from, best first; at most three."""


def explain(geocoder: Geocoder, query: AddressQuery) -> Explanation:
    """Answer a question and say what became of its words.

    Parameters
    ----------
    geocoder : Geocoder
        Answers it.
    query : AddressQuery
        The question.

    Returns
    -------
    Explanation
        With one option for a sure answer, up to three for an unsure one, none when nothing was found.
    """
    read, parsed, matches, answer = geocoder.reading(query)
    best = matches[0] if matches else None
    options = tuple(Option(one, tuple(_differences(parsed, best, one))) for one in _candidates(answer))
    doubts = {d.code.partition("_")[0] for d in options[0].differences if d.is_doubt} if options else set()
    return Explanation(answer, tuple(_tokens(query, read, parsed, best, doubts)), options)


def _candidates(answer: Answer) -> tuple[Candidate, ...]:
    if answer.candidates:  # the matcher ranks by likeness: what is shown beside each is its confidence
        return tuple(sorted(answer.candidates, key=lambda one: -one.confidence)[:3])
    if answer.point is None or answer.grade is None:
        return ()
    return (
        Candidate(
            answer.point, answer.street, answer.number, answer.postcode, answer.city, answer.country, answer.grade,
            answer.uncertainty_m or 0.0, answer.confidence,
        ),
    )  # fmt: skip


def _tokens(
    asked: AddressQuery, query: AddressQuery, parsed: Parsed, best: Match | None, doubts: set[str]
) -> Iterator[Token]:
    """The words of a question as it was read, each with the field that it stands in as it was asked."""
    moved = next((name for name in COLUMNS if getattr(asked, name) != getattr(query, name)), "")
    stands = {"street": moved, moved: "street"} if moved else {}
    street = set(best.reading.words) if best is not None else set()
    number = best.reading.number if best is not None else None
    figures = {str(number.base), *number.tail} if number is not None else set()
    cities = {word for words in parsed.cities for word in words}
    if query.street.strip():
        query = AddressQuery(query.name, query.street, query.postcode, query.city, query.country)
    for name in _FIELDS:
        written = getattr(query, name)
        whole_country = name == "country" and bool(country_code(written))
        for text in _WORD.findall(written):
            pieces = {piece for words in segments(text) for piece in words}
            role = _role(name, text, pieces, street, figures, cities, parsed)
            if whole_country:
                role = Role.COUNTRY
            yield Token(stands.get(name, name), text, role, role.value in doubts)


def _role(
    field: str, text: str, pieces: set[str], street: set[str], figures: set[str], cities: set[str], parsed: Parsed
) -> Role:
    """The field decides between two meanings of a word: a town's name is also a street's."""
    can_be_street, can_be_city = bool(pieces & street), bool(pieces & cities)
    is_postcode = bool(set(postcode_variants(text)) & set(parsed.postcodes))
    if is_postcode and not (field == "street" and pieces & figures):
        return Role.POSTCODE
    if field == "postcode":
        return Role.POSTCODE if any(c.isdecimal() for c in text) else Role.CITY if can_be_city else Role.DROPPED
    if field == "city":
        return Role.CITY if can_be_city else Role.DROPPED
    if text[0].isdecimal() and (pieces & figures or not figures):
        return Role.NUMBER
    if can_be_street:
        return Role.STREET
    if can_be_city:
        return Role.CITY
    if country_code(text) in parsed.countries:
        return Role.COUNTRY
    return Role.DROPPED


def _differences(parsed: Parsed, best: Match | None, candidate: Candidate) -> Iterator[Difference]:
    reading = best.reading if best is not None else None
    if not candidate.street:
        yield Difference("street_unknown", is_doubt=bool(parsed.segments))
    elif reading is not None:
        same = "".join(reading.words) == glued(candidate.street)
        like = OSA.normalized_similarity("".join(reading.words), glued(candidate.street))
        yield Difference("street_same" if same else "street_other", candidate.street, like < _ALIKE)
        yield from _about_number(reading.number.text if reading.number is not None else "", candidate)
    if parsed.postcodes and candidate.postcode:
        same = postcode_key(candidate.postcode) in parsed.postcodes
        yield Difference("postcode_same" if same else "postcode_other", candidate.postcode, not same)
    if parsed.cities and candidate.city:
        same = any(glued(candidate.city) == "".join(words) for words in parsed.cities)
        yield Difference("city_same" if same else "city_other", candidate.city, not same)


def _about_number(asked: str, candidate: Candidate) -> Iterator[Difference]:
    if not asked:
        yield Difference("number_missing")
    elif not candidate.number:
        yield Difference("number_unknown", asked, is_doubt=True)
    elif candidate.grade is not Grade.ROOFTOP:
        between = candidate.grade is Grade.INTERPOLATED
        yield Difference("number_between" if between else "number_beyond", candidate.number, is_doubt=True)
    else:
        same = glued(asked) == glued(candidate.number)
        yield Difference("number_same" if same else "number_other", candidate.number, not same)
