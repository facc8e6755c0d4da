"""Tickets: a new one, one with its conversation, what is done to it. `ticket_list` has the list."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.demands import queries as demands
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, PreconditionFailed, WaymarkError
from server.kit.ids import uuid7
from server.tickets import joining, queries, queues, service, timing, visits
from server.tickets.models import MessageKind, Priority, Queue, Source, TicketMessage, TicketState
from server.tickets.service import AnsweredMeanwhile, NewTicket, Saying
from server.tickets.telling import NewFile
from server.web.forms import Sent, given, id_in, needed, read, text
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render
from server.web.ticket_visits import planned_visit

router = APIRouter(prefix="/tickets", include_in_schema=False)

ReadTickets = Annotated[Scope, requires("tickets:read")]
WriteTickets = Annotated[Scope, requires("tickets:write")]
AssignTickets = Annotated[Scope, requires("tickets:assign")]

FACTS = ("subject", "requester_name", "requester_email", "requester_phone", "tags", "account_id", "site_id")


@router.get("/new")
def show_new(
    request: Request, scope: WriteTickets, session: Db, account: UUID | None = None, queue: UUID | None = None
) -> Response:
    """The form of a ticket that somebody writes down for a customer."""
    values: dict[str, Any] = {"account_id": account, "queue_id": queue, "key": uuid7()}
    row = accounts.detail(session, scope, account) if account else None
    if row is not None:
        values |= {"requester_email": row.account.email, "requester_phone": row.account.phone}
    return new_page(request, scope, session, values)


def new_page(
    request: Request, scope: Scope, session: Session, values: Mapping[str, Any], error: WaymarkError | None = None
) -> Response:
    """The form with what was refused."""
    account_id = id_in(values.get("account_id"))
    return render(
        request,
        "tickets/new.html",
        scope,
        status=int(error.status) if error else 200,
        values=values,
        account=accounts.detail(session, scope, account_id) if account_id else None,
        queues=queries.queues(session),
        priorities=list(Priority),
        error=error,
    )


@router.post("/new")
def create(request: Request, scope: WriteTickets, session: Db, sent: Sent) -> Response:
    """Open a ticket; sending the form twice opens one."""
    names = ("subject", "requester_name", "requester_email", "requester_phone", "priority", "account_id", "tags")
    values = given(sent, (*names, "queue_id", "body", "key"))
    try:
        with attempt(session):
            queue = queries.queue(session, needed(sent, "queue_id", UUID))
            own = {name: values[name] for name in names if values.get(name)}
            new = NewTicket(
                queue.id, values.get("body") or "", Source.WEB, own, key=f"web:{values.get('key') or uuid7()}",
                opened_by=scope.user_id, files=files_of(sent),
            )  # fmt: skip
            ticket = service.open_for(session, scope, new)
    except WaymarkError as error:
        return new_page(request, scope, session, values, error)
    return go(f"/tickets/{ticket.id}")


def files_of(sent: FormData) -> tuple[NewFile, ...]:
    """The files of a form."""
    found = []
    for one in sent.getlist("files"):
        if isinstance(one, UploadFile) and one.filename:
            found.append(NewFile(one.filename, one.content_type or "", one.file.read()))
    return tuple(found)


@router.get("/{ticket_id}")
def show_ticket(request: Request, ticket_id: UUID, scope: ReadTickets, session: Db) -> Response:
    """One ticket: the conversation, the customer, the clock."""
    ticket = queries.find(session, scope, ticket_id)
    into = queries.surviving(session, ticket.id)
    if into != ticket.id and "merged" not in request.query_params:
        return go(f"/tickets/{into}")
    return ticket_page(request, scope, session, ticket_id)


def ticket_page(
    request: Request,
    scope: Scope,
    session: Session,
    ticket_id: UUID,
    *,
    error: WaymarkError | None = None,
    draft: Mapping[str, Any] | None = None,
) -> Response:
    """The page, with what was refused and the text that was not sent."""
    row = queries.detail(session, scope, ticket_id)
    ticket, queue = row.ticket, session.get_one(Queue, row.ticket.queue_id)
    hours = timing.hours_of(session, queue)
    said = queries.conversation(session, ticket_id)
    seen = queries.newest(session, ticket_id)
    demand = visits.latest(session, ticket)
    canned = queries.answers(session, queue.id, ticket.language)
    account = accounts.detail(session, scope, row.account_id) if row.account_id else None
    return render(
        request,
        "tickets/detail.html",
        scope,
        status=int(error.status) if error else 200,
        row=row,
        ticket=ticket,
        queue=queue,
        words=lambda message: in_words(language_of(request, scope), message),
        queues=queries.queues(session),
        said=said,
        seen=seen,
        seen_before=draft.get("seen") if draft and isinstance(error, AnsweredMeanwhile) else None,
        draft=draft or {},
        key=draft.get("key") if draft else uuid7(),
        countdowns=timing.countdowns(ticket, queue, hours, clock.now()),
        events=queries.clock_events(session, ticket_id),
        linked=queries.linked(session, scope, ticket_id),
        merged=queries.merged_ones(session, ticket_id),
        account=account,
        others=[o for o in queries.of_account(session, scope, row.account_id) if o.ticket.id != ticket_id][:6]
        if row.account_id and account
        else [],
        sites=accounts.sites_of(session, [row.account_id]) if row.account_id and account else [],
        demand=demand,
        planned=planned_visit(session, demand, row.account_id),
        canned=[(one, queues.filled(one, row, scope.name)) for one in canned],
        people=queries.workers(session, scope),
        may_write=scope.may("tickets:write"),
        may_ask=row.account_id is not None
        and scope.may("demands:write")
        and demands.may_ask(session, scope, row.account_id),
        states=[state for state in TicketState if state is not TicketState.NEW],
        priorities=list(Priority),
        error=error,
    )


def in_words(language: Language, message: TicketMessage) -> str:
    """What a system message says, in somebody's language."""
    told = {"why", "old", "new"}
    values = {}
    for name, value in message.values.items():
        if name == "day":
            values[name] = language.day(date.fromisoformat(value))
        elif name in told:
            known = next((f"{kind} {value}" for kind in ("ticket", "priority") if _is_one(kind, value)), value)
            values[name] = language.t(known)
        else:
            values[name] = value
    return language.t(message.body, **values)


def _is_one(kind: str, value: str) -> bool:
    return value in (list(TicketState) if kind == "ticket" else list(Priority))


@router.post("/{ticket_id}/messages")
def say(request: Request, ticket_id: UUID, scope: WriteTickets, session: Db, sent: Sent) -> Response:
    """Answer the customer, or write a note; what somebody said meanwhile is shown first and the text kept."""
    values = given(sent, ("body", "kind", "key", "seen", "state_after", "tags"))
    try:
        with attempt(session):
            saying = Saying(
                values.get("body") or "",
                read(sent, "kind", MessageKind) or MessageKind.INTERNAL,
                f"{scope.user_id}:{values.get('key') or uuid7()}",
                read(sent, "seen", UUID),
                read(sent, "state_after", TicketState),
                [tag.strip() for tag in (values.get("tags") or "").split(",") if tag.strip()],
                files_of(sent),
            )
            service.answer(session, scope, ticket_id, saying)
    except WaymarkError as error:
        return ticket_page(request, scope, session, ticket_id, error=error, draft=values)
    return go(f"/tickets/{ticket_id}#latest")


@router.post("/{ticket_id}/edit")
def edit(
    request: Request, ticket_id: UUID, scope: WriteTickets, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change facts of a ticket that was seen at a revision; what others changed meanwhile is merged."""
    names = (*FACTS, "queue_id", "state", "priority", "assignee_id")
    changes: dict[str, Any] = {name: value for name, value in given(sent, names).items()}
    if "account" in sent:
        changes["account_id"] = _account_of(session, scope, text(sent, "account"))
        changes.setdefault("site_id", None)
    try:
        with attempt(session):
            service.edit(session, scope, ticket_id, rev, changes)
    except PreconditionFailed as error:
        both = "; ".join(
            f"{one['field']}: {one['stored']} ↔ {one['yours']}" for one in error.details.get("conflicts", [])
        )
        shown = PreconditionFailed(f"{error.message} {both}.", help="Look at it, then change it again.")
        return ticket_page(request, scope, session, ticket_id, error=shown)
    except WaymarkError as error:
        return ticket_page(request, scope, session, ticket_id, error=error)
    return go(f"/tickets/{ticket_id}")


def _account_of(session: Session, scope: Scope, written: str | None) -> UUID | None:
    """The account that somebody names by number or name; refuses what is none or more than one."""
    if written is None:
        return None
    found = accounts.page(session, scope, search=written, limit=2)
    exact = [
        row for row in found.rows if written.lower() in (row.account.name.lower(), (row.account.number or "").lower())
    ]
    rows = exact or found.rows
    if len(rows) != 1:
        many = "No account fits" if not rows else "More than one account fits"
        raise Invalid(f"{many} “{written}”.", help="Type its number or its whole name.", field="account")
    return rows[0].account.id


@router.post("/{ticket_id}/merge")
def merge(
    request: Request, ticket_id: UUID, scope: WriteTickets, session: Db, number: Annotated[str, Form(max_length=20)]
) -> Response:
    """Let another ticket live on in this one."""
    try:
        with attempt(session):
            other = joining.by_number(session, scope, _number(number))
            joining.merge(session, scope, ticket_id, other.id)
    except WaymarkError as error:
        return ticket_page(request, scope, session, ticket_id, error=error)
    return go(f"/tickets/{ticket_id}")


def _number(written: str) -> int:
    try:
        return int(written.strip().lstrip("#"))
    except ValueError as error:
        raise Invalid(f"“{written}” is no ticket's number.", help="Such as #1042.", field="number") from error


@router.post("/{ticket_id}/unmerge")
def unmerge(ticket_id: UUID, scope: WriteTickets, session: Db) -> Response:
    """Take a ticket out of the one that it was merged into."""
    joining.take_apart(session, scope, ticket_id)
    return go(f"/tickets/{ticket_id}")


@router.post("/{ticket_id}/links")
def link(
    request: Request, ticket_id: UUID, scope: WriteTickets, session: Db, number: Annotated[str, Form(max_length=20)]
) -> Response:
    """Say that another ticket has to do with this one."""
    try:
        with attempt(session):
            joining.link(session, scope, ticket_id, joining.by_number(session, scope, _number(number)).id)
    except WaymarkError as error:
        return ticket_page(request, scope, session, ticket_id, error=error)
    return go(f"/tickets/{ticket_id}")


@router.post("/{ticket_id}/links/{other_id}/remove")
def unlink(ticket_id: UUID, other_id: UUID, scope: WriteTickets, session: Db) -> Response:
    """Take a link back."""
    joining.unlink(session, scope, ticket_id, other_id)
    return go(f"/tickets/{ticket_id}")


@router.post("/{ticket_id}/delete")
def delete(ticket_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """Take a ticket away; the list offers to bring it back."""
    service.delete(session, scope, ticket_id)
    return go(f"/tickets?deleted={ticket_id}")


@router.post("/{ticket_id}/restore")
def restore(ticket_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """Bring a deleted ticket back."""
    service.restore(session, scope, ticket_id)
    return go(f"/tickets/{ticket_id}")
