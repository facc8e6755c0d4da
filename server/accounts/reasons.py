"""Why a pin is where it is, or why there is none, in words that people read."""

from collections.abc import Mapping

from geo.geocode.types import Reason

REASONS: Mapping[str, str] = {
    Reason.EXACT: "Street and house number are in the map as written.",
    Reason.CORRECTED: "The house is in the map; the address was read kindly.",
    Reason.NEARBY_NUMBER: "The map does not have this house number; placed between its neighbours.",
    Reason.NO_NUMBER: "Without a house number in the map; placed on the street.",
    Reason.PLACE_ONLY: "The street was not found; placed in the middle of the town.",
    Reason.POI: "Found by the name of the business.",
    Reason.REVERSE: "The address nearest to a point.",
    Reason.NUMBER_OUT_OF_RANGE: "The street is known, but its house numbers do not reach that far.",
    Reason.PLACE_CONTRADICTS: "A street of such a name exists, but neither in this postcode nor in this town.",
    Reason.OTHER_COUNTRY: "There is no map of this country.",
    Reason.AMBIGUOUS: "Several places answer equally well.",
    Reason.UNSURE: "Something similar exists, but not similar enough.",
    Reason.NOT_FOUND: "Nothing in the map resembles this address.",
    Reason.EMPTY: "There is no address.",
    "no_address": "There is no address.",
    "coordinates_given": "The coordinates came with the data; nobody has checked them.",
    "set_by_hand": "Somebody put the pin here.",
    "proposed_by_rep": "Somebody in the field proposed this place, and it was accepted.",
    "checkins_agree": "Several check-ins agree on this place.",
}
"""By the code that is stored."""


def in_words(code: str | None) -> str | None:
    """The sentence for a stored reason; a code of another geocoder stays as it is."""
    return REASONS.get(code, code) if code else None
