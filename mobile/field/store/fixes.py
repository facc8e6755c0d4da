"""Fixes of the rep's way that are in no op yet, beside the outbox: a few minutes of them, sealed as everything here.

They are not salvaged from a damaged file: its copy may hold some that an op has taken since.
"""

import contextlib
import json
import sqlite3
from dataclasses import dataclass

from mobile.field.store.canonical import Json, canonical
from mobile.field.store.sealing import Texts


def way(db: sqlite3.Connection) -> None:
    """What waits to become an op."""
    db.execute("create table fix(n integer primary key autoincrement, body text not null)")


@dataclass(frozen=True)
class Kept:
    """A fix as it travels, and its number."""

    n: int
    body: Json


class Fixes:
    """The fixes of one signed-in user on one phone."""

    def __init__(self, db: sqlite3.Connection, texts: Texts) -> None:
        self.db, self._texts = db, texts

    def add(self, body: Json) -> None:
        self.db.execute("insert into fix(body) values(?)", (self._texts.seal(canonical(body)),))

    def all(self) -> list[Kept]:
        """In the order in which they were taken; one that cannot be read any more goes with those around it."""
        kept = []
        for row in self.db.execute("select n, body from fix order by n").fetchall():
            with contextlib.suppress(ValueError):
                kept.append(Kept(row["n"], json.loads(self._texts.open(row["body"]))))
        return kept

    def let_go(self, upto: int | None = None) -> None:
        """Forget those up to a number, or all of them."""
        self.db.execute("delete from fix where n<=coalesce(?,n)", (upto,))
