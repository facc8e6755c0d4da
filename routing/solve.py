"""One door for every engine: a problem goes in, a lawful plan comes out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from routing import ortools_engine
from routing.budget import Budget, Meter
from routing.check import verify
from routing.draft import Draft
from routing.explain import why, why_not
from routing.insertion import greedy, mend, trade
from routing.plan import Plan, Route
from routing.schedule import Broken, schedule
from routing.types import InvalidProblem, Problem


class Engine(Protocol):
    """Orders better than the draft's, or None; lawful or not, they are mended and scheduled here."""

    def __call__(self, problem: Problem, draft: Draft, *, seed: int, meter: Meter) -> dict[int, list[int]] | None: ...


def _insertion_only(problem: Problem, draft: Draft, *, seed: int, meter: Meter) -> dict[int, list[int]] | None:
    """The net alone, for when a plan is needed at once."""
    return None


ENGINES: dict[str, Engine] = {"ortools": ortools_engine.search, "insertion": _insertion_only}
"""Engines by name."""

DEFAULT_ENGINE = "ortools"


class UnlawfulPlan(RuntimeError):
    """An engine's plan was refused by the verifier: a fault of ours, never of the problem."""


def solve(
    problem: Problem,
    *,
    engine: str = DEFAULT_ENGINE,
    seed: int = 0,
    budget: Budget = Budget(seconds=10),  # noqa: B008 - frozen
    progress: Callable[[str], None] | None = None,
) -> Plan:
    """Plan the visits.

    A cheapest-insertion draft comes first, so that a lawful plan is there whatever the engine does; the engine
    improves on it; the better of the two is scheduled, explained and verified.

    Parameters
    ----------
    engine : str
        A key of `ENGINES`.
    seed : int
        Same problem, seed and budget in steps: same plan. With a budget in seconds the plan depends on how
        far the machine got (see `Budget`).
    progress : callable, optional
        Told the name of each step as it begins.

    Raises
    ------
    InvalidProblem
        When the engine is unknown or the seed is negative.
    UnlawfulPlan
        When the verifier refuses the result.
    """
    if engine not in ENGINES:
        raise InvalidProblem("engine", f"{engine!r} is not one of {', '.join(sorted(ENGINES))}")
    if seed < 0:
        raise InvalidProblem("seed", f"must not be negative, is {seed}")
    tell = progress or (lambda step: None)
    best = _search(problem, ENGINES[engine], seed, budget.start(), tell)
    tell("explain")
    plan = Plan(_routes(problem, best), why_not(problem, best), engine, seed)
    tell("verify")
    report = verify(problem, plan)
    if not report.lawful:
        raise UnlawfulPlan("; ".join(str(v) for v in report.violations[:5]))
    return plan


def _search(problem: Problem, engine: Engine, seed: int, meter: Meter, tell: Callable[[str], None]) -> Draft:
    tell("insert")
    draft = greedy(problem)
    meter.keep_back(3 * meter.used_s)  # for trading and explaining, which cost about as much as inserting
    tell("search")
    orders = engine(problem, draft, seed=seed, meter=meter)
    if orders is not None:
        found = Draft(problem, orders)
        mend(found)
        trade(found)
        if _rank(found) >= _rank(draft):
            return found
    trade(draft)
    return draft


def _rank(draft: Draft) -> tuple[int, int]:
    return -len(draft.missing()), draft.value()


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
