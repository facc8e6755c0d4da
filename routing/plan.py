"""The words of the answer: a plan's routes and stops, what is left out, and why."""

from dataclasses import dataclass
from enum import StrEnum

from routing.types import InvalidProblem


class ReasonCode(StrEnum):
    """Why a visit is not in the plan."""

    NO_REP_ALLOWED = "no_rep_allowed"
    """None of the reps in the plan may serve it on an allowed day."""
    CLOSED = "closed"
    """Closed on every day on which somebody could come."""
    WINDOW_TOO_SHORT = "window_too_short"
    """No opening span is as long as the visit."""
    NOT_REACHABLE = "not_reachable"
    """No road leads there and back."""
    LONGER_THAN_SHIFT = "longer_than_shift"
    """Drive, visit, break and drive back do not fit into any shift, whatever the opening hours."""
    NO_WINDOW_REACHABLE = "no_window_reachable"
    """Even alone in an empty shift no opening span can be met."""
    DRIVE_LIMIT = "drive_limit"
    """Going there alone drives more than the day allows."""
    CAPACITY = "capacity"
    """It needs more than a shift carries."""
    CADENCE_GAP = "cadence_gap"
    """It would come too close to (or too far from) another visit to the same customer."""
    NO_COMMON_TIME = "no_common_time"
    """Several reps should meet there, and no moment was found at which all of them can be there."""
    NOT_WORTH_THE_WAY = "not_worth_the_way"
    """It would fit, but costs more than it brings."""
    LOWER_VALUE = "lower_value"
    """It fits only in place of a visit that is worth more."""
    NO_TIME_LEFT = "no_time_left"
    """Every possible day is full."""
    TAKEN_OUT = "taken_out"
    """Somebody took it out of the plan by hand."""
    NOT_PLACED = "not_placed"
    """The search ended before a place for it was found; a longer budget may find one."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for leaving a visit out, for machines and for people."""

    code: ReasonCode
    text: str
    """A sentence."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A visit in its place on a route."""

    visit: str
    """Visit id."""
    arrives_s: int
    """Arrival; may lie before the start when the rep waits."""
    starts_s: int
    """Start of the service."""
    ends_s: int
    """End of the service."""
    drive_s: int
    """Driving seconds of the leg that leads here."""
    why: str = ""
    """A sentence: what brought this stop into the plan."""


@dataclass(frozen=True, slots=True)
class Route:
    """One rep's day as planned."""

    rep_day: str
    """Rep-day id."""
    stops: tuple[Stop, ...]
    """In order; never empty in a plan."""
    leaves_s: int
    """Departure from the start anchor."""
    returns_s: int
    """Arrival at the end anchor."""
    drive_back_s: int
    """Driving seconds of the last leg."""
    break_s: int | None = None
    """Start of the break, when one is taken."""

    @property
    def drive_s(self) -> int:
        """Driving seconds of all legs."""
        return sum(s.drive_s for s in self.stops) + self.drive_back_s


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A visit that is not in the plan, with at least one reason."""

    visit: str
    """Visit id."""
    reasons: tuple[Reason, ...]

    def __post_init__(self) -> None:
        if not self.reasons:
            raise InvalidProblem("unplanned.reasons", f"visit {self.visit} needs at least one")


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to a problem: routes, and what is left out and why."""

    routes: tuple[Route, ...]
    unplanned: tuple[Unplanned, ...]
    engine: str = ""
    """Which engine made it."""
    seed: int = 0
    """Its seed."""
    nights: tuple[str, ...] = ()
    """Ids of the hotel nights taken: those evenings end and mornings begin at the hotel."""

    def orders(self) -> dict[str, tuple[str, ...]]:
        """Rep-day id -> visit ids in order."""
        return {r.rep_day: tuple(s.visit for s in r.stops) for r in self.routes}
