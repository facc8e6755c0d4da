"""Contents of photos beside the outbox: on the disk before their op is saved, until a backup of the server has them.

A row of `blob` says what is still to be done with a file: `waiting` (to be sent), `stored` (the server has it, its
backups not yet), `refused` (the server does not take it; the rep is told). A row goes when its file may go.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobile.field.store.sealing import OPEN, Sealer
from mobile.field.store.sqlite import transaction

THUMBNAIL, PHOTO = "thumbnail", "photo"
PATIENCE = 3
"""So many syncs in which the server fails on a content, and it waits for another day."""


def lanes(db: sqlite3.Connection) -> None:
    """What is sent first, and why something is not taken."""
    db.execute("alter table blob add column lane text not null default 'photo'")
    db.execute("alter table blob add column reason text")


def failures(db: sqlite3.Connection) -> None:
    """In how many syncs the server has failed on a content."""
    db.execute("alter table blob add column failures int not null default 0")


@dataclass(frozen=True)
class Content:
    """A file that is to be kept with an op."""

    sha256: str
    size: int
    mime: str
    lane: str


@dataclass(frozen=True)
class Blob:
    """A content of which the phone still has to take care."""

    sha256: str
    path: Path
    size: int
    state: str
    offset: int
    lane: str
    for_op: str
    error: Mapping[str, Any] | None
    """Why it was refused, or the server failed on it: `code` and `msg`, and what more the server said."""
    failures: int = 0

    @property
    def is_parked(self) -> bool:
        """Whether it is tried again only once a day, so that it holds up no other."""
        return self.state == "waiting" and self.failures >= PATIENCE


class Blobs:
    """The contents of one signed-in user on one phone."""

    def __init__(
        self, db: sqlite3.Connection, folder: Path, sealer: Sealer = OPEN, drafted: Callable[[], set[str]] = set
    ) -> None:
        self.db, self.folder, self._sealer, self._drafted = db, folder, sealer, drafted

    def path_of(self, sha256: str) -> Path:
        """Where a content lies that is not the server's alone yet."""
        return self.folder / sha256

    def place(self, source: Path, sha256: str) -> None:
        """Give a file its name for good: when this returns, a power cut does not lose it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = self._sealer.seal(source.read_bytes())
        with source.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        source.replace(self.path_of(sha256))
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, sha256: str) -> bytes:
        """A content as it was taken."""
        return self._sealer.open(self.path_of(sha256).read_bytes())

    def enter(self, contents: Iterable[Content], op_id: str) -> None:
        """Say that contents are to be sent; within the transaction that saves their op."""
        for one in contents:
            self.db.execute(
                "insert into blob(sha256,path,size,mime,upload_state,offset,for_op,lane)"
                " values(?,?,?,?,'waiting',0,?,?)"
                " on conflict(sha256) do update set upload_state='waiting', for_op=excluded.for_op",
                (one.sha256, one.sha256, one.size, one.mime, op_id, one.lane),
            )

    def all(self, *states: str) -> list[Blob]:
        """The contents in some states, small pictures first, in the order in which they were taken."""
        marks = ",".join("?" * len(states))
        rows = self.db.execute(
            f"select * from blob where upload_state in ({marks}) order by lane!='thumbnail', rowid",  # noqa: S608 marks only
            states,
        )
        return [self._blob(row) for row in rows.fetchall()]

    def _blob(self, row: sqlite3.Row) -> Blob:
        return Blob(
            sha256=row["sha256"],
            path=self.path_of(row["sha256"]),
            size=row["size"],
            state=row["upload_state"],
            offset=row["offset"],
            lane=row["lane"],
            for_op=row["for_op"],
            error=_error(row["reason"]),
            failures=row["failures"],
        )

    def went_on(self, sha256: str, offset: int) -> None:
        """So much of a content is on the server; for the rep to see, the server knows better."""
        self.db.execute("update blob set offset=? where sha256=?", (offset, sha256))

    def stored(self, sha256: str) -> None:
        """The server has it. It stays here until a backup has it too."""
        self.db.execute(
            "update blob set upload_state='stored', offset=size, reason=null, failures=0 where sha256=?", (sha256,)
        )

    def refuse(self, sha256: str, error: Mapping[str, Any]) -> None:
        """The server does not take it, or it cannot be sent: the rep has to know."""
        reason = json.dumps(error, ensure_ascii=False)
        self.db.execute("update blob set upload_state='refused', reason=? where sha256=?", (reason, sha256))

    def failed(self, sha256: str, error: Mapping[str, Any]) -> None:
        """The server has failed on it in this sync; it waits still."""
        reason = json.dumps(error, ensure_ascii=False)
        self.db.execute("update blob set failures=failures+1, reason=? where sha256=?", (reason, sha256))

    def retry_parked(self) -> None:
        """Give contents on which the server failed another try each."""
        self.db.execute("update blob set failures=? where failures>=?", (PATIENCE - 1, PATIENCE))

    def ask_again(self, op_id: str | None = None) -> None:
        """The server is another one than before: everything that is still here is offered to it once more; or it has
        taken an op now, and what belongs to that is offered, refused before or not."""
        which, args = ("upload_state='stored'", ()) if op_id is None else ("for_op=?", (op_id,))
        self.db.execute(
            f"update blob set upload_state='waiting', offset=0, reason=null, failures=0 where {which}",  # noqa: S608 our own words
            args,
        )

    def let_go(self, sha256: str) -> None:
        """A backup has it: the row goes first, then the file, unless the same picture waits in a draft."""
        with transaction(self.db):
            self.db.execute("delete from blob where sha256=?", (sha256,))
        if sha256 not in self._drafted():
            self.path_of(sha256).unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """Everything that lies here."""
        if self.folder.exists():
            yield from self.folder.iterdir()


def _error(reason: str | None) -> dict[str, Any] | None:
    """What was kept of a refusal; earlier versions of the app kept its message alone."""
    if not reason:
        return None
    try:
        kept: dict[str, Any] = json.loads(reason)
        return {"code": kept["code"], **kept}
    except (ValueError, TypeError, KeyError):  # a word, or bits of it have turned
        return {"code": reason, "msg": reason}
