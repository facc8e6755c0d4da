"""What is filed under a key: exactly, by the key's beginning, or by a similar key."""

import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import batched

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.geocode.mapped import Array, Arrays
from geo.geocode.texts import Lists, Texts, laid_out, starts
from geo.geocode.trigrams import Pieces, pack_pieces

_SCANNED = 2_000
"""So many keys are compared one by one; of more, those that share most pieces."""
_SHORTLIST = 300
_REMEMBERED = 20_000
"""So many keys asked for are remembered: one question asks for the same ones again and again."""
_FEW = 20_000
"""So many keys are looked up in a dictionary, for one or two megabytes of memory; more where they lie."""
_LEAST_SHARED = 0.2
_TOGETHER = 40
"""So many of the shortlist are compared at once; the rest only when they may still be among the most similar."""
_PIECES_AN_EDIT = 3
"""An edit, such as two letters swapped, changes at most so many pieces of two letters."""


class KeyWriter:
    """Collects what `Keys` reads.

    Parameters
    ----------
    pieces : int
        Letters in the pieces by which similar keys are found; 0 when they are not searched.
    """

    def __init__(self, pieces: int = 3) -> None:
        self._pieces = pieces
        self._ids: dict[str, int] = {}
        self._flat, self._sizes = array("I"), array("I")

    def add(self, keys: Iterable[str]) -> None:
        """File the next member under its keys."""
        ids = self._ids
        before = len(self._flat)
        self._flat.extend([ids.setdefault(key, len(ids)) for key in dict.fromkeys(keys)])
        self._sizes.append(len(self._flat) - before)

    def arrays(self, name: str) -> Iterator[tuple[str, Array]]:
        """What `Keys` reads."""
        keys = list(self._ids)
        flat, sizes = np.frombuffer(self._flat, np.uint32), np.frombuffer(self._sizes, np.uint32)
        owner = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
        yield from laid_out(f"{name}.text", keys)
        yield f"{name}.members.items", owner[np.argsort(flat, kind="stable")]
        yield f"{name}.members.starts", starts(np.bincount(flat, minlength=len(keys)))
        yield f"{name}.of.items", flat
        yield f"{name}.of.starts", starts(sizes)
        yield from _hashed(name, keys)
        if self._pieces:
            yield f"{name}.sorted", np.array(sorted(range(len(keys)), key=keys.__getitem__), np.uint32)
            yield from pack_pieces(f"{name}.pieces", keys, self._pieces)


def _hashed(name: str, keys: list[str]) -> Iterator[tuple[str, Array]]:
    """Keys by hash: those of one bucket side by side, about one in each."""
    hashes = np.fromiter((zlib.crc32(key.encode()) for key in keys), np.uint32, len(keys))
    order = np.argsort(hashes, kind="stable").astype(np.uint32)
    buckets = 1 << max(1, len(keys).bit_length())
    limits = (np.arange(buckets + 1, dtype=np.uint64) << np.uint64(32)) // np.uint64(buckets)
    yield f"{name}.by_hash", order
    yield f"{name}.buckets", np.searchsorted(hashes[order].astype(np.uint64), limits).astype(np.uint32)


class Keys:
    """Keys and their members.

    Parameters
    ----------
    arrays : Arrays
        With what a `KeyWriter` made.
    name : str
        Its name there.
    pieces : int
        As it was written.
    """

    def __init__(self, arrays: Arrays, name: str, pieces: int = 3) -> None:
        self.texts = Texts(arrays, f"{name}.text")
        """The keys."""
        self.members = Lists(arrays, f"{name}.members")
        """Members of each key, in their order."""
        self.of = Lists(arrays, f"{name}.of")
        """Keys of each member."""
        self._by_hash = memoryview(arrays[f"{name}.by_hash"])
        self._buckets = memoryview(arrays[f"{name}.buckets"])
        self.text = lru_cache(2 * _REMEMBERED)(self.texts.__getitem__)
        """A key, by its position."""
        self.find = lru_cache(_REMEMBERED)(self.look_up)
        """Position of a key, -1 when there is none."""
        self._shift = 33 - (len(self._buckets) - 1).bit_length()
        self._sorted = memoryview(arrays[f"{name}.sorted"]) if pieces else memoryview(b"")
        self.pieces = Pieces(arrays, f"{name}.pieces", pieces) if pieces else None
        """Pieces of the keys, where they are searched."""

    def __len__(self) -> int:
        return len(self._by_hash)

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        """Position of each of a few keys; nothing when there are many, which are looked up where they lie."""
        texts = self.texts.many(range(len(self))) if len(self) <= _FEW else []
        return {text: at for at, text in enumerate(texts)}

    def look_up(self, key: str) -> int:
        """The same, not remembered: for a caller who remembers what it leads to."""
        if self._positions:
            return self._positions.get(key, -1)
        encoded = key.encode("utf-8", "replace")
        return self._hashed(encoded, zlib.crc32(encoded))

    def _hashed(self, encoded: bytes, check: int) -> int:
        bucket = check >> self._shift
        return self.texts.first(self._by_hash[self._buckets[bucket] : self._buckets[bucket + 1]], encoded)

    def begun_with(self, text: str, shortest: int) -> list[str]:
        """Keys of so many letters or more that a longer text begins with, the longest first.

        The hash of each beginning goes on from that of the one before.
        """
        few = self._positions
        if few:
            return [text[:size] for size in range(len(text) - 1, shortest - 1, -1) if text[:size] in few]
        found: list[str] = []
        buckets, shift = self._buckets, self._shift
        encoded = text.encode("utf-8", "replace")
        plain = len(encoded) == len(text)
        ends = range(len(text)) if plain else [len(text[:at].encode("utf-8", "replace")) for at in range(len(text))]
        done = check = 0
        for size in range(shortest, len(text)):
            end = ends[size]
            check = zlib.crc32(encoded[done:end], check)
            done = end
            bucket = check >> shift
            if buckets[bucket] != buckets[bucket + 1] and self._hashed(encoded[:end], check) >= 0:
                found.append(text[:size])
        return found[::-1]

    def named(self, key: str) -> list[int]:
        """Members of exactly this key."""
        at = self.find(key)
        return [] if at < 0 else self.members[at]

    def beginning(self, text: str, limit: int) -> list[int]:
        """The first keys, in the order of their filing, that begin with a text."""
        low, high = self._bound(text), self._bound(text + chr(0x10FFFF))
        return sorted(self._sorted[low:high])[:limit]

    def _bound(self, text: str) -> int:
        low, high = 0, len(self._sorted)
        while low < high:
            middle = (low + high) // 2
            if self.texts[self._sorted[middle]] < text:
                low = middle + 1
            else:
                high = middle
        return low

    def like(self, key: str, limit: int, least: float = 0.3) -> list[tuple[float, int]]:
        """Keys that share most pieces with this one, best first, with their likeness."""
        return self.pieces.like(key, limit, least) if self.pieces is not None else []

    def similar(self, key: str, least: float, limit: int, within: float = 1.0) -> list[tuple[float, int]]:
        """Keys of an OSA similarity of `least` or more that are `within` so much of the best, best first."""
        scorer = OSA.normalized_similarity
        if len(self) <= _SCANNED or self.pieces is None:
            found = process.extract(key, self._everything, scorer=scorer, score_cutoff=least, limit=limit)
            return [(score, at) for _, score, at in found if score >= found[0][1] - within]
        top: list[tuple[float, int]] = []
        first = max(_LEAST_SHARED, _shared(1 - 1 / max(1, len(key)) - within))
        for near in self.pieces.nearing(key, _SHORTLIST, (first, _LEAST_SHARED), int(least * len(key))):
            top = []
            for some in batched(near, _TOGETHER):
                if some[0][0] < _shared(_needed(top, limit, within)):
                    break
                texts = self.texts.many([at for _, at in some])
                found = process.extract(key, texts, scorer=scorer, score_cutoff=least, limit=limit)
                top += [(score, some[at][1]) for _, score, at in found]
                top = sorted(top, key=lambda pair: -pair[0])[:limit]
            if _shared(_needed(top, limit, within)) >= first:
                break
        return [pair for pair in top if pair[0] >= top[0][0] - within]

    @cached_property
    def _everything(self) -> list[str]:
        return [self.texts[at] for at in range(len(self))]


def _needed(top: list[tuple[float, int]], limit: int, within: float) -> float:
    """The similarity from which on a key still belongs among the most similar ones found."""
    return max(top[0][0] - within, top[-1][0] if len(top) == limit else 0.0) if top else 0.0


def _shared(similarity: float) -> float:
    """The part of its pieces that a key of some similarity shares at least."""
    return 1 - _PIECES_AN_EDIT * (1 - similarity)
