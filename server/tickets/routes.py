"""JSON API and files of tickets."""

from collections.abc import Iterator
from datetime import date
from typing import IO, Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from server.accounts.queries import today_of
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Exact, Limit, Page
from server.tickets import exporting, joining, queries, reporting, service, visits
from server.tickets.reporting import Report
from server.tickets.schemas import (
    MessageRead,
    OtherTicket,
    SayingWrite,
    TicketCreate,
    TicketFields,
    TicketRead,
    VisitRequest,
    VisitRequested,
)

router = APIRouter(prefix="/api/v1/tickets", tags=["tickets"])

ReadTickets = Annotated[Scope, requires("tickets:read")]
WriteTickets = Annotated[Scope, requires("tickets:write")]
AssignTickets = Annotated[Scope, requires("tickets:assign")]
ExportTickets = Annotated[Scope, requires("tickets:export")]

Filter = Annotated[
    str | None, Query(max_length=4000, description="In the filter language, e.g. open = true and priority = urgent.")
]
Search = Annotated[str | None, Query(alias="q", max_length=200, description="Words, or a number such as #1042.")]
Sort = Annotated[str, Query(description="A key such as due or opened, with - in front for the other way round.")]


def read(session: Session, scope: Scope, ticket_id: UUID) -> TicketRead:
    """One ticket in full, when somebody may see it."""
    return TicketRead.of(queries.detail(session, scope, ticket_id))


@router.get("")
def list_tickets(
    scope: ReadTickets,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    queue_id: UUID | None = None,
    account_id: UUID | None = None,
    sort: Sort = "due",
    cursor: Cursor = None,
    limit: Limit = 50,
    exact: Exact = False,
) -> Page[TicketRead]:
    """The tickets you may see, what is due next first."""
    found = queries.page(
        session, scope, filter=filter, search=search, queue_id=queue_id, account_id=account_id, sort=sort,
        cursor=cursor, limit=limit, exact=exact,
    )  # fmt: skip
    items = [TicketRead.of(row) for row in found.rows]
    return Page(items=items, next_cursor=found.next_cursor, total=found.total, total_is_estimated=found.is_estimated)


@router.get("/export.{kind}")
def export(
    kind: exporting.Format, scope: ExportTickets, session: Db, filter: Filter = None, search: Search = None
) -> StreamingResponse:
    """The tickets you may export as CSV or XLSX; no limit."""
    file = exporting.export(session, scope, kind, filter=filter, search=search)
    name = {"Content-Disposition": f'attachment; filename="tickets.{kind}"'}
    return StreamingResponse(chunks(file), media_type=exporting.MEDIA_TYPES[kind], headers=name)


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece."""
    with file:
        while piece := file.read(65_536):
            yield piece


@router.get("/report")
def report(scope: ReadTickets, session: Db, first: date | None = None, last: date | None = None) -> Report:
    """Open tickets by age, times to answer and solve, missed targets; without days the last thirteen weeks."""
    usual = reporting.usual_period(today_of(scope))
    return reporting.report(session, scope, first or usual[0], last or usual[1])


@router.post("", status_code=201)
def create(body: TicketCreate, scope: WriteTickets, session: Db, response: Response) -> TicketRead:
    """Open a ticket; the same key again gives the same one."""
    ticket = service.open_for(session, scope, body.new(scope.user_id))
    tag(response, ticket.rev)
    return read(session, scope, ticket.id)


@router.get("/{ticket_id}")
def show(ticket_id: UUID, scope: ReadTickets, session: Db, response: Response) -> TicketRead:
    """One ticket; of one that was merged, `merged_into` says where it lives on."""
    found = read(session, scope, ticket_id)
    tag(response, found.rev)
    return found


@router.patch("/{ticket_id}")
def change(
    ticket_id: UUID, body: TicketFields, scope: WriteTickets, session: Db, base: BaseRevision, response: Response
) -> TicketRead:
    """Change a ticket that you read at the revision of `If-Match`; what others changed meanwhile is merged."""
    service.edit(session, scope, ticket_id, base, body.changes())
    found = read(session, scope, ticket_id)
    tag(response, found.rev)
    return found


@router.delete("/{ticket_id}", status_code=204)
def delete(ticket_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """Take a ticket away; it can be brought back."""
    service.delete(session, scope, ticket_id)
    return Response(status_code=204)


@router.post("/{ticket_id}/restore")
def restore(ticket_id: UUID, scope: AssignTickets, session: Db) -> TicketRead:
    """Bring a deleted ticket back."""
    service.restore(session, scope, ticket_id)
    return read(session, scope, ticket_id)


@router.get("/{ticket_id}/messages")
def list_messages(ticket_id: UUID, scope: ReadTickets, session: Db) -> Page[MessageRead]:
    """The conversation, with that of tickets merged into it, the first first."""
    queries.find(session, scope, ticket_id)
    return Page(items=[MessageRead.of(said) for said in queries.conversation(session, ticket_id)])


@router.post("/{ticket_id}/messages", status_code=201)
def say(ticket_id: UUID, body: SayingWrite, scope: WriteTickets, session: Db) -> MessageRead:
    """Answer the customer by mail, or write an internal note."""
    message = service.answer(session, scope, ticket_id, body.saying(scope.user_id))
    [said] = [one for one in queries.conversation(session, message.ticket_id) if one.message.id == message.id]
    return MessageRead.of(said)


@router.get("/{ticket_id}/files/{file_id}")
def download(ticket_id: UUID, file_id: UUID, scope: ReadTickets, session: Db) -> Response:
    """A file of the conversation; browsers save it and never show it."""
    file = queries.file_of(session, scope, ticket_id, file_id)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
    return Response(file.content, media_type="application/octet-stream", headers=headers)


@router.post("/{ticket_id}/merge")
def merge(ticket_id: UUID, body: OtherTicket, scope: WriteTickets, session: Db) -> TicketRead:
    """Let another ticket live on in this one."""
    joining.merge(session, scope, ticket_id, body.ticket_id)
    return read(session, scope, ticket_id)


@router.post("/{ticket_id}/unmerge")
def unmerge(ticket_id: UUID, scope: WriteTickets, session: Db) -> TicketRead:
    """Take a ticket out of the one that it was merged into."""
    joining.take_apart(session, scope, ticket_id)
    return read(session, scope, ticket_id)


@router.put("/{ticket_id}/links", status_code=204)
def link(ticket_id: UUID, body: OtherTicket, scope: WriteTickets, session: Db) -> Response:
    """Say that another ticket has to do with this one."""
    joining.link(session, scope, ticket_id, body.ticket_id)
    return Response(status_code=204)


@router.delete("/{ticket_id}/links/{other_id}", status_code=204)
def unlink(ticket_id: UUID, other_id: UUID, scope: WriteTickets, session: Db) -> Response:
    """Take a link back."""
    joining.unlink(session, scope, ticket_id, other_id)
    return Response(status_code=204)


@router.put("/{ticket_id}/visit")
def request_visit(ticket_id: UUID, body: VisitRequest, scope: WriteTickets, session: Db) -> VisitRequested:
    """Ask for a visit before a deadline; again changes what is wanted."""
    return VisitRequested.of(visits.request_visit(session, scope, ticket_id, body.wish()))


@router.delete("/{ticket_id}/visit", status_code=204)
def withdraw_visit(ticket_id: UUID, scope: WriteTickets, session: Db) -> Response:
    """Want the visit no more."""
    visits.withdraw(session, scope, ticket_id)
    return Response(status_code=204)
