"""A report: the sums of a period and of the one it is compared with, told apart by people, places or classes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import AccountClass
from server.auth.access import Scope
from server.auth.models import Team, TeamMember, User
from server.kit.filtering.guard import in_time
from server.kit.filtering.writing import quoted
from server.reports.measures import Measure, Source, Sums, seen_by
from server.reports.periods import Against, Period
from server.reports.sums import Asked, Grain, sums
from server.territories.models import Territory

TREND = 12
"""Periods of a trend, the chosen one included."""


class By(StrEnum):
    """How a report is told apart."""

    PERSON = "person"
    TEAM = "team"
    TERRITORY = "territory"
    REGION = "sales_region"
    CLASS = "class"


OF_PEOPLE = (By.PERSON, By.TEAM)


@dataclass
class Group:
    """A person, team, territory, sales region or class."""

    key: str | None
    """Its id, or the class; None: rows that belong to none."""
    name: str | None
    term: str | None = ""
    """The filter of accounts that leaves its own; None: there is no such filter."""
    login: str | None = None
    """Of a person."""
    now: Sums = field(default_factory=Sums)
    then: Sums = field(default_factory=Sums)


@dataclass
class Report:
    """The sums of each group, and of everything together."""

    period: Period
    compared: Period
    """The days that are compared: of a running period as many as have passed."""
    whole: Period
    """The whole period of these days: hours of people are compared with it."""
    by: By
    filter: str | None
    measures: list[Measure]
    groups: list[Group]
    total: Group
    is_of_today: bool
    """Whether today is its last day so far: lists and maps show how things stand today."""

    def shows(self, measure: Measure) -> bool:
        """Whether the measure can be told apart this way, with this filter."""
        return not measure.is_of_people or (self.by in OF_PEOPLE and not (self.filter or "").strip())

    def compared_for(self, measure: Measure) -> Period:
        """The days that a measure is compared with."""
        return self.whole if measure.is_of_people else self.compared


def report(
    session: Session,
    scope: Scope,
    period: Period,
    *,
    by: By = By.PERSON,
    against: Against = Against.BEFORE,
    filter: str | None = None,
    measures: Sequence[Measure] | None = None,
) -> Report:
    """The report of what somebody may see; sums of a person in two teams count in both, and once in the whole."""
    wanted = [one for one in (measures or seen_by(scope)) if one.is_seen_by(scope)]
    sources: frozenset[Source] = frozenset().union(*(one.sources for one in wanted))
    asked = Asked(session, scope, period, filter)
    with in_time(session, filter or ""):
        now = sums(asked, sources)
        before = replace(asked, period=period.compared(against), days=elapsed(asked))
        then = sums(before, sources)
    naming = _Naming(session, by, [*now, *then])
    total = Group(None, None)
    groups: dict[str | None, Group] = {}
    for rows, side in ((now, "now"), (then, "then")):
        for grain, found in rows.items():
            getattr(total, side).add(found)
            for key in naming.keys(grain):
                getattr(groups.setdefault(key, naming.group(key)), side).add(found)
    ordered = sorted(groups.values(), key=lambda one: (one.name is None, (one.name or "").casefold()))
    whole = before.period
    is_of_today = asked.upto == asked.today
    return Report(period, whole.up_to(before.upto), whole, by, filter, wanted, ordered, total, is_of_today)


def elapsed(asked: Asked) -> int | None:
    """Days of a running period that count: it is compared with as many of the other one; None for one that is over."""
    return (asked.upto - asked.period.first).days + 1 if asked.period.first <= asked.today < asked.period.last else None


@dataclass(frozen=True)
class Moment:
    """One period of a trend."""

    period: Period
    sums: Sums


def trend(
    session: Session, scope: Scope, period: Period, measure: Measure, *, filter: str | None = None, length: int = TREND
) -> list[Moment]:
    """The measure over the last periods, the chosen one last."""
    found = []
    with in_time(session, filter or ""):
        for back in range(1 - length, 1):
            then = period.shifted(back)
            total = Sums()
            for one in sums(Asked(session, scope, then, filter), measure.sources).values():
                total.add(one)
            found.append(Moment(then, total))
    return found


class _Naming:
    """Which groups a grain belongs to, and how they are called."""

    def __init__(self, session: Session, by: By, grains: Iterable[Grain]) -> None:
        self.by = by
        grains = list(grains)
        people = {one.person_id for one in grains if one.person_id}
        places = {one.territory_id for one in grains if one.territory_id}
        self.names: dict[str | None, tuple[str | None, str | None]] = {None: (None, None)}
        self.teams: dict[UUID, list[str]] = defaultdict(list)
        self.parents: dict[UUID, UUID | None] = {}
        if by is By.PERSON:
            rows = session.execute(select(User.id, User.name, User.login).where(User.id.in_(people)))
            self.names |= {str(key): (name, login) for key, name, login in rows}
        elif by is By.TEAM:
            members = select(TeamMember.user_id, Team.id, Team.name).join(Team, Team.id == TeamMember.team_id)
            members = members.where(TeamMember.user_id.in_(people), Team.deleted_at.is_(None))
            for user_id, team_id, name in session.execute(members):
                self.teams[user_id].append(str(team_id))
                self.names[str(team_id)] = (name, None)
        elif by is By.CLASS:
            self.names |= {str(one): (str(one), None) for one in AccountClass}
        else:
            parents = select(Territory.id, Territory.parent_id).where(Territory.id.in_(places))
            self.parents = {key: parent for key, parent in session.execute(parents)}
            wanted = places if by is By.TERRITORY else {one for one in self.parents.values() if one}
            named = session.execute(select(Territory.id, Territory.name).where(Territory.id.in_(wanted)))
            self.names |= {str(key): (name, None) for key, name in named}

    def keys(self, grain: Grain) -> list[str | None]:
        """The groups that a grain counts in."""
        if self.by is By.TEAM:
            teams = self.teams.get(grain.person_id, []) if grain.person_id else []
            return [*teams] or [None]
        if self.by is By.CLASS:
            return [grain.account_class]
        key = grain.person_id if self.by is By.PERSON else grain.territory_id
        if self.by is By.REGION:
            key = self.parents.get(key) if key else None
        return [str(key) if key else None]

    def group(self, key: str | None) -> Group:
        """An empty group with its name."""
        name, login = self.names.get(key, (None, None))
        return Group(key, name, self._term(name, login), login)

    def _term(self, name: str | None, login: str | None) -> str | None:
        field_name, value = {
            By.PERSON: ("owner", login), By.TERRITORY: ("territory", name), By.CLASS: ("class", name),
        }.get(self.by, (None, None))  # fmt: skip
        if field_name is None:
            return None
        return f"{field_name} is empty" if value is None else f"{field_name} = {quoted(value)}"
