"""What is typed into forms that are not saved yet, beside the outbox: sealed as everything here, and sent nowhere.

A draft is written with every letter, so it outlives an app that is killed, but the last letters not always a battery
that falls out: waiting for the disk is for what has to be kept for good.
"""

import json
import sqlite3
from dataclasses import dataclass

from mobile.field.store.aside import Aside, whole
from mobile.field.store.canonical import Json, canonical, sha256
from mobile.field.store.sealing import Texts


def unsaved(db: sqlite3.Connection) -> None:
    """One draft for each visit."""
    db.execute("create table draft(visit_id text primary key, at text not null, body text not null)")


def of_any_form(db: sqlite3.Connection) -> None:
    """One for each form; that of a visit has the visit's id still."""
    db.execute("alter table draft rename column visit_id to id")


def vouched(db: sqlite3.Connection) -> None:
    """What says, where there is no seal, that this is what was typed."""
    db.execute("alter table draft add column body_sha blob")


@dataclass(frozen=True)
class Draft:
    """What is typed into a form, and when it was last touched."""

    id: str
    """Of a visit its own, of other forms one that nothing else has."""
    at: str
    """RFC 3339 by the server's clock where it was told."""
    body: Json


class Drafts:
    """The drafts of one signed-in user on one phone."""

    def __init__(self, db: sqlite3.Connection, texts: Texts) -> None:
        self.db, self._texts = db, texts

    def keep(self, draft_id: str, at: str, body: Json, *, for_good: bool = False) -> None:
        """Keep a draft in place of the one before; for good also where the battery falls out."""
        text = canonical(body)
        is_alone = not self.db.in_transaction  # how a transaction is kept is settled when it begins
        if is_alone:
            self.db.execute(f"pragma synchronous={'full' if for_good else 'normal'}")
        try:
            self.db.execute(
                "insert into draft(id, at, body, body_sha) values(?,?,?,?)"
                " on conflict(id) do update set at=excluded.at, body=excluded.body, body_sha=excluded.body_sha",
                (draft_id, at, self._texts.seal(text), sha256(text)),
            )
        finally:
            if is_alone:
                self.db.execute("pragma synchronous=full")

    def all(self) -> list[Draft]:
        """The latest first; one that cannot be read any more is set aside and stops nothing."""
        found = []
        for row in self.db.execute("select * from draft order by at desc, id").fetchall():
            try:
                found.append(Draft(row["id"], row["at"], json.loads(whole(dict(row), self._texts))))
            except ValueError:
                Aside(self.db).take_draft(row["id"])
        return found

    def of(self, draft_id: str) -> Draft | None:
        """A draft by its id."""
        return next((one for one in self.all() if one.id == draft_id), None)

    def contents(self) -> set[str]:
        """The hashes of the contents of photos that hang on drafts."""
        photos = [photo for one in self.all() for photo in one.body.get("photos", ())]
        return {sha256 for photo in photos for sha256, *_ in photo["contents"]}

    def let_go(self, draft_id: str) -> None:
        self.db.execute("delete from draft where id=?", (draft_id,))
