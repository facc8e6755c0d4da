"""Random filters of the small world."""

from datetime import date
from decimal import Decimal
from typing import Any, get_args

from hypothesis import strategies as st

from geo.types import LonLat
from server.kit.filtering import nodes as n

NAMES = ("Amann", "Beck", "Best bakers", "Zech & Co", 'say "hi"', "and", "K-1", "")
DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
UNITS = st.sampled_from(get_args(n.Unit))
SPANS = st.builds(n.Span, st.integers(1, 40), UNITS)
MOMENTS = st.builds(n.Moment, st.integers(-9, 9).filter(bool), UNITS) | st.builds(
    n.Moment,
    st.just(0),
    st.just("days"),
    st.sampled_from(["start of", "end of"]),
    st.sampled_from(["weeks", "months", "quarters", "years"]),
)
PERIODS = st.builds(n.Period, st.just("this"), st.just(1), UNITS) | st.builds(
    n.Period, st.sampled_from(["last", "next"]), st.integers(1, 9), UNITS
)
ORDER: Any = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
NUMBERS = st.integers(-5, 20).map(Decimal) | st.sampled_from([Decimal("2.50"), Decimal("0.00")])


def value(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[n.Value]:
    return st.builds(n.Value, inside)


def about(prefix: str, text: str | None, choice: str, choices: tuple[str, ...], number: str, day: str) -> Any:
    """Conditions on the fields of one table."""
    days = DAYS | MOMENTS
    wanted = value(st.sampled_from(choices))
    found = [
        st.builds(n.Comparison, st.just(prefix + choice), st.sampled_from(["=", "!="]), wanted),
        st.builds(n.Comparison, st.just(prefix + number), ORDER, value(NUMBERS)),
        st.builds(n.Comparison, st.just(prefix + day), ORDER, value(days | PERIODS)),
        st.builds(n.Between, st.just(prefix + number), value(NUMBERS), value(NUMBERS)),
        st.builds(n.Between, st.just(prefix + day), value(days), value(days)),
        st.builds(
            n.Membership, st.just(prefix + choice), st.lists(wanted, min_size=1, max_size=3).map(tuple)
        ),
        st.builds(n.Emptiness, st.sampled_from([prefix + choice, prefix + number, prefix + day])),
    ]  # fmt: skip
    if text:
        signs: Any = st.sampled_from(["=", "!=", "~", "!~", "^", "!^"])
        found.append(st.builds(n.Comparison, st.just(prefix + text), signs, value(st.sampled_from(NAMES))))
    return st.one_of(found)


OF_DEAL = about("", None, "state", ("open", "won", "lost"), "amount", "day")
OF_SHOP = about("", "name", "kind", ("A", "B", "C"), "worth", "last_visit")
RELATED = st.one_of(
    about("deal.", None, "state", ("open", "won", "lost"), "amount", "day"),
    st.builds(n.Related, st.just("deal"), OF_DEAL | st.builds(n.Not, OF_DEAL)),
    st.builds(n.Emptiness, st.just("deal")),
    st.builds(n.Visited, value(DAYS | MOMENTS)),
    st.builds(
        n.Aggregate, st.just("deals"), st.just("count"), st.none(), st.none() | OF_DEAL, st.none() | SPANS | PERIODS,
        ORDER, value(st.integers(0, 3).map(Decimal)),
    ),
    st.builds(
        n.Aggregate, st.just("deals"), st.sampled_from(["sum", "min", "max"]), st.just("amount"), st.none() | OF_DEAL,
        st.none() | SPANS | PERIODS, ORDER, value(NUMBERS),
    ),
)  # fmt: skip
POINTS = st.builds(LonLat, st.floats(5, 15).map(lambda x: round(x, 5)), st.floats(40, 50).map(lambda x: round(x, 5)))
PLACES = POINTS | st.builds(n.Named, st.sampled_from(["place", "account"]), st.sampled_from(NAMES[:4]))
SPATIAL = st.one_of(
    st.builds(n.Reach, st.integers(1, 120).map(float), PLACES),
    st.builds(n.Near, st.integers(1, 9000).map(float), PLACES),
    st.builds(n.Inside, st.lists(POINTS, min_size=3, max_size=5, unique=True).map(tuple)),
    st.builds(n.Within, st.sampled_from(["territory", "segment"]), st.sampled_from(NAMES[:6])),
)


def joined(below: Any) -> Any:
    """Negations and groups of what is below; a group never holds a group of its own kind alone."""
    return st.one_of(
        st.builds(n.Not, below),
        st.builds(n.All, st.lists(below, min_size=2, max_size=3).map(tuple)),
        st.builds(n.AnyOf, st.lists(below, min_size=2, max_size=3).map(tuple)),
    )


def conditions() -> st.SearchStrategy[n.Node]:
    """What the small world can answer."""
    return st.recursive(OF_SHOP | RELATED, joined, max_leaves=6)


def filters() -> st.SearchStrategy[n.Node]:
    """Any filter."""
    return st.recursive(OF_SHOP | RELATED | SPATIAL, joined, max_leaves=6)
