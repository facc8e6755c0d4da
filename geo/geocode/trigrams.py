"""A search for the most similar keys by shared trigrams, over flat arrays."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_COMMON = 20_000
"""Trigrams in more keys than this say little; they are skipped when the key has rarer ones."""
_FEW = 32
"""Counting over all keys pays when the postings are more than one in so many of them."""


def grams(key: str) -> set[str]:
    """Trigrams of a key with its beginning and end marked."""
    padded = f"^{key}$"
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


class Trigrams:
    """Postings of all keys; `like` counts the trigrams that a key shares with each.

    Parameters
    ----------
    keys : sequence of str
        What is searched.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        postings: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(keys):
            for gram in grams(key):
                postings[gram].append(at)
        self._postings: dict[str, NDArray[np.int32]] = {g: np.array(p, dtype=np.int32) for g, p in postings.items()}
        self._sizes = np.array([max(1, len(k)) for k in keys], dtype=np.float32)

    def like(self, key: str, limit: int, least: float = 0.3) -> list[int]:
        """Positions of the keys that share the largest part of their trigrams with `key`.

        Returns
        -------
        list of int
            At most `limit`, most similar first (Dice coefficient of `least` and more).
        """
        wanted = grams(key)
        lists = [p for g in wanted if (p := self._postings.get(g)) is not None]
        if not lists:
            return []
        rare = [p for p in lists if len(p) <= _COMMON] or lists
        everything = np.concatenate(rare)
        if len(everything) * _FEW > len(self._sizes):
            counted = np.bincount(everything, minlength=len(self._sizes))
            hits = np.flatnonzero(counted)
            counts = counted[hits]
        else:
            hits, counts = np.unique(everything, return_counts=True)
        score = 2 * counts / (self._sizes[hits] + len(wanted))
        keep = score >= least
        hits, score = hits[keep], score[keep]
        if len(hits) > limit:
            top = np.argpartition(score, -limit)[-limit:]
            hits, score = hits[top], score[top]
        order: list[int] = hits[np.argsort(-score, kind="stable")].tolist()
        return order
