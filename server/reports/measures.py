"""What is measured: each measure is the quotient of two sums, with its meaning in words and what it takes to see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from server.auth.access import Scope


class Unit(StrEnum):
    """How a value is written."""

    SHARE = "share"
    KM = "km"
    MONEY = "money"
    COUNT = "count"


class Source(StrEnum):
    """Which rows a measure is made of."""

    ACCOUNTS = "accounts"
    VISITS = "visits"
    ROUTES = "routes"
    ORDERS = "orders"
    HOURS = "hours"


@dataclass
class Sums:
    """What is added up for one person, territory and class; any of them are added to each other."""

    accounts: int = 0
    visited: int = 0
    in_cycle: int = 0
    overdue: int = 0
    done: int = 0
    ordered: int = 0
    stops: int = 0
    kept: int = 0
    drive_s: float = 0.0
    work_s: float = 0.0
    distance_km: float = 0.0
    stops_done: int = 0
    revenue: Decimal = Decimal(0)
    planned_h: float = 0.0
    available_h: float = 0.0
    apart: dict[str, Decimal] = field(default_factory=dict)
    """Revenue in currencies that have no rate, by currency: it is in no other sum."""

    def add(self, other: "Sums") -> None:
        """Take another one's."""
        for name, mine in vars(self).items():
            if name != "apart":
                setattr(self, name, mine + getattr(other, name))
        for code, amount in other.apart.items():
            self.apart[code] = self.apart.get(code, Decimal(0)) + amount

    @property
    def drive_h(self) -> float:
        """Driving in hours."""
        return self.drive_s / 3600

    @property
    def work_h(self) -> float:
        """Time on the road in hours."""
        return self.work_s / 3600


@dataclass(frozen=True)
class Measure:
    """One measure. Its words are texts of the catalogue."""

    key: str
    name: str
    unit: Unit
    upper: str
    """The sum that is divided."""
    lower: str | None
    """The sum that divides; None: the upper one is the value."""
    upper_name: str
    lower_name: str
    meaning: str
    sources: frozenset[Source]
    less_is_better: bool = False
    needs: tuple[str, ...] = ("activities:read",)
    is_of_people: bool = False
    """Told apart by people and teams only."""

    def value(self, sums: Sums) -> float | None:
        """The quotient; None where there is nothing to divide by."""
        upper = float(getattr(sums, self.upper))
        if self.lower is None:
            return upper
        lower = float(getattr(sums, self.lower))
        return upper / lower if lower else None

    def is_seen_by(self, scope: Scope) -> bool:
        """Whether somebody may see everything that it is made of."""
        amounts = Source.ORDERS not in self.sources or scope.sees("order", "totals")
        return amounts and all(scope.may(permission) for permission in self.needs)


def _of(*sources: Source) -> frozenset[Source]:
    return frozenset(sources)


ALL = (
    Measure(
        "coverage", "Coverage", Unit.SHARE, "visited", "accounts", "accounts visited", "accounts with a call interval",
        "Of the accounts with a call interval, how many were visited at least once in the period.",
        _of(Source.ACCOUNTS),
    ),
    Measure(
        "call_cycle", "Call-cycle adherence", Unit.SHARE, "in_cycle", "accounts", "accounts in their cycle",
        "accounts with a call interval",
        "Of the accounts with a call interval, how many had their last visit within the interval and its tolerance on"
        " the last day.",
        _of(Source.ACCOUNTS),
    ),
    Measure(
        "overdue", "Overdue accounts", Unit.COUNT, "overdue", None, "accounts overdue", "",
        "Accounts whose call interval had run out on the last day; without a visit, since they are known.",
        _of(Source.ACCOUNTS), less_is_better=True,
    ),
    Measure(
        "visits", "Visits", Unit.COUNT, "done", None, "visits done", "", "Visits that were done in the period.",
        _of(Source.VISITS),
    ),
    Measure(
        "strike_rate", "Strike rate", Unit.SHARE, "ordered", "done", "visits with an order", "visits done",
        "Of the visits that were done, how many ended with an order.", _of(Source.VISITS),
    ),
    Measure(
        "plan_adherence", "Plan adherence", Unit.SHARE, "kept", "stops", "stops done on their day", "planned stops",
        "Of the stops of published routes whose planned time is over, and those done earlier, how many were done on"
        " their day.",
        _of(Source.ROUTES), needs=("activities:read", "plans:read"),
    ),
    Measure(
        "drive_share", "Drive share", Unit.SHARE, "drive_h", "work_h", "hours of driving", "hours on the road",
        "Driving as a share of the time between leaving and coming back, breaks left out, on published routes.",
        _of(Source.ROUTES), less_is_better=True, needs=("activities:read", "plans:read"),
    ),
    Measure(
        "km_per_visit", "Kilometres per visit", Unit.KM, "distance_km", "stops_done", "kilometres driven", "stops done",
        "Kilometres of published routes for each of their stops that was done.",
        _of(Source.ROUTES), less_is_better=True, needs=("activities:read", "plans:read"),
    ),
    Measure(
        "revenue_per_drive_hour", "Revenue per drive-hour", Unit.MONEY, "revenue", "drive_h", "orders, net",
        "hours of driving",
        "Orders of the period, net and less what credit notes take back, for each hour of driving on published routes.",
        _of(Source.ORDERS, Source.ROUTES), needs=("activities:read", "orders:read", "plans:read"),
    ),
    Measure(
        "hours", "Hours planned", Unit.SHARE, "planned_h", "available_h", "hours planned", "hours available",
        "Hours of published routes in the whole period against the working hours of the people, days off and breaks"
        " left out; of somebody who has left, up to the day on which they were switched off.",
        _of(Source.HOURS), needs=("activities:read", "plans:read"), is_of_people=True,
    ),
)  # fmt: skip
"""Every measure in the order of the page."""

BY_KEY: Mapping[str, Measure] = {one.key: one for one in ALL}


def seen_by(scope: Scope) -> list[Measure]:
    """The measures that somebody may see."""
    return [one for one in ALL if one.is_seen_by(scope)]
