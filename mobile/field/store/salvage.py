"""A damaged outbox: take every row that can still be read, from the file and from its copy."""

import sqlite3
from pathlib import Path

from mobile.field.store import clock
from mobile.field.store.outbox import Outbox
from mobile.field.store.sqlite import healthy, remove, transaction


def mend_outbox(path: Path) -> int:
    """Replace a damaged outbox by what is readable of it and of its copy; the damaged file is kept.

    Returns how many ops were saved; 0 also when nothing was wrong.
    """
    if healthy(path):
        return 0
    kept = path.with_name(f"{path.name}.damaged-{clock.now():%Y%m%dT%H%M%S}")
    sources = [kept, path.with_suffix(".bak")]
    for suffix in ("-wal", ""):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.replace(kept.with_name(kept.name + suffix))
    remove(path)
    fresh = Outbox(path)
    try:
        for source in sources:
            _copy_rows(source, fresh.db)
        return int(fresh.db.execute("select count(*) from op").fetchone()[0])
    finally:
        fresh.close()


def _copy_rows(source: Path, into: sqlite3.Connection) -> None:
    if not source.exists():
        return
    db = sqlite3.connect(source)
    try:
        for table in ("meta", "op", "blob", "draft"):
            columns = [r[1] for r in into.execute(f"pragma table_info({table})")]
            for key in _readable_keys(db, table):
                _copy_row(db, into, table, columns, key)
    finally:
        db.close()


def _readable_keys(db: sqlite3.Connection, table: str) -> list[int]:
    """Row numbers in both directions: a damaged page in the middle hides neither end."""
    keys: set[int] = set()
    for direction in ("asc", "desc"):
        try:
            for row in db.execute(f"select rowid from {table} order by rowid {direction}"):  # noqa: S608 own constants
                keys.add(int(row[0]))
        except sqlite3.DatabaseError:
            continue
    return sorted(keys)


def _copy_row(db: sqlite3.Connection, into: sqlite3.Connection, table: str, columns: list[str], key: int) -> None:
    names = ",".join(columns)
    try:
        row = db.execute(f"select {names} from {table} where rowid=?", (key,)).fetchone()  # noqa: S608 own constants
    except sqlite3.DatabaseError:
        return
    if row is not None:
        with transaction(into):
            marks = ",".join("?" * len(columns))
            into.execute(f"insert or ignore into {table}({names}) values({marks})", tuple(row))
