"""Map packs for measurements, made without a database: a box of an extract, or a made-up town."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from geo.mappack import EXTENT, ZOOMS, PackWriter, TileFeature, encode_tile
from geo.osm.reader import ExtractReader
from geo.osm.records import MapFeature

EXTRACT = Path("../shared/data/osm/heidelberg.osm.pbf")
BOX = (8.66, 49.39, 8.74, 49.43)
"""The old town, Bergheim, the West town and Neuenheim."""
MARGIN = 64


def write(path: Path) -> str:
    """Write a pack for the box; says what it shows."""
    known = EXTRACT.exists()
    features = list(_extract() if known else _made_up())
    meta = {"region": "bench", "name": "bench", "data_date": "", "attribution": "© OpenStreetMap contributors"}
    with PackWriter(path, meta | {"bbox": ",".join(map(str, BOX))}) as pack:
        for index, z in enumerate(ZOOMS):
            deepest = 14 if z == ZOOMS[-1] else ZOOMS[index + 1] - 1
            for (x, y), found in _tiles([f for f in features if f.min_zoom <= deepest], z).items():
                pack.add(z, x, y, encode_tile(found))
    return f"{'Heidelberg' if known else 'a made-up town'}, {len(features)} features"


def _extract() -> Iterator[MapFeature]:
    frame = box(*BOX)
    for record in ExtractReader(EXTRACT):
        if isinstance(record, MapFeature) and record.geometry.intersects(frame):
            yield replace(record, geometry=shapely.clip_by_rect(record.geometry, *BOX))


def _made_up() -> Iterator[MapFeature]:
    """Streets every hundred metres and two houses on each side of every block."""
    dice, (west, south, east, north) = random.Random(5), BOX
    step = 0.001
    for x in np.arange(west, east, step):
        yield MapFeature("road", "residential", f"Street {x:.3f}", 12, LineString([(x, south), (x, north)]))
        for y in np.arange(south, north, step):
            for dx, dy in ((0.1, 0.1), (0.5, 0.1), (0.1, 0.5), (0.5, 0.5)):
                left, low, wide = x + dx * step, y + dy * step, dice.uniform(0.1, 0.3) * step
                yield MapFeature("building", "building", "", 14, box(left, low, left + wide, low + wide))
    for y in np.arange(south, north, step):
        yield MapFeature("road", "footway", "", 14, LineString([(west, y), (east, y)]))
    yield MapFeature("place", "city", "Middletown", 5, Point((west + east) / 2, (south + north) / 2))


def _tiles(features: list[MapFeature], z: int) -> dict[tuple[int, int], list[TileFeature]]:
    """Each feature in the tiles it touches, in their coordinates."""
    tiles: dict[tuple[int, int], list[TileFeature]] = defaultdict(list)
    for feature in features:
        if feature.geometry.is_empty:
            continue
        geometry = shapely.transform(feature.geometry, lambda points: _world(points) * 2**z)
        west, north, east, south = geometry.bounds
        for x in range(int(west), int(east) + 1):
            for y in range(int(north), int(south) + 1):
                part = _inside(geometry, x, y)
                if not part.is_empty:
                    tiles[x, y].append(TileFeature(feature.layer, feature.kind, feature.name, part))
    return tiles


def _inside(geometry: BaseGeometry, x: int, y: int) -> BaseGeometry:
    local = shapely.transform(geometry, lambda points: (points - (x, y)) * EXTENT)
    part = shapely.clip_by_rect(local, -MARGIN, -MARGIN, EXTENT + MARGIN, EXTENT + MARGIN)
    return shapely.simplify(part, 2)


def _world(points: np.ndarray) -> np.ndarray:
    sine = np.sin(np.radians(points[:, 1]))
    return np.stack([points[:, 0] / 360 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)], axis=1)
