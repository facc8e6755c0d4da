"""JSON API of attachments."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from server.attachments import owners, queries, service
from server.attachments.schemas import AttachmentRead, AttachmentsWrite
from server.auth.access import Scope, requires
from server.files import store
from server.files.service import answer, served
from server.files.sniffing import sniff
from server.kit.database import Db
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Page

router = APIRouter(prefix="/api/v1/attachments", tags=["attachments"])

ReadActivities = Annotated[Scope, requires("activities:read")]
WriteActivities = Annotated[Scope, requires("activities:write")]
Entity = Literal["account", "visit", "note", "ticket", "order"]


@router.get("")
def list_attachments(entity: Entity, row_id: UUID, scope: ReadActivities, session: Db) -> Page[AttachmentRead]:
    """The files of a row, the latest first; of an account those of everything at it."""
    owners.account_of(session, scope, entity, row_id, "read")
    return Page(items=[AttachmentRead.of(row) for row in queries.of(session, scope, entity, row_id)])


@router.post("", status_code=201)
def attach(body: AttachmentsWrite, scope: WriteActivities, session: Db) -> Page[AttachmentRead]:
    """Hang files that were sent to `/api/v1/files` on a row."""
    made = service.attach(session, scope, body.entity, body.row_id, body.file_ids, body.kind)
    return Page(items=[AttachmentRead.of(queries.find(session, scope, one.id)) for one in made])


@router.get("/{attachment_id}")
def get_attachment(attachment_id: UUID, scope: ReadActivities, session: Db, response: Response) -> AttachmentRead:
    """What is known of a file."""
    row = queries.find(session, scope, attachment_id)
    tag(response, row.attachment.rev)
    return AttachmentRead.of(row)


@router.delete("/{attachment_id}", status_code=204)
def delete_attachment(attachment_id: UUID, scope: WriteActivities, session: Db, base: BaseRevision) -> None:
    """Take a file away; the bin has it."""
    service.delete(session, scope, attachment_id, base)


@router.post("/{attachment_id}/restore")
def restore_attachment(attachment_id: UUID, scope: WriteActivities, session: Db) -> AttachmentRead:
    """Bring a file back from the bin."""
    service.restore(session, scope, attachment_id)
    return AttachmentRead.of(queries.find(session, scope, attachment_id))


@router.get("/{attachment_id}/content")
def get_content(
    attachment_id: UUID,
    request: Request,
    scope: ReadActivities,
    session: Db,
    small: Annotated[bool, Query(description="The small picture, when there is one.")] = False,
) -> Response:
    """The content of a file; only pictures are shown in the browser."""
    row = queries.find(session, scope, attachment_id).attachment
    seen = request.headers.get("if-none-match")
    if small and row.thumbnail_sha256 is not None and store.has(row.thumbnail_sha256):
        kind = sniff(store.path_of(row.thumbnail_sha256), row.name).media_type
        return served(row.thumbnail_sha256, row.name, kind, seen)
    return answer(queries.content_of(session, row), small=small, seen=seen)
