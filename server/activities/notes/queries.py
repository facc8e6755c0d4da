"""Reads of notes. Who may see one follows from its account."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, func, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.notes.models import Note
from server.auth.access import Scope
from server.auth.models import User
from server.files import queries as files
from server.files.models import FileUse, StoredFile
from server.kit.errors import NotFound
from server.records.binned import binned
from server.records.happenings import happening


def at_seen_accounts(scope: Scope, permission: str) -> Select[Note]:
    """The notes at accounts that a permission reaches, deleted or not."""
    return select(Note).where(accounts.reached_through(Note.account_id, scope, permission))


def visible_to(scope: Scope, permission: str = "activities:read") -> Select[Note]:
    """The notes at accounts that a permission of somebody reaches."""
    return at_seen_accounts(scope, permission).where(Note.deleted_at.is_(None))


def deleted(scope: Scope) -> Select[Note]:
    """The deleted notes that somebody may bring back: their own, and with the right to delete all at their accounts."""
    gone = at_seen_accounts(scope, "activities:write").where(Note.deleted_at.is_not(None))
    return gone if scope.may("accounts:delete") else gone.where(Note.author_id == scope.user_id)


def happenings(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """The notes at some accounts that the person may see, for a timeline."""
    facts = func.jsonb_build_object(
        "pinned", Note.is_pinned, "shareable", Note.is_shareable, "rev", Note.rev, "author_id", Note.author_id,
        "mentions", func.cardinality(Note.mentions), "files", files_of_note(),
    )  # fmt: skip
    columns = happening(
        at=Note.written_at,
        kind="note",
        entity="note",
        id=Note.id,
        account_id=Note.account_id,
        actor_id=Note.author_id,
        body=Note.text,
        is_internal=~Note.is_shareable,
        facts=facts,
    )
    return select(*columns).where(Note.deleted_at.is_(None), Note.account_id.in_(account_ids))


def files_of_note() -> Any:
    """The files of a note as a list, for the picture on a line; read for the rows of a page only."""
    one = func.jsonb_build_object(
        "id", StoredFile.id, "name", StoredFile.name, "type", StoredFile.media_type, "size", StoredFile.size,
        "width", StoredFile.width, "height", StoredFile.height,
    )  # fmt: skip
    statement = (
        select(func.coalesce(func.jsonb_agg(one), func.jsonb_build_array()))
        .select_from(FileUse)
        .join(StoredFile, StoredFile.id == FileUse.file_id)
        .where(FileUse.entity == "note", FileUse.row_id == Note.id)
    )
    return statement.correlate(Note).scalar_subquery()


@dataclass(frozen=True)
class NoteRow:
    """A note with what a list shows beside it."""

    note: Note
    author: str | None
    account_name: str
    files: list[StoredFile] = field(default_factory=list)


def rows(session: Session, statement: Select[Note]) -> list[NoteRow]:
    """Notes with names and files."""
    return with_files(session, session.execute(with_names(statement)).all())


def with_names(statement: Select[Note]) -> Select[Any]:
    """A selection of notes with the names that a list shows beside them."""
    return (
        statement.join(Account, Account.id == Note.account_id)
        .outerjoin(User, User.id == Note.author_id)
        .add_columns(User.name, Account.name)
    )


PINNED = with_names(
    select(Note)
    .where(Note.account_id == any_(bindparam("accounts", type_=ARRAY(Uuid))), Note.is_pinned, Note.deleted_at.is_(None))
    .order_by(Note.written_at.desc(), Note.id.desc())
    .limit(20)
)


def with_files(session: Session, found: Sequence[Any]) -> list[NoteRow]:
    """Rows of such a selection, with files."""
    attached = files.of_rows(session, "note", [row[0].id for row in found])
    return [NoteRow(note, author, name, attached.get(note.id, [])) for note, author, name in found]


def of_account(session: Session, scope: Scope, account_id: UUID, *, limit: int = 200) -> list[NoteRow]:
    """The notes at an account, pinned ones first, then the latest."""
    statement = visible_to(scope).where(Note.account_id.in_(accounts.family(account_id)))
    order = (Note.is_pinned.desc(), Note.written_at.desc(), Note.id.desc())
    return rows(session, statement.order_by(*order).limit(limit))


def pinned(session: Session, account_ids: Iterable[UUID]) -> list[NoteRow]:
    """The pinned notes of accounts that the caller has checked."""
    return with_files(session, session.execute(PINNED, {"accounts": list(account_ids)}).all())


def find(session: Session, scope: Scope, note_id: UUID) -> NoteRow:
    """One note with its files; for a stranger's there is none."""
    found = rows(session, visible_to(scope).where(Note.id == note_id))
    if not found:
        raise NotFound("There is no such note.", id=str(note_id))
    return found[0]


def in_bin(scope: Scope) -> Select[Any]:
    """Deleted notes that somebody may bring back, for the bin."""
    columns = binned(
        entity="note",
        id=Note.id,
        title=func.left(Note.text, 200),
        deleted_at=Note.deleted_at,
        account_id=Note.account_id,
    )
    return deleted(scope).with_only_columns(*columns)
