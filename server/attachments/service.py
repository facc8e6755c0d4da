"""The rules of attachments: hanging files on rows, taking announced contents in, deleting, bringing back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.editing import require_revision
from server.attachments import jobs, owners, queries
from server.attachments.models import AttachedFile
from server.auth.access import Scope
from server.files import checking, store
from server.files import service as files
from server.files.models import FileUse, StoredFile
from server.files.service import AT_MOST, plain_name
from server.files.sniffing import PICTURES
from server.files.store import Content
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Forbidden, Invalid, NotFound, WaymarkError
from server.records.models import FieldHistory
from server.webhooks import service as webhooks

AT_ONCE = 1000
LARGEST_THUMBNAIL = 20 * 1024


@dataclass(frozen=True)
class Announced:
    """What a phone says of a file whose content follows."""

    id: UUID
    account_id: UUID
    entity: str
    row_id: UUID
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    thumbnail_sha256: str | None
    width: int | None
    height: int | None
    taken_at: datetime
    device_id: UUID | None
    flags: Sequence[str] = ()


def announce(session: Session, scope: Scope, new: Announced) -> AttachedFile:
    """Take note of a file that a phone has; its content follows. Refuses more than a visit can have."""
    known = session.get(AttachedFile, new.id)
    if known is not None:
        if known.made_by != scope.user_id or known.sha256 != new.sha256:
            raise Invalid("Another file has this id.", help="Give it a new one.", field="id")
        return known
    refuse_many(session, scope, new.entity, new.row_id, 1)
    values = {name: getattr(new, name) for name in Announced.__dataclass_fields__ if name not in ("name", "flags")}
    attachment = AttachedFile(**values, name=plain_name(new.name), made_by=scope.user_id, flags=list(new.flags))
    session.add(attachment)
    session.flush()
    session.refresh(attachment)
    return attachment


def refuse_many(session: Session, scope: Scope, entity: str, row_id: UUID, more: int) -> None:
    """Refuse more files than one person can hang on a row: what others sent takes nobody's room. An account itself may
    have any number."""
    if entity == "account":
        return
    here = select(func.count()).where(AttachedFile.entity == entity, AttachedFile.row_id == row_id)
    mine = here.where(AttachedFile.made_by == scope.user_id, AttachedFile.deleted_at.is_(None))
    there = session.scalar(mine) or 0
    if there + more > AT_MOST:
        raise Invalid(
            f"There is room for {AT_MOST} files; {there} are here already.", help="Delete one first.", field="file_ids"
        )


def arrive(session: Session, waiting: Sequence[AttachedFile], content: Content) -> None:
    """Keep the content of announced files. Refuses one that is not what it was announced to be."""
    is_thumbnail = all(one.sha256 != content.sha256 for one in waiting)
    photo = is_thumbnail or any(one.kind != "document" for one in waiting)
    try:
        checking.check(content.path, waiting[0].name, photo=photo)
        if is_thumbnail and content.size > LARGEST_THUMBNAIL:
            raise store.refuse("The small picture", content.size)
    except WaymarkError:
        content.path.unlink(missing_ok=True)
        raise
    file = files.keep(session, content, waiting[0].name, waiting[0].made_by, as_sent=True)
    for one in waiting:
        fill(session, one, file)


def fill(session: Session, attachment: AttachedFile, file: StoredFile) -> None:
    """Give a row the content that it named."""
    session.merge(FileUse(entity="attachment", row_id=attachment.id, file_id=file.id))
    if attachment.sha256 == file.sha256:
        attachment.file_id, attachment.stored_at = file.id, clock.now()
        attachment.media_type, attachment.size = file.media_type, file.size
        attachment.width, attachment.height = file.width, file.height
        if attachment.thumbnail_sha256 is None and file.media_type in PICTURES:
            defer(session, jobs.show_small, key=f"small:{attachment.id}", attachment_id=str(attachment.id))
    session.flush()


def attach(
    session: Session, scope: Scope, entity: str, row_id: UUID, file_ids: Sequence[UUID], kind: str | None = None
) -> list[AttachedFile]:
    """Hang files that were sent before on a row.

    Refuses somebody else's, more than a row can have, and pictures that are none or too large to open.
    """
    account_id = owners.account_of(session, scope, entity, row_id, "write")
    wanted = list(dict.fromkeys(file_ids))
    found = {file.id: file for file in session.scalars(select(StoredFile).where(StoredFile.id.in_(wanted)))}
    for file_id in wanted:
        if file_id not in found or found[file_id].made_by != scope.user_id:
            raise NotFound("There is no such file.", help="Upload it again.", field="file_ids", id=str(file_id))
    refuse_many(session, scope, entity, row_id, len(wanted))
    return [hang(session, scope, (account_id, entity, row_id), found[file_id], kind) for file_id in wanted]


def hang(
    session: Session, scope: Scope, place: tuple[UUID, str, UUID], file: StoredFile, kind: str | None
) -> AttachedFile:
    """One file on one row."""
    checking.check(store.path_of(file.sha256), file.name)
    account_id, entity, row_id = place
    is_picture = file.media_type in PICTURES
    attachment = AttachedFile(
        account_id=account_id, entity=entity, row_id=row_id, kind=kind or ("photo" if is_picture else "document"),
        name=file.name, media_type=file.media_type, size=file.size, sha256=file.sha256, taken_at=clock.now(),
        made_by=scope.user_id, thumbnail_sha256=file.thumbnail_sha256,
    )  # fmt: skip
    session.add(attachment)
    session.flush()
    fill(session, attachment, file)
    return told(session, attachment)


def delete(session: Session, scope: Scope, attachment_id: UUID, base_rev: int | None) -> AttachedFile:
    """Take a file away; the bin has it. Who put it there and managers may."""
    attachment = locked(session, scope, attachment_id)
    if attachment.made_by != scope.user_id and not scope.may("accounts:delete"):
        raise Forbidden("Only who sent a file, or a manager, deletes it.", help="Ask them.")
    if base_rev is not None:
        require_revision(attachment.name, attachment.id, attachment.rev, base_rev)
    return take_away(session, attachment)


def take_away(session: Session, attachment: AttachedFile) -> AttachedFile:
    """Put a file that the caller has checked into the bin."""
    attachment.deleted_at = clock.now()
    session.flush()
    return told(session, attachment)


def restore(session: Session, scope: Scope, attachment_id: UUID) -> AttachedFile:
    """Bring a deleted file back."""
    statement = queries.deleted(scope).where(AttachedFile.id == attachment_id).with_for_update()
    attachment = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if attachment is None:
        raise NotFound("There is no such file.", id=str(attachment_id))
    attachment.deleted_at = None
    session.flush()
    return told(session, attachment)


def locked(session: Session, scope: Scope, attachment_id: UUID) -> AttachedFile:
    """The row, locked for a change, when the person may write there."""
    statement = queries.visible_to(scope, "activities:write").where(AttachedFile.id == attachment_id)
    row = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no such file.", id=str(attachment_id))
    return row


def told(session: Session, attachment: AttachedFile) -> AttachedFile:
    """Tell other programs; the row as it stands now."""
    session.refresh(attachment)
    webhooks.announce(session, "attachment", str(attachment.id), str(attachment.rev))
    return attachment


def purge(session: Session, before: datetime) -> int:
    """Remove for good what was deleted before a moment; says how many."""
    old = (
        select(AttachedFile.id).where(AttachedFile.deleted_at < before).limit(AT_ONCE).with_for_update(skip_locked=True)
    )
    ids = session.scalars(old).all()
    files.detach(session, "attachment", ids)
    session.execute(delete_rows(FieldHistory).where(FieldHistory.entity == "attachment", FieldHistory.row_id.in_(ids)))
    session.execute(delete_rows(AttachedFile).where(AttachedFile.id.in_(ids)))
    return len(ids)
