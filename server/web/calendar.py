"""The calendar: visits, meetings, calls and tasks of one's own or of the team, by month, week and day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities import queries as visits
from server.activities.agenda import queries, service
from server.activities.agenda.models import Activity, Kind, Priority, Result, State
from server.activities.agenda.routes import need_account, need_owner
from server.activities.models import Visit, VisitState
from server.auth.access import Scope, requires
from server.auth.models import User
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.notifications.kinds import About
from server.notifications.service import notify
from server.records.queries import open_conflicts
from server.web import calendar_grid as grid
from server.web.activity_forms import fields_of, refused
from server.web.calendar_grid import Entry, View
from server.web.forms import Sent, read, text
from server.web.pages import attempt, go, render
from server.web.users import people_of

router = APIRouter(prefix="/calendar", include_in_schema=False)

Read = Annotated[Scope, requires("activities:read")]
Write = Annotated[Scope, requires("activities:write")]

KINDS = ("visit", "meeting", "call", "task")
COLOURS = {"visit": 3, "meeting": 1, "call": 2, "task": 4, "busy": 8}
MOST_VISITS = 3000


@dataclass(frozen=True)
class Looking:
    """What somebody looks at."""

    view: View
    day: date
    kinds: tuple[str, ...]
    people: tuple[UUID, ...]
    """Empty: oneself."""
    zone: str

    def link(self, **changes: object) -> str:
        """The page with something changed."""
        view, day = changes.get("view", self.view), changes.get("day", self.day)
        kinds, who = changes.get("kind", self.kinds), changes.get("who", self.people)
        assert isinstance(kinds, list | tuple)
        assert isinstance(who, list | tuple)
        asked = [("view", view), ("day", day)]
        asked += [("kind", one) for one in kinds] if set(kinds) != set(KINDS) else []
        asked += [("who", one) for one in who]
        return "/calendar?" + urlencode(asked)


@router.get("")
def show_calendar(
    request: Request,
    scope: Read,
    session: Db,
    view: View = "week",
    day: date | None = None,
    kind: Annotated[list[str] | None, Query(max_length=10)] = None,
    who: Annotated[list[UUID] | None, Query(max_length=60)] = None,
) -> Response:
    """One month, week or day."""
    zone = scope.zone or settings().zone
    shown = min(max(day or clock.today(zone), date(1970, 2, 1)), date(2199, 11, 30))
    kinds = tuple(one for one in KINDS if one in (kind or KINDS))
    team = people_of(session, scope)
    people = tuple(person.id for person in team if person.id in (who or ()))
    looking = Looking(view, shown, kinds, people, zone)
    entries = entries_of(session, scope, looking, {person.id: number for number, person in enumerate(team)})
    first, last = grid.span(view, shown)
    return render(
        request,
        "calendar/page.html",
        scope,
        looking=looking,
        days=grid.laid_out(view, shown, entries, zone),
        first=first,
        last=last,
        before=looking.link(day=grid.step(view, shown, -1)),
        after=looking.link(day=grid.step(view, shown, 1)),
        this=looking.link(day=clock.today(zone)),
        team=team,
        colours={person.id: number % 7 + 1 for number, person in enumerate(team)},
        kinds=KINDS,
        kind_colours=COLOURS,
        now_min=_minutes(clock.now().astimezone(ZoneInfo(zone))),
        may_write=scope.may("activities:write"),
        people_choices=team,
    )


def _minutes(at: datetime) -> int:
    return at.hour * 60 + at.minute


def entries_of(session: Session, scope: Scope, looking: Looking, order: Mapping[UUID, int]) -> list[Entry]:
    """Everything that a view shows, of oneself or of the people that were chosen."""
    first, last = grid.span(looking.view, looking.day)
    begin, end = grid.window(first, last, looking.zone)
    people = looking.people or (scope.user_id,)
    by_person = bool(looking.people)

    def colour(kind: str, owner_id: UUID) -> int:
        return order.get(owner_id, 7) % 7 + 1 if by_person else COLOURS[kind]

    found: list[Entry] = []
    wanted = [Kind(one) for one in looking.kinds if one != "visit"]
    if wanted:
        statement = queries.of_people(queries.chosen(session, scope, kinds=wanted), people)
        statement = statement.where(Activity.state != State.CANCELLED)
        mine = scope.may("activities:write")
        found += [
            of_activity(row, looking.zone, colour(row.activity.kind, row.activity.owner_id), mine)
            for row in queries.between(session, statement, begin, end)
        ]
        found += [
            Entry(None, "busy", "", one.starts_at, one.ends_at, first, owner_id=one.user_id,
                  colour=colour("busy", one.user_id))
            for one in queries.busy(session, list(people), begin, end, scope.user_id)
        ]  # fmt: skip
    if "visit" in looking.kinds:
        there = visits.between(scope, first, last).where(Visit.rep_id.in_(people), Visit.state != VisitState.CANCELLED)
        rows = visits.rows(session, there, limit=MOST_VISITS)
        found += [of_visit(row, colour("visit", row.visit.rep_id)) for row in rows]
    return found


def of_activity(row: queries.Row, zone: str, colour: int, may_move: bool) -> Entry:
    """A call, meeting or task as the calendar shows it."""
    one = row.activity
    repeat = row.starts_at if row.is_repeat else None
    query = "?" + urlencode({"at": repeat.isoformat()}) if repeat else ""
    return Entry(
        id=one.id,
        kind=one.kind,
        title=one.subject,
        starts_at=row.starts_at,
        ends_at=row.ends_at or row.starts_at,
        day=one.due_on or one.at.astimezone(ZoneInfo(zone)).date(),
        is_all_day=one.is_all_day,
        owner_id=one.owner_id,
        owner=row.owner_name,
        state=one.state,
        place=one.place or row.site_name or "",
        account=row.account_name or "",
        href=f"/calendar/activities/{one.id}{query}",
        rev=one.rev,
        may_move=may_move and row.starts_at is not None and not one.is_all_day and one.state == State.OPEN,
        repeat_at=repeat,
        colour=colour,
    )


def of_visit(row: visits.VisitRow, colour: int) -> Entry:
    """A visit as the calendar shows it; it is moved in the plan."""
    visit = row.visit
    starts = visit.planned_start_at or visit.checked_in_at or visit.done_at
    ends = visit.planned_end_at or visit.done_at
    return Entry(
        id=visit.id,
        kind="visit",
        title=row.account_name,
        starts_at=starts,
        ends_at=max(ends, starts) if starts and ends else starts,
        day=visit.day,
        owner_id=visit.rep_id,
        owner=row.rep_name,
        state=visit.state,
        place=", ".join(filter(None, (row.street, row.city))),
        href=f"/visits/{visit.id}",
        colour=colour,
    )


@router.get("/activities/{activity_id}")
def show_activity(
    request: Request, activity_id: UUID, scope: Read, session: Db, at: datetime | None = None
) -> Response:
    """One call, meeting, task or mail in full; of a series one repeat."""
    return activity_page(request, scope, session, activity_id, at)


def activity_page(
    request: Request,
    scope: Scope,
    session: Session,
    activity_id: UUID,
    at: datetime | None = None,
    *,
    sent: Mapping[str, Any] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was entered and refused."""
    row = queries.named(session, [queries.find(session, scope, activity_id)])[0]
    one = row.activity
    may_write = (
        scope.may("activities:write")
        and session.scalar(
            queries.visible_to(scope, "activities:write").where(Activity.id == one.id).with_only_columns(Activity.id)
        )
        is not None
    )
    thread: Sequence[queries.Row] = ()
    if one.thread_id:
        same = queries.visible_to(scope).where(Activity.thread_id == one.thread_id).order_by(Activity.at)
        thread = queries.named(session, list(session.scalars(same.limit(100))))
    won = [met for met in open_conflicts(session, entity="activity", row_ids=[one.id]) if met.field == "state"]
    people = {*one.participant_ids, *(met.actor for met in won)}
    names = dict(session.execute(select(User.id, User.name).where(User.id.in_(people))).tuples().all())
    starts, ends = (at, at + (one.ends_at - one.starts_at)) if at and one.rrule and one.starts_at and one.ends_at else (
        one.starts_at, one.ends_at
    )  # fmt: skip
    return render(
        request,
        "calendar/activity.html",
        scope,
        status=int(error.status) if error else 200,
        row=row,
        one=one,
        at=at if one.rrule else None,
        here=ZoneInfo(one.zone),
        starts=starts,
        ends=ends,
        participants={key: names[key] for key in one.participant_ids if key in names},
        won=[(met, names.get(met.actor) if met.actor else None) for met in won],
        may_write=may_write,
        thread=thread,
        sent=sent or {},
        people_choices=people_of(session, scope),
        results=[one.value for one in Result],
        priorities=[one.value for one in Priority],
        error=error,
    )


@router.post("/activities/{activity_id}")
def change(request: Request, activity_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Save the form: of the whole series, or of one repeat."""
    row = queries.find(session, scope, activity_id, "activities:write")
    at = read(sent, "at", datetime.fromisoformat)
    values: dict[str, Any] = {}
    try:
        with attempt(session):
            values = fields_of(sent, row.zone)
            need_account(session, scope, values.get("account_id"))
            if at is not None and text(sent, "which") == "one":
                service.change_repeat(session, row, at, values)
            else:
                base = read(sent, "rev", int) or row.rev
                if at is not None and row.starts_at is not None:
                    values = _of_whole_series(values, at - row.starts_at)
                service.change(session, row, values, base, scope.actor)
    except (WaymarkError, ValueError) as error:
        shown = error if isinstance(error, WaymarkError) else Invalid("The form is not one of ours.")
        return activity_page(request, scope, session, activity_id, at, sent=values, error=shown)
    return go(f"/calendar/activities/{activity_id}?saved=1")


def _of_whole_series(values: dict[str, Any], later: timedelta) -> dict[str, Any]:
    """Times that were entered for one repeat, as those of the first one."""
    moved = {name: values[name] - later for name in ("starts_at", "ends_at") if values.get(name)}
    return values | moved


@router.post("/activities/{activity_id}/state")
def set_state(request: Request, activity_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Done, cancelled, or open again; one repeat of a series by itself."""
    row = queries.find(session, scope, activity_id, "activities:write")
    state, at = read(sent, "state", State) or State.DONE, read(sent, "at", datetime.fromisoformat)
    if at and row.rrule:
        row = service.change_repeat(session, row, at, {"state": state.value})
    else:
        service.finish(session, [row], state=state)
    return back(request, f"/calendar/activities/{row.id}")


@router.post("/activities/{activity_id}/delete")
def delete(activity_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Delete it, or leave one repeat out."""
    row = queries.find(session, scope, activity_id, "activities:write")
    at = read(sent, "at", datetime.fromisoformat)
    if at and row.rrule and text(sent, "which") == "one":
        service.leave_out(session, row, at)
    else:
        service.remove(session, row)
    return go("/calendar")


@router.post("/new")
def create(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Put a meeting, call or task into the calendar."""
    try:
        with attempt(session):
            kind = read(sent, "kind", Kind) or Kind.MEETING
            owner = need_owner(session, scope, read(sent, "owner_id", UUID))
            values = fields_of(sent, service.zone_of(session, owner))
            need_account(session, scope, values.get("account_id"))
            give(session, service.add(session, service.NewActivity(kind, owner, values)), scope)
    except (WaymarkError, ValueError) as error:
        return refused(request, scope, error)
    return back(request, "/calendar")


def give(session: Session, row: Activity, scope: Scope) -> None:
    """Tell the owner of what somebody else put into their calendar."""
    if row.owner_id != scope.user_id:
        told, link = {"who": scope.name, "subject": row.subject}, f"/calendar/activities/{row.id}"
        sentence = "{who} gives you a task: {subject}" if row.kind == Kind.TASK else "{who} plans with you: {subject}"
        notify(session, [row.owner_id], "task", sentence, link, About("activity", row.id), gaps=told, by=scope.user_id)


def back(request: Request, otherwise: str) -> Response:
    """Where the form stood: a page of our own, never another one."""
    here = request.headers.get("referer", "")
    path = here.split("://", 1)[-1].partition("/")[2]
    return go(f"/{path}" if path and f"://{request.headers.get('host')}/" in here else otherwise)
