"""A running day planned anew, and a sick rep's visits given to others: proposals, accepted by publishing."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.budget import Budget
from routing.lateness import Warned, warnings
from routing.replanning import Difference, Planned, differences, orders_of, redistribute, remaining, replan, takeovers
from routing.solve import DEFAULT_ENGINE
from routing.types import Problem
from server.activities.models import Appointment
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.queries import visible_users
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.settings import settings
from server.plans import collecting, redrawing, running
from server.plans.candidates import Candidate
from server.plans.models import Plan, PlanOccasion
from server.plans.running import Drawn, RunningDay, Standing
from server.plans.service import need_reps

BUDGET = Budget(seconds=1.0)
"""CPU seconds of the search for the rest of a day."""
MOST_OVERTIME_S = 7200
"""Who could go only by ending the day later than so much after the shift is not named."""
MOST_ADDED = 20
"""Customers who are due and could fill a gap: the most valuable ones are looked at."""


def day_of(
    session: Session,
    scope: Scope,
    rep_ids: Sequence[UUID],
    day: date,
    now: datetime | None = None,
    *,
    left: UUID | None = None,
) -> RunningDay:
    """The published day of reps whose days the person may plan; `left` may have left. Refuses a day that is over."""
    reps = need_reps(session, scope, rep_ids, left=left)
    if day < clock.today(settings().zone):
        raise Invalid(f"{day} is over.", help="Plan the rest of today, or a day to come.", field="day")
    return running.load(session, reps, day, now or clock.now())


def replan_day(
    session: Session,
    scope: Scope,
    rep_id: UUID,
    day: date,
    *,
    position: LonLat | None = None,
    pinned: Sequence[UUID] = (),
    fill: bool = True,
) -> Plan:
    """Propose the rest of a rep's day anew from where the rep is now; stops that are pinned keep their time.

    Refuses a rep who does not work on the day, a day without a published route, and pins of other days.
    """
    known = day_of(session, scope, [rep_id], day)
    away = known.off.of_rep(rep_id, day)
    if rep_id not in known.shifts or away is not None:
        why = f": {away}." if away else "."
        raise Invalid(f"{known.reps[0].name} does not work on {day}{why}", help="Choose another day.", field="day")
    if not known.stops:
        raise Invalid("Nothing is published for this day.", help="Make a plan and publish it first.", field="day")
    wrong = set(pinned) - {one.stop.id for one in known.stops}
    if wrong:
        raise Invalid("A pinned stop is not on this day's route.", help="Load the page again.", field="pinned")
    more = _due(session, scope, known) if fill else []
    drawn = running.draw(session, known, positions={rep_id: position} if position else None, more=more)
    planned = _open(known)
    promised = {one.key for one in known.stops if one.visit is not None and one.visit.appointment == Appointment.FIXED}
    rest = remaining(drawn.problem, planned, drawn.underway, frozenset(promised.union(map(str, pinned))))
    answer = replan(rest, planned, budget=BUDGET, engine=DEFAULT_ENGINE)
    found = redrawing.Redrawn(known, drawn, rest, answer, differences(planned, answer), (rep_id,), {})
    return redrawing.store(session, scope.user_id, found, PlanOccasion.RUNNING_DAY)


def _open(known: RunningDay) -> Planned:
    """What is neither over nor going on."""
    closed = {one.key for one in known.stops if one.is_over or one.is_current}
    return {key: place for key, place in known.planned().items() if key not in closed}


def _due(session: Session, scope: Scope, known: RunningDay) -> list[Candidate]:
    """Customers of these reps who are due and stand on no route of the day."""
    there = {one.account.id for one in known.stops}
    found = collecting.find(session, scope, known.reps, known.day, known.day).candidates.placeable
    new = [c for c in found if c.account_id not in there and c.appointment is None]
    return sorted(new, key=lambda c: (-c.prize_s, c.key))[:MOST_ADDED]


def absence(
    session: Session, scope: Scope, rep_id: UUID, day: date, *, neighbour_ids: Sequence[UUID] | None = None
) -> Plan:
    """Propose who takes over what a rep who cannot work must do on a day: promises, and A customers who are overdue.

    Neighbours keep what they have planned in its order; the other visits wait for the next plan. Refuses a rep who
    has nothing planned, and a day on which nobody else works.
    """
    if neighbour_ids is None:
        neighbour_ids = [rep.id for rep in neighbours(session, scope, rep_id)]
    if rep_id in neighbour_ids:
        raise Invalid("A rep cannot take over the own visits.", help="Choose others.", field="neighbour_ids")
    known = day_of(session, scope, [rep_id, *neighbour_ids], day, left=rep_id)
    if rep_id not in known.shifts or not known.of(rep_id):
        raise Invalid("Nothing is published for this rep and day.", help="Choose another day.", field="day")
    others = [r.id for r in known.reps if r.id != rep_id and known.still_works(r.id)]
    if not others:
        raise Invalid(
            "Nobody else works on this day, or not any more.", help="Choose neighbours who do.", field="neighbour_ids"
        )
    left = [one for one in known.of(rep_id) if not one.is_over and not one.is_current]
    must = [one for one in left if one.must_be]
    drawn = running.draw(session, known)
    helpers = {known.shifts[one].key for one in others}
    asked = {one.key for one in must}
    planned = {k: v for k, v in _open(known).items() if k in asked or v[0] in helpers}
    rest = _without(drawn, helpers, must, planned)
    orders = orders_of(rest, {k: v for k, v in planned.items() if k not in asked})
    answer = redistribute(rest, orders, [one.key for one in must])
    changed = _days(answer.orders(), orders)
    touched = [r for r in others if known.shifts[r].key in changed]
    found = redrawing.Redrawn(
        known,
        drawn,
        rest,
        answer,
        _of_days(differences(planned, answer), {known.shifts[r].key for r in (rep_id, *touched)}),
        (rep_id, *touched),
        dict(_options(drawn, helpers, left, _open(known))),
        tuple(one for one in left if not one.must_be),
    )
    return redrawing.store(session, scope.user_id, found, PlanOccasion.ABSENCE)


def _days(after: dict[str, tuple[str, ...]], before: dict[str, tuple[str, ...]]) -> set[str]:
    """Rep-days whose order changes."""
    return {day for day in {*after, *before} if after.get(day, ()) != before.get(day, ())}


def _of_days(found: Sequence[Difference], rep_days: Set[str]) -> tuple[Difference, ...]:
    """What changes on some rep-days: the others keep the times that people know."""
    return tuple(d for d in found if {place[0] for place in (d.before, d.after) if place} & rep_days)


def _without(drawn: Drawn, helpers: set[str], must: Sequence[Standing], planned: Planned) -> Problem:
    """The rest of the helpers' day, with the visits that must find somebody."""
    rest = remaining(drawn.problem, planned, drawn.underway)
    asked = {one.key for one in must}
    days = tuple(d for d in rest.rep_days if d.id in helpers)
    reps = frozenset(d.rep for d in days)
    visits = [
        replace(v, reps=reps, mandatory=True, keep=None) if v.id in asked else v
        for v in rest.visits
        if v.id in asked or (v.id in planned and planned[v.id][0] in helpers)
    ]
    return replace(rest, rep_days=days, visits=tuple(visits), nights=())


def _options(
    drawn: Drawn, helpers: set[str], left: Sequence[Standing], planned: Planned
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every neighbour who could go, as the day stands, with the detour and the overtime that it would take.

    For what may wait as for what must be: nobody is given overtime, but people may agree on it.
    """
    rest = _without(drawn, helpers, left, planned)
    orders = orders_of(rest, {key: place for key, place in planned.items() if place[0] in helpers})
    for one in left:
        yield (
            one.key,
            [
                {
                    "rep_name": rest.rep_day(t.rep_day).label.rsplit(",", 1)[0],
                    "detour_s": t.detour_s,
                    "overtime_s": t.overtime_s,
                }
                for t in takeovers(rest, orders, one.key, more_s=MOST_OVERTIME_S)
            ],
        )


def planned_person(session: Session, scope: Scope, rep_id: UUID) -> User:
    """A rep whose days the person may plan, also one who has left. Refuses everybody else."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:write"))
    found = session.scalars(people.where(User.id == rep_id, User.role == Role.REP)).one_or_none()
    if found is None:
        raise NotFound("There is no such rep whose days you plan.", help="Choose among your reps.", field="rep")
    return found


def neighbours(session: Session, scope: Scope, rep_id: UUID) -> list[User]:
    """The other reps whose days the person may plan and who have a place to start from."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:write"))
    found = session.scalars(
        people.where(User.role == Role.REP, User.active, User.id != rep_id).order_by(User.name)
    ).all()
    return [rep for rep in found if rep.rep_profile is not None and rep.rep_profile.home is not None]


def warnings_of(session: Session, known: RunningDay) -> dict[UUID, tuple[Warned, ...]]:
    """By rep: who will be late, who is missed, when to leave; from the reports so far and the clock."""
    if not known.stops:
        return {}
    drawn = running.draw(session, known)
    planned = _open(known)
    rest = remaining(drawn.problem, planned, drawn.underway)
    found = {}
    for rep_id, shift in known.shifts.items():
        order = orders_of(rest, planned).get(shift.key, ())
        if order:
            ends_s = drawn.problem.rep_day(shift.key).close_s
            visits = [rest.visit(v) for v in order]
            found[rep_id] = warnings(rest, rest.rep_day(shift.key), visits, shift_ends_s=ends_s)
    return found
