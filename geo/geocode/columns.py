"""Addresses that stand in another column than the street's: in that of names, towns or postcodes."""

from collections.abc import Iterator
from dataclasses import replace

from geo.geocode.index import Index
from geo.geocode.names import postcode_variants
from geo.geocode.normalise import from_words
from geo.geocode.parsing import segments
from geo.geocode.readings import Words, is_floor, with_joined_numbers
from geo.geocode.types import AddressQuery
from geo.geocode.vocabulary import vocabulary

COLUMNS = ("name", "city", "postcode")
"""Where an address is looked for when the street's column holds none."""
_MORE_THAN_CODE = 3
"""So many letters in one word are no part of a postcode, but a country's before it."""


def exchanged(query: AddressQuery, index: Index) -> Iterator[tuple[str, AddressQuery]]:
    """The same question with the street's column exchanged for another one that may hold a street with its number.

    Parameters
    ----------
    query : AddressQuery
        In fields; of one with a line, or with a street and figures, nothing is exchanged.
    index : Index
        Tells which words are places and postcodes.

    Yields
    ------
    str and AddressQuery
        The column, and the question in which it and the street have changed places.
    """
    if query.query.strip():
        return
    if _has_both(query.street) and not any(map(index.knows_postcode, postcode_variants(query.street))):
        return
    for column in COLUMNS:
        text = getattr(query, column)
        if _has_both(text) and any(_is_address(words, column, index) for words in with_joined_numbers(segments(text))):
            yield column, replace(query, **{"street": text, column: query.street})


def _has_both(text: str) -> bool:
    """Whether there are letters and figures."""
    return any(map(str.isdecimal, text)) and any(map(str.isalpha, text))


def _is_address(words: Words, column: str, index: Index) -> bool:
    """Whether there is a figure that is no floor's, flat's or postcode's, beside words that are no place."""
    units = vocabulary().unit
    figures = [word for at, word in enumerate(words) if word.isdecimal() and not _is_announced(words, at, index)]
    letters = [word for word in words if word.isalpha() and len(word) > 1 and word not in units]
    if not letters or is_floor(words) or all(map(index.knows_postcode, figures)):
        return False
    if column == "postcode" and all(len(w) < _MORE_THAN_CODE or w in vocabulary().countries for w in letters):
        return False
    return not index.places_named("".join(letters))


def _is_announced(words: Words, at: int, index: Index) -> bool:
    """Whether a figure follows a word for a floor, flat or legal form that no street's name ends with."""
    is_unit = at > 0 and words[at - 1] in vocabulary().unit
    return is_unit and not any(map(index.knows_street, from_words(words[:at]).keys))
