"""Queues, canned answers and the figures of tickets."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts.queries import today_of
from server.auth.access import Scope, requires
from server.auth.roles import Level
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.tickets import queries, queues, reporting
from server.tickets.models import Assignment, ClockKind, Priority, Queue
from server.tickets.queues import GAPS, USUAL_HOURS, USUAL_TARGETS
from server.web.forms import Sent, given, id_of, text
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/tickets", include_in_schema=False)

ReadTickets = Annotated[Scope, requires("tickets:read")]
AssignTickets = Annotated[Scope, requires("tickets:assign")]

TEXTS = ("name", "form_key", "form_intro", "mail_address", "signature", "hours", "zone", "country")
CHOICES = ("priority", "assignment", "reopen_days")
FLAGS = ("form_is_open", "confirms", "asks_rating")


@router.get("/report")
def show_report(
    request: Request, scope: ReadTickets, session: Db, first: date | None = None, last: date | None = None
) -> Response:
    """What is open by age, how long it takes, what was missed; every number opens its list."""
    usual = reporting.usual_period(today_of(scope))
    found = reporting.report(session, scope, first or usual[0], last or usual[1])
    most = max((group.open for group in found.ages), default=0) or 1
    return render(request, "tickets/report.html", scope, found=found, most=most)


@router.get("/queues")
def show_queues(request: Request, scope: AssignTickets, session: Db) -> Response:
    """The queues and the canned answers."""
    return setup_page(request, scope, session)


def setup_page(request: Request, scope: Scope, session: Session, *, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    return render(
        request,
        "tickets/queues.html",
        scope,
        status=int(error.status) if error else 200,
        queues=queries.queues(session),
        counts=queries.queue_counts(session, scope),
        answers=queries.answers(session),
        people={person.id: person.name for person in queries.workers(session, scope)},
        may_change=scope.level("tickets:assign") >= Level.ALL,
        address=(settings().public_url or str(request.base_url)).rstrip("/"),
        error=error,
    )


@router.get("/queues/new")
def show_new_queue(request: Request, scope: AssignTickets, session: Db) -> Response:
    """The form of a new queue, filled with what is usual."""
    queues.need_admin(scope)
    values = {
        "hours": USUAL_HOURS, "zone": settings().zone, "targets": USUAL_TARGETS, "priority": "normal",
        "assignment": "round_robin", "reopen_days": 14, "confirms": True, "agent_ids": [],
    }  # fmt: skip
    return queue_page(request, scope, session, None, values)


@router.get("/queues/{queue_id}")
def show_queue(request: Request, queue_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """The form of a queue."""
    queues.need_admin(scope)
    queue = queries.queue(session, queue_id)
    names = (*TEXTS, *CHOICES, *FLAGS, "targets", "agent_ids")
    return queue_page(request, scope, session, queue, {name: getattr(queue, name) for name in names})


def queue_page(
    request: Request,
    scope: Scope,
    session: Session,
    queue: Queue | None,
    values: Mapping[str, Any],
    error: WaymarkError | None = None,
) -> Response:
    """The form with what was refused."""
    return render(
        request,
        "tickets/queue.html",
        scope,
        status=int(error.status) if error else 200,
        queue=queue,
        values=values,
        people=queries.workers(session, scope),
        priorities=list(Priority),
        assignments=list(Assignment),
        address=(settings().public_url or str(request.base_url)).rstrip("/"),
        error=error,
    )


@router.post("/queues")
def save_queue(
    request: Request,
    scope: AssignTickets,
    session: Db,
    sent: Sent,
    queue_id: Annotated[str, Form()] = "",
    rev: Annotated[int, Form()] = 0,
) -> Response:
    """Make or change a queue."""
    values = queue_values(sent)
    known = id_of(queue_id, "queue_id")
    queue = queries.queue(session, known) if known else None
    try:
        with attempt(session):
            if queue is None:
                queues.create(session, scope, {k: v for k, v in values.items() if v is not None})
            else:
                queues.edit(session, scope, queue.id, rev, values)
    except WaymarkError as error:
        return queue_page(request, scope, session, queue, values, error)
    return go("/tickets/queues")


def queue_values(sent: FormData) -> dict[str, Any]:
    """What the form says of a queue."""
    values: dict[str, Any] = given(sent, (*TEXTS, *CHOICES))
    values |= {name: name in sent for name in FLAGS}
    values["agent_ids"] = [str(one) for one in sent.getlist("agent_ids")]
    values["targets"] = {
        str(priority): {str(kind): _minutes(sent, f"{priority}-{kind}") for kind in ClockKind} for priority in Priority
    }
    return values


def _minutes(sent: FormData, name: str) -> int | None:
    """Hours of the form as minutes; empty is no target."""
    written = text(sent, name)
    if written is None:
        return None
    try:
        return round(float(written.replace(",", ".")) * 60)
    except ValueError as error:
        raise Invalid(f"“{written}” is not a number of hours.", field="targets") from error


@router.post("/queues/{queue_id}/remove")
def remove_queue(request: Request, queue_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """Take a queue away in which nothing waits."""
    try:
        with attempt(session):
            queues.remove(session, scope, queue_id)
    except WaymarkError as error:
        return setup_page(request, scope, session, error=error)
    return go("/tickets/queues")


@router.get("/answers/new")
def show_new_answer(request: Request, scope: AssignTickets, session: Db) -> Response:
    """The form of a new canned answer."""
    queues.need_admin(scope)
    return answer_page(request, scope, session, None, 0, {})


@router.get("/answers/{answer_id}")
def show_answer(request: Request, answer_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """The form of a canned answer."""
    queues.need_admin(scope)
    answer = queues.find_answer(session, answer_id)
    values = {name: getattr(answer, name) for name in ("title", "body", "queue_id", "language", "state_after", "tags")}
    return answer_page(request, scope, session, answer.id, answer.rev, values)


def answer_page(
    request: Request,
    scope: Scope,
    session: Session,
    answer_id: UUID | None,
    rev: int,
    values: Mapping[str, Any],
    error: WaymarkError | None = None,
) -> Response:
    """The form with what was refused."""
    return render(
        request,
        "tickets/answer.html",
        scope,
        status=int(error.status) if error else 200,
        answer_id=answer_id,
        rev=rev,
        values=values,
        queues=queries.queues(session),
        gaps=GAPS,
        error=error,
    )


@router.post("/answers")
def save_answer(
    request: Request,
    scope: AssignTickets,
    session: Db,
    sent: Sent,
    answer_id: Annotated[str, Form()] = "",
    rev: Annotated[int, Form()] = 0,
) -> Response:
    """Make or change a canned answer."""
    values = given(sent, ("title", "body", "queue_id", "language", "state_after", "tags"))
    key = id_of(answer_id, "answer_id")
    try:
        with attempt(session):
            queues.save_answer(session, scope, key, rev, values)
    except WaymarkError as error:
        return answer_page(request, scope, session, key, rev, values, error)
    return go("/tickets/queues#answers")


@router.post("/answers/{answer_id}/remove")
def remove_answer(answer_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """Take a canned answer away."""
    queues.remove_answer(session, scope, answer_id)
    return go("/tickets/queues#answers")
