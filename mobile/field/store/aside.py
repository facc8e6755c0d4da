"""Ops and drafts that cannot be read any more, beside the outbox: they hold up nothing, and their bytes are kept.

A turned bit does that, or a key that is lost. What can be read again later returns to the order.
"""

import base64
import contextlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mobile.field.store.canonical import Json, sha256
from mobile.field.store.sealing import Texts, Unreadable
from mobile.field.store.sqlite import transaction

COLUMNS = "op_id,kind,e,row_id,body,body_sha,dep_op,state,result,created_wall,created_mono,boot_id,acked_at"
LOST = "state not in ('applied','merged')"
"""What the server has is no loss."""
DRAFT = "draft"
"""The kind of a draft that is set aside."""
UNSEEN = "op_id not in (select substr(k,6) from meta where k like 'seen:%')"
"""The rep has not dealt with it yet."""


def unreadable(db: sqlite3.Connection) -> None:
    """What was set aside, as it is, and whether the server has its bytes."""
    db.execute(
        "create table aside(op_id text primary key, kind text, e text, row_id text, body blob, body_sha blob,"
        " dep_op text, state text, result blob, created_wall text, created_mono integer, boot_id text, acked_at text,"
        " n integer, sent int not null default 0)"
    )


def whole(row: Mapping[str, Any], texts: Texts) -> str:
    """What was saved of an op or a draft. A seal vouches for it; without one its hash does, which drafts of older apps
    have not. Raises ValueError."""
    text = texts.open(row["body"])
    if isinstance(row["body"], str) and row["body_sha"] is not None and sha256(text) != row["body_sha"]:
        raise Unreadable("this is not what was saved")
    return text


def verdict(kept: str | bytes | None, texts: Texts) -> Json | None:
    """The server's answer to an op; None where it cannot be read any more, for the op itself can."""
    with contextlib.suppress(ValueError):
        found: Json | None = json.loads(texts.open(kept)) if kept else None
        return found
    return None


def in_copy(copy: Path, op_id: str) -> tuple[str | bytes, bytes]:
    """What a copy of the journal holds of an op, and its hash; raises sqlite3.Error or ValueError where it does not."""
    with contextlib.closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as db:
        row = db.execute("select body, body_sha from op where op_id=?", (op_id,)).fetchone()
    if row is None:
        raise Unreadable("the copy does not hold it")
    return row[0], row[1]


class Aside:
    """The unreadable ops of one signed-in user on one phone."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def __len__(self) -> int:
        """How many entries of the rep are lost, as far as this phone can read, that the rep has not read of yet."""
        sql = f"select count(*) from aside where {LOST} and {UNSEEN}"  # noqa: S608 own constants
        return int(self.db.execute(sql).fetchone()[0])

    def take(self, op_id: str) -> None:
        """Set an op aside. The numbers behind it close up when the server is greeted next."""
        with transaction(self.db):
            self.db.execute(
                f"insert or replace into aside({COLUMNS},n) select {COLUMNS},n from op where op_id=?",  # noqa: S608 own constants
                (op_id,),
            )
            self.db.execute("delete from op where op_id=?", (op_id,))

    def take_draft(self, draft_id: str) -> None:
        """Set a draft aside. Where there is no room for that now it lies where it is, and is met again."""
        with contextlib.suppress(sqlite3.OperationalError), transaction(self.db):
            self.db.execute(
                "insert into aside(op_id,kind,e,row_id,body,body_sha,state,created_wall)"
                " select lower(hex(randomblob(16))),?,?,id,body,body_sha,'queued',at from draft where id=?",
                (DRAFT, DRAFT, draft_id),
            )
            self.db.execute("delete from draft where id=?", (draft_id,))

    def give_back(self, can_be_read: Callable[[Mapping[str, Any]], bool]) -> int:
        """Return what can be read again: what waits to the end of the order, what was answered out of it."""
        back = [row for row in self.db.execute("select * from aside").fetchall() if can_be_read(dict(row))]
        with transaction(self.db):
            for row in back:
                if row["kind"] == DRAFT:
                    self.db.execute(
                        "insert or ignore into draft(id,at,body,body_sha)"
                        " select row_id,created_wall,body,body_sha from aside where op_id=?",
                        (row["op_id"],),
                    )
                    self.db.execute("delete from aside where op_id=?", (row["op_id"],))
                    continue
                waits = row["state"] in ("queued", "sent")
                lowest = min(0, int(self.db.execute("select coalesce(min(n),0) from op").fetchone()[0]))
                self.db.execute(
                    f"insert or ignore into op({COLUMNS},n) select {COLUMNS},? from aside where op_id=?",  # noqa: S608 own constants
                    (None if waits else lowest - 1, row["op_id"]),
                )
                if waits:
                    self.db.execute("update op set state='queued' where op_id=?", (row["op_id"],))
                self.db.execute("delete from aside where op_id=?", (row["op_id"],))
        return len(back)

    def unsent(self) -> list[Json]:
        """What the server does not have of it, the bytes in base64."""
        return self.all("not sent")

    def all(self, which: str = "true") -> list[Json]:
        """Everything of the rep that is set aside, read of or not, whether the server has its bytes or not."""
        rows = self.db.execute(
            f"select op_id,n,kind,e,row_id,state,created_wall,body from aside where {which} and {LOST}"  # noqa: S608 own constants
        )
        return [dict(row) | {"body": base64.b64encode(_bytes(row["body"])).decode("ascii")} for row in rows]

    def sent(self, ops: list[Json]) -> None:
        """The server has the bytes of these; they stay here too."""
        self.db.executemany("update aside set sent=1 where op_id=?", [(op["op_id"],) for op in ops])


def _bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode("utf-8", "surrogateescape")
