"""The street names of one postcode or place, searched for similar ones."""

from collections.abc import Sequence

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

    def containing(self, word: str, limit: int) -> list[int]:
        """Streets with a key that contains the word."""
        return [self.streets[i] for i, key in enumerate(self.keys) if word in key][:limit]

    def beginning(self, start: str) -> list[int]:
        """Streets with a key that begins so."""
        return [self.streets[i] for i, key in enumerate(self.keys) if key.startswith(start)]
