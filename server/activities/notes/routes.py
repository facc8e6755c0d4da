"""JSON API of notes, and their files."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.activities.notes import mentions, queries, service
from server.activities.notes.schemas import NoteChange, NoteRead, NoteWrite, PersonRead
from server.auth.access import Scope, requires
from server.files import queries as files
from server.files.service import answer
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Limit, Page

router = APIRouter(prefix="/api/v1", tags=["notes"])

ReadActivities = Annotated[Scope, requires("activities:read")]
WriteActivities = Annotated[Scope, requires("activities:write")]


def need_account(session: Session, scope: Scope, account_id: UUID) -> None:
    """Refuse an account that the person may not see."""
    if not accounts.seen_of(session, scope, [account_id]):
        raise NotFound("There is no such account.", id=str(account_id))


@router.get("/accounts/{account_id}/notes")
def list_notes(account_id: UUID, scope: ReadActivities, session: Db, limit: Limit = 200) -> Page[NoteRead]:
    """The notes at an account, pinned ones first."""
    need_account(session, scope, account_id)
    return Page(items=[NoteRead.of(row) for row in queries.of_account(session, scope, account_id, limit=limit)])


@router.get("/accounts/{account_id}/mentionable")
def list_mentionable(
    account_id: UUID, scope: WriteActivities, session: Db, q: Annotated[str, Query(max_length=60)] = ""
) -> Page[PersonRead]:
    """People who may see an account and whose name or login begins like this."""
    need_account(session, scope, account_id)
    return Page(items=[PersonRead.model_validate(one) for one in mentions.offered(session, account_id, q.strip())])


@router.post("/notes", status_code=201)
def write_note(body: NoteWrite, scope: WriteActivities, session: Db, response: Response) -> NoteRead:
    """Write a note at an account."""
    note = service.write(session, scope, service.NewNote(**body.model_dump()))
    return get_note(note.id, scope, session, response)


@router.get("/notes/{note_id}")
def get_note(note_id: UUID, scope: ReadActivities, session: Db, response: Response) -> NoteRead:
    """One note with its files."""
    row = queries.find(session, scope, note_id)
    tag(response, row.note.rev)
    return NoteRead.of(row)


@router.patch("/notes/{note_id}")
def change_note(
    note_id: UUID, body: NoteChange, scope: WriteActivities, session: Db, base: BaseRevision, response: Response
) -> NoteRead:
    """Change a note; what somebody else changed meanwhile is merged, field by field."""
    service.edit(session, scope, note_id, base, body.changes(), body.file_ids)
    return get_note(note_id, scope, session, response)


@router.delete("/notes/{note_id}", status_code=204)
def delete_note(note_id: UUID, scope: WriteActivities, session: Db, base: BaseRevision) -> None:
    """Take a note away; the bin has it."""
    service.delete(session, scope, note_id, base)


@router.post("/notes/{note_id}/restore")
def restore_note(note_id: UUID, scope: WriteActivities, session: Db, response: Response) -> NoteRead:
    """Bring a note back from the bin."""
    service.restore(session, scope, note_id)
    return get_note(note_id, scope, session, response)


@router.get("/notes/{note_id}/files/{file_id}")
def get_file(
    note_id: UUID,
    file_id: UUID,
    scope: ReadActivities,
    session: Db,
    small: Annotated[bool, Query(description="The small picture, when there is one.")] = False,
) -> Response:
    """A file of a note; only pictures are shown in the browser."""
    queries.find(session, scope, note_id)
    return answer(files.one_of(session, "note", note_id, file_id), small=small)
