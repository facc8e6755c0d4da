"""Sealed rows and files: what SQLite and the disk hold can be read with a key of the device's secure storage only.

The key and the cipher are the device's; without them (tests, tools) everything is kept as it is. What begins without
the mark was written before there was a key and is read as it is.
"""

import sqlite3
from dataclasses import dataclass
from typing import Protocol

MARK = b"WMS1"


class Unreadable(ValueError):
    """It was sealed with another key, or is damaged."""


class Sealer(Protocol):
    """Seals and opens with one key; equal contents never look equal."""

    def seal(self, plain: bytes) -> bytes: ...

    def open(self, sealed: bytes) -> bytes:
        """Raises Unreadable."""


class Open:
    """No key: everything stays as it is."""

    def seal(self, plain: bytes) -> bytes:
        return plain

    def open(self, sealed: bytes) -> bytes:
        return sealed


OPEN = Open()


@dataclass(frozen=True)
class Seals:
    """The two keys of a user on a phone: one for the journal and its photos, one for what can be fetched again."""

    outbox: Sealer = OPEN
    cache: Sealer = OPEN


@dataclass(frozen=True)
class Texts:
    """Seals texts for a column; opens them in SQL as `opened(column)`."""

    sealer: Sealer

    @property
    def sealing(self) -> bool:
        """Whether there is a key."""
        return self.sealer is not OPEN

    def seal(self, text: str) -> str | bytes:
        return self.sealer.seal(text.encode("utf-8")) if self.sealing else text

    def open(self, kept: str | bytes) -> str:
        return self.sealer.open(kept).decode("utf-8") if isinstance(kept, bytes) else kept

    def teach(self, db: sqlite3.Connection) -> None:
        """Give SQL the function `opened`."""
        db.create_function("opened", 1, lambda kept: None if kept is None else self.open(kept))
