"""What the matcher needs to know of the world: the same small protocol for one question and for batches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from geo.geocode.blocks import Block
from geo.geocode.normalise import StreetName
from geo.geocode.numbers import Houses
from geo.types import LonLat


class Source(Protocol):
    """Reads what only answers say of a street."""

    def written(self, column: str, street: int) -> str:
        """A text of the street at a position."""

    def middle(self, street: int) -> LonLat:
        """A point near its middle."""

    def extent_m(self, street: int) -> float:
        """Half its length."""

    def is_place(self, street: int) -> bool:
        """Whether it is a village that numbers its houses without streets."""


@dataclass(slots=True)
class Street:
    """One street of one town: what tells whether it is meant; the rest is read when it is asked for."""

    id: int
    """Position in the index."""
    postcodes: frozenset[str]
    """Keys of its houses' postcodes; empty when unknown."""
    places: frozenset[int]
    """Places in which or beside which it lies."""
    own_places: frozenset[int]
    """Those of its places that its addresses write; all of them when they write none."""
    names: tuple[StreetName, ...]
    """Main and other names, taken apart."""
    source: Source
    """Where the rest is read."""

    @property
    def name(self) -> str:
        """As in the source."""
        return self.source.written("street.name", self.id)

    @property
    def city(self) -> str:
        """The city of its addresses, or the settlement it lies in."""
        return self.source.written("street.city", self.id)

    @property
    def country(self) -> str:
        """Two-letter code; may be empty."""
        return self.source.written("street.country", self.id)

    @property
    def postcode(self) -> str:
        """One of its postcodes as written, for houses that carry none; may be empty."""
        return self.source.written("street.code", self.id)

    @property
    def point(self) -> LonLat:
        """A point near its middle."""
        return self.source.middle(self.id)

    @property
    def extent_m(self) -> float:
        """Half its length: how wrong that point can be."""
        return self.source.extent_m(self.id)

    @property
    def is_place(self) -> bool:
        """A village that numbers its houses without streets."""
        return self.source.is_place(self.id)


@dataclass(frozen=True, slots=True)
class Settlement:
    """A place that people write in the place part of an address."""

    id: int
    """Position in the index."""
    name: str
    """As in the source."""
    kind: str
    """`city`, `village`, `municipality`, `postcode`, ..."""
    country: str
    """Two-letter code; may be empty."""
    point: LonLat
    """Its middle."""
    extent_m: float
    """How wide it is, roughly."""


@dataclass(frozen=True, slots=True)
class NamedPoint:
    """A business or facility."""

    id: int
    """Position in the index."""
    name: str
    """As in the source."""
    point: LonLat
    """Where it is."""
    street: str
    """May be empty."""
    number: str
    """May be empty."""
    postcode: str
    """May be empty."""
    city: str
    """May be empty."""
    places: frozenset[int]
    """Places in which or beside which it lies."""


class Named(NamedTuple):
    """Streets of one name."""

    here: Sequence[int] = ()
    """Those that are where the address says."""
    elsewhere: Sequence[int] = ()
    """Those that are not."""


NOBODY = Named()
"""No street has that name."""


class Index(Protocol):
    """Places, streets, numbers and businesses of the loaded regions."""

    @property
    def version(self) -> str:
        """Changes whenever the content does."""

    @property
    def countries(self) -> frozenset[str]:
        """Two-letter codes of the countries that are covered; empty when unknown."""

    def street(self, street: int) -> Street:
        """The street at a position."""

    def names(self, street: int) -> Sequence[StreetName]:
        """The names of the street at a position."""

    def houses(self, street: int) -> Houses:
        """Its house numbers."""

    def streets_named(self, key: str, postcodes: Sequence[str] = (), places: Collection[int] = ()) -> Named:
        """Streets filed under exactly this key, those in one of the postcodes or places apart from those elsewhere.

        Of very many only those that are there, or a handful when none is.
        """

    def knows_street(self, key: str) -> bool:
        """Whether any street is filed under exactly this key."""

    def streets_begun_with(self, text: str, shortest: int) -> Sequence[str]:
        """Keys of streets, of so many letters or more, that a longer text begins with, the longest first."""

    def streets_like(self, key: str, limit: int) -> Sequence[int]:
        """Streets anywhere whose keys share most trigrams with this one, best first."""

    def postcode_block(self, postcode: str) -> Block:
        """Streets of a postcode; empty for an unknown one."""

    def place_block(self, place: int) -> Block:
        """Streets of a place."""

    def places_in(self, postcode: str) -> Collection[int]:
        """The places in which the streets of a postcode lie."""

    def knows_postcode(self, postcode: str) -> bool:
        """Whether any address has it (letters and digits only, upper case)."""

    def place(self, place: int) -> Settlement:
        """The place at a position."""

    def places_named(self, key: str) -> Sequence[int]:
        """Places of exactly this key (folded and glued)."""

    def places_beginning(self, text: str, limit: int) -> Sequence[int]:
        """Places of the first few keys that begin with a text."""

    def places_like(
        self, key: str, least: float, limit: int, within: float = 1.0
    ) -> Sequence[tuple[float, Sequence[int]]]:
        """Places of the most similar keys (OSA similarity of `least` or more), best first, with the similarity.

        Those that are less similar than the best by more than `within` may be missing.
        """

    def poi(self, poi: int) -> NamedPoint:
        """The business at a position."""

    def pois_named(self, key: str) -> Sequence[int]:
        """Businesses of exactly this key."""

    def pois_like(self, key: str, limit: int) -> Sequence[int]:
        """Businesses whose keys share most trigrams with this one, best first."""

    def nearest_house(self, point: LonLat) -> tuple[int, int, float] | None:
        """Street, position among its houses and distance in metres of the house nearest to a point."""
