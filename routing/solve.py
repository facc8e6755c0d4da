"""One door for every engine: a problem goes in, a lawful plan comes out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from routing import layers
from routing.budget import Budget, Meter
from routing.check import verify
from routing.draft import Draft
from routing.explain import why, why_not
from routing.found import Engine, Found, Progress, Tell
from routing.insertion import fill, greedy, mend, trade
from routing.plan import Plan, Route
from routing.schedule import Broken, schedule
from routing.types import InvalidProblem, Problem


def _ruin_recreate(tell: Tell) -> Engine:
    """Our own search (`routing.engine`)."""
    from routing.engine import compiled, search

    if not compiled.is_prepared():
        tell(Progress("compile"))
    search.prepare()
    return search.search


def _ortools(tell: Tell) -> Engine:
    """OR-Tools on top of cheapest insertion."""
    from routing import ortools_engine

    def search(problem: Problem, draft: Draft | None, *, seed: int, meter: Meter, tell: Tell) -> Found:
        begun = _inserted(problem, draft)
        meter.keep_back(2 * meter.used_s)  # for trading, which costs about as much as inserting
        tell(Progress("search", value=begun.value()))
        orders = ortools_engine.search(problem, begun, seed=seed, meter=meter)
        if orders is not None:
            improved = Draft(problem, orders)
            mend(improved)
            trade(improved)
            if improved.rank() >= begun.rank():
                return _found(improved)
        trade(begun)
        return _found(begun)

    return search


def _insertion(tell: Tell) -> Engine:
    """Cheapest insertion alone."""

    def search(problem: Problem, draft: Draft | None, *, seed: int, meter: Meter, tell: Tell) -> Found:
        begun = _inserted(problem, draft)
        trade(begun)
        return _found(begun)

    return search


ENGINES: dict[str, Callable[[Tell], Engine]] = {
    "ruin_recreate": _ruin_recreate,
    "ortools": _ortools,
    "insertion": _insertion,
}
"""Engines by name. Each one's libraries are loaded when it is asked for: the server starts without them."""

DEFAULT_ENGINE = "ruin_recreate"
EXPLAINING_S = 5e-6
"""CPU seconds kept back for explanations, per visit and rep-day."""


def load(engine: str, tell: Tell = lambda _: None) -> Engine:
    """An engine with its libraries loaded, which `solve` does anyway; to keep that out of a measurement.

    Raises
    ------
    InvalidProblem
        When there is no such engine.
    """
    if engine not in ENGINES:
        raise InvalidProblem("engine", f"{engine!r} is not one of {', '.join(sorted(ENGINES))}")
    from routing import partition  # noqa: F401 - the finish of every search, loaded before the clock runs

    return ENGINES[engine](tell)


FINISH_SHARE = 0.1
"""Part of a budget in which the routes of the search are combined."""
FINISH_FROM_S = 5.0
"""Budget in seconds from which this finds more than searching on; in steps it is always done, on its own clock."""

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

    The engine searches, from `start` when there is one, and the best of all its good routes are combined; the orders
    are scheduled, explained and verified. Meetings and hotel nights lie around this (`routing.layers`).

    Parameters
    ----------
    engine : str
        A key of `ENGINES`.
    seed : int
        Same problem, seed and budget in steps: same plan. With a budget in seconds the plan depends on how
        far the machine got (see `Budget`). Loading an engine's libraries does not count.
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
    if seed < 0:
        raise InvalidProblem("seed", f"must not be negative, is {seed}")
    tell = progress or (lambda _: None)
    search = load(engine, tell)
    laid = layers.plan(
        problem,
        _begun(problem, start or {}),
        lambda world, begun, part: _search(world, begun, search, seed, part.start(), tell),
        budget.start(),
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
    """The engine's orders as a lawful draft, or the one to begin with should it be better; then the finish."""
    seconds = meter.budget.seconds or 0.0
    finish_s = FINISH_SHARE * seconds if seconds >= FINISH_FROM_S else 0.0
    meter.keep_back(EXPLAINING_S * len(problem.visits) * len(problem.rep_days) + finish_s)
    tell(Progress("search"))
    found = engine(problem, begun, seed=seed, meter=meter, tell=tell)
    draft = Draft(problem, found.orders)
    mend(draft)
    if begun is not None and begun.rank() > draft.rank():
        draft = begun
    if meter.budget.steps is not None:
        effort, most_s = FINISH_SHARE * meter.budget.steps / STEPS_A_SECOND, None
    else:
        effort, most_s = 0.6 * finish_s, 3 * finish_s  # the rest of it goes by in building the model
    if not effort or not found.pool:
        return draft
    from routing.partition import recombine

    return recombine(draft, found.pool, effort=effort, seed=seed, seconds=most_s)


def _inserted(problem: Problem, draft: Draft | None) -> Draft:
    """A draft filled up by cheapest insertion."""
    if draft is None:
        return greedy(problem)
    fill(draft)
    return draft


def _found(draft: Draft) -> Found:
    return Found({k: route for k, route in enumerate(draft.routes) if route})


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
