"""Density as a smooth surface: tiles of pictures, made from the hexagons around, whatever the number of firms."""

import io
import math
from collections.abc import Sequence
from enum import StrEnum

import h3
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy.orm import Session

from geo.density import kernel_surface
from geo.types import LonLat
from server.density.counting import FINEST
from server.density.ground import seen_cells
from server.density.ground import values as ground_of
from server.density.queries import resolution_at
from server.density.reach import Reach
from server.kit.layers import WORLD_M
from server.kit.tiles import Tile

BANDWIDTHS_M = (500, 1000, 2000, 5000)
LADDER = (0.3, 1, 3, 10, 30, 100)
"""Lower bounds of the classes, firms per km²; below the first nothing is drawn."""
RAMPS = {
    "light": ("#FFFFCC", "#C7E9B4", "#7FCDBB", "#41B6C4", "#2C7FB8", "#253494"),
    "dark": ("#440154", "#414487", "#2A788E", "#22A884", "#7AD151", "#FDE725"),
}
"""YlGnBu and viridis: safe for colour-blind people."""
SIDE = 256
OPACITY = 165


class Of(StrEnum):
    """Whose density."""

    PROSPECTS = "prospects"
    CUSTOMERS = "customers"


_WEIGHTS = seen_cells(
    """
    select ST_X(place), ST_Y(place), weight
    from (
        select ST_Transform(ST_Centroid(geom), 4326) as place,
               case :of when 'customers' then customers::float8 else prospects::float8 end as weight
        from (SEEN_CELLS) seen
    ) cells
    where weight > 0
    """,
    "c.geom && ST_Expand(ST_TileEnvelope(:z, :x, :y), :margin) and c.resolution = :resolution",
)


def reach_m(zoom: int, bandwidth_m: float) -> tuple[int, float]:
    """The resolution from which a zoom is drawn, and the bandwidth that this allows: never finer than the hexagons."""
    resolution = min(FINEST, resolution_at(zoom) + 1)
    spacing = h3.average_hexagon_edge_length(resolution, unit="m") * math.sqrt(3)
    return resolution, max(bandwidth_m, 1.2 * spacing)


def picture(session: Session, reach: Reach, tile: Tile, *, of: Of, bandwidth_m: float, dark: bool = False) -> bytes:
    """A tile as PNG: the quartic kernel over the firms of the hexagons around, in classes per km².

    Customers whose place is unsure are spread over the hexagons in which they may lie, so they weigh by their
    uncertainty.
    """
    resolution, bandwidth = reach_m(tile.z, bandwidth_m)
    tile_m = WORLD_M / 2**tile.z
    centre = math.atan(math.sinh(math.pi * (1 - 2 * (tile.y + 0.5) / 2**tile.z)))
    margin = (bandwidth + h3.average_hexagon_edge_length(resolution, unit="m") * 2) / max(0.05, math.cos(centre))
    asked = {**tile._asdict(), "of": of.value, "margin": margin, "resolution": resolution, **ground_of(reach)}
    rows = session.execute(_WEIGHTS[reach.everywhere], asked).all()
    classes = np.zeros((SIDE, SIDE), np.uint8)
    if rows:
        cell_m = max(tile_m * math.cos(centre) / 64, bandwidth / 10)
        points = [LonLat(lon, lat) for lon, lat, _ in rows]
        surface = kernel_surface(points, bandwidth, weights=[row[2] for row in rows], cell_m=cell_m)
        classes = np.digitize(surface.many_at(*_pixels(tile)), LADDER).astype(np.uint8)
    return _png(classes, RAMPS["dark" if dark else "light"])


def _pixels(tile: Tile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of all pixels of the tile, as `Surface.many_at` takes them."""
    steps = (np.arange(SIDE) + 0.5) / SIDE
    lon = (tile.x + steps) / 2**tile.z * 360 - 180
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (tile.y + steps) / 2**tile.z))))
    lons, lats = np.meshgrid(lon, lat)
    return lons, lats


def _png(classes: NDArray[np.uint8], ramp: Sequence[str]) -> bytes:
    """Classes as a picture with a palette, class 0 transparent."""
    image = Image.fromarray(classes, mode="P")
    colours = [0, 0, 0] + [int(colour[at : at + 2], 16) for colour in ramp for at in (1, 3, 5)]
    image.putpalette(colours)
    out = io.BytesIO()
    image.save(out, "PNG", transparency=bytes([0] + [OPACITY] * len(ramp)), optimize=False)
    return out.getvalue()
