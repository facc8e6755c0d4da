"""What passes between `routing.solve` and an engine: where it begins, what it tells on the way, what it found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from routing.budget import Meter
from routing.draft import Draft
from routing.types import Problem

Orders = dict[int, list[int]]
"""Rep-day index -> visit indices in order."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan has come."""

    step: str
    """compile (once per installation, when set-up did not), search, explain or verify."""
    value: int | None = None
    """Value of the best plan so far, when the engine knows it."""
    iterations: int | None = None
    """Rounds of the search so far, when the engine counts them."""


Tell = Callable[[Progress], None]
"""Told how far the plan has come; raising anything stops the search."""


@dataclass(frozen=True, slots=True)
class GoodRoute:
    """A route that was part of a good plan: lawful on its own, worth combining with others."""

    rep_day: int
    """Rep-day index."""
    visits: tuple[int, ...]
    """Visit indices in order; never empty."""


@dataclass(frozen=True, slots=True)
class Found:
    """The orders an engine ends with, and what else it came across."""

    orders: Orders
    pool: tuple[GoodRoute, ...] = ()
    """Distinct good routes in no order; empty from engines that keep none."""


class Engine(Protocol):
    """A search: from the draft when there is one, else from nothing, to orders that are never worse than the draft."""

    def __call__(self, problem: Problem, draft: Draft | None, *, seed: int, meter: Meter, tell: Tell) -> Found: ...
