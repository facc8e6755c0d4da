"""The rows of an address index: what building produces, tables store and the memory index reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from geo.types import LonLat


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A settlement, municipality or postal place; its position in the list is its id."""

    name: str
    """As in the source."""
    other_names: tuple[str, ...]
    """Names in other languages, alternative and old ones."""
    kind: str
    """`city`, `village`, `municipality`, ... or `postal` for a city known only from addresses."""
    country: str
    """Two-letter code; may be empty."""
    point: LonLat
    """Its middle."""
    extent_m: float
    """How wide it is, roughly."""


@dataclass(frozen=True, slots=True)
class HouseRow:
    """One house number."""

    number: str
    """As written."""
    point: LonLat
    """Where it stands."""
    postcode: str
    """As written; may be empty."""


@dataclass(frozen=True, slots=True)
class StreetRow:
    """One street of one town with its houses; its position in the list is its id."""

    name: str
    """The most frequent spelling."""
    other_names: tuple[str, ...]
    """Other spellings and names."""
    city: str
    """City of its addresses, else the settlement it lies in; may be empty."""
    country: str
    """Two-letter code; may be empty."""
    postcodes: tuple[str, ...]
    """Of its houses."""
    places: tuple[int, ...]
    """Places it lies in or beside."""
    point: LonLat
    """A point near its middle."""
    extent_m: float
    """Half its length."""
    is_place: bool
    """A village that numbers its houses without streets."""
    houses: tuple[HouseRow, ...]
    """Empty when only the road is known."""


@dataclass(frozen=True, slots=True)
class PoiRow:
    """A business or facility; its position in the list is its id."""

    name: str
    """As in the source."""
    other_names: tuple[str, ...]
    """Names in other languages, brand, operator."""
    point: LonLat
    """Where it is."""
    street: str
    """`addr:street`; may be empty."""
    number: str
    """`addr:housenumber`; may be empty."""
    postcode: str
    """May be empty."""
    city: str
    """May be empty."""
    places: tuple[int, ...]
    """Places it lies in or beside."""


@dataclass(frozen=True, slots=True)
class Content:
    """A whole address index as rows."""

    places: Sequence[PlaceRow] = field(default_factory=tuple)
    streets: Sequence[StreetRow] = field(default_factory=tuple)
    pois: Sequence[PoiRow] = field(default_factory=tuple)
