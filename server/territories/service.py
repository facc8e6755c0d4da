"""The rules of areas and members. Called by `balance.service`, which realigns accounts in the same transaction."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape, to_shape
from shapely import force_2d, get_coordinates, get_num_coordinates, get_parts, get_rings
from shapely.errors import ShapelyError
from shapely.geometry import MultiPolygon, shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from geo import territories as shapes
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.territories import members
from server.territories.models import Territory

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito's colours, told apart by colour-blind people."""

MAX_VERTICES = 100_000
UNREADABLE = (
    ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError,
)  # fmt: skip
"""What shapely raises on a geometry of GeoJSON that is none."""


def area_of(geojson: dict[str, Any], *, name: str) -> MultiPolygon:
    """The area of a GeoJSON polygon or multipolygon, mended where it crosses itself.

    Refuses what is no area, what lies outside the world and what has too many vertices; names the territory.
    """
    return checked_area(geometry_of(geojson, name=name), name=name)


def geometry_of(geojson: dict[str, Any], *, name: str) -> BaseGeometry:
    """A GeoJSON geometry, whatever it is, without heights; refuses what is none."""
    try:
        geometry: BaseGeometry = force_2d(shape(geojson))
    except UNREADABLE as error:
        raise Invalid(f"The outline of “{name}” is not a GeoJSON geometry.", field="area") from error
    return geometry


def shape_of(stored: WKBElement) -> BaseGeometry:
    """A stored geometry."""
    found: BaseGeometry = to_shape(stored)
    return found


def checked_area(geometry: BaseGeometry, *, name: str) -> MultiPolygon:
    """A valid multipolygon in EPSG:4326, whatever polygonal geometry comes in."""
    return tidied_area(geometry, name=name)[0]


def tidied_area(geometry: BaseGeometry, *, name: str) -> tuple[MultiPolygon, list[str]]:
    """A valid multipolygon in EPSG:4326, and what had to be mended, in words."""
    if geometry.is_empty:
        raise Invalid(f"The outline of “{name}” is empty.", help="Draw at least three corners.", field="area")
    geometry = force_2d(geometry)
    if not np.isfinite(get_coordinates(geometry)).all():
        raise Invalid(
            f"The outline of “{name}” has a corner that lies nowhere.",
            help="Coordinates are longitude, latitude in degrees (EPSG:4326).",
            field="area",
        )
    west, south, east, north = geometry.bounds
    if west < -360 or east > 360 or south < -90 or north > 90:
        raise Invalid(
            f"The outline of “{name}” leaves the world ({west:g}, {south:g}, {east:g}, {north:g}).",
            help="Coordinates are longitude, latitude in degrees (EPSG:4326).",
            field="area",
        )
    closing = len(get_rings(get_parts(geometry)))  # the last point of a ring is its first corner
    if int(get_num_coordinates(geometry)) - closing > MAX_VERTICES:
        raise Invalid(
            f"The outline of “{name}” has more than {MAX_VERTICES:,} corners.", help="Simplify it.", field="area"
        )
    try:
        found = shapes.tidied(geometry)
    except shapes.Tangled as error:
        raise Invalid(
            f"The outline of “{name}” is tangled: its edges cross or touch too often to be mended.",
            help="Draw it so that its edges do not cross.",
            field="area",
        ) from error
    if found.area.is_empty:
        raise Invalid(f"The outline of “{name}” is not an area.", help="Send a Polygon or MultiPolygon.", field="area")
    notes = []
    if found.crossed_itself:
        notes.append(f"The outline of “{name}” crossed itself; what it encloses was kept.")
    if found.crossed_antimeridian:
        notes.append(f"The outline of “{name}” crossed the 180th meridian and was cut there.")
    return found.area, notes


def create(
    session: Session, *, name: str, area: MultiPolygon, colour: str | None = None, parent_id: UUID | None = None
) -> Territory:
    """Add a territory. Refuses a name that is taken."""
    name = checked_name(session, name, None)
    colour = next_colour(session) if colour is None else checked_colour(colour)
    territory = Territory(name=name, colour=colour, parent_id=parent_id, area=from_shape(area, srid=4326))
    session.add(territory)
    session.flush()
    return territory


def next_colour(session: Session, taken: Sequence[str] = ()) -> str:
    """The colour of the palette that fewest territories have."""
    used = [*session.scalars(select(Territory.colour).where(Territory.deleted_at.is_(None))), *taken]
    return min(PALETTE[:7], key=lambda one: (used.count(one), PALETTE.index(one)))


def change(session: Session, territory_id: UUID, changes: dict[str, Any]) -> Territory:
    """Change name, colour, parent or area. Refuses circles of parents."""
    territory = find(session, territory_id)
    if "name" in changes:
        territory.name = checked_name(session, changes["name"], territory_id)
    if "colour" in changes:
        territory.colour = checked_colour(changes["colour"])
    if "parent_id" in changes:
        check_parent(session, territory_id, changes["parent_id"])
        territory.parent_id = changes["parent_id"]
    if "area" in changes:
        territory.area = from_shape(changes["area"], srid=4326)
    session.flush()
    return territory


def delete(session: Session, territory_id: UUID) -> None:
    """Take a territory away; its history stays."""
    find(session, territory_id).deleted_at = clock.now()
    session.flush()


def find(session: Session, territory_id: UUID) -> Territory:
    """The territory, locked for a change."""
    territory = session.get(Territory, territory_id, with_for_update=True)
    if territory is None or territory.deleted_at is not None:
        raise NotFound("There is no such territory.")
    return territory


def checked_name(session: Session, name: str, own_id: UUID | None) -> str:
    """The name without blanks around it; refuses one that is taken."""
    name = name.strip()
    if not name or len(name) > 200:
        raise Invalid("A territory needs a name of at most 200 characters.", field="name")
    other = select(Territory.id).where(Territory.name == name, Territory.deleted_at.is_(None))
    found = session.scalars(other).one_or_none()
    if found is not None and found != own_id:
        raise Conflict(f"There is a territory “{name}” already.", help="Choose another name.", field="name")
    return name


def checked_colour(colour: str) -> str:
    """A colour as #RRGGBB."""
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
        raise Invalid(f"“{colour}” is not a colour.", help="Write it as #RRGGBB.", field="colour")
    return colour.upper()


def check_parent(session: Session, territory_id: UUID, parent_id: UUID | None) -> None:
    """Refuse a territory that would become its own ancestor, and a parent that is not there."""
    checked_parent(session, parent_id)
    if parent_id is not None and (parent_id == territory_id or territory_id in ancestors(session, [parent_id])):
        raise Conflict("A territory cannot lie below itself.", field="parent_id")


def check_tree(session: Session, ids: Iterable[UUID]) -> None:
    """Refuse territories just written that lie below themselves or below one that is taken away; names them."""
    ids = list(ids)
    below, above = aliased(Territory), aliased(Territory)
    loose = (
        select(below.name, above.name)
        .join(above, above.id == below.parent_id)
        .where(below.deleted_at.is_(None), above.deleted_at.is_not(None), or_(below.id.in_(ids), above.id.in_(ids)))
    )
    for name, gone in session.execute(loose):
        raise Conflict(f"“{name}” would lie below “{gone}”, which is taken away.", help="Move it elsewhere first.")
    for row in session.scalars(select(Territory).where(Territory.id.in_(ids), Territory.deleted_at.is_(None))):
        if row.id in ancestors(session, [row.id]):
            raise Conflict(f"“{row.name}” would lie below itself.", help="Move what lies below it elsewhere first.")


def checked_parent(session: Session, parent_id: UUID | None) -> UUID | None:
    """The parent of a new territory; refuses one that is not there."""
    if parent_id is not None:
        parent = session.get(Territory, parent_id)
        if parent is None or parent.deleted_at is not None:
            raise NotFound("There is no such parent territory.")
    return parent_id


def ancestors(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """The sales regions above some territories."""
    found: set[UUID] = set()
    for territory_id in ids:
        row = session.get(Territory, territory_id)
        while row is not None and row.parent_id is not None and row.parent_id not in found:
            found.add(row.parent_id)
            row = session.get(Territory, row.parent_id)
    return found


def set_members(session: Session, territory_id: UUID, user_ids: Sequence[UUID], *, day: date) -> None:
    """From a day to the next one for which people were set, exactly these work the territory."""
    territory = find(session, territory_id)
    members.check_people(session, user_ids)
    members.put(session, territory, members.staffed(members.spans_of(session, territory_id), user_ids, day))
