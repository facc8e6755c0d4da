"""The street names of one postcode or place, searched for similar ones."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.geocode.trigrams import Trigrams

_SMALL = 300
_SHORTLIST = 60


class Block:
    """Name keys side by side for a fast comparison.

    Parameters
    ----------
    keys : sequence of str
        Name keys; a street may have several.
    streets : sequence of int
        The street of each key.
    """

    def __init__(self, keys: Sequence[str], streets: Sequence[int]) -> None:
        self.keys = keys
        """Name keys."""
        self.streets = streets
        """The street of each key."""
        self._grams: Trigrams | None = None
        self._joined = ""
        self._starts: list[int] | None = None

    def like(self, key: str, least: float, limit: int) -> list[int]:
        """Streets whose keys are most similar (OSA similarity of `least` or more), best first.

        Large blocks are first cut to the keys that share most trigrams.
        """
        chosen: Sequence[int] = range(len(self.keys))
        keys = self.keys
        if len(keys) > _SMALL:
            if self._grams is None:
                self._grams = Trigrams(self.keys)
            chosen = self._grams.like(key, _SHORTLIST, 0.15)
            keys = [self.keys[i] for i in chosen]
        found = process.extract(key, keys, scorer=OSA.normalized_similarity, score_cutoff=least, limit=limit)
        return [self.streets[chosen[at]] for _, _, at in found]

    def containing(self, part: str, limit: int) -> list[int]:
        """Streets with a key that contains these letters; `^` is the beginning of a key."""
        if self._starts is None:
            self._joined = "".join(f"^{key}" for key in self.keys)
            self._starts = list(accumulate((len(key) + 1 for key in self.keys), initial=0))
        found: dict[int, None] = {}
        at = self._joined.find(part)
        while at >= 0 and len(found) < limit:
            key = bisect_right(self._starts, at) - 1
            found[self.streets[key]] = None
            at = self._joined.find(part, self._starts[key + 1])
        return list(found)
