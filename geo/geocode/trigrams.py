"""Which keys share most short pieces of letters with another one, over flat arrays."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate

import numpy as np

from geo.geocode.mapped import Array
from geo.geocode.texts import Lists, starts

BEGIN, END = "^", "$"
_BITS = np.uint64(21)
"""A letter's number in Unicode needs so many bits."""
_LETTER = np.uint64((1 << 21) - 1)
_LAST = 0x10FFFF
_LOOKED_AT = 40_000
"""So many entries of the postings are counted, rarest pieces first; more say little."""
_SHORTLIST = 500
"""Keys whose pieces are counted exactly when the commonest were left out."""
_REMEMBERED = 5_000
_ROUNDING = 1e-9
_HALF = 0.5
"""Keys that share so much are looked at before all others."""
_FEW = 8
"""Counting over all keys pays when the entries are more than one in so many of them."""


def codes(text: str, size: int) -> Array:
    """The pieces of `size` letters at every position of a text, as numbers."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    count = max(0, len(letters) - size + 1)
    found = letters[:count]
    for at in range(1, size):
        found = (found << _BITS) | letters[at : at + count]
    return found


def pack_pieces(name: str, keys: list[str], size: int) -> Iterator[tuple[str, Array]]:
    """The pieces of all keys, both ways: what `Pieces` reads."""
    lengths = np.fromiter(map(len, keys), np.int64, len(keys))
    everything = codes("".join(f"{BEGIN}{key}{END}" for key in keys), size)
    counts = lengths + 3 - size
    at = np.arange(int(counts.sum())) + np.repeat(np.arange(len(keys)) * (size - 1), counts)
    known, gram = np.unique(everything[at], return_inverse=True)
    pairs = np.unique((np.repeat(np.arange(len(keys)), counts) << 32) | gram)
    owner, gram = pairs >> 32, (pairs & 0xFFFFFFFF).astype(np.uint32)
    yield f"{name}.known", known
    yield f"{name}.sizes", np.minimum(lengths, 0xFFFF).astype(np.uint16)
    yield f"{name}.held.items", gram.astype(np.uint16) if len(known) <= 1 << 16 else gram
    yield f"{name}.held.starts", starts(np.bincount(owner, minlength=len(keys)))
    yield f"{name}.holders.items", owner[np.argsort(gram, kind="stable")].astype(np.uint32)
    yield f"{name}.holders.starts", starts(np.bincount(gram, minlength=len(known)))


class Pieces:
    """Pieces of letters of numbered keys.

    Parameters
    ----------
    arrays : mapping
        With what `pack_pieces` made.
    name : str
        Its name there.
    size : int
        Letters in a piece.
    """

    def __init__(self, arrays: Mapping[str, Array], name: str, size: int) -> None:
        self._size = size
        self.ids = lru_cache(_REMEMBERED)(self._ids)
        """Known pieces of a text, ascending, and how many different ones it has."""
        self._known = arrays[f"{name}.known"]
        self._sizes = arrays[f"{name}.sizes"]
        self._held = Lists(arrays, f"{name}.held")
        self._holders = Lists(arrays, f"{name}.holders")

    @cached_property
    def _at(self) -> Mapping[str, int]:
        """Every piece with its number: a dozen look-ups cost less than as many steps over arrays."""
        letters = [self._known >> _BITS * np.uint64(self._size - 1 - at) & _LETTER for at in range(self._size)]
        text = np.column_stack(letters).astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        return {text[at * self._size : (at + 1) * self._size]: at for at in range(len(self._known))}

    def _ids(self, marked: str) -> tuple[list[int], int]:
        known, size = self._at, self._size
        wanted = {marked[at : at + size] for at in range(len(marked) - size + 1)}
        return sorted([known[piece] for piece in wanted if piece in known]), len(wanted)

    def like(self, key: str, limit: int, least: float = 0.3, shortest: int = 1) -> list[tuple[float, int]]:
        """The keys that share the largest part of their pieces with `key`; keys of fewer letters need not be found.

        Returns
        -------
        list of (float, int)
            Dice coefficient (at least `least`) and position of at most `limit` keys, most similar first.
        """
        near: list[tuple[float, int]] = []
        for near in self.nearing(key, limit, (max(_HALF, least), least), shortest):
            if len(near) == limit:
                break
        return near

    def nearing(
        self, key: str, limit: int, shares: Sequence[float], shortest: int = 1
    ) -> Iterator[list[tuple[float, int]]]:
        """The same for each of some shares of their pieces in turn: the few that share much first, then all."""
        if not len(self._sizes):
            return
        ids, wanted = self.ids(f"{BEGIN}{key}{END}")
        if not ids:
            return
        rarest = sorted([self._holders.array(piece) for piece in ids], key=len)
        ends = list(accumulate(map(len, rarest)))
        taken = max(1, bisect_right(ends, _LOOKED_AT))
        keys, counts = self._counted(rarest[:taken])
        if taken < len(ids):
            hits = commonest(counts, _SHORTLIST)
            hits = hits if keys is None else keys[hits]
            yield best(hits, self._shared(hits, ids), self._sizes[hits], wanted, limit, shares[-1])
            return
        for share in shares:
            at = (counts >= fewest(wanted, shortest, share)).nonzero()[0]
            hits = at if keys is None else keys[at]
            yield best(hits, counts[at], self._sizes[hits], wanted, limit, share)

    def _counted(self, lists: list[Array]) -> tuple[Array | None, Array]:
        """Keys that occur, None for every one, and how often each does."""
        everything = np.concatenate(lists)[: 4 * _LOOKED_AT]
        if len(everything) * _FEW > len(self._sizes):
            return None, np.bincount(everything)
        return np.unique(everything, return_counts=True)

    def _shared(self, keys: Array, ids: Sequence[int]) -> Array:
        """How many of some pieces each key has."""
        wanted = np.zeros(len(self._known), np.uint8)
        wanted[ids] = 1
        pieces, sizes = self._held.of(keys)
        counted: Array = np.add.reduceat(wanted[pieces], np.cumsum(sizes) - sizes, dtype=np.uint16)
        return counted

    def beginning(self, marked: str) -> Array:
        """Known pieces that begin with a text of at most `size` letters."""
        low, high = (codes(marked.ljust(self._size, chr(fill)), self._size)[0] for fill in (0, _LAST))
        return np.arange(np.searchsorted(self._known, low), np.searchsorted(self._known, high, side="right"))

    def inside(self, marked: str) -> Sequence[int] | None:
        """Known pieces of a text without marks of its own; None when it has one that no key has."""
        ids, wanted = self.ids(marked)
        return ids if len(ids) == wanted else None

    def sizes(self, keys: Array) -> Array:
        """Letters of some keys."""
        return self._sizes[keys]


def fewest(wanted: int, shortest: int, least: float) -> int:
    """So many pieces a key shares at least: its letters are no fewer than they, nor than `shortest`."""
    return math.ceil(least * max((shortest + wanted) / 2, wanted / (2 - least)) - _ROUNDING)


def found_in(known: Array, wanted: Array) -> Array:
    """Where those of some numbers are among ascending others that are among them."""
    at = known.searchsorted(wanted)
    return at[known.take(at, mode="clip") == wanted] if len(known) else at[:0]


def commonest(counts: Array, limit: int) -> Array:
    """Where the largest of some small numbers above 0 stand, ascending; of equal ones the first."""
    many = np.bincount(counts)
    many[0] = 0
    least = len(many) - int(np.searchsorted(many[::-1].cumsum(), limit)) - 1
    if least < 1:
        found: Array = counts.nonzero()[0]
        return found
    above, level = (counts > least).nonzero()[0], (counts == least).nonzero()[0]
    return np.sort(np.concatenate([above, level[: limit - len(above)]]))


def best(hits: Array, counts: Array, sizes: Array, wanted: int, limit: int, least: float) -> list[tuple[float, int]]:
    """The most similar of some keys by the pieces they share, with their similarity; equal ones in their order."""
    score, order = ordered(counts, sizes, wanted, limit, least)
    return list(zip(score.tolist(), hits[order].tolist(), strict=True))


def ordered(counts: Array, sizes: Array, wanted: int, limit: int, least: float) -> tuple[Array, Array]:
    """Dice coefficients of the most similar of some keys, and where these stand among them."""
    score = 2 * counts / (sizes.astype(np.float32) + wanted)
    if len(score) > limit:
        nth = score.copy()
        nth.partition(len(score) - limit)
        least = max(least, nth[len(score) - limit])
    keep = (score >= least).nonzero()[0]
    order = keep[(-score[keep]).argsort(kind="stable")[:limit]]
    return score[order], order
