"""A damaged or lost outbox: take every row that can still be read, from the file and from its copy.

One start may be killed, or find no room, in the midst of it: the mended file is written aside, and takes its place only
when it is whole. Until then the damaged one stays where it is, and the next start begins again.
"""

import fcntl
import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from mobile.field.store import clock
from mobile.field.store.outbox import SAVED, STATES, Outbox
from mobile.field.store.sqlite import any_text, healthy, lies_in_the_file, remove, transaction

TABLES = ("meta", "op", "blob", "aside", "draft")
PAGE_BYTES = 4096


class Presence:
    """That the files of a folder are open. Who opens them alone may mend them; who comes meanwhile waits for that."""

    def __init__(self, folder: Path) -> None:
        self._handle = os.open(folder, os.O_RDONLY)
        self.close = weakref.finalize(self, os.close, self._handle)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.alone = True
        except OSError:
            self.share()

    def share(self) -> None:
        """From now on others may open the files too."""
        self.alone = False
        fcntl.flock(self._handle, fcntl.LOCK_SH)


def mend_outbox(path: Path) -> int:
    """Replace an outbox that is damaged, or older than its copy, by what is readable of both; the old file is kept.

    Only for who has the files alone. Returns how many ops were saved; 0 also when nothing was wrong. Raises
    sqlite3.OperationalError or OSError where the disk does not let it be done now: then nothing has changed.
    """
    copy, aside = path.with_suffix(".bak"), path.with_suffix(".mending")
    _put_in_place(path)
    _keep_log(path)
    if healthy(path) and _is_of_whole_pages(path) and not _is_behind(path, copy):
        return 0
    remove(aside)
    try:
        count = _salvage(aside, sorted((path, copy), key=_saved, reverse=True))
        with aside.open("rb") as file:
            os.fsync(file.fileno())
    except (sqlite3.Error, OSError):
        remove(aside)
        raise
    aside.replace(path.with_name(f"{path.name}.mended-{_stamp(path)}"))
    _put_in_place(path)
    return count


def _is_of_whole_pages(path: Path) -> bool:
    """SQLite takes the missing end of a file for zeros, and so do its checks."""
    return not path.exists() or path.stat().st_size % 512 == 0


def _put_in_place(path: Path) -> None:
    """Give a mended file its name, and another one to what it replaces; goes on where a killed start left off."""
    for mended in sorted(path.parent.glob(f"{path.name}.mended-*")):
        kept = path.with_name(mended.name.replace(".mended-", ".damaged-"))
        for suffix in ("-wal", ""):
            old = path.with_name(path.name + suffix)
            if old.exists() and old.stat().st_size:
                old.replace(kept.with_name(kept.name + suffix))
        remove(path)
        mended.replace(path)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _stamp(path: Path) -> str:
    """Names what is kept: by the second, and by a number where that second has one already."""
    second = stamp = f"{clock.now():%Y%m%dT%H%M%S}"
    number = 1
    while any(path.parent.glob(f"{path.name}.damaged-{stamp}*")):
        number += 1
        stamp = f"{second}-{number}"
    return stamp


def _keep_log(path: Path) -> None:
    """SQLite throws away the log of a database that is empty or missing, with all that was saved lately."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size and not (path.exists() and path.stat().st_size):
        path.write_bytes(bytes(PAGE_BYTES))


def _is_behind(path: Path, copy: Path) -> bool:
    """Whether the copy holds more than a sound file: that lost its log, or its content, or is not there."""
    mine, theirs = _saved(path), _saved(copy)
    if mine < 0 and theirs < 0:  # both of an app that did not count
        return not _count(path) and _count(copy) > 0
    return theirs > mine


def _saved(path: Path) -> int:
    """How many ops were ever saved into a file; -1 where nothing says so."""
    return _number(path, "select v from meta where k=?", -1, SAVED)


def _count(path: Path) -> int:
    """How many ops a file holds."""
    return _number(path, "select count(*) from op", 0)


def _number(path: Path, sql: str, otherwise: int, *values: str) -> int:
    if not path.exists():
        return otherwise
    with closing(sqlite3.connect(path)) as db:
        try:
            row = db.execute(sql, values).fetchone()
        except sqlite3.DatabaseError as error:
            if lies_in_the_file(error):
                return otherwise
            raise
    return otherwise if row is None else int(row[0])


def _salvage(aside: Path, sources: list[Path]) -> int:
    """Write a new outbox from what is readable, the latest source first; all of it, or nothing."""
    with closing(Outbox(aside)) as fresh:
        with transaction(fresh.db):
            for source in sources:
                _copy_rows(source, fresh.db)
            count = int(fresh.db.execute("select count(*) from op").fetchone()[0])
            fresh.meta.set(SAVED, str(max(count, *map(_saved, sources))))
        fresh.db.execute("pragma wal_checkpoint(truncate)")
    return count


def _copy_rows(source: Path, into: sqlite3.Connection) -> None:
    if not source.exists():
        return
    with closing(sqlite3.connect(source)) as db:
        db.row_factory, db.text_factory = sqlite3.Row, any_text
        for table in TABLES:
            rows = list(_readable_rows(db, table))
            for row in _renumbered(rows, into) if table == "op" else map(dict, rows):
                _copy_row(row, into, table)


def _copy_row(row: dict[str, Any], into: sqlite3.Connection, table: str) -> None:
    if table == "draft" and "visit_id" in row:  # a file from before other forms had drafts
        row = row | {"id": row["visit_id"]}
    known = [column[1] for column in into.execute(f"pragma table_info({table})") if column[1] in row]
    names, marks = ",".join(known), ",".join("?" * len(known))
    into.execute(f"insert or ignore into {table}({names}) values({marks})", [_bindable(row[name]) for name in known])


def _bindable(value: Any) -> Any:
    """A value as SQLite takes it; a text in which bits have turned as its bytes."""
    try:
        return value.encode("utf-8").decode("utf-8") if isinstance(value, str) else value
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")


def _renumbered(rows: list[sqlite3.Row], into: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """Ops that are not there yet. Where numbers were given anew since, theirs belong to others: what waits goes to the
    end of the order, what was answered leaves it."""
    have = dict(into.execute("select op_id, n from op").fetchall())
    taken = set(have.values())
    moved = any(have.get(row["op_id"], row["n"]) != row["n"] for row in rows)
    for row in map(dict, rows):
        if row["op_id"] in have:
            continue
        row["was_sent"] = 1  # a copy may be older than its sending
        if row["state"] not in STATES:
            row["state"] = "queued"  # it is torn: what the server has of it, it answers by its receipt
        if taken and (moved or row["n"] in taken):
            waits = row["state"] in ("queued", "sent")
            lowest = min(0, int(into.execute("select coalesce(min(n),0) from op").fetchone()[0]))
            row |= {"n": None, "state": "queued"} if waits else {"n": lowest - 1}
        yield row


def _readable_rows(db: sqlite3.Connection, table: str) -> Iterator[sqlite3.Row]:
    for key in _readable_keys(db, table):
        try:
            row = db.execute(f"select * from {table} where rowid=?", (key,)).fetchone()  # noqa: S608 own constants
        except sqlite3.DatabaseError as error:
            if not lies_in_the_file(error):
                raise
            continue
        if row is not None:
            yield row


def _readable_keys(db: sqlite3.Connection, table: str) -> list[int]:
    """Row numbers in both directions: a damaged page in the middle hides neither end."""
    keys: set[int] = set()
    for direction in ("asc", "desc"):
        try:
            for row in db.execute(f"select rowid from {table} order by rowid {direction}"):  # noqa: S608 own constants
                keys.add(int(row[0]))
        except sqlite3.DatabaseError as error:
            if not lies_in_the_file(error):
                raise
    return sorted(keys)
