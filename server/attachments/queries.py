"""Reads of what hangs on rows. Who sees one follows from the row it hangs on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, or_, select, true
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.attachments.models import AttachedFile
from server.attachments.owners import reach
from server.auth.access import Scope
from server.auth.models import Device, User
from server.files.models import FileUse, StoredFile
from server.kit.errors import NotFound
from server.records.binned import binned
from server.records.happenings import happening


def visible_to(scope: Scope, permission: str = "activities:read") -> Select[AttachedFile]:
    """What hangs on rows that somebody may read, or write."""
    action = permission.partition(":")[2]
    return select(AttachedFile).where(AttachedFile.deleted_at.is_(None), reach(scope, action))


@dataclass(frozen=True)
class AttachmentRow:
    """A file with what a page shows beside it."""

    attachment: AttachedFile
    author: str | None
    phone: str | None
    """The phone that still has the content; None when it is here."""

    @property
    def is_picture(self) -> bool:
        """Whether a browser shows it."""
        return self.attachment.media_type.startswith("image/") and self.attachment.media_type != "image/heic"


def rows(session: Session, statement: Select[Any]) -> list[AttachmentRow]:
    """Files with names."""
    missing = case((AttachedFile.file_id.is_(None), func.coalesce(Device.name, "")))
    named = (
        statement.outerjoin(User, User.id == AttachedFile.made_by)
        .outerjoin(Device, Device.id == AttachedFile.device_id)
        .add_columns(User.name, missing)
    )
    return [AttachmentRow(*row) for row in session.execute(named)]


def of(session: Session, scope: Scope, entity: str, row_id: UUID, *, limit: int = 200) -> list[AttachmentRow]:
    """The files of a row, the latest first; an account has those of everything at it."""
    mine = [AttachedFile.entity == entity, AttachedFile.row_id == row_id]
    if entity == "account":
        mine = [AttachedFile.account_id.in_(accounts.family(row_id))]
    statement = visible_to(scope).where(*mine)
    return rows(session, statement.order_by(AttachedFile.taken_at.desc(), AttachedFile.id.desc()).limit(limit))


def find(session: Session, scope: Scope, attachment_id: UUID, permission: str = "activities:read") -> AttachmentRow:
    """One file; for a stranger's there is none."""
    found = rows(session, visible_to(scope, permission).where(AttachedFile.id == attachment_id))
    if not found:
        raise NotFound("There is no such file.", id=str(attachment_id))
    return found[0]


def content_of(session: Session, attachment: AttachedFile) -> StoredFile:
    """The content of a file. Refuses one that is still on a phone."""
    file = session.get(StoredFile, attachment.file_id) if attachment.file_id else None
    if file is None:
        raise NotFound("The content is still on the phone that took it.", help="It comes when the phone has a network.")
    return file


def named(session: Session, scope: Scope, sha256: str) -> AttachedFile | None:
    """Anything that somebody may see and that has a content, as itself or as its small picture. What only names its
    hash has not got it: whoever knows a hash may not read what others sent.
    """
    has = select(FileUse.row_id).join(StoredFile, StoredFile.id == FileUse.file_id)
    ids = has.where(FileUse.entity == "attachment", StoredFile.sha256 == sha256)
    statement = visible_to(scope).where(AttachedFile.id.in_(ids))
    return session.scalars(statement.order_by(AttachedFile.id).limit(1)).first()


def announced(session: Session, user_id: UUID, sha256: str) -> Sequence[AttachedFile]:
    """What somebody has announced with a content, deleted or not, locked."""
    mine = or_(AttachedFile.sha256 == sha256, AttachedFile.thumbnail_sha256 == sha256)
    statement = select(AttachedFile).where(AttachedFile.made_by == user_id, mine).order_by(AttachedFile.id)
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).all()


def happenings(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """The files at some accounts that the person may see, for a timeline."""
    facts = func.jsonb_build_object(
        "of", AttachedFile.entity, "row_id", AttachedFile.row_id, "rev", AttachedFile.rev,
        "type", AttachedFile.media_type, "size", AttachedFile.size,
        "is_here", AttachedFile.file_id.is_not(None), "width", AttachedFile.width,
        "height", AttachedFile.height, "what", AttachedFile.kind,
    )  # fmt: skip
    columns = happening(
        at=AttachedFile.taken_at,
        kind="file",
        entity="attachment",
        id=AttachedFile.id,
        account_id=AttachedFile.account_id,
        actor_id=AttachedFile.made_by,
        title=AttachedFile.name,
        facts=facts,
    )
    seen = reach(scope, "read") if narrower(scope) else true()
    return select(*columns).where(AttachedFile.deleted_at.is_(None), seen, AttachedFile.account_id.in_(account_ids))


def narrower(scope: Scope) -> bool:
    """Whether somebody sees less of tickets or orders than of visits."""
    level = scope.level("activities:read")
    return any(scope.level(one) < level for one in ("tickets:read", "orders:read"))


def deleted(scope: Scope) -> Select[AttachedFile]:
    """What somebody may bring back: their own, and with the right to delete all at their accounts."""
    gone = select(AttachedFile).where(AttachedFile.deleted_at.is_not(None), reach(scope, "write"))
    return gone if scope.may("accounts:delete") else gone.where(AttachedFile.made_by == scope.user_id)


def in_bin(scope: Scope) -> Select[Any]:
    """Deleted files that somebody may bring back, for the bin."""
    columns = binned(
        entity="attachment",
        id=AttachedFile.id,
        title=AttachedFile.name,
        deleted_at=AttachedFile.deleted_at,
        account_id=AttachedFile.account_id,
    )
    return deleted(scope).with_only_columns(*columns)
