"""Texts and lists of numbers laid end to end in flat arrays."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from geo.geocode.mapped import Array, Arrays


class TextWriter:
    """Files texts, equal ones once."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def id(self, text: str) -> int:
        """The number of a text."""
        return self._ids.setdefault(text, len(self._ids))

    def arrays(self, name: str) -> Iterator[tuple[str, Array]]:
        """What `Texts` reads."""
        yield from laid_out(name, self._ids)


def laid_out(name: str, texts: Iterable[str]) -> Iterator[tuple[str, Array]]:
    """Texts as letters and where each begins."""
    encoded = [text.encode() for text in texts]
    yield f"{name}.letters", np.frombuffer(b"".join(encoded), np.uint8)
    yield f"{name}.starts", starts(np.fromiter(map(len, encoded), np.int64, len(encoded)))


def starts(sizes: Array) -> Array:
    """Where each of some pieces laid end to end begins, and where the last ends."""
    found = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=found[1:])
    return found.astype(np.uint32 if found[-1] < 1 << 32 else np.int64)


class Texts:
    """Texts by number."""

    def __init__(self, arrays: Arrays, name: str) -> None:
        self._letters, self._first = arrays.raw(f"{name}.letters")
        self._starts = memoryview(arrays[f"{name}.starts"])

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, at: int) -> str:
        return self._letters[self._first + self._starts[at] : self._first + self._starts[at + 1]].decode()

    def many(self, numbers: Sequence[int]) -> list[str]:
        """Several texts without a zero character, as keys are, with less work for each."""
        letters, first, starts = self._letters, self._first, self._starts
        some = b"\0".join([letters[first + starts[at] : first + starts[at + 1]] for at in numbers])
        return some.decode().split("\0") if numbers else []

    def first(self, some: Iterable[int], encoded: bytes) -> int:
        """Which of some texts is this one, -1 when none is."""
        starts, size = self._starts, len(encoded)
        for at in some:
            begin = starts[at]
            if starts[at + 1] - begin == size:
                begin += self._first
                if self._letters[begin : begin + size] == encoded:
                    return at
        return -1


class ListWriter:
    """Collects one list of numbers per row."""

    def __init__(self) -> None:
        self._items, self._sizes = array("I"), array("I")

    def add(self, items: Sequence[int]) -> None:
        """The list of the next row."""
        self._items.extend(items)
        self._sizes.append(len(items))

    def arrays(self, name: str) -> Iterator[tuple[str, Array]]:
        """What `Lists` reads."""
        yield f"{name}.items", np.frombuffer(self._items, np.uint32)
        yield f"{name}.starts", starts(np.frombuffer(self._sizes, np.uint32))


class Lists:
    """One list of numbers per row."""

    def __init__(self, arrays: Mapping[str, Array], name: str) -> None:
        self.items, self.starts = arrays[f"{name}.items"], arrays[f"{name}.starts"]
        self._items, self._starts = memoryview(self.items), memoryview(self.starts)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, at: int) -> list[int]:
        return self._items[self._starts[at] : self._starts[at + 1]].tolist()

    def bounds(self, at: int) -> tuple[int, int]:
        """Where a list begins and ends among all items."""
        return self._starts[at], self._starts[at + 1]

    def array(self, at: int) -> Array:
        """A list as an array, not copied."""
        return self.items[self._starts[at] : self._starts[at + 1]]

    def joined(self, rows: Sequence[int]) -> Array:
        """The lists of some rows laid end to end."""
        items, starts = self.items, self._starts
        return np.concatenate([items[starts[at] : starts[at + 1]] for at in rows]) if rows else items[:0]

    def of(self, rows: Array) -> tuple[Array, Array]:
        """The lists of many rows laid end to end, and the size of each."""
        begin = self.starts[rows].astype(np.int64)
        sizes = self.starts[rows + 1] - begin
        ends = np.cumsum(sizes)
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - (ends - sizes), sizes)
        return self.items[at], sizes
