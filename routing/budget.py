"""How long a search may go on: CPU seconds, or a number of steps when the answer must be repeatable."""

import time
from dataclasses import dataclass, field

from routing.types import InvalidProblem


@dataclass(frozen=True, slots=True)
class Budget:
    """The end of a search; whichever limit is met first.

    A limit in seconds makes the plan depend on the speed of the machine: two runs stop at different moments.
    With `steps` alone the same problem and seed give the same plan on every run.
    """

    seconds: float | None = None
    """CPU seconds of the searching thread."""
    steps: int | None = None
    """Rounds of ruin and recreate (10,000 to 150,000 a second, less the more visits), or times that OR-Tools asks
    whether it may go on (about 700,000 a second)."""

    def __post_init__(self) -> None:
        if self.seconds is None and self.steps is None:
            raise InvalidProblem("budget", "needs seconds or steps, or the search never ends")
        if self.seconds is not None and not 0 < self.seconds < 1e6:
            raise InvalidProblem("budget.seconds", f"must lie between 0 and 1,000,000, not {self.seconds:g}")
        if self.steps is not None and self.steps < 1:
            raise InvalidProblem("budget.steps", f"must be at least 1, not {self.steps}")

    def start(self) -> "Meter":
        """Begin to count."""
        return Meter(self)


@dataclass(slots=True)
class Meter:
    """A running budget."""

    budget: Budget
    _begin: float = field(default_factory=time.thread_time)
    _kept_s: float = 0.0

    @property
    def used_s(self) -> float:
        """CPU seconds of this thread since the start."""
        return time.thread_time() - self._begin

    @property
    def left_s(self) -> float:
        """CPU seconds left for searching; infinite when seconds are not limited."""
        return float("inf") if self.budget.seconds is None else self.budget.seconds - self.used_s - self._kept_s

    def keep_back(self, seconds: float) -> None:
        """Reserve time for what comes after the search, at most a third of the budget."""
        self._kept_s = min(self._kept_s + seconds, (self.budget.seconds or 0.0) / 3)
