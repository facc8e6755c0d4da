"""The cache: what the server last told this phone. Disposable; rebuilt by the next pull."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mobile.field.store.canonical import Json, canonical
from mobile.field.store.sealing import OPEN, Sealer, Texts
from mobile.field.store.sqlite import Meta, connect, migrate, transaction

SCHEMA_VERSION = 1
DELETED = "deleted_account"
"""Rows of this phone alone: what an account was called that the office deleted."""
ROWS = "select e, id, doc from row union all select e, id, base from row where base!=doc"
"""Every text that lies in a row, once."""


def _tables(db: sqlite3.Connection) -> None:
    db.execute(
        "create table row(e text, id text, rev int not null, base text not null, doc text not null,"
        " account_id text, sort text, cell int, primary key(e,id)) without rowid"
    )
    db.execute("create index row_account on row(account_id, e)")
    db.execute("create index row_sort on row(e, sort)")
    db.execute("create index row_cell on row(cell) where cell is not null")
    # columns in the order of the key: SQLite 3.40 finds "NULL values" in a sound file otherwise
    db.execute("create table membership(e text, id text, bucket int, primary key(e,id,bucket)) without rowid")
    db.execute(
        "create table bucket(id int primary key, gen int, priority int, cursor text, complete int, synced_at text)"
    )
    db.execute("create table meta(k text primary key, v text)")


def _suspects(db: sqlite3.Connection) -> None:
    """Memberships that a refetch of their bucket has not confirmed yet: shown as "verifying"."""
    db.execute("create table suspect(e text, id text, bucket int, primary key(e,id,bucket)) without rowid")


MIGRATIONS = (_tables, _suspects)


@dataclass(frozen=True)
class Bucket:
    """One subscription of this user and how far the phone has read it."""

    id: int
    gen: int | None
    priority: int
    cursor: str | None
    complete: bool


def _account_of(e: str, row_id: str, doc: Json) -> str | None:
    return row_id if e == "account" else doc.get("account_id")


def _sort_key(e: str, doc: Json) -> str:
    if e == "stop":
        return f"{doc.get('route_id')}:{int(doc.get('position') or 0):04d}"
    return str(doc.get("day") or "") if e in ("visit", "route") else ""


class Cache:
    """The rows this phone may see, with the rep's own pending changes laid over them."""

    def __init__(self, path: Path, sealer: Sealer = OPEN) -> None:
        self.db = connect(path, synchronous="normal")
        self._texts = Texts(sealer)
        self._texts.teach(self.db)
        migrate(self.db, MIGRATIONS)
        self.meta = Meta(self.db)

    def is_readable(self) -> bool:
        """Whether the rows were sealed with this key, all of them."""
        row = self.db.execute("select doc from row order by typeof(doc)='blob' limit 1").fetchone()
        try:
            return row is None or (self._texts.open(row[0]) != "" and isinstance(row[0], bytes) == self._texts.sealing)
        except ValueError:
            return False

    def drop_unreadable(self) -> int:
        """Forget rows in which bits have turned; their buckets are read again. Returns how many there were."""
        if not self._texts.sealing:
            return 0
        with transaction(self.db):
            torn = {(e, row_id) for e, row_id, kept in self.db.execute(ROWS) if not self._opens(kept)}
            for e, row_id in torn:
                held = self.db.execute("select bucket from membership where e=? and id=?", (e, row_id)).fetchall()
                self.read_again([bucket for (bucket,) in held])
                self.remove(e, row_id)
        return len(torn)

    def _opens(self, kept: str | bytes) -> bool:
        try:
            return self._texts.open(kept) != ""
        except ValueError:
            return False

    def close(self) -> None:
        self.db.close()

    # -- rows

    def base(self, e: str, row_id: str) -> tuple[int, Json | None]:
        """The revision and document the server last sent; (0, None) when it never sent one."""
        row = self.db.execute("select rev, opened(base) as base from row where e=? and id=?", (e, row_id)).fetchone()
        return (0, None) if row is None else (row["rev"], json.loads(row["base"]))

    def rev(self, e: str, row_id: str) -> int:
        """The revision that the server last sent; 0 when it never sent the row."""
        row = self.db.execute("select rev from row where e=? and id=?", (e, row_id)).fetchone()
        return 0 if row is None else int(row[0])

    def doc(self, e: str, row_id: str) -> Json | None:
        """The row as the rep sees it, own pending changes included."""
        row = self.db.execute("select opened(doc) as doc from row where e=? and id=?", (e, row_id)).fetchone()
        return None if row is None else json.loads(row["doc"])

    def shown(self, e: str, row_id: str) -> tuple[int, Json]:
        """Revision and shown document of one moment, for an edit that must name what it saw."""
        row = self.db.execute("select rev, opened(doc) as doc from row where e=? and id=?", (e, row_id)).fetchone()
        return (0, {}) if row is None else (row["rev"], json.loads(row["doc"]))

    def put_base(self, e: str, row_id: str, rev: int, base: Json | None) -> None:
        """Take a row from the server (None: it never sent one); own changes are laid over it by the caller."""
        text, shown = self._texts.seal(canonical(base)), base or {}
        self.db.execute(
            "insert into row(e,id,rev,base,doc,account_id,sort) values(?,?,?,?,?,?,?)"
            " on conflict(e,id) do update set rev=excluded.rev, base=excluded.base, doc=excluded.doc,"
            " account_id=excluded.account_id, sort=excluded.sort",
            (e, row_id, rev, text, text, _account_of(e, row_id, shown), _sort_key(e, shown)),
        )

    def put_doc(self, e: str, row_id: str, doc: Json) -> None:
        """Replace what the rep sees of a row and the columns derived from it."""
        text, base = canonical(doc), self.db.execute("select base from row where e=? and id=?", (e, row_id)).fetchone()
        same = base is not None and self._texts.open(base[0]) == text  # `overlaid` compares them as they are kept
        kept = base[0] if same else self._texts.seal(text)
        self.db.execute(
            "update row set doc=?, account_id=?, sort=? where e=? and id=?",
            (kept, _account_of(e, row_id, doc), _sort_key(e, doc), e, row_id),
        )

    def remove(self, e: str, row_id: str) -> None:
        self.db.execute("delete from row where e=? and id=?", (e, row_id))

    def note_deleted(self, account_id: str) -> None:
        """The office deleted an account: keep what it was called, for the rep's own visits there."""
        account = self.doc("account", account_id)
        if account is not None:
            self.put_base(DELETED, account_id, 0, {"name": account.get("name")})

    def forget_deleted(self) -> None:
        """Forget the names of deleted accounts that came back, or of which no visit is left here."""
        self.db.execute(
            "delete from row where e=? and (exists (select 1 from membership m where m.e='account' and m.id=row.id)"
            " or not exists (select 1 from row v where v.account_id=row.id and v.e='visit'))",
            (DELETED,),
        )

    def overlaid(self) -> list[tuple[str, str]]:
        """Rows whose shown document differs from the server's."""
        return [(r[0], r[1]) for r in self.db.execute("select e,id from row where doc!=base").fetchall()]

    # -- memberships

    def join(self, bucket: int, e: str, row_id: str) -> None:
        self.db.execute("insert or ignore into membership values(?,?,?)", (e, row_id, bucket))

    def confirm(self, bucket: int, e: str, row_id: str) -> None:
        """A row of a bucket that is read again has come again."""
        self.db.execute("delete from suspect where e=? and id=? and bucket=?", (e, row_id, bucket))

    def leave(self, bucket: int, e: str, row_id: str) -> None:
        self.db.execute("delete from membership where e=? and id=? and bucket=?", (e, row_id, bucket))
        self.db.execute("delete from suspect where e=? and id=? and bucket=?", (e, row_id, bucket))

    def has_suspects(self) -> bool:
        """Whether any bucket is being read again."""
        return self.db.execute("select 1 from suspect limit 1").fetchone() is not None

    def is_suspect(self, e: str, row_id: str) -> bool:
        return self.db.execute("select 1 from suspect where e=? and id=?", (e, row_id)).fetchone() is not None

    def orphans(self) -> list[tuple[str, str]]:
        """Rows that no bucket holds any more (or never held: created on this phone)."""
        sql = (
            "select r.e, r.id from row r where r.e!=?"
            " and not exists (select 1 from membership m where m.e=r.e and m.id=r.id)"
        )
        return [(r[0], r[1]) for r in self.db.execute(sql, (DELETED,)).fetchall()]

    # -- buckets

    def buckets(self) -> list[Bucket]:
        rows = self.db.execute("select * from bucket order by priority, id").fetchall()
        return [Bucket(r["id"], r["gen"], r["priority"], r["cursor"], bool(r["complete"])) for r in rows]

    def subscribe(self, bucket: int, gen: int | None = None, priority: int = 9) -> None:
        """Know a bucket; one whose generation changed is read again from its beginning.

        A bucket first met in a page has no generation until the next hello names it.
        """
        known = self.db.execute("select gen from bucket where id=?", (bucket,)).fetchone()
        if known is None:
            self.db.execute("insert into bucket values(?,?,?,null,0,null)", (bucket, gen, priority))
        elif gen is not None:
            self.db.execute("update bucket set gen=?, priority=? where id=?", (gen, priority, bucket))
            if known["gen"] not in (None, gen):
                self.read_again([bucket])

    def read_again(self, buckets: Iterable[int]) -> None:
        """Forget the cursors: rows stay readable and are kept only if the refetch confirms them."""
        for bucket in buckets:
            self.db.execute("update bucket set cursor=null, complete=0 where id=?", (bucket,))
            self.db.execute("insert or ignore into suspect select * from membership where bucket=?", (bucket,))

    def advance(self, bucket: int, cursor: str | None, complete: bool, synced_at: str) -> None:
        """Remember how far a bucket is read; a completed refetch drops what it did not confirm."""
        self.db.execute(
            "update bucket set cursor=?, complete=?, synced_at=? where id=?", (cursor, int(complete), synced_at, bucket)
        )
        if complete:
            self.db.execute(
                "delete from membership where bucket=? and exists (select 1 from suspect s where s.e=membership.e"
                " and s.id=membership.id and s.bucket=membership.bucket)",
                (bucket,),
            )
            self.db.execute("delete from suspect where bucket=?", (bucket,))

    def unsubscribe(self, bucket: int) -> None:
        """Drop a bucket the user may no longer see."""
        for table, column in (("membership", "bucket"), ("suspect", "bucket"), ("bucket", "id")):
            self.db.execute(f"delete from {table} where {column}=?", (bucket,))  # noqa: S608 own constants
