"""One short name for all that a search is given, so that two plans tell whether they began from the same."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass

import numpy as np

from routing.types import Problem


def fingerprint(problem: Problem, *settings: object) -> str:
    """SHA-256 of a problem and of what the search was told besides: engine, seed, budget.

    Equal inputs have equal fingerprints in every process and on every machine: sets and mappings count in sorted
    order, whatever order they were built in.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for word in _words((problem, settings)):
        digest.update(word)
    return digest.hexdigest()


def _words(value: object) -> Iterator[bytes]:
    """The value as a flat run of words from which it could be told apart from every other one."""
    if is_dataclass(value) and not isinstance(value, type):
        yield type(value).__name__.encode()
        for field in fields(value):
            yield from _words(getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        yield f"{value.shape}".encode()
        yield np.ascontiguousarray(value, dtype="<i8").tobytes()
    elif isinstance(value, Mapping):
        yield from _words([(key, value[key]) for key in sorted(value)])
    elif isinstance(value, Set):
        yield from _words(sorted(value))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield f"[{len(value)}".encode()
        for one in value:
            yield from _words(one)
    else:
        yield f"{type(value).__name__}:{value!r};".encode()
