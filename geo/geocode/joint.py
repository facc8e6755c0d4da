"""Several sources as one index; each keeps its own file, so that adding one costs only that one."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from geo.geocode.blocks import Block, JointBlock
from geo.geocode.index import NOBODY, Index, Named, NamedPoint, Settlement, Street
from geo.geocode.mapped import Arrays
from geo.geocode.normalise import StreetName
from geo.geocode.numbers import Houses
from geo.geocode.segment import Scored, Segment, spread
from geo.types import LonLat


def joint(sources: Sequence[Arrays], version: str) -> Index:
    """One index of one or several sources.

    Parameters
    ----------
    sources : sequence of Arrays
        What `packed` made of each.
    version : str
        Identifies the whole.
    """
    segments: list[Segment] = []
    first = (0, 0, 0)
    for arrays in sources:
        segment = Segment(arrays, version, *first)
        segments.append(segment)
        first = (first[0] + segment.counts[0], first[1] + segment.counts[1], first[2] + segment.counts[2])
    return segments[0] if len(segments) == 1 else JointIndex(segments, version)


class JointIndex:
    """The `Index` protocol over several sources that count on from each other.

    Parameters
    ----------
    segments : sequence of Segment
        Each begins where the one before ends.
    version : str
        Identifies the whole.
    """

    def __init__(self, segments: Sequence[Segment], version: str) -> None:
        self.version = version
        """Changes whenever the content does."""
        self._segments = segments
        self.countries = frozenset(country for segment in segments for country in segment.countries)
        """Two-letter codes of the countries that are covered; empty when unknown."""
        self.knows_street = lru_cache(20_000)(lambda key: any(segment.knows_street(key) for segment in segments))
        """Whether any street is filed under exactly this key."""
        self._firsts = [[s.first[kind] for s in segments] for kind in range(3)]

    def _of(self, kind: int, at: int) -> Segment:
        return self._segments[bisect_right(self._firsts[kind], at) - 1]

    def street(self, street: int) -> Street:
        """The street at a position."""
        return self._of(0, street).street(street)

    def names(self, street: int) -> Sequence[StreetName]:
        """The names of the street at a position."""
        return self._of(0, street).names(street)

    def houses(self, street: int) -> Houses:
        """Its house numbers."""
        return self._of(0, street).houses(street)

    def streets_named(self, key: str, postcodes: Sequence[str] = (), places: Collection[int] = ()) -> Named:
        """Streets filed under exactly this key, those in one of the postcodes or places apart from those elsewhere."""
        if not self.knows_street(key):
            return NOBODY
        found = [segment.streets_named(key, postcodes, places) for segment in self._segments]
        return Named([s for named in found for s in named.here], [s for named in found for s in named.elsewhere])

    def streets_begun_with(self, text: str, shortest: int) -> Sequence[str]:
        """Keys of streets, of so many letters or more, that a longer text begins with, the longest first."""
        found = {key for segment in self._segments for key in segment.streets_begun_with(text, shortest)}
        return sorted(found, key=len, reverse=True)

    def streets_like(self, key: str, limit: int) -> Sequence[int]:
        """Streets anywhere whose keys share most trigrams with this one, best first."""
        return spread(_best(segment.scored_streets(key, limit) for segment in self._segments), limit)

    def postcode_block(self, postcode: str) -> Block:
        """Streets of a postcode; empty for an unknown one."""
        blocks = [block for segment in self._segments if len(block := segment.postcode_block(postcode))]
        return blocks[0] if len(blocks) == 1 else JointBlock(blocks)

    def place_block(self, place: int) -> Block:
        """Streets of a place."""
        return self._of(1, place).place_block(place)

    def places_in(self, postcode: str) -> Collection[int]:
        """The places in which the streets of a postcode lie."""
        return frozenset(place for segment in self._segments for place in segment.places_in(postcode))

    def knows_postcode(self, postcode: str) -> bool:
        """Whether any street has it (letters and digits only, upper case)."""
        return any(segment.knows_postcode(postcode) for segment in self._segments)

    def place(self, place: int) -> Settlement:
        """The place at a position."""
        return self._of(1, place).place(place)

    def places_named(self, key: str) -> Sequence[int]:
        """Places of exactly this key (folded and glued)."""
        return [p for segment in self._segments for p in segment.places_named(key)]

    def places_beginning(self, text: str, limit: int) -> Sequence[int]:
        """Places of the first few keys that begin with a text."""
        return [p for segment in self._segments for p in segment.places_beginning(text, limit)]

    def places_like(self, key: str, least: float, limit: int, within: float = 1.0) -> Scored:
        """Places of the most similar keys (OSA similarity of `least` or more), best first."""
        return _best(segment.places_like(key, least, limit, within) for segment in self._segments)[:limit]

    def poi(self, poi: int) -> NamedPoint:
        """The business at a position."""
        return self._of(2, poi).poi(poi)

    def pois_named(self, key: str) -> Sequence[int]:
        """Businesses of exactly this key."""
        return [p for segment in self._segments for p in segment.pois_named(key)]

    def pois_like(self, key: str, limit: int) -> Sequence[int]:
        """Businesses whose keys share most trigrams with this one, best first."""
        return spread(_best(segment.scored_pois(key, limit) for segment in self._segments), limit)

    def nearest_house(self, point: LonLat) -> tuple[int, int, float] | None:
        """Street, position among its houses and distance in metres of the house nearest to a point."""
        found = (segment.nearest_house(point) for segment in self._segments)
        return min((near for near in found if near is not None), key=lambda near: near[2], default=None)


def _best(found: Iterable[Scored]) -> Scored:
    return sorted((pair for some in found for pair in some), key=lambda pair: -pair[0])
