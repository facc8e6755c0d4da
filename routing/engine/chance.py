"""Random numbers whose state travels with the search, so that a run can be stopped and resumed and repeated."""

import numpy as np

from routing.engine.compiled import inner
from routing.engine.state import State


@inner
def chance(state: State) -> float:
    """A number from [0, 1): xorshift64* (Vigna 2016)."""
    x = state.random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state.random[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inner
def below(state: State, n: int) -> int:
    """A whole number from 0 to n - 1."""
    return int(chance(state) * n)
