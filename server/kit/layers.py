"""A layer of points in a vector tile, in one statement: each drawn for itself, or counted in the cells of a grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, func, literal, select
from sqlalchemy.orm import Session

from server.kit.tiles import Tile

CELLS = 16
"""Clusters along the side of a tile."""
EXTENT = 4096
BUFFER = 64
WORLD_M = 40_075_016.68557849

type Totals = Callable[[Any], Sequence[Label[Any]]]
"""From the columns of the points in a cell to what is told of the cell."""


@dataclass(frozen=True)
class Layer:
    """Where a layer is drawn, and from which column its points come."""

    name: str
    at: Tile
    pin: Any
    single_from_zoom: int = 9
    """Below this zoom points are drawn as clusters."""

    @property
    def is_clustered(self) -> bool:
        """Whether the points are counted rather than drawn."""
        return self.at.z < self.single_from_zoom

    @property
    def box(self) -> ColumnElement[Any]:
        """The tile in Web Mercator."""
        return func.ST_TileEnvelope(self.at.z, self.at.x, self.at.y)

    def inside(self, statement: Select[Any]) -> Select[Any]:
        """What lies in the tile; single points also a little beside it, so that symbols are not cut."""
        margin_m = WORLD_M / 2**self.at.z * BUFFER / EXTENT
        reach = func.ST_Transform(self.box if self.is_clustered else func.ST_Expand(self.box, margin_m), 4326)
        # The poles have no place in Web Mercator; a pin there would make the projection fail.
        return statement.where(self.pin.op("&&")(reach), func.ST_Y(self.pin).between(-85.06, 85.06))

    def singles(self, inside: Select[Any], *columns: Any) -> Select[Any]:
        """One feature for each row."""
        return inside.with_only_columns(self.drawn(func.ST_Transform(self.pin, 3857)), *columns)

    def clusters(self, inside: Select[Any], *carried: Label[Any], totals: Totals = lambda points: ()) -> Select[Any]:
        """One feature for each occupied cell of the tile's grid, with its count and totals over what is carried."""
        cell_m = literal(WORLD_M / 2**self.at.z / CELLS)
        point = func.ST_Transform(self.pin, 3857)
        points = inside.with_only_columns(
            point.label("point"),
            *carried,
            func.floor(func.ST_X(point) / cell_m).label("column"),
            func.floor(func.ST_Y(point) / cell_m).label("row"),
        ).subquery("points")
        centre = func.ST_Centroid(func.ST_Collect(points.c.point))
        told = select(self.drawn(centre), func.count().label("count"), *totals(points.c))
        return told.group_by(points.c.column, points.c.row)

    def encoded(self, session: Session, rows: Select[Any]) -> bytes:
        """The layer as a Mapbox vector tile."""
        layer = rows.subquery(self.name)
        tile = func.ST_AsMVT(layer.table_valued(), self.name, EXTENT, "geom")
        return bytes(session.execute(select(tile).where(layer.c.geom.is_not(None))).scalar_one() or b"")

    def drawn(self, point: Any) -> Label[Any]:
        """A point of Web Mercator in the tile's own units."""
        return func.ST_AsMVTGeom(point, self.box, EXTENT, BUFFER, True).label("geom")
