"""Reads of territories."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from geo.types import LonLat
from server.auth.models import User
from server.territories.models import Territory, TerritoryMember


def of_members(user_ids: Iterable[UUID] | Select[Any], day: date | BindParameter[date]) -> Select[UUID]:
    """The ids of the territories that some people work on a day."""
    users = user_ids if isinstance(user_ids, Select) else list(user_ids)
    return (
        select(TerritoryMember.territory_id)
        .join(Territory, Territory.id == TerritoryMember.territory_id)
        .where(
            TerritoryMember.user_id.in_(users),
            TerritoryMember.valid_from <= day,
            or_(TerritoryMember.valid_to.is_(None), TerritoryMember.valid_to > day),
            Territory.deleted_at.is_(None),
        )
    )


def of_member(user_id: UUID, day: date) -> Select[UUID]:
    """The ids of the territories that a person works on a day."""
    return of_members([user_id], day)


def covering(session: Session, point: LonLat) -> UUID | None:
    """The territory whose area covers a point; the smallest one where several do."""
    spot = func.ST_SetSRID(func.ST_MakePoint(point.lon, point.lat), 4326)
    statement = (
        select(Territory.id)
        .where(Territory.deleted_at.is_(None), func.ST_Covers(Territory.area, spot))
        .order_by(func.ST_Area(Territory.area), Territory.id)
    )
    return session.scalars(statement.limit(1)).one_or_none()


def active(session: Session) -> list[Territory]:
    """All territories by name."""
    return list(session.scalars(select(Territory).where(Territory.deleted_at.is_(None)).order_by(Territory.name)))


def of_leader(people: Select[Any], day: date | BindParameter[date], *, beside: bool) -> Select[UUID]:
    """The ids of the territories that somebody answers for who leads people on a day.

    Those that the people work, and of the same sales regions those that nobody works; with `beside` all of the same
    sales regions. Where nobody at all works a sales region, it is of everybody who leads. A territory below no other is
    a region of its own.
    """
    one = aliased(Territory)
    region = func.coalesce(Territory.parent_id, Territory.id)

    def regions(areas: Select[UUID]) -> Select[UUID]:
        return select(func.coalesce(one.parent_id, one.id)).where(one.id.in_(areas), one.deleted_at.is_(None))

    ours = of_members(people, day)
    worked = of_members(select(User.id).where(User.active, User.deleted_at.is_(None)), day)
    near, far = region.in_(regions(ours)), region.not_in(regions(worked))
    idle = and_(Territory.id.not_in(worked), near | far)
    return select(Territory.id).where(
        Territory.deleted_at.is_(None), or_(Territory.id.in_(ours), idle, *([near] if beside else []))
    )


@dataclass(frozen=True)
class Member:
    """Somebody who works a territory on the day asked for."""

    territory_id: UUID
    user_id: UUID
    name: str


def members_on(session: Session, day: date) -> list[Member]:
    """Everybody who works a territory on a day."""
    statement = (
        select(TerritoryMember.territory_id, TerritoryMember.user_id, User.name)
        .join(User, User.id == TerritoryMember.user_id)
        .where(
            TerritoryMember.valid_from <= day, or_(TerritoryMember.valid_to.is_(None), TerritoryMember.valid_to > day)
        )
        .order_by(User.name, User.id)
    )
    return [Member(*row) for row in session.execute(statement)]


def outlines(session: Session, *, tolerance: float = 0.0) -> dict[UUID, dict[str, Any]]:
    """Every territory's area as a GeoJSON geometry, simplified to a tolerance in degrees."""
    shape = func.ST_SimplifyPreserveTopology(Territory.area, tolerance) if tolerance else Territory.area
    statement = select(Territory.id, func.ST_AsGeoJSON(shape, 6)).where(Territory.deleted_at.is_(None))
    return {row_id: json.loads(outline) for row_id, outline in session.execute(statement)}


def leaves(session: Session) -> list[Territory]:
    """The territories that nothing lies below: those that are worked, by name."""
    child = aliased(Territory)
    has_children = select(child.id).where(child.parent_id == Territory.id, child.deleted_at.is_(None)).exists()
    statement = select(Territory).where(Territory.deleted_at.is_(None), ~has_children).order_by(Territory.name)
    return list(session.scalars(statement))


def worked_regions(session: Session, day: date) -> list[Territory]:
    """The sales regions that somebody works beside what lies below them, on a day or later, by name."""
    statement = (
        select(Territory)
        .join(TerritoryMember, TerritoryMember.territory_id == Territory.id)
        .join(User, User.id == TerritoryMember.user_id)
        .where(
            Territory.deleted_at.is_(None),
            Territory.id.in_(select(Territory.parent_id).where(Territory.deleted_at.is_(None))),
            or_(TerritoryMember.valid_to.is_(None), TerritoryMember.valid_to > day),
            User.active,
            User.deleted_at.is_(None),
        )
        .order_by(Territory.name)
    )
    return list(session.scalars(statement).unique())


@dataclass(frozen=True)
class Overlap:
    """Two territories that claim the same ground."""

    one: str
    other: str
    square_km: float


def overlaps(session: Session) -> list[Overlap]:
    """Pairs of territories on one level that overlap by more than a hectare."""
    statement = text(
        """
        select a.name, b.name, st_area(st_intersection(a.area, b.area)::geography) / 1e6 as square_km
        from territory a join territory b on a.id < b.id and st_intersects(a.area, b.area)
        where a.deleted_at is null and b.deleted_at is null
          and a.parent_id is distinct from b.id and b.parent_id is distinct from a.id
          and st_area(st_intersection(a.area, b.area)::geography) > 10000
        order by 3 desc
        """
    )
    return [Overlap(*row) for row in session.execute(statement)]


@dataclass(frozen=True)
class Membership:
    """Somebody's time in a territory."""

    territory_id: UUID
    user_id: UUID
    name: str
    valid_from: date
    valid_to: date | None
    """The first day that is not covered any more; None: open."""
    has_left: bool
    """The person cannot sign in any more."""


def memberships(session: Session) -> list[Membership]:
    """Everybody who works, worked or will work a territory, by the day they began."""
    statement = (
        select(
            TerritoryMember.territory_id,
            TerritoryMember.user_id,
            User.name,
            TerritoryMember.valid_from,
            TerritoryMember.valid_to,
            ~User.active | User.deleted_at.is_not(None),
        )
        .join(User, User.id == TerritoryMember.user_id)
        .order_by(TerritoryMember.valid_from, User.name, TerritoryMember.id)
    )
    return [Membership(*row) for row in session.execute(statement)]


TILE = text(
    """
    with bounds as (select st_tileenvelope(:z, :x, :y) as box)
    select st_asmvt(tile, 'territories') from (
        select t.id::text, t.name, t.colour, st_asmvtgeom(st_transform(t.area, 3857), bounds.box, 4096, 64) as geom
        from territory t, bounds
        where t.deleted_at is null and t.area && st_transform(bounds.box, 4326)
    ) tile where geom is not null
    """
)


def tile(session: Session, z: int, x: int, y: int) -> bytes:
    """The vector tile of all territories."""
    return bytes(session.execute(TILE, {"z": z, "x": x, "y": y}).scalar_one() or b"")
