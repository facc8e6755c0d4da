"""The street names of one postcode or place, searched for similar ones."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Protocol

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.geocode.keys import Keys
from geo.geocode.mapped import Array
from geo.geocode.texts import Lists, starts
from geo.geocode.trigrams import BEGIN, END, fewest, found_in, ordered

_SMALL = 300
_SHORTLIST = 60
_LEAST_SHARED = 0.15
_PIECE = 3

Similar = list[tuple[float, int]]
"""Similarity and street, best first."""


class Block(Protocol):
    """Streets of a place or postcode, asked by a key that may be misspelt."""

    def __len__(self) -> int:
        """How many keys they have."""

    def like(self, key: str, least: float, limit: int) -> Similar:
        """Streets whose keys are most similar (OSA similarity of `least` or more), best first."""

    def containing(self, part: str, limit: int) -> list[int]:
        """Streets with a key that contains these letters; `^` is the beginning of a key."""

    def holds(self, figure: str) -> bool:
        """Whether any key contains this figure."""


class SmallBlock:
    """A few hundred keys side by side.

    Parameters
    ----------
    keys : sequence of str
        Name keys; a street may have several.
    streets : sequence of int
        The street of each key.
    """

    def __init__(self, keys: Sequence[str], streets: Sequence[int]) -> None:
        self._keys, self._streets = keys, streets

    def __len__(self) -> int:
        return len(self._keys)

    def like(self, key: str, least: float, limit: int) -> Similar:
        """Compare with every key."""
        found = process.extract(key, self._keys, scorer=OSA.normalized_similarity, score_cutoff=least, limit=limit)
        return [(score, self._streets[at]) for _, score, at in found]

    def containing(self, part: str, limit: int) -> list[int]:
        """Look through all letters."""
        found: dict[int, None] = {}
        at = self._joined.find(part)
        while at >= 0 and len(found) < limit:
            key = bisect_right(self._starts, at) - 1
            found[self._streets[key]] = None
            at = self._joined.find(part, self._starts[key + 1])
        return list(found)

    def holds(self, figure: str) -> bool:
        """Whether any key contains this figure."""
        return figure in self._joined

    @cached_property
    def _joined(self) -> str:
        return BEGIN + BEGIN.join(self._keys)

    @cached_property
    def _starts(self) -> list[int]:
        """Where each key begins among all letters, and where the last ends."""
        return list(accumulate(map(len, self._keys), lambda start, size: start + size + 1, initial=0))


def pack_blocks(arrays: Mapping[str, Array], members: str) -> Iterator[tuple[str, Array]]:
    """For every list of streets with many keys: which of its keys hold which pieces.

    Parameters
    ----------
    arrays : mapping
        With the keys of streets.
    members : str
        Name of the lists of streets.

    Yields
    ------
    str, array
        What `LargeBlock` reads: the numbers of the large lists; for each the pieces, and for each of these the keys.
    """
    lists, of = Lists(arrays, members), Lists(arrays, "street.of")
    held = Lists(arrays, "street.pieces.held")
    sizes = np.append(0, np.cumsum(np.diff(of.starts)[lists.items], dtype=np.int64))
    large = np.flatnonzero(sizes[lists.starts[1:]] - sizes[lists.starts[:-1]] > _SMALL)
    pieces, counts, holders = [np.zeros(0, np.uint32)], [np.zeros(0, np.int64)], [np.zeros(0, np.uint32)]
    for at in large.tolist():
        chosen, _ = of.of(lists.array(at))
        grams, many = held.of(chosen)
        order = np.argsort(grams, kind="stable")
        known, count = np.unique(grams, return_counts=True)
        pieces.append(known.astype(np.uint32))
        counts.append(count)
        holders.append(np.repeat(np.arange(len(chosen), dtype=np.uint32), many)[order])
    yield f"{members}.large", large.astype(np.uint32)
    yield f"{members}.large.pieces.items", np.concatenate(pieces)
    yield f"{members}.large.pieces.starts", starts(np.array([len(p) for p in pieces[1:]], np.int64))
    yield f"{members}.large.holders.items", np.concatenate(holders)
    yield f"{members}.large.holders.starts", starts(np.concatenate(counts))


class Blocks:
    """The streets of every place, or of every postcode, as blocks.

    Parameters
    ----------
    arrays : Arrays
        With the keys of streets and what `pack_blocks` made.
    members : str
        Name of the lists of streets.
    keys : Keys
        Of the streets.
    first : int
        The number by which the streets begin.
    """

    def __init__(self, arrays: Mapping[str, Array], members: str, keys: Keys, first: int) -> None:
        self._lists, self._keys, self._first = Lists(arrays, members), keys, first
        self._large = {int(name): at for at, name in enumerate(arrays[f"{members}.large"])}
        self._pieces, self._holders = (Lists(arrays, f"{members}.large.{part}") for part in ("pieces", "holders"))
        self._kept = lru_cache(1_000)(self._block)

    def __len__(self) -> int:
        return len(self._lists)

    def __getitem__(self, at: int) -> "Block":
        return self._kept(at)

    def members(self, at: int) -> Array:
        """The streets of a place or postcode, in their order."""
        return self._lists.array(at)

    def size(self, at: int) -> int:
        """How many streets that are."""
        begin, end = self._lists.bounds(at)
        return end - begin

    def _block(self, at: int) -> "Block":
        chosen, sizes = self._keys.of.of(self._lists.array(at))
        streets = (self._lists.array(at).astype(np.int64) + self._first).repeat(sizes)
        large = self._large.get(at)
        if large is None:
            return SmallBlock(self._keys.texts.many(chosen.tolist()), streets.tolist())
        begin, _end = self._pieces.bounds(large)
        return LargeBlock(self._keys, chosen, streets, self._pieces.array(large), self._holders, begin)


class LargeBlock:
    """The keys of a large town: first cut to those that share most trigrams, then compared; no other key is read.

    Parameters
    ----------
    keys : Keys
        Of all streets.
    chosen : array of int
        Positions of the town's keys.
    streets : array of int
        The street of each.
    pieces : array of int
        The trigrams of the town's keys, ascending.
    holders : Lists
        Which of the town's keys hold each, beginning with the list `first`.
    """

    def __init__(self, keys: Keys, chosen: Array, streets: Array, pieces: Array, holders: Lists, first: int) -> None:
        assert keys.pieces is not None
        self._text, self._all_pieces = keys.text, keys.pieces
        self._chosen, self._streets = chosen, streets
        self._sizes = keys.pieces.sizes(chosen)
        self._pieces, self._holders, self._first = pieces, holders, first
        self.holds = lru_cache(500)(lambda figure: bool(self.containing(figure, 1)))
        """Whether any key contains this figure."""

    def __len__(self) -> int:
        return len(self._chosen)

    def like(self, key: str, least: float, limit: int) -> Similar:
        """Compare with the keys that share most trigrams."""
        ids, wanted = self._all_pieces.ids(f"{BEGIN}{key}{END}")
        counts = self._shared(ids)
        hits = (counts >= fewest(wanted, int(least * len(key)), _LEAST_SHARED)).nonzero()[0]
        near = hits[ordered(counts[hits], self._sizes[hits], wanted, _SHORTLIST, _LEAST_SHARED)[1]]
        keys = list(map(self._text, self._chosen[near].tolist()))
        found = process.extract(key, keys, scorer=OSA.normalized_similarity, score_cutoff=least, limit=limit)
        return [(score, int(self._streets[near[at]])) for _, score, at in found]

    def _shared(self, ids: Sequence[int] | Array) -> Array:
        """How many of these pieces, ascending, each key has."""
        held = found_in(self._pieces, np.array(ids, self._pieces.dtype)) + self._first
        return np.bincount(self._holders.joined(held.tolist()), minlength=len(self._chosen))

    def containing(self, part: str, limit: int) -> list[int]:
        """Look only at keys that hold every trigram of the letters."""
        ids = self._all_pieces.inside(part) if len(part) >= _PIECE else self._all_pieces.beginning(part)
        if ids is None:
            return []
        found: dict[int, None] = {}
        for at in (self._shared(ids) >= (len(ids) if len(part) >= _PIECE else 1)).nonzero()[0].tolist():
            if part in BEGIN + self._text(int(self._chosen[at])):
                found[int(self._streets[at])] = None
                if len(found) >= limit:
                    break
        return list(found)


class JointBlock:
    """The streets of one postcode in several sources.

    Parameters
    ----------
    blocks : iterable of Block
        One per source.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = list(blocks)

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def like(self, key: str, least: float, limit: int) -> Similar:
        """The most similar of all."""
        found = [pair for block in self._blocks for pair in block.like(key, least, limit)]
        return sorted(found, key=lambda pair: -pair[0])[:limit]

    def containing(self, part: str, limit: int) -> list[int]:
        """Those of the first source first."""
        return [street for block in self._blocks for street in block.containing(part, limit)][:limit]

    def holds(self, figure: str) -> bool:
        """Whether any key of any source contains this figure."""
        return any(block.holds(figure) for block in self._blocks)
