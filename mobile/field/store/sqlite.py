"""Honest SQLite: opening, transactions, and migrations as ordered functions."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

Migration = Callable[[sqlite3.Connection], None]
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
OF_THE_FILE = (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, *DAMAGE)
"""What reading a damaged file may end with; 0: Python itself could not take the value."""


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


def any_text(kept: bytes) -> str:
    """A text, also one in which bits have turned: who reads it sees that, and reads on."""
    return kept.decode("utf-8", "surrogateescape")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite calls the file corrupt. No room, no file handle, a disk that refuses: none of these is damage."""
    return _code(error) in DAMAGE


def lies_in_the_file(error: sqlite3.Error) -> bool:
    """Whether reading failed for what stands in the file; otherwise the same may be read later."""
    return _code(error) in OF_THE_FILE


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def healthy(path: Path) -> bool:
    """Whether SQLite finds no damage in the file; a missing file is healthy.

    Raises sqlite3.OperationalError where the file cannot be looked at now, which says nothing of it.
    """
    if not path.exists():
        return True
    db = sqlite3.connect(path, timeout=15)
    try:
        said = str(db.execute("pragma quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if is_damage(error) or _code(error) == sqlite3.SQLITE_ERROR:  # "unsupported file format" is one of these
            return False
        raise
    finally:
        db.close()
    refused = re.search(r"error code[= ](\d+)", said)
    if refused and int(refused[1]) & 0xFF not in DAMAGE:
        raise sqlite3.OperationalError(f"the file cannot be read now: {said}")
    return said == "ok"


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

    def read[Read](self, key: str, how: Callable[[str], Read]) -> Read | None:
        """A value as it is meant; None where nothing was kept, or bits of it have turned and it means nothing."""
        text = self.get(key)
        try:
            return None if text is None else how(text)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def set(self, key: str, value: str | None) -> None:
        if value is None:
            self._db.execute("delete from meta where k=?", (key,))
        else:
            self._db.execute("insert into meta values(?,?) on conflict(k) do update set v=excluded.v", (key, value))
