"""The outbox: every intention of the rep, kept until the server's backups hold it too.

"Saved" means one committed transaction in this file, nothing less. Op numbers run gap-free from 1
over everything that goes to the server in order. Parked ops and ops that an earlier device id has
delivered have left that order: their numbers are negative.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mobile.field.store import clock
from mobile.field.store.aside import Aside, in_copy, unreadable, verdict, whole
from mobile.field.store.blobs import Blobs, Content, failures, lanes
from mobile.field.store.canonical import Json, canonical, sha256
from mobile.field.store.drafts import Drafts, of_any_form, unsaved, vouched
from mobile.field.store.fixes import Fixes, way
from mobile.field.store.sealing import OPEN, Sealer, Texts
from mobile.field.store.sqlite import Meta, any_text, connect, healthy, migrate, transaction

UNSENT = ("queued", "sent", "deferred", "stuck")
ATTENTION = ("conflict", "rejected", "stuck")
STATES = {*UNSENT, *ATTENTION, "applied", "merged"}
MAX_OP_BYTES = 64 * 1024
BACKUP_EVERY = 20
KEEP_ACKED = timedelta(days=7)
SAVED = "saved"
"""How many ops were ever saved here: a file that says less than its copy has lost some."""


class OpTooLarge(ValueError):
    """The op would exceed what the server accepts; nothing was saved."""


def _tables(db: sqlite3.Connection) -> None:
    db.execute(
        "create table op(n integer primary key autoincrement, op_id text unique not null, kind text, e text,"
        " row_id text, body text not null, body_sha blob not null, dep_op text, state text not null default 'queued',"
        " result text, created_wall text, created_mono integer, boot_id text, acked_at text)"
    )
    db.execute("create index op_state on op(state, n)")
    db.execute(
        "create table blob(sha256 text primary key, path text, size int, mime text, upload_state text,"
        " offset int default 0, for_op text)"
    )
    db.execute("create table meta(k text primary key, v text)")


def _ever_sent(db: sqlite3.Connection) -> None:
    """Whether the server may have an op, for good: it is `queued` again after a restore or an answer that was lost."""
    db.execute("alter table op add column was_sent int not null default 1")


MIGRATIONS = (_tables, lanes, way, unsaved, unreadable, failures, of_any_form, vouched, _ever_sent)


@dataclass(frozen=True)
class Op:
    """One intention of the rep and what became of it."""

    n: int
    op_id: str
    kind: str
    e: str
    row_id: str
    body: Json
    state: str
    result: Json | None
    created_wall: str
    acked_at: str | None
    was_sent: bool
    """The server may have it, whatever its state is now."""


def _op(row: Mapping[str, Any], texts: Texts) -> Op:
    """A row as an op; raises ValueError where what was saved is not what stands there."""
    plain = {name: row[name] for name in ("n", "op_id", "kind", "e", "row_id", "state", "created_wall", "acked_at")}
    known = {"body": json.loads(whole(row, texts)), "was_sent": bool(row["was_sent"])}
    return Op(**plain, **known, result=verdict(row["result"], texts))


class Outbox:
    """The op journal of one signed-in user on one phone."""

    def __init__(self, path: Path, sealer: Sealer = OPEN) -> None:
        self.path, self._sealer, self._texts = path, sealer, Texts(sealer)
        self.db = connect(path, synchronous="full")
        self.db.text_factory = any_text
        migrate(self.db, MIGRATIONS)
        self.meta = Meta(self.db)
        if self._texts.sealing:
            self._seal_what_is_open()
        self.aside.give_back(self._can_be_read)

    def _seal_what_is_open(self) -> None:
        """Seal what was saved before there was a key; nothing of it stays in the file or in its copy."""
        old = self.db.execute("select n, body, result from op where typeof(body)='text'").fetchall()
        if not old:
            return
        with transaction(self.db):
            for row in old:
                result = None if row["result"] is None else self._texts.seal(self._texts.open(row["result"]))
                body = self._texts.seal(row["body"])
                self.db.execute("update op set body=?, result=? where n=?", (body, result, row["n"]))
        self.db.execute("vacuum")
        self.db.execute("pragma wal_checkpoint(truncate)")
        self.back_up()

    @property
    def blobs(self) -> Blobs:
        """The contents of photos that are not the server's alone yet."""
        return Blobs(self.db, self.path.parent / "photos", self._sealer, self.drafts.contents)

    @property
    def fixes(self) -> Fixes:
        """The rep's way as far as it is in no op yet."""
        return Fixes(self.db, self._texts)

    @property
    def drafts(self) -> Drafts:
        """What is typed into forms and not saved yet."""
        return Drafts(self.db, self._texts)

    @property
    def aside(self) -> Aside:
        """What cannot be read any more."""
        return Aside(self.db)

    def close(self) -> None:
        self.db.close()

    # -- capture

    def append(self, body: Json, contents: Sequence[Content] = (), *, fixes_upto: int = 0) -> Op:
        """Save one op for good, with the contents that lie here already: a power cut after this does not lose it.

        The fixes up to a number are in it, and go with the same transaction.
        """
        text = canonical(body)
        if len(text.encode("utf-8")) > MAX_OP_BYTES:
            raise OpTooLarge(f"{body['e']}: the entry is larger than {MAX_OP_BYTES // 1024} KB")
        with transaction(self.db):
            row = self.db.execute(
                "insert into op(op_id,kind,e,row_id,body,body_sha,dep_op,created_wall,created_mono,boot_id,was_sent)"
                " values(?,?,?,?,?,?,?,?,?,?,0) returning *",
                (
                    body["op_id"], body["k"], body["e"], body["id"], self._texts.seal(text), sha256(text),
                    body.get("dep_op"), body["at"]["wall"], body["at"]["mono"], body["at"]["boot"],
                ),
            ).fetchone()  # fmt: skip
            self.db.execute("insert into meta values(?,'1') on conflict(k) do update set v=cast(v as int)+1", (SAVED,))
            self.blobs.enter(contents, body["op_id"])
            if fixes_upto:
                self.fixes.let_go(fixes_upto)
        self.copy_after(row["n"])
        return self._op(row)

    def copy_after(self, *numbers: int) -> None:
        """Copy the journal now and then, once what was saved is in it."""
        if not self.db.in_transaction and any(n % BACKUP_EVERY == 0 for n in numbers):
            with contextlib.suppress(sqlite3.Error, OSError):  # it is saved already; the copy can wait for room
                self.back_up()

    def _op(self, row: Mapping[str, Any]) -> Op:
        return _op(row, self._texts)

    def _can_be_read(self, row: Mapping[str, Any]) -> bool:
        try:
            return bool(whole(row, self._texts))
        except ValueError:
            return False

    def _read(self, rows: Iterable[sqlite3.Row]) -> list[Op]:
        """Rows as ops. One that cannot be read comes from the copy, or is set aside: it holds up no other."""
        found = []
        for row in rows:
            try:
                found.append(self._op(dict(row)))
            except ValueError:
                found += self._from_copy(row)
        return found

    def _from_copy(self, torn: sqlite3.Row) -> list[Op]:
        with contextlib.suppress(sqlite3.Error, ValueError):
            body, digest = in_copy(self.path.with_suffix(".bak"), torn["op_id"])
            op = self._op({**dict(torn), "body": body, "body_sha": digest})
            self.db.execute("update op set body=?, body_sha=? where op_id=?", (body, digest, op.op_id))
            return [op]
        with contextlib.suppress(sqlite3.Error):  # no room for it now: it lies where it is, and is met again
            self.aside.take(torn["op_id"])
        return []

    def back_up(self) -> None:
        """Copy the journal beside itself; a half-written or damaged copy never replaces a whole one."""
        fresh = self.path.with_suffix(".bak.new")
        fresh.unlink(missing_ok=True)
        copy = sqlite3.connect(fresh)
        try:
            self.db.backup(copy)
        finally:
            copy.close()
        if healthy(fresh):
            fresh.replace(self.path.with_suffix(".bak"))
        else:
            fresh.unlink()

    # -- reads

    def ops(self, states: Iterable[str] | None = None) -> list[Op]:
        """All ops, or those in the given states, in the order of the journal."""
        wanted = tuple(states or ())
        where = f"where state in ({','.join('?' * len(wanted))})" if wanted else ""
        rows = self.db.execute(f"select * from op {where} order by n>0, abs(n)", wanted)  # noqa: S608 marks only
        return self._read(rows.fetchall())

    def pending(self, covered_n: int) -> list[Op]:
        """Unsent ops, and answered ones that no pull has covered yet."""
        marks = ",".join("?" * len(UNSENT))
        rows = self.db.execute(
            f"select * from op where state in ({marks}) or (n>? and state in ('applied','merged'))"  # noqa: S608 marks only
            " order by n>0, abs(n)",
            (*UNSENT, covered_n),
        )
        return self._read(rows.fetchall())

    def op(self, op_id: str) -> Op | None:
        rows = self.db.execute("select * from op where op_id=?", (op_id,)).fetchall()
        return next(iter(self._read(rows)), None)

    def next_batch(self, limit: int, max_bytes: int) -> list[Op]:
        """The ops to send next, in order, within the server's limits (always at least one)."""
        batch: list[Op] = []
        size = 0
        rows = self.db.execute(
            "select * from op where n>0 and state in ('queued','sent') order by n limit ?", (max(1, limit),)
        )
        for row in rows.fetchall():
            size += len(row["body"] if isinstance(row["body"], bytes) else row["body"].encode("utf-8")) + 32
            if batch and size > max_bytes:
                break
            batch += self._read([row])
        return batch

    def max_n(self) -> int:
        """The highest number given out so far."""
        return int(self.db.execute("select coalesce(max(n),0) from op where n>0").fetchone()[0])

    def max_acked_n(self) -> int:
        """The highest number the server has answered."""
        sql = "select coalesce(max(n),0) from op where n>0 and state not in ('queued','sent')"
        return int(self.db.execute(sql).fetchone()[0])

    def counts(self) -> dict[str, int]:
        """How many ops are in each state."""
        return dict(self.db.execute("select state,count(*) from op group by state order by state").fetchall())

    def oldest_unsent(self) -> str | None:
        """Wall time of the oldest op that the server does not have."""
        sql = "select min(created_wall) from op where state in ('queued','sent','stuck')"
        value = self.db.execute(sql).fetchone()[0]
        return None if value is None else str(value)

    def dismissed(self) -> set[str]:
        """Ops whose problem the rep has settled."""
        return {r[0] for r in self.db.execute("select substr(k,6) from meta where k like 'seen:%'")}

    def dismiss(self, op_id: str) -> None:
        """The rep has dealt with this op's problem; the op itself stays in the journal."""
        self.meta.set(f"seen:{op_id}", clock.now().isoformat(timespec="seconds"))

    # -- what the server said

    def mark_sent(self, ops: Sequence[Op]) -> bool:
        """From now on these bodies are immutable: the server may have them. False where one has been taken back."""
        known = "update op set state='sent', was_sent=1 where n=? and op_id=? and state in ('queued','sent')"
        with transaction(self.db):
            return self.db.executemany(known, [(op.n, op.op_id) for op in ops]).rowcount == len(ops)

    def acknowledge(self, n: int, status: str, result: Json) -> None:
        """Keep the server's verdict on one op."""
        self.db.execute(
            "update op set state=?, result=?, acked_at=coalesce(acked_at,?) where n=?",
            (status, self._texts.seal(canonical(result)), clock.now().isoformat(timespec="seconds"), n),
        )

    def align(self, last_n: int) -> int:
        """Queue every op above the server's mark again, whatever its state: the answer to restores.

        The numbers above the mark are closed up from it: the server holds no receipt there, so
        they are free. New ops always come after the mark.
        """
        with transaction(self.db):
            again = self.db.execute(
                "update op set state='queued', result=null, acked_at=null where n>? and state!='queued'", (last_n,)
            ).rowcount
            above = [r[0] for r in self.db.execute("select n from op where n>? order by n", (last_n,)).fetchall()]
            for number, n in enumerate(above, start=last_n + 1):
                if number != n:
                    self.db.execute("update op set n=? where n=?", (number, n))
            self._continue_after(last_n + len(above))
        return again

    def send_all_again(self) -> int:
        """Queue every answered op again under its number: the server was put back, and its mark says nothing of ours.

        Another phone with a copy of these files may have used the numbers since. What the server still knows, it
        answers by its receipts; where it knows another op by the number, it says so, and this phone gets its own id.
        """
        again = "update op set state='queued', result=null, acked_at=null where n>0 and state!='queued'"
        with transaction(self.db):
            return self.db.execute(again).rowcount

    def prune(self, durable_n: int, now: datetime) -> int:
        """Forget what the server's backups cover and a week has passed over; blobs still waiting stay."""
        with transaction(self.db):
            return self.db.execute(
                "delete from op where n>0 and n<=? and state in ('applied','merged') and acked_at<?"
                " and op_id not in (select for_op from blob where for_op is not null)"
                " and n<(select max(n) from op)",
                (durable_n, (now - KEEP_ACKED).isoformat(timespec="seconds")),
            ).rowcount

    # -- leaving and joining the order

    def park(self, n: int, error: Json) -> None:
        """Take an op that the server cannot digest out of the order, so that those behind it go on.

        Only for ops the server holds no receipt for. Followers move down by one: numbers belong
        to the order, what identifies an op is its op_id.
        """
        with transaction(self.db):
            lowest = min(0, int(self.db.execute("select coalesce(min(n),0) from op").fetchone()[0])) - 1
            self.db.execute(
                "update op set n=?, state='stuck', result=? where n=?",
                (lowest, self._texts.seal(canonical({"error": error})), n),
            )
            self._close_up(n)

    def take_back(self, op_ids: Sequence[str]) -> bool:
        """Forget ops that the rep undoes. False, and nothing is forgotten, once the server may have one of them."""
        with transaction(self.db):
            numbers = [op.n for op in self.ops(("queued",)) if op.op_id in op_ids and not op.was_sent]
            if len(numbers) < len(op_ids):
                return False
            for n in reversed(numbers):
                self.db.execute("delete from op where n=?", (n,))
                self._close_up(n)
        with contextlib.suppress(sqlite3.Error, OSError):  # the copy would bring them back to a damaged journal
            self.back_up()
        return True

    def _close_up(self, n: int) -> None:
        """What follows an op that has left the order moves down by one."""
        for (follower,) in self.db.execute("select n from op where n>? order by n", (n,)).fetchall():
            self.db.execute("update op set n=? where n=?", (follower - 1, follower))
        self._continue_after(max(self.max_n(), n - 1))

    def retry_parked(self) -> int:
        """Put parked ops at the end of the order for another try; parked photos are tried again where they are."""
        self.blobs.retry_parked()
        return self._rejoin("state='stuck'")

    def rejoin_delivered(self) -> int:
        """Queue again what an earlier device id delivered: a restored server may have forgotten it."""
        return self._rejoin("n<0 and state!='stuck'")

    def _rejoin(self, which: str) -> int:
        with transaction(self.db):
            rows = self.db.execute(f"select n from op where {which} order by abs(n)").fetchall()  # noqa: S608 own constants
            (top,) = self.db.execute("select coalesce(max(seq),0) from sqlite_sequence where name='op'").fetchone()
            again = "update op set n=?, state='queued', result=null, acked_at=null where n=?"
            for number, row in enumerate(rows, start=top + 1):
                self.db.execute(again, (number, row["n"]))
            self._continue_after(top + len(rows))
        return len(rows)

    def adopt_device(self, device_id: str) -> None:
        """Continue under a new device id: unsent ops are numbered from 1, delivered ones leave the order."""
        if self.meta.get("device_id") == device_id:
            return
        with transaction(self.db):
            lowest = min(0, int(self.db.execute("select coalesce(min(n),0) from op").fetchone()[0]))
            rows = self.db.execute("select n, state from op where n>0 order by n").fetchall()
            for offset, row in enumerate(rows, start=1):
                self.db.execute("update op set n=? where n=?", (lowest - offset, row["n"]))
            waiting = [lowest - at for at, row in enumerate(rows, start=1) if row["state"] in ("queued", "sent")]
            for number, n in enumerate(waiting, start=1):
                self.db.execute("update op set n=?, state='queued' where n=?", (number, n))
            self._continue_after(len(waiting))
            self.meta.set("device_id", device_id)

    def _continue_after(self, n: int) -> None:
        if self.db.execute("update sqlite_sequence set seq=? where name='op'", (n,)).rowcount == 0:
            self.db.execute("insert into sqlite_sequence(name,seq) values('op',?)", (n,))
