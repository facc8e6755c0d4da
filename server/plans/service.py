"""The rules of plans: asking for one, publishing it, taking it back."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from routing.solve import ENGINES
from server.accounts import queries as accounts
from server.accounts import service as editing
from server.activities import service as activities
from server.activities.models import Visit, VisitState
from server.auth.access import Scope, scope_of
from server.auth.models import Role, User
from server.auth.queries import hold, visible_users
from server.closures import service as absences
from server.closures.models import AbsenceKind
from server.closures.queries import days_off
from server.demands import service as demands
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.settings import settings
from server.plans import calendar, overtaking, queries, taking_back
from server.plans.build import shifts_of
from server.plans.jobs import compute
from server.plans.models import Plan, PlanOccasion, PlanState, Route, Stop
from server.plans.schemas import PlanRequest
from server.segments import queries as segments
from server.segments import service as segmenting

DEFAULT_SECONDS = 10.0
FARTHEST_DAYS = 366
UNDOABLE = (PlanOccasion.RUNNING_DAY, PlanOccasion.ABSENCE)
"""Plans that change a day which people know: taking them back brings it back."""


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
    need_shifts(session, reps, wanted.first_day, wanted.days)
    if wanted.segment_id is not None:
        need_accounts(session, scope, wanted.segment_id)
    filter = (wanted.filter or "").strip()
    seconds = wanted.seconds or (None if wanted.steps else DEFAULT_SECONDS)
    plan = Plan(
        rep_ids=[rep.id for rep in reps],
        first_day=wanted.first_day,
        days=wanted.days,
        engine=wanted.engine,
        seed=wanted.seed,
        seconds=seconds,
        steps=wanted.steps,
        segment_id=wanted.segment_id,
        filter=segmenting.canonical(session, scope, "account", filter) if filter else None,
        requested_by=scope.user_id,
        state=PlanState.QUEUED,
    )
    session.add(plan)
    session.flush()
    defer(session, compute, key=f"plan:{plan.id}", lock=f"plan:{plan.id}", plan_id=str(plan.id))
    return plan


def need_accounts(session: Session, scope: Scope, segment_id: UUID) -> None:
    """Refuse a segment that one may not use, or that holds no accounts."""
    segment = segments.find(session, scope, segment_id)
    if segment.subject != "account":
        raise Invalid(f"“{segment.name}” is a segment of {segment.subject}.", help="Choose one of accounts.",
                      field="segment_id")  # fmt: skip


def need_shifts(session: Session, reps: Sequence[User], first_day: date, days: int) -> None:
    """Refuse days on which none of the reps works, and say what keeps them."""
    dates = [first_day + timedelta(days=k) for k in range(days)]
    off = days_off(session, [rep.id for rep in reps], first_day, dates[-1])
    if [shift for rep in reps for shift in shifts_of(rep, dates, settings().zone, off)]:
        return
    kept = [f"{rep.name}, {day:%a %d %b}: {why}" for rep in reps for day in dates if (why := off.of_rep(rep.id, day))]
    raise Invalid(
        "None of these reps works on these days." + (f" {'; '.join(kept[:3])}." if kept else ""),
        help="Choose other days or change the working days.",
        field="days",
    )


def need_reps(session: Session, scope: Scope, rep_ids: Sequence[UUID], *, left: UUID | None = None) -> list[User]:
    """The reps of these ids, whose days the person may plan; refuses others, and who has left but for `left`."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:write"))
    here = User.active | (User.id == left)
    found = session.scalars(people.where(User.id.in_(rep_ids), User.role == Role.REP, here)).all()
    if len(found) != len(set(rep_ids)):
        missing = sorted(str(i) for i in set(rep_ids) - {rep.id for rep in found})
        raise NotFound(f"There is no rep {missing[0]}.", help="Choose among your reps.", field="rep_ids")
    return list(found)


def publish(session: Session, scope: Scope, plan_id: UUID) -> Plan:
    """Put a plan into the calendar: its stops become planned visits, and it takes the place of earlier plans of the
    same reps and days; a rep who was given another's account is assigned to it, and one who cannot work is absent.
    Refuses a plan that is not ready or over, and a change of a day that has gone on meanwhile; publishing twice
    changes nothing.
    """
    plan = _locked(session, scope, plan_id)
    if plan.state == PlanState.PUBLISHED:
        return plan
    if plan.state != PlanState.READY:
        raise NotReady(f"The plan is {plan.state}.", help="Publish it when it is ready.")
    last_day = plan.first_day + timedelta(days=plan.days - 1)
    if last_day < clock.today(settings().zone):
        raise NotReady("The days of this plan are over.", help="Plan days to come.")
    hold(session, plan.rep_ids)
    before = _published(session, plan.rep_ids, plan.first_day, last_day)
    reusable = _replaceable(session, before)
    if plan.occasion in UNDOABLE:
        overtaking.need_same_day(session, plan, before)
        plan.replaced = taking_back.snapshot(session, before) | {"absence": _absent(session, scope, plan)}
    _retire(session, before)
    own = select(Route).where(Route.plan_id == plan.id).options(selectinload(Route.stops))
    routes = session.scalars(own.order_by(Route.day, Route.rep_id)).all()
    now = clock.now()
    for route in routes:
        route.published_at = now
    calendar.put(session, routes, reusable)
    demands.planned(session, {d: s.visit_id for r in routes for s in r.stops if s.visit_id for d in s.demand_ids})
    activities.withdraw(session, [visit_id for ids in reusable.values() for visit_id in ids])
    _lend(session, routes)
    plan.state, plan.published_at = PlanState.PUBLISHED, now
    session.flush()
    return plan


def delete(session: Session, scope: Scope, plan_id: UUID) -> None:
    """Take a plan back: a queued or running one is cancelled, a published one leaves the calendar.

    What a change of a running day replaced comes back.
    """
    plan = _locked(session, scope, plan_id)
    if plan.state == PlanState.PUBLISHED and plan.replaced is not None:
        taking_back.undo(session, plan)
        _back(session, scope, plan)
    elif plan.state == PlanState.PUBLISHED:
        routes = [route for route in plan.routes if route.deleted_at is None]
        reusable = _replaceable(session, routes)
        activities.withdraw(session, [visit_id for ids in reusable.values() for visit_id in ids])
        _retire(session, routes)
    plan.deleted_at = clock.now()
    session.flush()


def _locked(session: Session, scope: Scope, plan_id: UUID) -> Plan:
    return queries.lock(session, queries.find(session, scope, plan_id, "plans:write"))


def _absent(session: Session, scope: Scope, plan: Plan) -> str | None:
    """Write down that a rep whose visits others take over is not there, unless it is known or they left; its id."""
    if plan.occasion != PlanOccasion.ABSENCE:
        return None
    rep_id, day = plan.rep_ids[0], plan.first_day
    is_here = session.get_one(User, rep_id).active
    if not is_here or days_off(session, [rep_id], day, day).of_rep(rep_id, day) is not None:
        return None
    return str(absences.be_absent(session, scope, rep_id, day, day, AbsenceKind.SICK).id)


def _back(session: Session, scope: Scope, plan: Plan) -> None:
    """Take back the absence that the plan wrote down; somebody may have done so before."""
    if plan.replaced is not None and plan.replaced.get("absence"):
        with suppress(NotFound):
            absences.be_back(session, scope, UUID(plan.replaced["absence"]))


def _lend(session: Session, routes: Sequence[Route]) -> None:
    """Reps who were given somebody else's account by hand are assigned to it, or their phones would not show it."""
    wanted: dict[UUID, set[UUID]] = {}
    for route in routes:
        wanted.setdefault(route.rep_id, set()).update(stop.account_id for stop in route.stops)
    for rep in session.scalars(select(User).where(User.id.in_(wanted))):
        strange = wanted[rep.id] - accounts.seen_of(session, scope_of(session, rep, source="job"), wanted[rep.id])
        if strange:
            editing.lend(session, rep.id, strange)


def in_the_way(session: Session, plan: Plan) -> int:
    """How many published routes of the same reps and days a plan takes the place of when it is published."""
    standing = _published(session, plan.rep_ids, plan.first_day, plan.first_day + timedelta(days=plan.days - 1))
    return sum(route.plan_id != plan.id for route in standing)


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
