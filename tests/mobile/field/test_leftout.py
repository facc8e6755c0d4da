"""Why a call has no place in what is left of a day: the end of the day, its opening hours, somebody's appointment."""

import pytest

from mobile.field import leftout, replan

H = 3600
HERE, DOOR, SHOP = 0, 1, 2
SECONDS = ((0, 600, 600), (600, 0, 600), (600, 600, 0))
ALL_DAY = ((8 * H, 18 * H),)


def day(call, *others, close=18 * H):
    """From eight at a place ten minutes from everything else."""
    return replan.Ahead(HERE, HERE, 8 * H, close, (call, *others), SECONDS)


def call(windows=ALL_DAY, *, service=H, promised=False):
    return replan.Call("call", DOOR, service, windows, 1, promised)


def appointment(begins, lasts=H):
    return replan.Call("appointment", SHOP, lasts, ((begins, begins + lasts),), 1, promised=True)


@pytest.mark.parametrize(
    ("ahead", "order", "why"),
    [
        (day(call()), (), ("far", None)),
        (day(call(), close=9 * H), (), ("end", None)),
        (day(call(((6 * H, 7 * H),))), (), ("hours", None)),
        (day(call(((9 * H, 10 * H),)), appointment(9 * H)), (1,), ("kept", 1)),
        (day(call(service=8 * H), appointment(12 * H)), (1,), ("kept", 1)),
        (day(call(((6 * H, 7 * H),)), appointment(9 * H)), (1,), ("hours", None)),
        (day(call(((8 * H, 12 * H),), service=5 * H), appointment(9 * H)), (1,), ("hours", None)),
        (day(call(((6 * H, 7 * H),), promised=True)), (), ("promised", None)),
    ],
)
def test_the_reason_is_what_would_let_it_in_if_it_were_otherwise(ahead, order, why):
    assert leftout.why(ahead, order, 0) == why
