"""Changes that people make to a plan by hand: what would come of one, exactly, or why it cannot be.

The times follow from the board and the problem (`routing.schedule`), so that a preview, the stored plan and a version
of last week can never disagree.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from routing.board import Board, bound, placed, slack_s
from routing.check import value_of, verify
from routing.driving import driven
from routing.plan import Plan, Reason, ReasonCode, Route, Unplanned
from routing.refusals import Refusal, RefusalCode, broken, over_limit
from routing.schedule import Broken, schedule
from routing.types import Problem, Visit

TIGHT_S = 600
"""A stop that could begin at most so much later is called tight."""
LONG_WAIT_S = 1800
"""Waiting at a door that is worth a word."""


@dataclass(frozen=True, slots=True)
class Shifted:
    """A stop that begins at another time than before."""

    visit: str
    rep_day: str
    before_s: int
    after_s: int
    slack_s: int
    """How much later it could begin inside its window."""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something lawful that people should know."""

    code: str
    """`other_rep`, `after_due_day`, `tight`, `waits`, `overtime`."""
    visit: str
    rep_day: str
    amount: int = 0
    """Seconds, or days for `after_due_day`."""


@dataclass(frozen=True)
class Effect:
    """What a change does to the plan."""

    board: Board
    """As it would be."""
    after: Mapping[str, Route | None]
    """Changed rep-days: the route as it would be; None when nobody drives any more."""
    drive_s: int
    """More driving by the clock of the day (negative: less)."""
    metres: int
    value: int
    """More value, in seconds of driving."""
    visits: int
    """More visits."""
    shifted: tuple[Shifted, ...]
    """Stops of the changed routes that begin at another time, the changed visit itself left out."""
    cautions: tuple[Caution, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """The best place of a visit on one rep-day."""

    rep_day: str
    start_s: int
    drive_s: int
    """More driving than now."""


class UnlawfulBoard(ValueError):
    """The board that stands cannot be scheduled on this problem."""


class Desk:
    """A board at hand with its times: answers what a change would do, and changes nothing.

    Parameters
    ----------
    problem : Problem
        Without what people decided by hand.
    board : Board

    Raises
    ------
    UnlawfulBoard
        When the board breaks a rule of the problem.
    """

    def __init__(self, problem: Problem, board: Board) -> None:
        self.problem, self.board = problem, board
        self.bound = bound(problem, board)
        self.routes: dict[str, Route] = {}
        for rep_day, order in board.routes.items():
            route = schedule(self.bound, self.bound.rep_day(rep_day), [self.bound.visit(v) for v in order])
            if isinstance(route, Broken):
                raise UnlawfulBoard(f"{rep_day}: {route.text} (stop {route.position + 1})")
            self.routes[rep_day] = route

    def place(self, visit: str, rep_day: str, at_s: int | None = None) -> Effect | Refusal:
        """Put a visit on a rep-day, at its best place or so that it begins at `at_s` or as soon after as it can.

        With a time, stops whose middle lies before the visit's own go before it.
        """
        refusal = self._touches(visit, rep_day) or self._forbidden(visit, rep_day, at_s)
        if refusal is not None:
            return refusal
        rest = self.board.without(visit)
        if at_s is None:
            best = min(self._tries(rest, visit, rep_day), default=None)
            if best is None:
                return self._why_not(rest, visit, rep_day, range(len(rest.routes.get(rep_day, ())) + 1))
            return self.weigh(rest.with_stop(visit, rep_day, best[2]), visit)
        position = self._position(visit, rep_day, at_s)
        natural = self._try(rest, visit, rep_day, position, None)
        if natural is not None and natural.stops[position].starts_s >= at_s:
            return self.weigh(rest.with_stop(visit, rep_day, position), visit)
        if self._try(rest, visit, rep_day, position, at_s) is None:
            return self._why_not(rest, visit, rep_day, [position], at_s)
        return self.weigh(rest.with_stop(visit, rep_day, position, at_s), visit)

    def take_out(self, visit: str) -> Effect | Refusal:
        """Take a stop out of its route."""
        rest = self.board.without(visit)
        return self._touches(visit, self.board.at[visit]) or self.weigh(replace(rest, out=rest.out | {visit}), visit)

    def pin(self, visit: str, is_pinned: bool) -> Effect | Refusal:
        """Fix a stop to its time, day and rep, or let it go."""
        board, rep_day = self.board, self.board.at[visit]
        if rep_day in board.locks:
            return Refusal(RefusalCode.LOCKED, visit, rep_day)
        start = next(s.starts_s for s in self.routes[rep_day].stops if s.visit == visit)
        starts = {k: s for k, s in board.starts.items() if k != visit} | ({visit: start} if is_pinned else {})
        return self.weigh(
            replace(board, starts=starts, pins=board.pins | {visit} if is_pinned else board.pins - {visit})
        )

    def lock(self, rep_days: Iterable[str], is_locked: bool) -> Effect | Refusal:
        """Close routes for changes, or open them."""
        chosen = frozenset(rep_days)
        return self.weigh(
            replace(self.board, locks=self.board.locks | chosen if is_locked else self.board.locks - chosen)
        )

    def offers(self, visit: str) -> list[Offer]:
        """The best place of a visit on every rep-day that can take it, the least driving first."""
        rest = self.board.without(visit)
        found = []
        for rep_day in self.problem.rep_days:
            if self._touches(visit, rep_day.id) or self._forbidden(visit, rep_day.id):
                continue
            best = min(self._tries(rest, visit, rep_day.id), default=None)
            if best is not None and not self._stands(visit, rep_day.id, best[0]):
                found.append(Offer(rep_day.id, best[1], best[0] - self._drive(rep_day.id) - self._saved(rest, visit)))
        return sorted(found, key=lambda offer: offer.drive_s)

    def weigh(self, board: Board, visit: str = "") -> Effect | Refusal:
        """What changing to another board would do; every rule is checked by the verifier."""
        now = bound(self.problem, board)
        after: dict[str, Route | None] = {}
        for rep_day in self._changed(board):
            order = board.routes.get(rep_day, ())
            visits = [now.visit(v) for v in order]
            route = schedule(now, now.rep_day(rep_day), visits) if order else None
            if isinstance(route, Broken):
                return broken(now, now.rep_day(rep_day), visits, route)
            if route is not None and (limit := over_limit(now.rep_day(rep_day), route, visits)) is not None:
                return limit
            after[rep_day] = route
        routes = {**self.routes, **{k: r for k, r in after.items() if r is not None}}
        plan = _plan(now, [r for k, r in routes.items() if after.get(k, r) is not None])
        report = verify(now, plan)
        if not report.lawful:
            worst = report.violations[0]
            code = RefusalCode.CADENCE if worst.rule == "spacing" else RefusalCode.UNLAWFUL
            return Refusal(code, visit or worst.subject, board.at.get(visit, ""), said=worst.text)
        return self._effect(now, board, after, visit)

    def _effect(self, now: Problem, board: Board, after: Mapping[str, Route | None], visit: str) -> Effect:
        old = [self.routes[k] for k in after if k in self.routes]
        new = [r for r in after.values() if r is not None]
        value = value_of(now, Plan(tuple(new), ())).total - value_of(now, Plan(tuple(old), ())).total
        shifted = tuple(_shifted(now, old, new, visit))
        return Effect(
            board=board,
            after=after,
            drive_s=_driving(now, new) - _driving(now, old),
            metres=sum(_metres(now, r) for r in new) - sum(_metres(now, r) for r in old),
            value=value,
            visits=sum(len(r.stops) for r in new) - sum(len(r.stops) for r in old),
            shifted=shifted,
            cautions=tuple(_cautions(self.problem, new, visit, {one.visit for one in shifted})),
        )

    def _changed(self, board: Board) -> Iterator[str]:
        for rep_day in dict.fromkeys([*self.board.routes, *board.routes]):
            before, order = self.board.routes.get(rep_day, ()), board.routes.get(rep_day, ())
            fixed = any(
                board.starts.get(v) != self.board.starts.get(v) or (v in board.pins) != (v in self.board.pins)
                for v in order
            )
            if before != order or fixed:
                yield rep_day

    def _touches(self, visit: str, rep_day: str) -> Refusal | None:
        if visit in self.board.pins:
            return Refusal(RefusalCode.PINNED, visit, self.board.at.get(visit, ""))
        for one in (self.board.at.get(visit), rep_day):
            if one in self.board.locks:
                return Refusal(RefusalCode.LOCKED, visit, one or "")
        return None

    def _forbidden(self, visit: str, rep_day_id: str, at_s: int | None = None) -> Refusal | None:
        """A day on which nobody may come; another rep may always be chosen by hand."""
        v, rep_day = self.problem.visit(visit), self.problem.rep_day(rep_day_id)
        if v.days is not None and rep_day.day not in v.days:
            return Refusal(RefusalCode.WRONG_DAY, visit, rep_day_id)
        if not v.windows_on(rep_day.day):
            return Refusal(RefusalCode.CLOSED, visit, rep_day_id)
        if at_s is not None and not placed(v, rep_day, at_s, False).windows_on(rep_day.day):
            closes = max(w.close_s for w in v.windows_on(rep_day.day))
            return Refusal(RefusalCode.WINDOW, visit, rep_day_id, at_s + v.service_s, closes)
        return None

    def _position(self, visit: str, rep_day: str, at_s: int) -> int:
        route = self.routes.get(rep_day)
        middle = 2 * at_s + self.problem.visit(visit).service_s
        others = [s for s in route.stops if s.visit != visit] if route else []
        return sum(s.starts_s + s.ends_s < middle for s in others)

    def _visits(self, rest: Board, visit: str, rep_day: str, position: int, at_s: int | None) -> list[Visit]:
        order = [self.bound.visit(v) for v in rest.routes.get(rep_day, ())]
        order.insert(position, placed(self.problem.visit(visit), self.problem.rep_day(rep_day), at_s, False))
        return order

    def _try(self, rest: Board, visit: str, rep_day: str, position: int, at_s: int | None) -> Route | None:
        day, visits = self.problem.rep_day(rep_day), self._visits(rest, visit, rep_day, position, at_s)
        route = schedule(self.problem, day, visits)
        return None if isinstance(route, Broken) or over_limit(day, route, visits) else route

    def _tries(self, rest: Board, visit: str, rep_day: str) -> Iterator[tuple[int, int, int]]:
        """Driving seconds of the rep-day, start of the visit and position, for every place where it fits."""
        for position in range(len(rest.routes.get(rep_day, ())) + 1):
            route = self._try(rest, visit, rep_day, position, None)
            if route is not None:
                yield route.drive_s, route.stops[position].starts_s, position

    def _why_not(
        self, rest: Board, visit: str, rep_day: str, positions: Iterable[int], at_s: int | None = None
    ) -> Refusal:
        """Why it fits nowhere: the reason at the place that comes closest."""
        day, found = self.problem.rep_day(rep_day), []
        for position in positions:
            visits = self._visits(rest, visit, rep_day, position, at_s)
            route = schedule(self.problem, day, visits)
            if isinstance(route, Broken):
                found.append(broken(self.problem, day, visits, route))
            elif (limit := over_limit(day, route, visits)) is not None:
                found.append(limit)
        return min(found, key=lambda refusal: refusal.excess)

    def _stands(self, visit: str, rep_day: str, drive_s: int) -> bool:
        """Whether the visit is there already, at no more driving."""
        return self.board.at.get(visit) == rep_day and drive_s >= self._drive(rep_day)

    def _drive(self, rep_day: str) -> int:
        return self.routes[rep_day].drive_s if rep_day in self.routes else 0

    def _saved(self, rest: Board, visit: str) -> int:
        """Driving that the visit's own route has without it, more than with it; 0 when it stands nowhere."""
        home = self.board.at.get(visit)
        if home is None:
            return 0
        order = [self.bound.visit(v) for v in rest.routes.get(home, ())]
        route = schedule(self.bound, self.bound.rep_day(home), order) if order else None
        return self._drive(home) - (0 if route is None or isinstance(route, Broken) else route.drive_s)


def _plan(problem: Problem, routes: Sequence[Route]) -> Plan:
    served = {stop.visit for route in routes for stop in route.stops}
    waiting = (Reason(ReasonCode.NOT_PLACED, "Not looked at."),)
    return Plan(tuple(routes), tuple(Unplanned(v.id, waiting) for v in problem.visits if v.id not in served))


def _driving(problem: Problem, routes: Iterable[Route]) -> int:
    return sum(sum(driven(problem, route)) for route in routes)


def _metres(problem: Problem, route: Route) -> int:
    if problem.metres is None:
        return 0
    day = problem.rep_day(route.rep_day)
    places = [day.start, *(problem.visit(s.visit).place for s in route.stops), day.end]
    return sum(int(problem.metres[a, b]) for a, b in itertools.pairwise(places))


def _shifted(now: Problem, old: Sequence[Route], new: Sequence[Route], visit: str) -> Iterator[Shifted]:
    before = {s.visit: s.starts_s for r in old for s in r.stops}
    for route in new:
        day = now.rep_day(route.rep_day).day
        for stop in route.stops:
            was = before.get(stop.visit)
            if was is not None and was != stop.starts_s and stop.visit != visit:
                slack = slack_s(now.visit(stop.visit), day, stop.starts_s)
                yield Shifted(stop.visit, route.rep_day, was, stop.starts_s, slack)


def _cautions(problem: Problem, new: Sequence[Route], visit: str, shifted: Set[str]) -> Iterator[Caution]:
    for route in new:
        rep_day = problem.rep_day(route.rep_day)
        if route.returns_s > rep_day.close_s:
            yield Caution("overtime", "", rep_day.id, route.returns_s - rep_day.close_s)
        for stop in route.stops:
            v = problem.visit(stop.visit)
            if stop.visit == visit:
                if v.reps is not None and rep_day.rep not in v.reps:
                    yield Caution("other_rep", visit, rep_day.id)
                if v.late_days(rep_day.day):
                    yield Caution("after_due_day", visit, rep_day.id, v.late_days(rep_day.day))
                if stop.starts_s - stop.arrives_s >= LONG_WAIT_S:
                    yield Caution("waits", visit, rep_day.id, stop.starts_s - stop.arrives_s)
            slack = slack_s(v, rep_day.day, stop.starts_s)
            if slack < TIGHT_S and not v.appointment and (stop.visit == visit or stop.visit in shifted):
                yield Caution("tight", stop.visit, rep_day.id, slack)
