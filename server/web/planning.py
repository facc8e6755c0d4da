"""Planning as a whole: visits that are wanted, work against time, nights, and the rules of all this."""

from collections.abc import Callable
from datetime import date
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts import cadence
from server.accounts.cadence import Interval
from server.accounts.models import INTERVALS
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.demands import queries as demands
from server.demands.models import DemandOrigin, DemandState
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.paging import Cursor
from server.kit.settings import settings
from server.plans import overload, rules
from server.plans.night import queries as nights
from server.plans.night import routes as night_routes
from server.plans.night import service as night
from server.plans.night.jobs import plan_part
from server.web.forms import Sent, number, read
from server.web.pages import attempt, go, render
from server.web.users import people_of

router = APIRouter(prefix="/planning", include_in_schema=False)

ReadDemands = Annotated[Scope, requires("demands:read")]
ReadPlanning = Annotated[Scope, requires("planning:read")]
WritePlanning = Annotated[Scope, requires("planning:write")]


@router.get("/demands")
def show_demands(
    request: Request,
    scope: ReadDemands,
    session: Db,
    state: DemandState | None = None,
    origin: DemandOrigin | None = None,
    cursor: Cursor = None,
) -> Response:
    """What wants a visit, the nearest deadline first."""
    found = demands.page(session, scope, state=state, origin=origin, cursor=cursor)

    def link(**changes: str) -> str:
        kept = {"state": state or "", "origin": origin or ""} | changes
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/planning/demands?{query}" if query else "/planning/demands"

    return render(
        request,
        "planning/demands.html",
        scope,
        found=found,
        chosen=state or "",
        origin=origin or "",
        origins=list(DemandOrigin),
        link=link,
    )


@router.get("/capacity")
def show_capacity(request: Request, scope: ReadPlanning, session: Db, first_day: date | None = None) -> Response:
    """Work against time by territory, who slips, and the ways out."""
    report = overload.report(session, scope, first_day or clock.today(settings().zone))
    stretches = rules.rules(session).stretches
    return render(request, "planning/capacity.html", scope, report=report, stretches=stretches)


@router.get("/nights")
def show_nights(request: Request, scope: ReadPlanning, session: Db) -> Response:
    """The latest night, and the form for the next."""
    return nights_page(request, scope, session, None)


def nights_page(
    request: Request, scope: Scope, session: Session, run_id: UUID | None, error: WaymarkError | None = None
) -> Response:
    """The page, with what was refused."""
    known = nights.nights(session)
    chosen = run_id or (known[0].id if known else None)
    return render(
        request,
        "planning/nights.html",
        scope,
        status=int(error.status) if error else 200,
        nights=known,
        view=nights.night(session, scope, chosen) if chosen else None,
        first_day=night.next_working_day(session, clock.today(settings().zone)),
        rules=rules.rules(session),
        error=error,
    )


@router.post("/nights")
def begin_night(
    request: Request,
    scope: WritePlanning,
    session: Db,
    first_day: Annotated[date, Form()],
    days: Annotated[int, Form(ge=1, le=7)] = 5,
) -> Response:
    """Plan the whole company now."""
    try:
        with attempt(session):
            night.ask(session, plan_part, first_day=first_day, days=days, asked_by=scope.user_id)
    except WaymarkError as error:
        return nights_page(request, scope, session, None, error)
    return go("/planning/nights")


@router.get("/nights/{run_id}")
def show_night(request: Request, run_id: UUID, scope: ReadPlanning, session: Db) -> Response:
    """One night."""
    return nights_page(request, scope, session, run_id)


@router.get("/nights/{run_id}/state")
def show_night_state(request: Request, run_id: UUID, scope: ReadPlanning, session: Db) -> Response:
    """A fragment: how far a night is."""
    return render(request, "planning/night.html", scope, view=nights.night(session, scope, run_id))


@router.post("/nights/{run_id}/parts/{part_id}/again")
def plan_again(run_id: UUID, part_id: UUID, scope: WritePlanning, session: Db) -> Response:
    """Plan a part that failed once more."""
    night_routes.again(run_id, part_id, scope, session)
    return go(f"/planning/nights/{run_id}")


@router.get("/rules")
def show_rules(request: Request, scope: WritePlanning, session: Db, who: UUID | None = None) -> Response:
    """How the company plans."""
    return rules_page(request, scope, session, who)


def rules_page(
    request: Request, scope: Scope, session: Session, who: UUID | None = None, error: WaymarkError | None = None
) -> Response:
    """The page, with what was refused."""
    known = cadence.rules(session)
    reps = people_of(session, scope, Role.REP, Role.MANAGER)

    def own(user_id: UUID | None) -> Callable[[str], Interval | None]:
        return lambda name: known.by_owner.get((user_id, name))

    return render(
        request,
        "planning/rules.html",
        scope,
        status=int(error.status) if error else 200,
        of_company=known.of_class,
        of_person=own(who),
        who=who,
        reps=reps,
        with_own={user_id for user_id, _ in known.by_owner if user_id},
        rules=rules.rules(session),
        error=error,
    )


@router.post("/rules")
def set_rules(request: Request, scope: WritePlanning, session: Db, sent: Sent) -> Response:
    """Say how the company plans."""
    try:
        with attempt(session):
            rules.set_rules(session, given_rules(sent))
    except WaymarkError as error:
        return rules_page(request, scope, session, error=error)
    return go("/planning/rules?saved=1")


def given_rules(sent: FormData) -> dict[str, object]:
    """The rules as the form says them."""
    whole = {name: round(number(sent, name) or 0) for name in ("night_hour", "night_days", "night_steps")}
    return {
        **whole,
        "hotel_cost_s": round((number(sent, "hotel_min") or 0) * 60),
        "stretches": "stretches" in sent,
        "night_is_on": "night_is_on" in sent,
        "night_weekdays": sorted({int(str(day)) for day in sent.getlist("night_weekdays") if str(day) in [*"0123456"]}),
    }


@router.post("/rules/intervals")
def set_intervals(request: Request, scope: WritePlanning, session: Db, sent: Sent) -> Response:
    """Set the call intervals of the company, or of one person's accounts."""
    who = read(sent, "user_id", UUID)
    try:
        with attempt(session):
            for name in INTERVALS:
                cadence.set_interval(session, who, name, given_interval(sent, name))
    except WaymarkError as error:
        return rules_page(request, scope, session, who, error)
    return go(f"/planning/rules?saved=1{f'&who={who}' if who else ''}")


def given_interval(sent: FormData, name: str) -> Interval | None:
    """The interval of a class as the form says it; None when the field is empty."""
    days, share = number(sent, f"interval_{name}"), number(sent, f"tolerance_{name}")
    if days is None:
        return None
    if days != round(days):
        raise Invalid(f"Class {name}: {days} is no whole number of days.", field=f"interval_{name}")
    return Interval(round(days), cadence.TOLERANCE if share is None else share / 100)
