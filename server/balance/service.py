"""Every change of areas, members and dates passes through here, so that no account stands in a stale territory."""

from datetime import date
from typing import Any
from uuid import UUID

from shapely import from_wkb
from shapely.geometry import MultiPolygon
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts import pins
from server.kit.errors import Invalid
from server.leads import placing
from server.territories import service as territories
from server.territories.models import Territory

ADMIN_UNION = text("select st_asbinary(st_multi(st_union(area))) from region_place where id = any(:ids)")


def area_from(session: Session, *, name: str, geojson: dict[str, Any] | None, places: list[int]) -> MultiPolygon:
    """The area of a new territory: as drawn, or the union of admin areas. Refuses when there is neither."""
    if geojson is not None:
        return territories.area_of(geojson, name=name)
    union = session.execute(ADMIN_UNION, {"ids": places}).scalar_one() if places else None
    if union is None:
        raise Invalid(f"“{name}” has no area.", help="Draw an outline or choose admin areas.", field="area")
    return territories.checked_area(from_wkb(bytes(union)), name=name)


def create(
    session: Session,
    *,
    name: str,
    area: MultiPolygon,
    members: list[UUID],
    day: date,
    colour: str | None = None,
    parent_id: UUID | None = None,
) -> Territory:
    """Add a territory, give it its people and move the accounts inside it there."""
    territory = territories.create(session, name=name, area=area, colour=colour, parent_id=parent_id)
    territories.set_members(session, territory.id, members, day=day)
    realign(session)
    return territory


def change(session: Session, territory_id: UUID, changes: dict[str, Any]) -> Territory:
    """Change a territory; accounts move with its area."""
    territory = territories.change(session, territory_id, changes)
    if "area" in changes:
        realign(session)
    return territory


def delete(session: Session, territory_id: UUID) -> None:
    """Take a territory away; its accounts go to whichever territory covers them now, or to none."""
    territories.delete(session, territory_id)
    realign(session)


def realign(session: Session) -> None:
    """Put accounts and open leads into the territories that cover them now."""
    pins.realign(session)
    placing.realign_open(session)


def set_members(session: Session, territory_id: UUID, members: list[UUID], *, day: date) -> None:
    """From a day on, exactly these people work the territory."""
    territories.set_members(session, territory_id, members, day=day)
