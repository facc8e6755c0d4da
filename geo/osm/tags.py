"""What OpenStreetMap tags mean to us: addresses, other names, prospects. Pure functions of a tag mapping."""

import re
from collections.abc import Mapping
from typing import NamedTuple

Tags = Mapping[str, str]

NAME_KEYS = ("alt_name", "old_name", "short_name", "official_name", "loc_name", "int_name", "reg_name")
POI_KEYS = ("shop", "office", "craft", "healthcare", "amenity", "tourism", "club", "leisure", "industrial")
LANDMARK_KEYS = ("historic", "man_made", "aeroway", "railway", "emergency", "building", "landuse")

_NOT_A_PROSPECT = frozenset(
    """amenity=atm amenity=bbq amenity=bench amenity=bicycle_parking amenity=bicycle_rental amenity=bus_station
    amenity=car_sharing amenity=charging_station amenity=clock amenity=drinking_water amenity=fountain
    amenity=grave_yard amenity=grit_bin amenity=hunting_stand amenity=letter_box amenity=motorcycle_parking
    amenity=parking amenity=parking_entrance amenity=parking_space amenity=photo_booth amenity=post_box
    amenity=public_bookcase amenity=recycling amenity=shelter amenity=table amenity=taxi amenity=telephone
    amenity=toilets amenity=vending_machine amenity=waste_basket amenity=waste_disposal amenity=water_point
    amenity=watering_place craft=no leisure=bandstand leisure=common leisure=dog_park leisure=firepit
    leisure=fitness_station leisure=garden leisure=nature_reserve leisure=outdoor_seating leisure=park
    leisure=picnic_table leisure=pitch leisure=playground leisure=slipway leisure=swimming_area leisure=track
    club=scout club=youth leisure=summer_camp office=no office=vacant shop=no shop=vacant tourism=artwork
    tourism=attraction tourism=camp_pitch tourism=information tourism=wilderness_hut
    tourism=picnic_site tourism=viewpoint tourism=yes""".split()
)
_NOT_A_LANDMARK = frozenset({"building=yes", "railway=rail", "railway=signal", "railway=switch", "emergency=yes"})
_LANDUSE_LANDMARKS = frozenset({"industrial", "commercial", "retail", "cemetery"})
_ADDRESS_LIST = re.compile(r"\s*[;,]\s*")


class Address(NamedTuple):
    """The address part of an object's tags."""

    numbers: tuple[str, ...]
    """House numbers; `12;14` and `12, 14` are two."""
    street: str
    postcode: str
    city: str
    country: str
    is_place: bool


def address_of(tags: Tags, street: str = "") -> Address | None:
    """Read the `addr:*` tags; None without a house number or anything that it belongs to.

    Parameters
    ----------
    tags
        The object's tags.
    street
        Street name known from elsewhere (an `associatedStreet` relation), used when none is tagged.
    """
    number = tags.get("addr:housenumber", "")
    if not number:
        return None
    street = tags.get("addr:street", "") or street
    place = "" if street else _first(tags, "addr:place", "addr:hamlet", "addr:suburb", "addr:city")
    numbers = tuple(part for part in _ADDRESS_LIST.split(number.strip()) if part)
    if not numbers or not (street or place):
        return None
    country = tags.get("addr:country", "").strip().upper()
    return Address(
        numbers=numbers,
        street=(street or place).strip(),
        postcode=tags.get("addr:postcode", "").strip(),
        city=tags.get("addr:city", "").strip(),
        country=country if len(country) == 2 else "",
        is_place=not street,
    )


def other_names(tags: Tags, *more: str) -> dict[str, str]:
    """Return all names beside the main one by their tag: `name:xx`, `alt_name`, ..., and the tags in `more`."""
    wanted = (*NAME_KEYS, *more)
    return {key: value for key, value in tags.items() if key in wanted or (key.startswith("name:") and len(key) <= 15)}


def poi_kind(tags: Tags) -> tuple[str, bool] | None:
    """Return the kind of a named thing (`shop=bakery`) and whether it is a prospect; None for what is no POI."""
    landmark = None
    for key in POI_KEYS:
        if value := tags.get(key):
            kind = f"{key}={value}"
            if kind not in _NOT_A_PROSPECT:
                return kind, True
            landmark = landmark or kind
    if landmark:
        return landmark, False
    if tags.get("man_made") == "works":
        return "man_made=works", True
    for key in LANDMARK_KEYS:
        value = tags.get(key, "")
        kind = f"{key}={value}"
        if value and kind not in _NOT_A_LANDMARK and (key != "landuse" or value in _LANDUSE_LANDMARKS):
            return kind, False
    return None


def _first(tags: Tags, *keys: str) -> str:
    return next((tags[key] for key in keys if tags.get(key)), "")
