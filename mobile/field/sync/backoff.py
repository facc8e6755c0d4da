"""How long to wait after a failure: doubling from 2 s to 15 min, with full jitter."""

import random

FIRST_S = 2.0
LONGEST_S = 900.0


class Backoff:
    """Failures in a row, forgotten at a success, a new entry or a tap."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._failures = 0

    def failed(self, after_s: float | None = None) -> float:
        """Seconds to wait now; never less than the server asked for."""
        ceiling = min(LONGEST_S, FIRST_S * 2.0**self._failures)
        self._failures = min(self._failures + 1, 32)
        return max(after_s or 0.0, self._chance.uniform(0.0, ceiling))

    def reset(self) -> None:
        self._failures = 0
