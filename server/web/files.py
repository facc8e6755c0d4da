"""Photos and files on pages: a box that shows, takes and gives back what hangs on an account or a ticket."""

import json
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.attachments import owners, queries, service
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.web.pages import attempt, language_of, render

router = APIRouter(prefix="/files", include_in_schema=False)

ReadActivities = Annotated[Scope, requires("activities:read")]
WriteActivities = Annotated[Scope, requires("activities:write")]
Entity = Literal["account", "visit", "note", "ticket", "order"]


def box(
    request: Request, scope: Scope, session: Session, entity: str, row_id: UUID, error: WaymarkError | None = None
) -> Response:
    """The box of a row."""
    status = int(error.status) if error else 200
    values = {"entity": entity, "row_id": row_id, "rows": queries.of(session, scope, entity, row_id), "error": error}
    return render(request, "files/box.html", scope, status=status, **values)


@router.get("/{entity}/{row_id}")
def show(request: Request, entity: Entity, row_id: UUID, scope: ReadActivities, session: Db) -> Response:
    """A fragment: the files of a row; of an account those of everything at it."""
    owners.account_of(session, scope, entity, row_id, "read")
    return box(request, scope, session, entity, row_id)


@router.post("/{entity}/{row_id}/add")
def add(
    request: Request,
    entity: Entity,
    row_id: UUID,
    scope: WriteActivities,
    session: Db,
    file_ids: Annotated[list[UUID], Form()],
) -> Response:
    """Hang files that were sent on a row; what is refused is said in the box."""
    try:
        with attempt(session):
            service.attach(session, scope, entity, row_id, file_ids)
    except WaymarkError as error:
        owners.account_of(session, scope, entity, row_id, "read")
        return box(request, scope, session, entity, row_id, error)
    return box(request, scope, session, entity, row_id)


@router.post("/{attachment_id}/delete")
def delete(request: Request, attachment_id: UUID, scope: WriteActivities, session: Db) -> Response:
    """Take a file away; a note that passes offers to bring it back."""
    row = service.delete(session, scope, attachment_id, None)
    answer = Response(status_code=204)
    t = language_of(request, scope).t
    offer = {"text": t("The file is deleted."), "label": t("Undo"), "path": f"/files/{row.id}/restore"}
    answer.headers["HX-Trigger"] = json.dumps({"undoable": offer})
    return answer


@router.post("/{attachment_id}/restore")
def restore(attachment_id: UUID, scope: WriteActivities, session: Db) -> Response:
    """Bring a file back."""
    service.restore(session, scope, attachment_id)
    return Response(status_code=204)
