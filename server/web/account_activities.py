"""What is done at an account besides visits: the latest of it, and the form of a call."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.routes import read
from server.activities.agenda import calling, queries
from server.activities.agenda.models import Activity, Direction, Result, State
from server.activities.agenda.routes import need_account
from server.activities.agenda.schemas import CallLog, NextStep
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.ids import uuid7
from server.web.activity_forms import refused
from server.web.forms import Sent, number, text
from server.web.pages import attempt, go, render
from server.web.users import people_of

router = APIRouter(prefix="/accounts/{account_id}", include_in_schema=False)

Read = Annotated[Scope, requires("activities:read")]
Write = Annotated[Scope, requires("activities:write")]
LATEST = 8


@router.get("/doing")
def show_doing(request: Request, account_id: UUID, scope: Read, session: Db) -> Response:
    """What is open at an account, then what was done there last."""
    account = read(session, scope, account_id)
    here = queries.chosen(session, scope, account_id=account.id)
    upcoming = queries.page(session, here.where(Activity.state == State.OPEN), limit=LATEST, oldest=True).rows
    done = queries.page(session, here.where(Activity.state != State.OPEN), limit=LATEST).rows
    sites = accounts.sites_of(session, [account.id])
    return render(
        request,
        "calendar/doing.html",
        scope,
        account=account,
        rows=[*upcoming, *done],
        sites=[(site.id, ", ".join(filter(None, (site.street, site.city))) or site.name or "–") for site in sites],
        may_write=may_write_at(session, scope, account.id),
        people_choices=people_of(session, scope),
        call_id=uuid7(),
    )


def may_write_at(session: Session, scope: Scope, account_id: UUID) -> bool:
    """Whether somebody may plan something at an account."""
    if not scope.may("activities:write"):
        return False
    try:
        need_account(session, scope, account_id)
    except WaymarkError:
        return False
    return True


@router.post("/calls")
def log_call(request: Request, account_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Take a call down, with its outcome and the next step; the same form twice is one call."""
    try:
        with attempt(session):
            need_account(session, scope, account_id)
            took = timedelta(minutes=number(sent, "minutes") or 0)
            ended = clock.now() - timedelta(minutes=number(sent, "ago") or 0)
            step, due = text(sent, "next_subject"), text(sent, "next_due")
            call = CallLog(
                id=UUID(str(sent.get("id"))),
                account_id=account_id,
                subject=text(sent, "subject") or "",
                outcome=Result(text(sent, "outcome") or "reached"),
                direction=Direction(text(sent, "direction") or "out"),
                note=text(sent, "note"),
                at=ended - took,
                duration_s=int(took.total_seconds()),
                next=NextStep(subject=step, due_on=date.fromisoformat(due) if due else None) if step else None,
            )
            calling.log(session, call, scope.user_id)
    except (WaymarkError, ValueError) as error:
        return refused(request, scope, error)
    return go(f"/accounts/{account_id}")
