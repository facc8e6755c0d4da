"""The over-capacity report: work against time by territory, the stretch, who slips by how much, the ways out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from geo.distance import haversine_m
from geo.types import LonLat
from server.auth import veil
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.queries import visible_users
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.plans import capacity
from server.plans.capacity import Load
from server.plans.due import Worked, worked
from server.plans.night.splitting import split

NEIGHBOURS = 3
FARTHEST = timedelta(days=366)
CLASSES = ("A", "B", "C")


@dataclass(frozen=True)
class ClassLoad:
    """The accounts of one class in a part of the company."""

    name: str | None
    accounts: int
    wanted_s: float
    interval_days: float
    """On average."""


@dataclass(frozen=True)
class Slip:
    """An account that is visited later than its interval says."""

    account_id: UUID
    number: str | None
    name: str
    account_class: str | None
    part: str
    interval_days: int
    stretched_days: int
    due_on: date
    stretched_on: date

    def __post_init__(self) -> None:
        """What the reader may not know is not there."""
        veil.without("account", self)

    @property
    def days(self) -> int:
        """By how many days."""
        return (self.stretched_on - self.due_on).days


@dataclass(frozen=True)
class Neighbour:
    """A part of the company that has time left."""

    name: str
    spare_s: float
    """Over the span."""
    away_m: float | None
    """Between the middles of the two parts' accounts."""


@dataclass(frozen=True)
class WaysOut:
    """What would bring work and time together without stretching."""

    missing_s: float
    """Working time that is missing over the span."""
    c_interval_days: int | None
    """With this interval for class C all others could stay; None: not even without class C."""
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Part:
    """A territory's share of the company."""

    name: str
    reps: tuple[str, ...]
    load: Load
    classes: tuple[ClassLoad, ...]
    slips: tuple[Slip, ...]
    """The longest first."""
    ways_out: WaysOut | None
    """None when there is time enough."""


@dataclass(frozen=True)
class Report:
    """Work against time of all that somebody may see."""

    first_day: date
    parts: tuple[Part, ...]

    @property
    def wanted_s(self) -> float:
        """What call intervals and fixed visits ask for."""
        return sum(part.load.wanted_s + part.load.fixed_s for part in self.parts)

    @property
    def capacity_s(self) -> float:
        """What the reps have."""
        return sum(part.load.capacity_s for part in self.parts)

    @property
    def slips(self) -> list[Slip]:
        """Everybody who slips, the longest first."""
        return sorted((slip for part in self.parts for slip in part.slips), key=_longest_first)


def report(session: Session, scope: Scope, first_day: date) -> Report:
    """Work against time from a day on, by territory. Refuses days more than a year away."""
    if abs(first_day - clock.today(settings().zone)) > FARTHEST:
        raise Invalid(f"{first_day} is too far away.", help="Look within a year from today.", field="first_day")
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:read"))
    reps = list(session.scalars(people.where(User.role == Role.REP, User.active)))
    by_id = {rep.id: rep for rep in reps}
    work = worked(session, scope, list(by_id), first_day)
    split_up = split(session, reps, first_day)
    place = {rep_id: k for k, share in enumerate(split_up) for rep_id in share.rep_ids}
    theirs: list[list[Worked]] = [[] for _ in split_up]
    for one in work:
        theirs[place[one.lead]].append(one)
    shares = [
        _Share(one.name, reps, capacity.load(session, reps, ones, first_day), ones, _middle(ones))
        for one, ones in zip(split_up, theirs, strict=True)
        if (reps := [by_id[rep_id] for rep_id in one.rep_ids])
    ]
    return Report(first_day, tuple(_part(share, [other for other in shares if other is not share]) for share in shares))


@dataclass(frozen=True)
class _Share:
    """What a part is made of; two may have the same name."""

    name: str
    reps: list[User]
    load: Load
    work: list[Worked]
    middle: LonLat | None


def _part(share: _Share, others: Sequence[_Share]) -> Part:
    return Part(
        share.name,
        tuple(rep.name for rep in share.reps),
        share.load,
        tuple(_classes(share.work, share.load)),
        tuple(sorted(_slips(share.name, share.work, share.load.stretch), key=_longest_first)),
        _ways_out(share, others),
    )


def _longest_first(slip: Slip) -> tuple[int, str, UUID]:
    return -slip.days, slip.name, slip.account_id


def _classes(work: Sequence[Worked], load: Load) -> list[ClassLoad]:
    found = []
    for name in (*CLASSES, None):
        ones = [one for one in work if one.interval is not None and one.account.account_class == name]
        if ones:
            wanted = sum(capacity.wanted_s(one, load.days, load.drive_s) for one in ones)
            usual = sum(one.interval.days for one in ones if one.interval) / len(ones)
            found.append(ClassLoad(name, len(ones), wanted, usual))
    return found


def _slips(part: str, work: Sequence[Worked], stretch: float) -> list[Slip]:
    slips = [
        Slip(
            one.account.id,
            one.account.number,
            one.account.name,
            one.account.account_class,
            part,
            one.interval.days,
            one.wait_days(stretch),
            one.due_on(),
            one.due_on(stretch),
        )
        for one in work
        if one.interval is not None
    ]
    return [slip for slip in slips if slip.days > 0]


def _ways_out(share: _Share, others: Sequence[_Share]) -> WaysOut | None:
    load = share.load
    if load.stretch <= 1:
        return None
    of_c = [one for one in share.work if one.interval is not None and one.account.account_class == "C"]
    wanted_c = sum(capacity.wanted_s(one, load.days, load.drive_s) for one in of_c)
    left_for_c = load.free_s - (load.wanted_s - wanted_c)
    usual = sum(one.interval.days for one in of_c if one.interval) / len(of_c) if of_c else 0.0
    spare = [
        Neighbour(
            other.name,
            other.load.free_s - other.load.wanted_s,
            haversine_m(share.middle, other.middle) if share.middle and other.middle else None,
        )
        for other in others
        if other.load.free_s > other.load.wanted_s
    ]
    spare.sort(key=lambda one: (one.away_m is None, one.away_m or 0.0, one.name))
    return WaysOut(
        missing_s=load.wanted_s - load.free_s,
        c_interval_days=math.ceil(usual * wanted_c / left_for_c) if of_c and left_for_c > 0 else None,
        neighbours=tuple(spare[:NEIGHBOURS]),
    )


def _middle(work: Sequence[Worked]) -> LonLat | None:
    points = [one.point for one in work if one.point is not None]
    if not points:
        return None
    return LonLat(sum(p.lon for p in points) / len(points), sum(p.lat for p in points) / len(points))
