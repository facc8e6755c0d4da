"""Reads of leads. Every read starts at `visible_to(scope)`: it decides lists, maps, tiles and exports alike."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, func, literal, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased

from geo.types import LonLat
from server.accounts import queries as accounts
from server.accounts.around import Around
from server.accounts.models import Account, Site
from server.accounts.queries import today_of
from server.accounts.reaching import Reaching
from server.auth.access import Scope
from server.auth.models import TeamMember, User
from server.auth.roles import Level
from server.kit.errors import NotFound
from server.kit.filtering import Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import answers_in_time
from server.kit.filtering.listing import Listing, key_of, page_of
from server.leads.fields import fields, matches
from server.leads.models import Lead, LeadAssignment, LeadSignal, LeadState
from server.leads.reaching import PINS
from server.records.happenings import happening
from server.territories import queries as territories
from server.territories.models import Territory


def visible_to(scope: Scope, permission: str = "leads:read") -> Select[Lead]:
    """The leads that a permission of somebody reaches; deleted ones are left out."""
    return select(Lead).where(Lead.deleted_at.is_(None), within_reach(scope, permission))


def within_reach(scope: Scope, permission: str = "leads:read", *, many: bool = False) -> ColumnElement[bool]:
    """Whether a permission of somebody reaches a lead, deleted or not: the same levels as for accounts. With `many`
    each sign asks its own index, instead of every lead.

    `own`: owned by the person; `territory`: also those that lie in a territory of theirs and are nobody's or a
    colleague's of it; `team`: the same for the teams and for territories of their sales regions that nobody works, and
    leads that nobody has; `region`: also all other territories of these sales regions.
    """
    level, today = scope.level(permission), today_of(scope)
    if level >= Level.ALL:
        return true()
    own = or_(Lead.owner_id == scope.user_id, and_(Lead.owner_id.is_(None), Lead.created_by == scope.user_id))
    if level <= Level.OWN:
        return own if level == Level.OWN else ~true()
    if level == Level.TERRITORY:
        ground = Lead.territory_id.in_(territories.of_member(scope.user_id, today))
        return (
            Lead.id.in_(union_all(select(Lead.id).where(own), select(Lead.id).where(ground))) if many else own | ground
        )
    mates = select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids))
    everybody = mates.union(select(literal(scope.user_id))).subquery()
    people = select(everybody.c[0])
    areas = territories.of_leader(people, today, beside=level == Level.REGION)
    nobodys = and_(Lead.owner_id.is_(None), Lead.territory_id.is_(None))
    return Lead.owner_id.in_(people) | Lead.territory_id.in_(areas) | nobodys


def find(session: Session, scope: Scope, lead_id: UUID, permission: str = "leads:read") -> Lead:
    """The lead of that id, or the one that it was merged into; for a stranger's there is none."""
    lead = session.scalars(visible_to(scope, permission).where(Lead.id == standing(lead_id))).one_or_none()
    if lead is None:
        raise NotFound("There is no such lead.", id=str(lead_id))
    return lead


def standing(lead_id: UUID) -> ColumnElement[UUID]:
    """The id of the lead that stands for one: its own, or that of the lead it was merged into."""
    asked = aliased(Lead)
    return func.coalesce(select(asked.merged_into).where(asked.id == lead_id).scalar_subquery(), lead_id)


def family(lead_id: UUID) -> Select[UUID]:
    """The ids of a lead and of those merged into it: what happened is read through this."""
    one = aliased(Lead)
    return select(one.id).where(or_(one.id == lead_id, one.merged_into == lead_id))


def chosen(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    permission: str = "leads:read",
) -> Select[Lead]:
    """The leads that a filter and a search leave of what somebody may see: the same for list, map and export."""
    statement = select(Lead).where(Lead.deleted_at.is_(None), within_reach(scope, permission, many=True))
    if filter and filter.strip():
        statement = statement.where(condition(session, scope, filter))
    if search and search.strip():
        statement = statement.where(matches(search[:200], scope.hidden("lead")))
    return statement


def language(session: Session, scope: Scope) -> Vocabulary:
    """What leads can be asked by somebody."""
    around = Around(session, accounts.visible_to(scope), Reaching(session, PINS))
    return vocabulary(session, scope, "lead", fields(), today=today_of(scope), places=around)


def condition(session: Session, scope: Scope, filter: str) -> ColumnElement[bool]:
    """What a filter of somebody says of leads."""
    return compile_filter(parse(filter), language(session, scope))


@dataclass(frozen=True)
class Row:
    """A lead as lists show it, with names."""

    lead: Lead
    owner_name: str | None
    territory_name: str | None
    lon: float | None
    lat: float | None
    has_left: bool
    """Its owner."""


LEFT = func.coalesce(~User.active, False)


def detailed(statement: Select[Lead]) -> Select[Any]:
    """A selection of leads with the columns of `Row`."""
    return (
        statement.outerjoin(User, User.id == Lead.owner_id)
        .outerjoin(Territory, Territory.id == Lead.territory_id)
        .with_only_columns(Lead, User.name, Territory.name, func.ST_X(Lead.pin), func.ST_Y(Lead.pin), LEFT)
    )


def sort_keys() -> dict[str, ColumnElement[Any]]:
    """What a list can be sorted by; nulls come as the least value, so that a cursor can point between rows."""
    return {
        "created": Lead.__table__.c.created_at,
        "score": func.coalesce(Lead.score, -1),
        "name": func.search_text(func.coalesce(Lead.company, Lead.person), type_=Text),
        "state": Lead.__table__.c.state,
        "source": Lead.__table__.c.source,
        "city": func.coalesce(func.search_text(Lead.city, type_=Text), ""),
        "value": func.coalesce(Lead.expected_value, literal(Decimal(-1))),
        "updated": Lead.__table__.c.updated_at,
    }


@answers_in_time
def page(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    sort: str = "-created",
    cursor: str | None = None,
    limit: int = 50,
    exact: bool = False,
) -> Listing[Row]:
    """One page of the leads that somebody may see. `sort` names a key, with `-` in front for the other way round."""
    statement = chosen(session, scope, filter=filter, search=search)
    key = key_of(scope.askable("lead", sort_keys()), sort)
    found = page_of(session, statement, Lead.id, key, sort=sort, cursor=cursor, limit=limit, exact=exact)
    rows = session.execute(detailed(select(Lead).where(found.among(Lead.id))))
    return found.listing([Row(*row) for row in found.in_order(rows)])


def detail(session: Session, scope: Scope, lead_id: UUID, permission: str = "leads:read") -> Row:
    """One lead with names, when the permission reaches it."""
    found = session.execute(detailed(visible_to(scope, permission).where(Lead.id == standing(lead_id)))).one_or_none()
    if found is None:
        raise NotFound("There is no such lead.", id=str(lead_id))
    return Row(*found)


def counts(session: Session, scope: Scope) -> dict[str, int]:
    """How many leads stand in each state."""
    seen = visible_to(scope).with_only_columns(Lead.state).subquery()
    return dict(session.execute(select(seen.c.state, func.count()).group_by(seen.c.state)).tuples().all())


@dataclass(frozen=True)
class Signal:
    """A signal with who made it."""

    signal: LeadSignal
    actor: str | None


def signals_of(session: Session, lead_id: UUID, limit: int = 200) -> list[Signal]:
    """What happened to a lead and to those merged into it, the latest first."""
    statement = (
        select(LeadSignal, User.name)
        .outerjoin(User, User.id == LeadSignal.actor_id)
        .where(LeadSignal.lead_id.in_(family(lead_id)))
        .order_by(LeadSignal.at.desc(), LeadSignal.id.desc())
    )
    return [Signal(*row) for row in session.execute(statement.limit(limit))]


@dataclass(frozen=True)
class Handing:
    """An assignment with names."""

    at: datetime
    user_id: UUID | None
    user_name: str | None
    by: str | None
    because: list[dict[str, Any]]


def assignments_of(session: Session, lead_id: UUID) -> list[Handing]:
    """Who got a lead, and those merged into it, the latest first."""
    by = aliased(User)
    rows = session.execute(
        select(LeadAssignment.at, LeadAssignment.user_id, User.name, by.name, LeadAssignment.because)
        .outerjoin(User, User.id == LeadAssignment.user_id)
        .outerjoin(by, by.id == LeadAssignment.by)
        .where(LeadAssignment.lead_id.in_(family(lead_id)))
        .order_by(LeadAssignment.id.desc())
    )
    return [Handing(*row) for row in rows]


def of_account(session: Session, scope: Scope, account_id: UUID) -> list[Lead]:
    """The leads that became an account, the latest first."""
    statement = visible_to(scope).where(Lead.account_id.in_(accounts.family(account_id)))
    return list(session.scalars(statement.order_by(Lead.created_at.desc())))


def account_of(session: Session, scope: Scope, lead: Lead) -> tuple[UUID, str] | None:
    """The account that a lead became, when somebody may see it."""
    if lead.account_id is None or not scope.may("accounts:read"):
        return None
    seen = accounts.visible_to(scope).with_only_columns(Account.id, Account.name)
    found = session.execute(seen.where(Account.id == accounts.surviving(session, lead.account_id))).one_or_none()
    return (found[0], found[1]) if found else None


def near(session: Session, scope: Scope, point: LonLat, metres: float) -> list[dict[str, Any]]:
    """Accounts and leads around a point that somebody may see, the nearest first."""
    spot = func.ST_SetSRID(func.ST_MakePoint(point.lon, point.lat), 4326)
    box = func.ST_Expand(spot, metres / 70_000)
    away, away_site = func.ST_DistanceSphere(Lead.pin, spot), func.ST_DistanceSphere(Site.pin, spot)
    name = func.coalesce(Lead.company, Lead.person)
    rows = session.execute(
        visible_to(scope).with_only_columns(Lead.id, name, Lead.city, away).where(Lead.pin.op("&&")(box))
    ).all()
    found = [{"path": f"/leads/{row[0]}", "kind": "lead", "name": row[1], "city": row[2], "m": row[3]} for row in rows]
    if scope.may("accounts:read"):
        joined = accounts.visible_to(scope).join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None)))
        there = joined.with_only_columns(Account.id, Account.name, Site.city, away_site).where(Site.pin.op("&&")(box))
        found += [
            {"path": f"/accounts/{row[0]}", "kind": "account", "name": row[1], "city": row[2], "m": row[3]}
            for row in session.execute(there)
        ]
    return sorted((one for one in found if one["m"] <= metres), key=lambda one: (one["m"], one["name"]))[:8]


def happenings(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """For timelines of accounts: each sign of the leads that they once were, and the conversion itself."""
    here = and_(Lead.deleted_at.is_(None), Lead.account_id.in_(account_ids))
    reach = here if scope.may("leads:read") else and_(here, ~true())
    name = func.coalesce(Lead.company, Lead.person)
    origin = aliased(Lead)
    signs = (
        select(
            *happening(
                at=LeadSignal.__table__.c.at,
                kind="lead",
                entity="lead",
                id=Lead.__table__.c.id,
                account_id=Lead.__table__.c.account_id,
                actor_id=LeadSignal.__table__.c.actor_id,
                title=name,
                body=LeadSignal.__table__.c.body,
                facts=func.jsonb_build_object("signal", LeadSignal.kind),
            )
        )
        .join(origin, origin.id == LeadSignal.lead_id)
        .join(Lead, or_(Lead.id == origin.id, Lead.id == origin.merged_into))
        .where(reach)
    )
    conversions = select(
        *happening(
            at=Lead.__table__.c.decided_at,
            kind="lead",
            entity="lead",
            id=Lead.__table__.c.id,
            account_id=Lead.__table__.c.account_id,
            actor_id=Lead.__table__.c.owner_id,
            title=name,
            facts=func.jsonb_build_object("state", Lead.state, "source", Lead.source, "score", Lead.score),
        )
    ).where(reach, Lead.state == LeadState.CONVERTED)
    return select(signs.union_all(conversions).subquery())
