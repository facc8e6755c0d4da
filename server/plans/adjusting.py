"""The rules of the board: what a change would do, making it, going back, and what two people may do to each other."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Lock as Mutex
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.adjusting import Desk, Effect, Offer, UnlawfulBoard
from routing.board import Board
from routing.check import verify
from routing.draft import Draft
from routing.explain import why, why_not
from routing.plan import Plan as Answer
from routing.plan import Reason, ReasonCode, Route, Unplanned
from routing.refusals import Refusal
from routing.solve import UnlawfulPlan
from routing.types import Problem
from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.settings import settings
from server.plans import adding, basis, computing, queries, versions
from server.plans.basis import Basis
from server.plans.board_schemas import Add, Change, ChangeWish, Drop, Lock, Pin, Place
from server.plans.computing import Computed, Journey
from server.plans.models import Plan, PlanState, PlanVersion
from server.plans.versions import Kind
from server.roads import service as roads

BY_HAND = (Reason(ReasonCode.TAKEN_OUT, "Somebody took it out of the plan."),)
KEPT = 24
"""Boards that a process remembers with their times."""


class NotOnBoard(NotFound):
    """The plan cannot be changed by hand."""

    code: ClassVar[str] = "no_board"


class NotPossible(Conflict):
    """The change would break a rule."""

    code: ClassVar[str] = "change_not_possible"


class BoardChanged(Conflict):
    """Somebody else changed the board in between."""

    code: ClassVar[str] = "board_changed"


@dataclass(frozen=True)
class Open:
    """A plan that is looked at or changed."""

    plan: Plan
    basis: Basis
    version: PlanVersion
    desk: Desk

    def over(self, rep_day: str) -> bool:
        """Whether this day has passed."""
        return self.shift_day(rep_day) < clock.today(settings().zone).isoformat()

    @staticmethod
    def shift_day(rep_day: str) -> str:
        """The date in a rep-day's id."""
        return rep_day.rsplit("/", 1)[-1]


_desks: OrderedDict[tuple[UUID, UUID], Desk] = OrderedDict()
_alone = Mutex()


def desk_of(found: Basis, version: PlanVersion) -> Desk | None:
    """The board of a version with its times, remembered; None when it breaks the rules of this program."""
    key = (found.stamp, version.id)
    with _alone:
        if key in _desks:
            _desks.move_to_end(key)
            return _desks[key]
    board = versions.read(version.board)
    try:
        made = Desk(problem_of(found, board), board)
    except UnlawfulBoard:
        return None
    with _alone:
        _desks[key] = made
        while len(_desks) > KEPT:
            _desks.popitem(last=False)
    return made


def problem_of(found: Basis, board: Board) -> Problem:
    """The problem of a board: of the visits that people added only those that it knows."""
    problem = found.problem
    visits = tuple(v for v in problem.visits if not v.id.startswith(adding.ADDED) or v.id in board.added)
    return problem if len(visits) == len(problem.visits) else replace(problem, visits=visits)


def look(session: Session, scope: Scope, plan_id: UUID, *, to_change: bool = False) -> Open:
    """Open a plan's board. Refuses plans that are not there yet, and for changing those that are in the calendar."""
    plan = queries.find(session, scope, plan_id, "plans:write" if to_change else "plans:read")
    if to_change:
        queries.lock(session, plan)
        if plan.state == PlanState.PUBLISHED:
            raise NotOnBoard("The plan is in the calendar.", help="Make a copy, change it, and publish the copy.")
    if plan.state not in (PlanState.READY, PlanState.PUBLISHED):
        raise NotOnBoard(f"The plan is {plan.state}.", help="Open its board when it is ready.")
    found, version = basis.load(session, plan.id), versions.latest(session, plan.id)
    desk = desk_of(found, version) if found and version else None
    if found is None or version is None or desk is None:
        raise NotOnBoard(
            "This plan was computed by an earlier program and cannot be changed by hand.", help="Plan these days anew."
        )
    return Open(plan, found, version, desk)


def preview(session: Session, scope: Scope, plan_id: UUID, change: Change) -> tuple[Open, Effect | Refusal]:
    """What a change would do; nothing is stored."""
    there = look(session, scope, plan_id)
    queries.find(session, scope, plan_id, "plans:write")
    return there, effect_of(there, change)


def offers(session: Session, scope: Scope, plan_id: UUID, visit: str) -> list[Offer]:
    """Where a visit could go, the shortest detour first."""
    there = look(session, scope, plan_id)
    _need_visit(there, visit)
    return [offer for offer in there.desk.offers(visit) if not there.over(offer.rep_day)]


def effect_of(there: Open, change: Change) -> Effect | Refusal:
    """What a change does to an open board. Refuses visits and days that it does not have, and days that are over."""
    desk = there.desk
    if isinstance(change, Add):
        raise Invalid("An added visit has no effect before it is placed.", help="Add it, then place it.")
    if isinstance(change, Lock):
        for rep_day in change.rep_days:
            _need_rep_day(there, rep_day)
        return desk.lock(change.rep_days, change.is_on)
    _need_visit(there, change.visit)
    where = desk.board.at.get(change.visit)
    _need_time(there, where)
    if isinstance(change, Place):
        _need_rep_day(there, change.rep_day)
        _need_time(there, change.rep_day)
        return desk.place(change.visit, change.rep_day, change.at_s)
    if isinstance(change, Drop):
        if change.visit not in desk.board.added or where is not None:
            raise Invalid("Only an added visit that waits can be forgotten.", field="visit")
        return _forget(there, change.visit)
    if where is None:
        raise Invalid("The visit is on no route.", help="Place it first.", field="visit")
    return desk.pin(change.visit, change.is_on) if isinstance(change, Pin) else desk.take_out(change.visit)


def _forget(there: Open, visit: str) -> Effect | Refusal:
    board = there.desk.board
    rest = replace(board, added=tuple(v for v in board.added if v != visit), out=board.out - {visit})
    return Desk(problem_of(there.basis, rest), replace(board, added=rest.added, out=rest.out)).weigh(rest)


def change(session: Session, scope: Scope, plan_id: UUID, wish: ChangeWish) -> tuple[Open, Effect]:
    """Make a change. Refuses it when somebody changed the board in between, and when a rule would be broken.

    The same request sent twice counts once.
    """
    there = look(session, scope, plan_id, to_change=True)
    if wish.request is not None and (done := _done_before(session, plan_id, wish.request)) is not None:
        return there, _nothing(there.desk, versions.read(done.board))
    _need_base(session, there, wish.base)
    if isinstance(wish.change, Add):
        there, board = wishes_added(session, scope, there, wish.change.account_id)
        effect: Effect | Refusal = _nothing(there.desk, board)
    else:
        effect = effect_of(there, wish.change)
    if isinstance(effect, Refusal):
        raise refused(there, effect)
    kind, detail = told(there, wish.change, effect)
    return store(session, there, effect, kind, made_by=scope.user_id, detail=detail, request=wish.request), effect


def go_back(session: Session, scope: Scope, plan_id: UUID, base: int, number: int) -> tuple[Open, Effect]:
    """Make an earlier version the plan again, as a new version. Nothing is lost: the later ones stay in the history."""
    there = look(session, scope, plan_id, to_change=True)
    _need_base(session, there, base)
    target = versions.numbered(session, plan_id, number)
    if target is None:
        raise NotFound(f"The plan has no version {number}.")
    board = versions.read(target.board)
    problem = problem_of(there.basis, board)
    effect = Desk(problem, _known(there.desk.board, problem)).weigh(board)
    if isinstance(effect, Refusal):
        raise refused(there, effect)
    for rep_day in effect.after:
        _need_time(there, rep_day)
    detail = {"to": number, "kind": target.kind, **target.detail}
    return store(
        session, there, effect, Kind.WENT_BACK, made_by=scope.user_id, detail=detail, goes_back_to=number
    ), effect


def _known(board: Board, problem: Problem) -> Board:
    """A board without the visits that a problem does not have."""
    routes = {k: tuple(v for v in order if v in problem.visit_index) for k, order in board.routes.items()}
    return replace(board, routes={k: order for k, order in routes.items() if order})


def wishes_added(session: Session, scope: Scope, there: Open, account_id: UUID) -> tuple[Open, Board]:
    """The board with one more account that wants a visit."""
    board = there.desk.board
    taken = [c.key for c in there.basis.blueprint.candidates.placeable if c.account_id == account_id]
    known = [key for key in taken if not key.startswith(adding.ADDED) or key in board.added]
    if known:
        raise Invalid(
            f"{there.basis.candidate(known[0]).name} is on the board already.",
            help="Look for it among the stops and what waits.",
            field="account_id",
            visit=known[0],
        )
    if not taken:
        wish = adding.for_account(session, scope, account_id, there.basis.blueprint)
        engine = roads.engine(session, (*there.basis.blueprint.points, wish.point), there.basis.blueprint.hours)
        basis.know(session, there.plan.id, there.basis, wish, engine)
        taken = [wish.key]
    wanted = replace(board, added=(*board.added, taken[0]))
    found = basis.load(session, there.plan.id)
    assert found is not None
    return replace(there, basis=found, desk=Desk(problem_of(found, wanted), wanted)), wanted


def store(
    session: Session,
    there: Open,
    effect: Effect,
    kind: Kind,
    *,
    made_by: UUID | None,
    detail: Mapping[str, Any],
    goes_back_to: int | None = None,
    request: UUID | None = None,
) -> Open:
    """Write a changed board down: routes, what waits and why, and the version."""
    board = effect.board
    made = Desk(problem_of(there.basis, board), board)
    answer = explained(made, effect.after)
    report = verify(made.bound, answer)
    if not report.lawful:
        raise UnlawfulPlan("; ".join(str(violation) for violation in report.violations[:5]))
    engine = roads.engine(session, there.basis.blueprint.points)
    journey = Journey(engine, there.basis.matrix)
    computed = Computed(there.basis.blueprint, made.bound, answer, report, journey)
    computing.rewrite(session, there.plan, computed, set(effect.after))
    version = versions.add(
        session, there.plan, kind, board, made_by=made_by, detail=detail, goes_back_to=goes_back_to, request=request
    )
    return replace(there, version=version, desk=made)


def explained(desk: Desk, changed: Iterable[str]) -> Answer:
    """The board as an answer: what brought the stops of changed routes, and why the others wait."""
    problem, board = desk.bound, desk.board
    routes = dict(desk.routes)
    for rep_day in set(changed) & set(routes):
        route = routes[rep_day]
        stops = [replace(s, why=why(problem, route, k).sentence()) for k, s in enumerate(route.stops)]
        routes[rep_day] = replace(route, stops=tuple(stops))
    orders = {problem.rep_day_index[k]: [problem.visit_index[v] for v in order] for k, order in board.routes.items()}
    waiting = why_not(problem, Draft(problem, orders))
    told_out = tuple(Unplanned(u.visit, BY_HAND) if u.visit in board.out else u for u in waiting)
    return Answer(tuple(routes.values()), told_out)


def told(there: Open, change: Change, effect: Effect) -> tuple[Kind, dict[str, Any]]:
    """What a change is called in the history, with the names for its sentence."""
    desk = there.desk
    if isinstance(change, Lock):
        return (Kind.LOCKED if change.is_on else Kind.UNLOCKED), {"rep_days": change.rep_days}
    if isinstance(change, Add):
        return Kind.ADDED, {"name": there.basis.candidate(effect.board.added[-1]).name}
    detail: dict[str, Any] = {"visit": change.visit, "name": desk.problem.visit(change.visit).label}
    before = desk.board.at.get(change.visit)
    if before is not None:
        detail |= {"from": before, "from_s": start_of(desk.routes[before], change.visit)}
    if isinstance(change, Place):
        after = effect.after[change.rep_day] if change.rep_day in effect.after else desk.routes[change.rep_day]
        detail |= {"to": change.rep_day, "to_s": start_of(after, change.visit)}
        return (Kind.PLACED if before is None else Kind.MOVED), detail
    if isinstance(change, Pin):
        return (Kind.PINNED if change.is_on else Kind.UNPINNED), detail
    return (Kind.DROPPED if isinstance(change, Drop) else Kind.TAKEN_OUT), detail


def start_of(route: Route | None, visit: str) -> int | None:
    """When a visit begins on a route."""
    return next((s.starts_s for s in route.stops if s.visit == visit), None) if route else None


def _nothing(desk: Desk, board: Board) -> Effect:
    return Effect(board, {}, 0, 0, 0, 0, (), ())


def _done_before(session: Session, plan_id: UUID, request: UUID) -> PlanVersion | None:
    return session.scalars(
        select(PlanVersion).where(PlanVersion.plan_id == plan_id, PlanVersion.request == request)
    ).one_or_none()


def refused(there: Open, refusal: Refusal) -> NotPossible:
    """The error for a change that cannot be."""
    return NotPossible(
        refusal.sentence(there.desk.bound),
        help="Nothing was changed.",
        reason=str(refusal.code),
        visit=refusal.visit,
        rep_day=refusal.rep_day,
    )


def _need_base(session: Session, there: Open, base: int) -> None:
    if base == there.version.number:
        return
    newer = versions.since(session, there.plan.id, base)
    people = {one.made_by for one in newer if one.made_by is not None}
    names = dict(session.execute(select(User.id, User.name).where(User.id.in_(people))).tuples().all())
    changes = [
        {"number": v.number, "kind": v.kind, "who": names[v.made_by] if v.made_by else None, "detail": v.detail}
        for v in newer
    ]
    raise BoardChanged(
        f"{', '.join(sorted(set(names.values()))) or 'The planner'} changed the board meanwhile.",
        help="Look at the board as it is now, and make your change again.",
        version=there.version.number,
        changes=changes,
    )


def _need_visit(there: Open, visit: str) -> None:
    if visit not in there.desk.problem.visit_index:
        raise Invalid(f"The board has no visit {visit!r}.", help="Load the board again.", field="visit")


def _need_rep_day(there: Open, rep_day: str) -> None:
    if rep_day not in there.desk.problem.rep_day_index:
        raise Invalid(f"Nobody works on {rep_day!r}.", help="Choose a working day of a rep.", field="rep_day")


def _need_time(there: Open, rep_day: str | None) -> None:
    if rep_day is not None and there.over(rep_day):
        raise NotPossible("This day is over.", help="Choose a later day.", reason="over", rep_day=rep_day)
