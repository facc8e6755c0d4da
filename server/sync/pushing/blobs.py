"""Contents of photos from phones: announced by a fact, sent in pieces by hash, let go of when a backup has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.attachments import queries as attachments
from server.attachments import service
from server.attachments.models import AttachedFile
from server.auth.access import Scope
from server.files import store, uploads
from server.files.models import FileUpload, FileUse, StoredFile
from server.files.uploads import Progress
from server.kit.errors import Invalid, NotFound, WaymarkError
from server.sync.calling.phones import present
from server.sync.protocol import reasons, wire
from server.sync.protocol.problems import BadMessage
from server.sync.pushing import backups


class NotAnnounced(NotFound):
    """A content that no fact of the sender refers to."""

    code = "not_announced"


class FileRefused(Invalid):
    """A content that was sent whole and is not taken."""

    code = "file_refused"

    def __init__(self, why: str) -> None:
        help = "Take it again, or delete it."
        codes = reasons.told(why, help)
        super().__init__(why, help=help, **({"reasons": [wire.emit(one) for one in codes]} if codes else {}))


@dataclass(frozen=True)
class Written:
    """What became of a piece."""

    progress: Progress
    refused: str | None = None
    pieces: Path | None = None
    """What may go from the disk once this is committed."""


def declare(session: Session, scope: Scope, sha256: str, request: wire.BlobRequest) -> wire.BlobReply:
    """Say how much of a content is here; begins it when there is nothing yet.

    What somebody else has sent counts only for whoever may see it: knowing a hash is not having the content. Refuses a
    content that nothing of the sender refers to, another size than was announced, and one that was refused before.
    """
    scope = present(session, scope)[1]
    announced = mine(session, scope, sha256)
    lacking = lacks(session, announced, sha256)
    if lacking and (known := at_hand(session, scope, sha256)):
        for one in lacking:
            service.fill(session, one, known)
        lacking = []
    if not lacking:
        return wire.BlobReply(state="stored", offset=request.size, durable=is_durable(session, announced, sha256))
    sizes = {one.size for one in lacking if one.sha256 == sha256}
    if sizes and request.size not in sizes:
        raise BadMessage(f"The content was announced with {min(sizes)} bytes.", field="size")
    upload = uploads.begin(session, scope.user_id, sha256, request.size)
    if upload.refused is not None:
        raise FileRefused(upload.refused)
    return wire.BlobReply(state="partial", offset=upload.received, durable=False)


def progress(session: Session, scope: Scope, sha256: str) -> Progress:
    """How much of a content is here. Refuses one that the sender has not announced."""
    scope = present(session, scope)[1]
    announced = mine(session, scope, sha256)
    if not lacks(session, announced, sha256):
        size = store.path_of(sha256).stat().st_size
        return Progress(size, size)
    upload = begun(session, scope, sha256)
    return Progress(upload.received, upload.size)


def append(session: Session, scope: Scope, sha256: str, offset: int, checksum: str, piece: bytes) -> Written:
    """Take a piece in; with the last one the content. A content that is not taken is remembered with the reason."""
    scope = present(session, scope)[1]
    upload = begun(session, scope, sha256)
    if upload.refused is not None:
        return Written(Progress(0, upload.size), upload.refused)
    written = uploads.append(upload, offset, piece, checksum)
    session.flush()
    if not written.is_whole:
        return Written(written)
    lacking = lacks(session, mine(session, scope, sha256), sha256)
    try:
        with session.begin_nested():
            if lacking:
                service.arrive(session, lacking, uploads.content_of(upload))
    except WaymarkError as error:
        upload.refused, upload.received = error.message, 0
        session.flush()
        return Written(written, error.message, uploads.pieces_of(upload))
    uploads.drop(session, upload)
    return Written(written, None, uploads.pieces_of(upload))


def mine(session: Session, scope: Scope, sha256: str) -> Sequence[AttachedFile]:
    """What of the sender's refers to a content; refuses one without."""
    announced = attachments.announced(session, scope.user_id, sha256)
    if not announced:
        raise NotAnnounced("No photo of yours has this content.", help="Send the photo's op first.", retry=False)
    return announced


def begun(session: Session, scope: Scope, sha256: str) -> FileUpload:
    """What the sender has begun to send; refuses what was not begun."""
    upload = uploads.begun(session, scope.user_id, sha256)
    if upload is None:
        raise NotAnnounced("This content was not begun.", help="Say with POST that it comes.", retry=True)
    return upload


def lacks(session: Session, announced: Sequence[AttachedFile], sha256: str) -> list[AttachedFile]:
    """Those that do not have a content yet, or whose content the disk has lost."""
    if not store.has(sha256):
        return list(announced)
    ids = [one.id for one in announced]
    statement = (
        select(FileUse.row_id)
        .join(StoredFile, StoredFile.id == FileUse.file_id)
        .where(FileUse.entity == "attachment", FileUse.row_id.in_(ids), StoredFile.sha256 == sha256)
    )
    have: set[UUID] = set(session.scalars(statement))
    return [one for one in announced if one.id not in have]


def at_hand(session: Session, scope: Scope, sha256: str) -> StoredFile | None:
    """The same content, as the sender may see it already."""
    seen = attachments.named(session, scope, sha256)
    if seen is None or not store.has(sha256):
        return None
    statement = (
        select(StoredFile)
        .join(FileUse, FileUse.file_id == StoredFile.id)
        .join(AttachedFile, AttachedFile.id == FileUse.row_id)
        .where(FileUse.entity == "attachment", StoredFile.sha256 == sha256)
        .where(AttachedFile.id.in_(attachments.visible_to(scope).with_only_columns(AttachedFile.id)))
    )
    return session.scalars(statement.order_by(StoredFile.id).limit(1)).first()


def is_durable(session: Session, announced: Sequence[AttachedFile], sha256: str) -> bool:
    """Whether a verified backup has a content for all that refer to it."""
    covered = backups.covered(session)
    if covered is None:
        return False
    ids = [one.id for one in announced]
    statement = (
        select(StoredFile.created_at)
        .join(FileUse, FileUse.file_id == StoredFile.id)
        .where(FileUse.entity == "attachment", FileUse.row_id.in_(ids), StoredFile.sha256 == sha256)
    )
    return all(moment <= covered for moment in session.scalars(statement))
