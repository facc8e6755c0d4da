"""The visits, stops, routes or accounts that a number of a report was made of, found by what sums them up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.accounts.fields import INTERVAL_DAYS
from server.accounts.models import Account
from server.activities.models import Visit
from server.auth.models import Team, TeamMember, User
from server.auth.roles import Level
from server.kit.errors import NotFound
from server.kit.filtering.guard import in_time
from server.plans.models import Route, Stop
from server.reports.figures import By
from server.reports.sums import (
    EACH,
    IS_DRIVEN,
    IS_KEPT,
    ON_THE_ROAD,
    SHARE,
    WITH_ORDER,
    Asked,
    cycle,
    is_due,
    stops,
    visits,
)
from server.territories.models import Territory

MOST = 200
NOBODYS = "none"
"""The key of what belongs to no person, team, territory, sales region or class."""


class Of(StrEnum):
    """What is counted, by the sum that it makes."""

    VISITS = "visits"
    ORDERED = "visits_with_order"
    STOPS = "stops"
    KEPT = "stops_done"
    MISSED = "stops_missed"
    ROUTES = "routes"
    """Up to today."""
    PLANNED = "routes_planned"
    """Of the whole period."""
    ACCOUNTS = "accounts"
    """With a call interval, as the next five."""
    VISITED = "accounts_visited"
    UNVISITED = "accounts_not_visited"
    IN_CYCLE = "accounts_in_cycle"
    OFF_CYCLE = "accounts_not_in_cycle"
    OVERDUE = "accounts_overdue"


BY_SUM: Mapping[str, Of] = {
    "done": Of.VISITS, "ordered": Of.ORDERED, "stops": Of.STOPS, "kept": Of.KEPT, "stops_done": Of.KEPT,
    "drive_h": Of.ROUTES, "work_h": Of.ROUTES, "distance_km": Of.ROUTES, "planned_h": Of.PLANNED,
    "accounts": Of.ACCOUNTS, "visited": Of.VISITED, "in_cycle": Of.IN_CYCLE, "overdue": Of.OVERDUE,
}  # fmt: skip
REST: Mapping[Of, Of] = {Of.KEPT: Of.MISSED, Of.VISITED: Of.UNVISITED, Of.IN_CYCLE: Of.OFF_CYCLE}
"""What is missing to the lower sum of a measure, by the rows of its upper one."""
OF_ACCOUNTS = (Of.ACCOUNTS, Of.VISITED, Of.UNVISITED, Of.IN_CYCLE, Of.OFF_CYCLE, Of.OVERDUE)
OF_PLANS = (Of.STOPS, Of.KEPT, Of.MISSED, Of.ROUTES, Of.PLANNED)
OF_ROUTES = (Of.ROUTES, Of.PLANNED)


@dataclass(frozen=True)
class Row:
    """A visit, a stop, a route or an account."""

    id: UUID
    day: date | None
    """Of an account: its last visit by then; None: there was none."""
    rep: str | None
    """Of an account: its owner; None: nobody owns it."""
    account_id: UUID | None = None
    account: str | None = None
    outcome: str | None = None
    plan_id: UUID | None = None
    is_kept: bool | None = None
    """Of a stop: done on its day."""
    stops: int | None = None
    """Of a route: those that count here."""
    of_stops: int | None = None
    drive_h: float | None = None
    """Of a route: the part that these stops carry, as of the next two."""
    work_h: float | None = None
    distance_km: float | None = None
    interval_days: int | None = None
    """Of an account."""


@dataclass(frozen=True)
class Found:
    """A page of rows, and what all of them come to."""

    items: list[Row]
    total: int
    drive_h: float = 0.0
    work_h: float = 0.0
    distance_km: float = 0.0


def rows(asked: Asked, of: Of, *, by: By = By.PERSON, group: str | None = None, first: int = 0) -> Found:
    """The rows behind a number, from a place on, of one group or of everything; the latest come first.

    Of accounts those come first whose last visit is the longest ago.

    Refuses a group that is not there, and plans to whoever may not see them.
    """
    if of in OF_PLANS:
        asked.scope.need("plans:read")
    name_of(asked.session, by, group)
    with in_time(asked.session, asked.filter or ""):
        if of in (Of.VISITS, Of.ORDERED):
            return _visits(asked, of, _of_group(by, group, Visit.rep_id), first)
        if of in OF_ACCOUNTS:
            return _accounts(asked, of, _of_group(by, group, Account.owner_id), first)
        among = _of_group(by, group, Route.rep_id)
        return _routes(asked, of, among, first) if of in OF_ROUTES else _stops(asked, of, among, first)


def name_of(session: Session, by: By, group: str | None) -> str | None:
    """What a group is called; None for everything, and for what belongs to none."""
    if group is None or group == NOBODYS:
        return None
    if by is By.CLASS:
        return group
    table = {By.PERSON: User, By.TEAM: Team}.get(by, Territory)
    try:
        name = session.scalar(select(table.name).where(table.id == UUID(group)))  # type: ignore[attr-defined]
    except ValueError:
        name = None
    if name is None:
        raise no_group()
    return str(name)


def called(asked: Asked, found: Found, by: By, group: str | None) -> str | None:
    """What a group is called, to whoever sees something of it. Refuses others as it does what is not there."""
    name, scope = name_of(asked.session, by, group), asked.scope
    own = {str(scope.user_id), *map(str, scope.team_ids)}
    if name is None or by is By.CLASS or found.total or group in own or scope.level("activities:read") >= Level.ALL:
        return name
    raise no_group()


def no_group() -> NotFound:
    """The refusal of a group that is not there, or that somebody sees nothing of."""
    return NotFound("There is no such group in this report.", help="Open it from the report.", field="group")


def _of_group(by: By, group: str | None, person: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether a row with its account belongs to a group."""
    if group is None:
        return true()
    is_nobodys = group == NOBODYS
    if by is By.PERSON:
        return person.is_(None) if is_nobodys else person == UUID(group)
    if by is By.TEAM:
        members = select(TeamMember.user_id).join(Team, Team.id == TeamMember.team_id).where(Team.deleted_at.is_(None))
        if is_nobodys:
            return person.is_(None) | person.not_in(members)
        return person.in_(members.where(Team.id == UUID(group)))
    if by is By.CLASS:
        return Account.account_class.is_(None) if is_nobodys else Account.account_class == group
    if by is By.TERRITORY:
        return Account.territory_id.is_(None) if is_nobodys else Account.territory_id == UUID(group)
    below = select(Territory.id)
    if is_nobodys:
        return Account.territory_id.is_(None) | Account.territory_id.in_(below.where(Territory.parent_id.is_(None)))
    return Account.territory_id.in_(below.where(Territory.parent_id == UUID(group)))


def _visits(asked: Asked, of: Of, among: ColumnElement[bool], first: int) -> Found:
    found = visits(asked).where(among, WITH_ORDER if of is Of.ORDERED else true())
    page = found.join(User, User.id == Visit.rep_id).with_only_columns(
        Visit.id, Visit.day, User.name.label("rep"), Account.id.label("account_id"), Account.name.label("account"),
        Visit.outcome,
    )  # fmt: skip
    items = _page(asked, page.order_by(None).order_by(Visit.day.desc(), Visit.id), first)
    return Found(items, _count(asked, found.with_only_columns(Visit.id)))


def _accounts(asked: Asked, of: Of, among: ColumnElement[bool], first: int) -> Found:
    stand = cycle(asked)
    which = {
        Of.VISITED: stand.is_visited, Of.UNVISITED: ~stand.is_visited, Of.IN_CYCLE: stand.is_in_cycle,
        Of.OFF_CYCLE: ~stand.is_in_cycle, Of.OVERDUE: stand.is_overdue,
    }.get(of, true())  # fmt: skip
    found = stand.statement.where(among, which)
    page = found.outerjoin(User, User.id == Account.owner_id).with_only_columns(
        Account.id, stand.last_visit.label("day"), User.name.label("rep"), Account.id.label("account_id"),
        Account.name.label("account"), INTERVAL_DAYS.label("interval_days"),
    )  # fmt: skip
    items = _page(asked, page.order_by(stand.last_visit.asc().nulls_first(), Account.name, Account.id), first)
    return Found(items, _count(asked, found.with_only_columns(Account.id)))


def _stops(asked: Asked, of: Of, among: ColumnElement[bool], first: int) -> Found:
    which = {Of.KEPT: IS_KEPT, Of.MISSED: is_due(asked) & ~IS_KEPT}.get(of, is_due(asked))
    found = stops(asked, asked.upto).where(among, which)
    page = found.join(User, User.id == Route.rep_id).with_only_columns(
        Stop.id, Route.day, User.name.label("rep"), Account.id.label("account_id"), Account.name.label("account"),
        Route.plan_id, IS_KEPT.label("is_kept"),
    )  # fmt: skip
    items = _page(asked, page.order_by(Route.day.desc(), User.name, Stop.position, Stop.id), first)
    return Found(items, _count(asked, found.with_only_columns(Stop.id)))


def _routes(asked: Asked, of: Of, among: ColumnElement[bool], first: int) -> Found:
    last = asked.period.last if of is Of.PLANNED else asked.upto
    found = stops(asked, last).where(among, IS_DRIVEN if of is Of.PLANNED else true())
    carried = (
        (func.sum(Route.drive_s * SHARE) / 3600).label("drive_h"),
        (func.sum(ON_THE_ROAD * SHARE) / 3600).label("work_h"),
        (func.sum(Route.distance_m * SHARE) / 1000).label("distance_km"),
    )
    page = found.join(User, User.id == Route.rep_id).with_only_columns(
        Route.id, Route.day, User.name.label("rep"), Route.plan_id, func.count().label("stops"),
        EACH.c.stops.label("of_stops"), *carried,
    )  # fmt: skip
    page = page.group_by(Route.id, User.name, EACH.c.stops).order_by(Route.day.desc(), User.name, Route.id)
    whole = found.with_only_columns(func.count(Route.id.distinct()), *carried)
    total, *sums = asked.session.execute(whole).one()
    return Found(_page(asked, page, first), total, *(float(one or 0) for one in sums))


def _page(asked: Asked, statement: Any, first: int) -> list[Row]:
    found = asked.session.execute(statement.offset(first).limit(MOST)).mappings()
    rows: list[dict[str, Any]] = [dict(row) for row in found]
    for row in rows:
        row.update({name: float(row[name]) for name in ("drive_h", "work_h", "distance_km") if name in row})
    return [Row(**row) for row in rows]


def _count(asked: Asked, statement: Any) -> int:
    return asked.session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
