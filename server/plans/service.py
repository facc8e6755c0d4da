"""The rules of plans: asking for one, publishing it, taking it back."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from routing.solve import ENGINES
from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.activities import service as activities
from server.activities.models import Visit, VisitState
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.queries import visible_users
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.settings import settings
from server.plans import queries
from server.plans.build import shifts_of
from server.plans.jobs import compute
from server.plans.models import Plan, PlanState, Route, Stop
from server.plans.schemas import PlanRequest

VISITS = UUID("6f2c1d52-5c0e-5f0b-9d3a-3a1f5b7f9b01")
"""Under which ids of planned visits are made (RFC 9562, version 5)."""
DEFAULT_SECONDS = 10.0
FARTHEST_DAYS = 366


class NotReady(Conflict):
    """The plan is not in the state that the step needs."""

    code: ClassVar[str] = "plan_not_ready"


def request(session: Session, scope: Scope, wanted: PlanRequest) -> Plan:
    """Ask for a plan; a job computes it. Refuses reps of others, days in the past, and reps who do not work on any."""
    reps = need_reps(session, scope, wanted.rep_ids)
    if wanted.first_day < clock.today(settings().zone):
        raise Invalid(f"{wanted.first_day} is over.", help="Plan from today on.", field="first_day")
    if wanted.first_day > clock.today(settings().zone) + timedelta(days=FARTHEST_DAYS):
        raise Invalid(f"{wanted.first_day} is too far away.", help="Plan within a year from today.", field="first_day")
    if wanted.engine not in ENGINES:
        known = ", ".join(sorted(ENGINES))
        raise Invalid(f"There is no engine “{wanted.engine}”.", help=f"Take one of: {known}.", field="engine")
    dates = [wanted.first_day + timedelta(days=k) for k in range(wanted.days)]
    if not [shift for rep in reps for shift in shifts_of(rep, dates, settings().zone)]:
        raise Invalid(
            "None of these reps works on these days.",
            help="Choose other days or change the working days.",
            field="days",
        )
    seconds = wanted.seconds or (None if wanted.steps else DEFAULT_SECONDS)
    plan = Plan(
        rep_ids=[rep.id for rep in reps],
        first_day=wanted.first_day,
        days=wanted.days,
        engine=wanted.engine,
        seed=wanted.seed,
        seconds=seconds,
        steps=wanted.steps,
        requested_by=scope.user_id,
        state=PlanState.QUEUED,
    )
    session.add(plan)
    session.flush()
    defer(session, compute, key=f"plan:{plan.id}", lock=f"plan:{plan.id}", plan_id=str(plan.id))
    return plan


def need_reps(session: Session, scope: Scope, rep_ids: Sequence[UUID]) -> list[User]:
    """The reps of these ids, whose days the person may plan; refuses everybody else."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:write"))
    found = session.scalars(people.where(User.id.in_(rep_ids), User.role == Role.REP, User.active)).all()
    if len(found) != len(set(rep_ids)):
        missing = sorted(str(i) for i in set(rep_ids) - {rep.id for rep in found})
        raise NotFound(f"There is no rep {missing[0]}.", help="Choose among your reps.", field="rep_ids")
    return list(found)


def publish(session: Session, scope: Scope, plan_id: UUID) -> Plan:
    """Put a plan into the calendar: its stops become planned visits, and it takes the place of earlier plans of the
    same reps and days. Refuses a plan that is not ready; publishing twice changes nothing.
    """
    plan = _locked(session, scope, plan_id)
    if plan.state == PlanState.PUBLISHED:
        return plan
    if plan.state != PlanState.READY:
        raise NotReady(f"The plan is {plan.state}.", help="Publish it when it is ready.")
    last_day = plan.first_day + timedelta(days=plan.days - 1)
    before = _published(session, plan.rep_ids, plan.first_day, last_day)
    reusable = _replaceable(session, before)
    _retire(session, before)
    routes = session.scalars(select(Route).where(Route.plan_id == plan.id).order_by(Route.day, Route.rep_id)).all()
    now = clock.now()
    for route in routes:
        route.published_at = now
        for stop in route.stops:
            _put_into_calendar(session, route, stop, reusable)
    activities.withdraw(session, [visit_id for ids in reusable.values() for visit_id in ids])
    plan.state, plan.published_at = PlanState.PUBLISHED, now
    session.flush()
    return plan


def delete(session: Session, scope: Scope, plan_id: UUID) -> None:
    """Take a plan back: a queued or running one is cancelled, a published one leaves the calendar."""
    plan = _locked(session, scope, plan_id)
    if plan.state == PlanState.PUBLISHED:
        routes = [route for route in plan.routes if route.deleted_at is None]
        reusable = _replaceable(session, routes)
        activities.withdraw(session, [visit_id for ids in reusable.values() for visit_id in ids])
        _retire(session, routes)
    plan.deleted_at = clock.now()
    session.flush()


def _locked(session: Session, scope: Scope, plan_id: UUID) -> Plan:
    plan = queries.find(session, scope, plan_id, "plans:write")
    session.refresh(plan, with_for_update=True)
    return plan


def _published(session: Session, rep_ids: Sequence[UUID], first: date, last: date) -> list[Route]:
    statement = select(Route).where(
        Route.rep_id.in_(rep_ids),
        Route.day.between(first, last),
        Route.published_at.is_not(None),
        Route.deleted_at.is_(None),
    )
    return list(session.scalars(statement))


def _replaceable(session: Session, routes: Sequence[Route]) -> dict[tuple[UUID, UUID], list[UUID]]:
    """Visits that these routes put into the calendar and nobody promised or began, by rep and account."""
    statement = (
        select(Visit.rep_id, func.account_surviving(Visit.account_id), Visit.id)
        .join(Stop, Stop.visit_id == Visit.id)
        .where(
            Stop.route_id.in_([route.id for route in routes]),
            Visit.state == VisitState.PLANNED,
            Visit.appointment.is_(None),
            Visit.deleted_at.is_(None),
        )
        .order_by(Visit.day, Visit.id)
    )
    found: dict[tuple[UUID, UUID], list[UUID]] = {}
    for rep_id, account_id, visit_id in session.execute(statement):
        found.setdefault((rep_id, account_id), []).append(visit_id)
    return found


def _retire(session: Session, routes: Sequence[Route]) -> None:
    """Routes that no longer count leave the phones with their stops."""
    ids = [route.id for route in routes]
    now = clock.now()
    for table, column in ((Stop, Stop.route_id), (Route, Route.id)):
        session.execute(
            update(table).where(column.in_(ids), table.deleted_at.is_(None)).values(deleted_at=now),
            execution_options={"synchronize_session": "fetch"},
        )


def _put_into_calendar(
    session: Session, route: Route, stop: Stop, reusable: dict[tuple[UUID, UUID], list[UUID]]
) -> None:
    """Give the stop its visit: a promised one, one of the plan before (calendars know it), or a new one."""
    account_id = accounts.surviving(session, stop.account_id)
    waiting = reusable.get((route.rep_id, account_id))
    if stop.visit_id is None and waiting:
        stop.visit_id = waiting.pop(0)
    if stop.visit_id is not None:
        activities.move_visit(session, stop.visit_id, day=route.day, starts_at=stop.starts_at, ends_at=stop.ends_at)
        return
    planned = activities.PlannedVisit(
        account_id=account_id,
        site_id=accounts.standing_site(session, stop.site_id),
        rep_id=route.rep_id,
        day=route.day,
        zone=route.zone,
        starts_at=stop.starts_at,
        ends_at=stop.ends_at,
    )
    site = session.get(Site, planned.site_id)
    if site is None or site.deleted_at is not None:
        account = session.get(Account, stop.account_id)
        raise NotReady(
            f"“{account.name if account else 'An account'}” was deleted after the plan was computed.",
            help="Plan these days anew.",
        )
    stop.visit_id = activities.plan_visit(session, planned, visit_id=_visit_id(session, planned)).id


def _visit_id(session: Session, planned: activities.PlannedVisit) -> UUID:
    """The id of a new visit, made from what it is: the same plan on the same data gives the same calendars.

    Visits of the same rep, site and day before it (they were withdrawn, or are a second one) are counted on.
    """
    what = f"{planned.rep_id}/{planned.account_id}/{planned.site_id}/{planned.day}"
    ids = (uuid5(VISITS, f"{what}/{number}") for number in itertools.count(1))
    return next(visit_id for visit_id in ids if session.get(Visit, visit_id) is None)
