"""One door for every engine: a problem goes in, a lawful plan comes out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from routing import layers, ortools_engine
from routing.budget import Budget, Meter
from routing.check import verify
from routing.draft import Draft
from routing.explain import why, why_not
from routing.found import Engine, Found, GoodRoute, Progress, Tell
from routing.insertion import fill, greedy, mend, trade
from routing.partition import recombine
from routing.plan import Plan, Route
from routing.schedule import Broken, schedule
from routing.types import InvalidProblem, Problem


def _ortools(problem: Problem, draft: Draft, *, seed: int, meter: Meter, tell: Tell) -> Found | None:
    del tell  # OR-Tools has no slices
    orders = ortools_engine.search(problem, draft, seed=seed, meter=meter)
    return None if orders is None else Found(orders)


def _insertion_only(problem: Problem, draft: Draft, *, seed: int, meter: Meter, tell: Tell) -> Found | None:
    """The net alone, for when a plan is needed at once."""
    return None


ENGINES: dict[str, Engine] = {"ortools": _ortools, "insertion": _insertion_only}
"""Engines by name."""

DEFAULT_ENGINE = "ortools"


FINISH_SHARE = 0.1
"""Part of a budget in which the routes of the search are combined."""

STEPS_A_SECOND = 20_000
"""By which a budget in steps becomes CP-SAT's deterministic time."""


class UnlawfulPlan(RuntimeError):
    """An engine's plan was refused by the verifier: a fault of ours, never of the problem."""


def solve(
    problem: Problem,
    *,
    engine: str = DEFAULT_ENGINE,
    seed: int = 0,
    budget: Budget = Budget(seconds=10),  # noqa: B008 - frozen
    progress: Tell | None = None,
    start: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Plan the visits.

    A cheapest-insertion draft comes first, so that a lawful plan is there whatever the engine does; the engine
    improves on it, and the best of all good routes are combined; the best plan is scheduled, explained and verified.
    Meetings and hotel nights lie around this as layers (`routing.layers`).

    Parameters
    ----------
    engine : str
        A key of `ENGINES`.
    seed : int
        Same problem, seed and budget in steps: same plan. With a budget in seconds the plan depends on how
        far the machine got (see `Budget`).
    progress : callable, optional
        Told each step as it begins, and how far the search has come; an error raised by it stops the search.
    start : mapping of rep-day id to visit ids, optional
        A plan to begin with; visits that break a rule are dropped from it, the rest is filled up and improved.

    Raises
    ------
    InvalidProblem
        When the engine is unknown, the seed is negative, or `start` names what the problem does not have.
    UnlawfulPlan
        When the verifier refuses the result.
    """
    if engine not in ENGINES:
        raise InvalidProblem("engine", f"{engine!r} is not one of {', '.join(sorted(ENGINES))}")
    if seed < 0:
        raise InvalidProblem("seed", f"must not be negative, is {seed}")
    tell = progress or (lambda _: None)
    meter = budget.start()
    laid = layers.plan(
        problem,
        _begun(problem, start or {}),
        lambda world, begun, part: _search(world, begun, ENGINES[engine], seed, part.start(), tell),
        meter,
    )
    tell(Progress("explain"))
    best, world = laid.draft, laid.draft.problem
    unplanned = layers.reasons(problem, why_not(world, best))
    plan = Plan(_routes(world, best), unplanned, engine, seed, laid.nights)
    tell(Progress("verify"))
    report = verify(problem, plan)
    if not report.lawful:
        raise UnlawfulPlan("; ".join(str(v) for v in report.violations[:5]))
    return plan


def _begun(problem: Problem, start: Mapping[str, Sequence[str]]) -> Draft | None:
    """A lawful draft of the plan to begin with; None when there is none."""
    if not any(start.values()):
        return None
    for rep_day in start:
        if rep_day not in problem.rep_day_index:
            raise InvalidProblem("start", f"there is no rep-day {rep_day!r}")
    named = [visit for visits in start.values() for visit in visits]
    for visit, times in Counter(named).items():
        if visit not in problem.visit_index:
            raise InvalidProblem("start", f"there is no visit {visit!r}")
        if times > 1:
            raise InvalidProblem("start", f"{visit!r} stands there twice")
    orders = {problem.rep_day_index[k]: [problem.visit_index[v] for v in visits] for k, visits in start.items()}
    draft = Draft(problem, orders)
    mend(draft)
    return draft


def _search(problem: Problem, begun: Draft | None, engine: Engine, seed: int, meter: Meter, tell: Tell) -> Draft:
    tell(Progress("insert"))
    if begun is None:
        draft = greedy(problem)
    else:
        draft = begun
        fill(draft)
    finish_s = FINISH_SHARE * (meter.budget.seconds or 0)
    meter.keep_back(3 * meter.used_s + finish_s)  # trading and explaining cost about as much as inserting
    tell(Progress("search", value=draft.value()))
    found = engine(problem, draft, seed=seed, meter=meter, tell=tell)
    if found is not None:
        improved = Draft(problem, found.orders)
        mend(improved)
        trade(improved)
        if improved.rank() >= draft.rank():
            return _combined(improved, found.pool, seed, meter.budget) if found.pool else improved
    trade(draft)
    return draft


def _combined(draft: Draft, pool: Sequence[GoodRoute], seed: int, budget: Budget) -> Draft:
    """The best combination of the pool's routes, on deterministic time, filled up again."""
    timed = budget.steps is None and budget.seconds is not None
    effort = FINISH_SHARE * (budget.seconds if timed and budget.seconds else (budget.steps or 0) / STEPS_A_SECOND)
    better = recombine(draft, pool, effort=effort, seed=seed, seconds=3 * effort if timed else None)
    if better is not draft:
        trade(better)
    return better


def _routes(problem: Problem, draft: Draft) -> tuple[Route, ...]:
    routes = []
    for rep_day, order in zip(problem.rep_days, draft.routes, strict=True):
        if not order:
            continue
        route = schedule(problem, rep_day, [problem.visits[v] for v in order])
        if isinstance(route, Broken):
            raise UnlawfulPlan(f"{rep_day.id}: {route.text} (stop {route.position + 1})")
        stops = tuple(replace(s, why=why(problem, route, k).sentence()) for k, s in enumerate(route.stops))
        routes.append(replace(route, stops=stops))
    return tuple(routes)
