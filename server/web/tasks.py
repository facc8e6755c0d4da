"""Tasks: what is overdue, due today and this week; done with one key, several at once."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import func, select

from server.activities.agenda import queries, service
from server.activities.agenda.models import Activity, Kind, State
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.paging import Cursor
from server.kit.settings import settings
from server.web.calendar import back
from server.web.forms import Sent, read, several
from server.web.pages import attempt, render
from server.web.users import people_of

router = APIRouter(prefix="/tasks", include_in_schema=False)

Read = Annotated[Scope, requires("activities:read")]
Write = Annotated[Scope, requires("activities:write")]
ROWS = 200


@dataclass(frozen=True)
class Group:
    """Tasks that press alike."""

    title: str
    look: str
    rows: list[queries.Row]


def grouped(rows: list[queries.Row], today: date) -> list[Group]:
    """By how much they press."""
    sunday = today + timedelta(days=6 - today.weekday())
    groups = {
        name: Group(name, look, [])
        for name, look in (("Overdue", "bad"), ("Today", "warn"), ("This week", "info"), ("Later", ""), ("No day", ""))
    }
    for row in rows:
        day = row.activity.due_on or (row.activity.starts_at.date() if row.activity.starts_at else None)
        if day is None:
            name = "No day"
        elif day < today:
            name = "Overdue"
        elif day == today:
            name = "Today"
        else:
            name = "This week" if day <= sunday else "Later"
        groups[name].rows.append(row)
    return [group for group in groups.values() if group.rows]


@router.get("")
def show_tasks(
    request: Request,
    scope: Read,
    session: Db,
    who: Annotated[UUID | None, Query(description="Left out: oneself.")] = None,
    state: State = State.OPEN,
    filter: str = "",
    cursor: Cursor = None,
) -> Response:
    """The list."""
    today = clock.today(scope.zone or settings().zone)
    error, found, total = None, queries.Listing([], None), 0
    try:
        with attempt(session):
            statement = queries.chosen(session, scope, kinds=[Kind.TASK], state=state, filter=filter)
            statement = queries.of_people(statement, [who or scope.user_id])
            found = queries.page(session, statement, cursor=cursor, limit=ROWS, oldest=state is State.OPEN)
            total = (
                session.scalar(select(func.count()).select_from(statement.with_only_columns(Activity.id).subquery()))
                or 0
            )
    except WaymarkError as refused:
        error = refused
    return render(
        request,
        "calendar/tasks.html",
        scope,
        status=int(error.status) if error else 200,
        groups=grouped(found.rows, today) if state is State.OPEN else [Group("", "", found.rows)],
        total=total,
        shown=len(found.rows),
        next_cursor=found.next_cursor,
        who=who or scope.user_id,
        state=state,
        filter=filter,
        people_choices=people_of(session, scope),
        tomorrow=today + timedelta(days=1),
        monday=today + timedelta(days=7 - today.weekday()),
        may_write=scope.may("activities:write"),
        error=error,
    )


@router.post("/several")
def change_several(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Do or put off the tasks that were ticked."""
    ids = several(sent, "ids", UUID)
    statement = queries.visible_to(scope, "activities:write").where(Activity.id.in_(ids))
    rows = list(session.scalars(statement.with_for_update(of=Activity)))
    until = read(sent, "due_on", date.fromisoformat)
    if until:
        for row in rows:
            service.write(session, row, {"due_on": until})
    else:
        service.finish(session, rows, state=read(sent, "state", State) or State.DONE)
    return back(request, "/tasks")
