"""Honest SQLite: opening, transactions, and migrations as ordered functions."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

Migration = Callable[[sqlite3.Connection], None]


def connect(path: Path, *, synchronous: str) -> sqlite3.Connection:
    """Open a WAL database in which transactions begin only where the code says so."""
    db = sqlite3.connect(path, isolation_level=None, timeout=15)
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode=wal")
    db.execute(f"pragma synchronous={synchronous}")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, also when the commit itself fails; a block inside another joins the outer transaction."""
    if db.in_transaction:
        yield db
        return
    db.execute("begin immediate")
    try:
        yield db
        db.commit()
    except BaseException:
        db.rollback()
        raise


def migrate(db: sqlite3.Connection, steps: Sequence[Migration]) -> None:
    """Run the steps that this file has not seen yet, each in its own transaction."""
    while (version := int(db.execute("pragma user_version").fetchone()[0])) < len(steps):
        with transaction(db):
            steps[version](db)
            db.execute(f"pragma user_version={version + 1}")


def healthy(path: Path) -> bool:
    """Whether SQLite finds no damage in the file; a missing file is healthy."""
    if not path.exists():
        return True
    try:
        db = sqlite3.connect(path, timeout=15)
        try:
            return bool(db.execute("pragma quick_check(1)").fetchone()[0] == "ok")
        finally:
            db.close()
    except sqlite3.DatabaseError:
        return False


def remove(path: Path) -> None:
    """Delete a database with its side files."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class Meta:
    """The key-value table that both databases carry."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        row = self._db.execute("select v from meta where k=?", (key,)).fetchone()
        return None if row is None else row[0]

    def set(self, key: str, value: str | None) -> None:
        if value is None:
            self._db.execute("delete from meta where k=?", (key,))
        else:
            self._db.execute("insert into meta values(?,?) on conflict(k) do update set v=excluded.v", (key, value))
