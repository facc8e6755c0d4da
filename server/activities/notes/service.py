"""The rules of notes: writing, editing, pinning, deleting, bringing back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import following
from server.accounts import queries as accounts
from server.accounts.editing import changed_meanwhile, require_revision
from server.accounts.models import Account, Site
from server.activities.models import Visit
from server.activities.notes import mentions, queries
from server.activities.notes.models import Note
from server.auth.access import Scope
from server.files import service as files
from server.kit import clock
from server.kit.errors import Forbidden, Invalid, NotFound
from server.notifications import service as notifications
from server.notifications.kinds import About
from server.records.editing import refuse_unknown
from server.records.merging import Current, Delta, Rules, merge
from server.records.models import FieldHistory
from server.records.queries import values_at
from server.webhooks import service as webhooks

LONGEST = 20_000
AT_ONCE = 1000
EDITABLE = ("text", "is_pinned", "is_shareable")
MERGED_FIELDWISE = Rules()


@dataclass(frozen=True)
class NewNote:
    """What somebody writes down."""

    account_id: UUID
    text: str
    site_id: UUID | None = None
    visit_id: UUID | None = None
    contact_id: UUID | None = None
    is_pinned: bool = False
    is_shareable: bool = False
    file_ids: Sequence[UUID] = ()
    id: UUID | None = None
    """Made by a phone or a form: the same note sent twice is one."""


def write(session: Session, scope: Scope, new: NewNote) -> Note:
    """Write a note; those whom it mentions and the followers of the account are told.

    Refuses an empty one, a site or visit of another account, and a mention of somebody who may not see the account.
    """
    account = find_account(session, scope, new.account_id)
    known = session.get(Note, new.id) if new.id else None
    if known is not None:
        if known.account_id != account.id or known.author_id != scope.user_id:
            raise NotFound("There is no such account.", field="account_id")
        return known
    check_place(session, account.id, new)
    text = checked_text(new.text)
    note = Note(
        account_id=account.id,
        site_id=new.site_id,
        visit_id=new.visit_id,
        contact_id=new.contact_id,
        author_id=scope.user_id,
        text=text,
        mentions=mentions.mentioned(session, account.id, text),
        is_pinned=new.is_pinned,
        is_shareable=new.is_shareable,
        written_at=clock.now(),
    )
    if new.id is not None:
        note.id = new.id
    session.add(note)
    session.flush()
    if new.file_ids:
        files.attach(session, "note", note.id, new.file_ids, scope.user_id)
    tell(session, scope, note, account, note.mentions)
    tell_followers(session, scope, note, account)
    return told(session, note)


def find_account(session: Session, scope: Scope, account_id: UUID) -> Account:
    """The account that stands for this one, when the person may write about it."""
    statement = accounts.visible_to(scope, "activities:write")
    account = session.scalars(statement.where(Account.id == accounts.surviving(session, account_id))).one_or_none()
    if account is None:
        raise NotFound("There is no such account.", field="account_id")
    return account


def check_place(session: Session, account_id: UUID, new: NewNote) -> None:
    """Refuse a site or a visit of another account."""
    site = session.get(Site, new.site_id) if new.site_id else None
    visit = session.get(Visit, new.visit_id) if new.visit_id else None
    for name, wanted, found in (("site_id", new.site_id, site), ("visit_id", new.visit_id, visit)):
        if wanted and (found is None or accounts.surviving(session, found.account_id) != account_id):
            raise Invalid("It belongs to another account.", help="Choose one of this account.", field=name)


def checked_text(text: str) -> str:
    """The text; refuses none and one that is too long."""
    written = text.strip()
    if not written:
        raise Invalid("The note is empty.", help="Write something, or close it.", field="text")
    if len(written) > LONGEST:
        raise Invalid(f"The note has {len(written):,} letters.", help=f"At most {LONGEST:,}.", field="text")
    return written


def tell(session: Session, scope: Scope, note: Note, account: Account, people: Sequence[UUID]) -> None:
    """Tell those whom a note mentions."""
    notifications.notify(
        session,
        people,
        "mention",
        "{who} mentioned you at {account}: {words}",
        link_to(note),
        About("note", note.id),
        gaps={"who": scope.name, "account": account.name, "words": shortened(note.text)},
        by=scope.user_id,
    )


def tell_followers(session: Session, scope: Scope, note: Note, account: Account) -> None:
    """Tell those who follow the account, but not twice."""
    following.tell(
        session,
        account.id,
        "note",
        "{who} wrote a note at {account}: {words}",
        link_to(note),
        About("note", note.id),
        gaps={"who": scope.name, "account": account.name, "words": shortened(note.text)},
        by=scope.user_id,
        but=note.mentions,
    )


def link_to(note: Note) -> str:
    """Where a note is read."""
    return f"/accounts/{note.account_id}#note-{note.id}"


def shortened(text: str) -> str:
    """The beginning of a text, for one line."""
    line = " ".join(text.split())
    return line if len(line) <= 120 else f"{line[:119]}…"


def edit(
    session: Session,
    scope: Scope,
    note_id: UUID,
    base_rev: int,
    changes: Mapping[str, Any],
    file_ids: Sequence[UUID] | None = None,
) -> Note:
    """Change a note that was seen at a revision; other fields that somebody changed meanwhile stay.

    Everybody who may write there pins and shares; the text and the files are their author's. Refuses a field that two
    people changed differently, with both values.
    """
    note = find(session, scope, note_id)
    wanted = {name: value for name, value in changes.items() if name in EDITABLE}
    if "text" in wanted:
        wanted["text"] = checked_text(wanted["text"])
    is_own = note.author_id == scope.user_id
    if not is_own and (file_ids is not None or wanted.get("text", note.text) != note.text):
        raise Forbidden("Only who wrote a note changes its words.", help="Write a note of your own.")
    refuse_unknown(note.rev, base_rev)
    current = {name: getattr(note, name) for name in EDITABLE}
    seen = values_at(session, "note", note.id, base_rev, wanted, current) if base_rev < note.rev else current
    deltas = {name: Delta(old=seen[name], new=value) for name, value in wanted.items()}
    merged = merge(Current(current, note.rev, note.frev), base_rev, deltas, MERGED_FIELDWISE)
    if merged.clashes:
        raise changed_meanwhile(shortened(note.text), note.rev, merged.clashes)
    for name, value in merged.apply.items():
        setattr(note, name, value)
    before = set(note.mentions)
    if "text" in merged.apply:
        note.mentions = mentions.mentioned(session, note.account_id, note.text)
    session.flush()
    if file_ids is not None:
        files.attach(session, "note", note.id, file_ids, scope.user_id)
    account = session.get_one(Account, accounts.surviving(session, note.account_id))
    tell(session, scope, note, account, [one for one in note.mentions if one not in before])
    return told(session, note)


def delete(session: Session, scope: Scope, note_id: UUID, base_rev: int) -> Note:
    """Take a note away; it can be brought back from the bin. Its author and managers may. Refuses an older revision."""
    note = find(session, scope, note_id)
    if note.author_id != scope.user_id and not scope.may("accounts:delete"):
        raise Forbidden("Only who wrote a note, or a manager, deletes it.", help="Ask them.")
    require_revision(shortened(note.text), note.id, note.rev, base_rev)
    note.deleted_at = clock.now()
    session.flush()
    return told(session, note)


def restore(session: Session, scope: Scope, note_id: UUID) -> Note:
    """Bring a deleted note back with its files."""
    note = session.scalars(
        queries.deleted(scope).where(Note.id == note_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if note is None:
        raise NotFound("There is no such note.", id=str(note_id))
    note.deleted_at = None
    session.flush()
    return told(session, note)


def told(session: Session, note: Note) -> Note:
    """Tell other programs that a note is new or has changed; the note as it stands now."""
    session.refresh(note)
    webhooks.announce(session, "note", str(note.id), str(note.rev))
    return note


def find(session: Session, scope: Scope, note_id: UUID) -> Note:
    """The note, locked for a change, when the person may write at its account."""
    statement = queries.visible_to(scope, "activities:write").where(Note.id == note_id)
    note = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if note is None:
        raise NotFound("There is no such note.", id=str(note_id))
    return note


def purge(session: Session, before: datetime) -> int:
    """Remove notes for good that were deleted before a moment, with their files and history; says how many."""
    old = select(Note.id).where(Note.deleted_at < before).limit(AT_ONCE).with_for_update(skip_locked=True)
    ids = session.scalars(old).all()
    files.detach(session, "note", ids)
    session.execute(delete_rows(FieldHistory).where(FieldHistory.entity == "note", FieldHistory.row_id.in_(ids)))
    session.execute(delete_rows(Note).where(Note.id.in_(ids)))
    return len(ids)
