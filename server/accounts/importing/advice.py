"""Columns that look exchanged, e.g. name and street, or latitude and longitude. Said where the columns are chosen."""

import re
from collections.abc import Callable, Mapping, Sequence

from geo.geocode.vocabulary import fold, vocabulary, words
from geo.types import BBox, LonLat
from server.accounts.importing import cells
from server.imports.targets import Advice

HOUSE = re.compile(r"[^\W\d_]{3}.*\s\d{1,4}\s?[a-zA-Z]?$|^\d{1,5}[a-zA-Z]?,?\s.*[^\W\d_]{3}")
"""`Hauptstrasse 12a` or `12 Main Street`."""

MOST = 0.6
"""Share of filled cells that must speak for an exchange."""


def exchanged(sample: Sequence[Sequence[str]], mapping: Mapping[str, str], maps: Sequence[BBox]) -> list[Advice]:
    """What a look at the first rows says against the chosen columns."""
    place_of = {field: int(place) for place, field in mapping.items()}

    def mostly(one: str, other: str, test: Callable[[str, str], bool]) -> bool:
        pairs = [(row[place_of[one]], row[place_of[other]]) for row in sample]
        filled = [pair for pair in pairs if all(pair)]
        return bool(filled) and sum(test(*pair) for pair in filled) >= MOST * len(filled)

    def swapped(one: str, other: str) -> dict[str, str]:
        names = {one: other, other: one}
        return {place: names.get(field, field) for place, field in mapping.items()}

    found = []
    if {"postcode", "city"} <= place_of.keys() and mostly("postcode", "city", is_city_and_postcode):
        found.append(Advice("Postcode and city look exchanged.", swapped("postcode", "city")))
    for street in {"street", "address"} & place_of.keys() if "city" in place_of else ():
        if mostly(street, "city", is_city_and_street):
            found.append(Advice("Street and city look exchanged.", swapped(street, "city")))
    for street in {"street", "address"} & place_of.keys() if "postcode" in place_of else ():
        if mostly(street, "postcode", is_postcode_and_street):
            found.append(Advice("Street and postcode look exchanged.", swapped(street, "postcode")))
    for street in {"street", "address"} & place_of.keys() if "name" in place_of else ():
        if mostly("name", street, is_street_and_name):
            found.append(Advice("Name and street look exchanged.", swapped("name", street)))
    if {"lat", "lon"} <= place_of.keys() and mostly("lat", "lon", lambda lat, lon: is_exchanged(lat, lon, maps)):
        found.append(Advice("Latitude and longitude look exchanged.", swapped("lat", "lon")))
    return found


def is_city_and_postcode(postcode: str, city: str) -> bool:
    """Whether the postcode reads like a city, and the city like a postcode."""
    return not any(sign.isdigit() for sign in postcode) and cells.POSTCODE.fullmatch(city) is not None


def is_postcode_and_street(street: str, postcode: str) -> bool:
    """Whether the street is a postcode, and the postcode reads like a street with its house."""
    return cells.POSTCODE.fullmatch(street) is not None and HOUSE.search(postcode) is not None


def is_city_and_street(street: str, city: str) -> bool:
    """Whether the street has no number, and the city ends or begins with one as a street and its house do."""
    return not any(sign.isdigit() for sign in street) and HOUSE.search(city) is not None


def is_exchanged(lat: str, lon: str, maps: Sequence[BBox]) -> bool:
    """Whether the point only makes sense, or only lies on a map, the other way round."""
    y, x = cells.degrees(lat), cells.degrees(lon)
    if x is None or y is None:
        return False
    written, other = cells.point(x, y), cells.point(y, x)
    if isinstance(written, str) or isinstance(other, str):
        return isinstance(written, str) and isinstance(other, LonLat)
    return not any(box.contains(written) for box in maps) and any(box.contains(other) for box in maps)


def is_street_and_name(name: str, street: str) -> bool:
    """Whether the name reads like a street with its house, and the street like none at all."""
    is_house = HOUSE.search(name) is not None and names_street(name)
    return is_house and not any(sign.isdigit() for sign in street) and not names_street(street)


def names_street(text: str) -> bool:
    """Whether a word of it is one that streets are called by, e.g. `Rue`, `Platz`, `Haupt-strasse`."""
    known = vocabulary()
    return any(
        word in known.front or word in known.behind or any(word[at:] in known.joined for at in range(1, len(word) - 2))
        for word in words(fold(text))
        if len(word) > 1 and not word.isdigit()
    )
