"""Drafts: how some territories shall be after a change, and what was known of them when it was drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from shapely.geometry import MultiPolygon
from sqlalchemy.orm import Session

from geo import territories as shapes
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.territories import queries
from server.territories import service as territories
from server.territories.members import Span
from server.territories.models import Territory


@dataclass(frozen=True)
class Draft:
    """A territory as it shall be."""

    id: UUID
    name: str
    colour: str
    parent_id: UUID | None
    area: MultiPolygon | None
    """None: it is taken away."""
    is_new: bool = False
    rev: int | None = None
    """Revision that its author saw; None: whichever there is."""
    people: tuple[Span, ...] | None = None
    """Who works it, worked and will work it; None: that stays."""


@dataclass(frozen=True)
class Change:
    """Drafts that belong together, and what their author should know."""

    kind: str
    drafts: tuple[Draft, ...]
    notes: tuple[str, ...] = ()
    """What was mended on the way, in words."""
    asked: frozenset[UUID] = field(default=frozenset())
    """Territories that the author had in hand; the others only give way."""
    wish: dict[str, Any] | None = None
    """What was asked for, where a version that came too late is asked for once more and not laid over what is there."""

    @property
    def moves_ground(self) -> bool:
        """Whether accounts can change territory by it; by a change of people alone they do not."""
        return self.kind != "members"


def area_of(row: Territory) -> MultiPolygon:
    """The stored area of a territory."""
    return shapes.polygons(to_shape(row.area))


def draft_of(row: Territory, area: MultiPolygon | None, *, rev: int | None = None, name: str | None = None) -> Draft:
    """A territory with another area, or none."""
    if area is not None and area.is_empty:
        raise Invalid(
            f"Nothing would be left of “{row.name}”.", help="Take the territory away, or give less of it.", field="area"
        )
    return Draft(row.id, name or row.name, row.colour, row.parent_id, area, rev=rev)


def new(
    session: Session, name: str, area: MultiPolygon, *, colour: str | None = None, parent_id: UUID | None = None,
    id: UUID | None = None, taken: Sequence[str] = (),
) -> Draft:  # fmt: skip
    """A territory that is not there yet; refuses a name or colour that cannot be, and a parent that is not there."""
    return Draft(
        id or uuid7(),
        territories.checked_name(session, name, None),
        territories.checked_colour(colour) if colour else territories.next_colour(session, taken),
        territories.checked_parent(session, parent_id),
        area,
        is_new=True,
    )


def worked(session: Session) -> list[tuple[Territory, MultiPolygon]]:
    """The ground that somebody has in hand: territories that nothing lies below, and what a sales region with people of
    its own keeps beside those below it.
    """
    found = [(row, area_of(row)) for row in queries.leaves(session)]
    regions = queries.worked_regions(session, clock.today(settings().zone))
    if regions:
        above = {row.id: territories.ancestors(session, [row.id]) for row, _ in found}
        for row in regions:
            inside = [area for leaf, area in found if row.id in above.get(leaf.id, ())]
            own = shapes.without(area_of(row), shapes.together(inside))
            if not own.is_empty:
                found.append((row, own))
    return found


def giving_way(
    session: Session, ground: MultiPolygon, *, but: Sequence[UUID], parent_id: UUID | None = None
) -> list[Draft]:
    """The other territories that are worked, without some ground; those that would vanish are refused by name."""
    above = territories.ancestors(session, but)
    found = []
    for row, own in worked(session):
        if row.id in but or row.id in above or row.id == parent_id:
            continue
        if own.intersects(ground) and shapes.square_km(own.intersection(ground)) > 1e-6:
            found.append(draft_of(row, shapes.without(area_of(row), ground)))
    return found
