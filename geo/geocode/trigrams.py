"""A search for the most similar keys by shared trigrams, over flat arrays."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_COMMON = 20_000
"""Trigrams in more keys than this say little; they are skipped when the key has rarer ones."""


def grams(key: str) -> set[str]:
    """Trigrams of a key with its beginning and end marked."""
    padded = f"^{key}$"
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


class Trigrams:
    """Postings of all keys; `like` counts shared trigrams with one `bincount`.

    Parameters
    ----------
    filed : mapping of str to sequence of int
        Key -> what is filed under it.
    """

    def __init__(self, filed: Mapping[str, Sequence[int]]) -> None:
        self._keys = list(filed)
        self._filed = filed
        postings: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(self._keys):
            for gram in grams(key):
                postings[gram].append(at)
        self._postings: dict[str, NDArray[np.int32]] = {g: np.array(p, dtype=np.int32) for g, p in postings.items()}
        self._sizes = np.array([len(k) + 2 for k in self._keys], dtype=np.float32)

    def like(self, key: str, limit: int) -> list[int]:
        """What is filed under the keys that share the largest part of their trigrams with `key`.

        Returns
        -------
        list of int
            At most `limit` distinct members, most similar first (Dice coefficient, 0.3 and more).
        """
        wanted = grams(key)
        lists = [p for g in wanted if (p := self._postings.get(g)) is not None]
        if not lists:
            return []
        rare = [p for p in lists if len(p) <= _COMMON] or lists
        hits, counts = np.unique(np.concatenate(rare), return_counts=True)
        score = 2 * counts / (self._sizes[hits] + len(wanted))
        keep = score >= 0.3
        hits, score = hits[keep], score[keep]
        if len(hits) > limit:
            top = np.argpartition(score, -limit)[-limit:]
            hits, score = hits[top], score[top]
        found: dict[int, None] = {}
        for at in hits[np.argsort(-score, kind="stable")]:
            found.update(dict.fromkeys(self._filed[self._keys[int(at)]]))
            if len(found) >= limit:
                break
        return list(found)[:limit]
