"""A question about an address and its answer."""

from dataclasses import dataclass
from enum import StrEnum

from geo.types import Grade, LonLat

THRESHOLD = 0.8
"""An answer is confident from this confidence upwards; below it a person decides."""


@dataclass(frozen=True, slots=True)
class AddressQuery:
    """An address as somebody wrote it: in fields, or as one line in `query`; any subset may be empty."""

    name: str = ""
    """Company or person; used only when no street is given."""
    street: str = ""
    """Street and house number, possibly with noise (floor, c/o, suite)."""
    postcode: str = ""
    """As written: `9490`, `FL-9490`, `21030-1088`."""
    city: str = ""
    """Town, village, hamlet or municipality."""
    country: str = ""
    """Name in any language, or a code."""
    query: str = ""
    """One line: an address, or the name of a place or business; `lat,lon` asks for the reverse."""


class Reason(StrEnum):
    """Why an answer is what it is: a code that a program can act on."""

    EXACT = "exact"
    """Street and number as written."""
    CORRECTED = "corrected"
    """The house is known, but something in the writing had to be read kindly."""
    NEARBY_NUMBER = "nearby_number"
    """The number itself is unknown; placed at or between its neighbours."""
    NO_NUMBER = "no_number"
    """No house number was given, or the street has none in the index."""
    PLACE_ONLY = "place_only"
    """No street was asked for or found; only the place is known."""
    POI = "poi"
    """A business or facility, found by its name."""
    REVERSE = "reverse"
    """The address nearest to a point."""
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    """The street exists, but its numbers do not reach that far."""
    PLACE_CONTRADICTS = "place_contradicts"
    """The street exists, but neither the given postcode nor the given city is where it is."""
    OTHER_COUNTRY = "other_country"
    """The country given is not covered by the loaded regions."""
    AMBIGUOUS = "ambiguous"
    """Several places answer equally well."""
    UNSURE = "unsure"
    """Something similar exists, but not similar enough."""
    NOT_FOUND = "not_found"
    """Nothing resembles it."""
    EMPTY = "empty"
    """Nothing was asked."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the best places for an unsure address, to choose from by hand."""

    point: LonLat
    """Where it would be."""
    street: str
    """Street name as in the source; the business's name for a POI."""
    number: str
    """House number as in the source, or as asked when it was interpolated; may be empty."""
    postcode: str
    """May be empty."""
    city: str
    """May be empty."""
    country: str
    """Two-letter code; may be empty."""
    grade: Grade
    """How exactly the point is known."""
    uncertainty_m: float
    """Radius in metres in which the true place is to be expected."""
    confidence: float
    """0 to 1: share of such answers that are right."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where an address is, how well that is known and why."""

    point: LonLat | None
    """None when nothing was found."""
    street: str = ""
    """Street name as in the source; the business's name for a POI."""
    number: str = ""
    """House number as in the source, or as asked when it was interpolated."""
    postcode: str = ""
    """Postcode as in the source."""
    city: str = ""
    """City as in the source."""
    country: str = ""
    """Two-letter code where known."""
    grade: Grade | None = None
    """None when nothing was found."""
    uncertainty_m: float | None = None
    """Radius in metres in which the true place is to be expected; None when nothing was found."""
    confidence: float = 0.0
    """0 to 1: share of such answers that are right."""
    reason: Reason = Reason.NOT_FOUND
    """Why it is what it is."""
    provider: str = "waymark"
    """Who answered: this index or a remote geocoder."""
    candidates: tuple[Candidate, ...] = ()
    """The best three, best first, when the confidence is below the threshold."""
    region_version: str = ""
    """Version of the index that answered."""

    @property
    def is_confident(self) -> bool:
        """Whether the answer can be used without a look."""
        return self.point is not None and self.confidence >= THRESHOLD
