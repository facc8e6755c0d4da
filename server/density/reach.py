"""Whose market somebody sees: a rep the own territories, a manager also those of the team, those of the same sales
regions that nobody works, and the ground of no territory."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, text, true
from sqlalchemy.orm import Session

from server.accounts.reach import team_and_areas, today_of
from server.auth.access import Scope
from server.auth.roles import Level
from server.density.models import DensityCell
from server.territories import queries as territories
from server.territories.models import Territory

IN_REACH = "(:everywhere or territory_id = any(:territories) or (:nobodys and territory_id is null))"
"""The condition in a statement of text; its values are `Reach.values`."""

_KNOWN = text(
    """
    select c.cell from density_cell c
    where c.cell = any(:cells) and (:everywhere or exists (
        select from density_cell_now
        where geom && ST_Expand(c.geom, 0.3 * (ST_XMax(c.geom) - ST_XMin(c.geom)))
          and resolution = 9 and h3_parent(cell, c.resolution) = c.cell and IN_REACH
    ))
    """.replace("IN_REACH", IN_REACH)
)


@dataclass(frozen=True)
class Reach:
    """The cells that somebody sees."""

    everywhere: bool
    territories: tuple[UUID, ...] = ()
    nobodys: bool = False
    """Also the ground that no territory covers."""

    @property
    def values(self) -> dict[str, Any]:
        """For `IN_REACH`."""
        return {"everywhere": self.everywhere, "territories": list(self.territories), "nobodys": self.nobodys}

    @property
    def is_nothing(self) -> bool:
        """Whether no cell at all is seen."""
        return not (self.everywhere or self.territories or self.nobodys)

    def sees(self, territory_id: UUID | None) -> bool:
        """Whether a cell of that territory, or of none, is seen."""
        return self.everywhere or (self.nobodys if territory_id is None else territory_id in self.territories)

    def holds(self, territory_id: ColumnElement[UUID | None] | None = None) -> ColumnElement[bool]:
        """The same condition on `DensityCell`, or on another column."""
        if self.everywhere:
            return true()
        of = DensityCell.territory_id if territory_id is None else territory_id
        own = of.in_(self.territories)
        return or_(own, of.is_(None)) if self.nobodys else own


def of(session: Session, scope: Scope) -> Reach:
    """What a person sees, by the same levels as accounts; everything while there are no territories."""
    level, today = scope.level("accounts:read"), today_of(scope)
    drawn = session.scalar(select(Territory.id).where(Territory.deleted_at.is_(None)).limit(1))
    if level >= Level.ALL or drawn is None:
        return Reach(everywhere=True)
    if level in (Level.NONE, Level.OWN, Level.TERRITORY):
        own = territories.of_member(scope.user_id, today)
        return Reach(everywhere=False, territories=tuple(sorted(set(session.scalars(own)))))
    _, areas = team_and_areas(scope, today, level)
    return Reach(everywhere=False, territories=tuple(sorted(set(session.scalars(areas)))), nobodys=True)


def known_cells(session: Session, reach: Reach, cells: Collection[int]) -> set[int]:
    """Those of some hexagons in which there is anything that somebody sees; coarse ones by their finest."""
    return set(session.scalars(_KNOWN, {"cells": list(cells), **reach.values})) if cells else set()
