"""What the words of a problem check when they are built: whole numbers, names, matrices."""

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.int64]
"""A square matrix of whole numbers, row = from, column = to."""

UNREACHABLE = -1
"""In a travel matrix: there is no way from here to there."""


LARGEST = 2**53
"""Numbers stay below: other programs that read a planning file could not tell larger ones apart."""
COUNTABLE = 2**61
"""What all visits and days together are worth stays below: whole numbers of 64 bits hold twice as much."""


class InvalidProblem(ValueError):
    """A value from which no planning problem can be built; the message begins with the field's name."""

    def __init__(self, field_name: str, complaint: str) -> None:
        super().__init__(f"{field_name}: {complaint}")
        self.field = field_name


def whole(name: str, value: object, *, at_least: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InvalidProblem(name, f"must be a whole number, not {value!r}")
    if at_least is not None and value < at_least:
        raise InvalidProblem(name, f"must be at least {at_least}, not {value}")
    if not -LARGEST < value < LARGEST:
        raise InvalidProblem(name, f"is too large: numbers stay under {LARGEST}")


def named(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidProblem(name, f"must be a text that is not empty, not {value!r}")


def matrix(name: str, value: object) -> Seconds:
    given = np.asarray(value)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise InvalidProblem(name, f"must be a square matrix, not of shape {given.shape}")
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise InvalidProblem(name, f"must hold whole numbers, {UNREACHABLE} where there is no way, not {given.dtype}")
    if given.size and given.min() < UNREACHABLE:
        raise InvalidProblem(name, f"holds {given.min()}; only {UNREACHABLE} (no way) may be negative")
    if given.dtype == np.int64 and given.base is None and not given.flags.writeable:
        return given  # of another problem: frozen already
    whole_numbers = np.array(given, dtype=np.int64)
    whole_numbers.setflags(write=False)
    return whole_numbers


def unique(name: str, ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise InvalidProblem(name, f"{twice!r} is there twice")
