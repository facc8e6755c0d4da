"""The phone's map: one SQLite file of vector tiles that needs no library beyond zlib and JSON to be drawn.

Format `waymark-map/1`: table `meta(k, v)` and table `tile(z, x, y, data)` in Web Mercator XYZ addressing. `data` is
zlib of a JSON list of `[layer, kind, name or null, type, coordinates]` in drawing order; type 0 is a point `[x, y]`,
1 a line `[x, y, x, y, ...]`, 2 a polygon `[[ring], [hole], ...]` of flat rings; coordinates are integers, 0 to 4096
across the tile, y down, a little more beyond its edges.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry, BaseMultipartGeometry

FORMAT = "waymark-map/1"
LAYERS = ("landuse", "water", "building", "road", "rail", "boundary", "place")
"""In drawing order."""
ZOOMS = (8, 10, 12, 14)
"""The zooms that are stored; what lies between is drawn from the zoom below."""
EXTENT = 4096
"""Width and height of a tile in its own coordinates."""

_ORDER = {layer: rank for rank, layer in enumerate(LAYERS)}


class TileFeature(NamedTuple):
    """A thing in one tile."""

    layer: str
    """One of `LAYERS`."""
    kind: str
    name: str
    """Label, may be empty."""
    geometry: BaseGeometry
    """In tile coordinates."""


def encode_tile(features: Iterable[TileFeature]) -> bytes:
    """Return the `data` of a tile: its features in drawing order, multi-part geometries taken apart.

    Raises
    ------
    KeyError
        For a layer that is not in `LAYERS`.
    """
    ordered = sorted(features, key=lambda feature: _ORDER[feature.layer])
    rows = [
        [feature.layer, feature.kind, feature.name or None, kind, coordinates]
        for feature in ordered
        for kind, coordinates in _parts(feature.geometry)
    ]
    return zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(), 9)


class PackWriter:
    """Writes a map pack next to its final place and moves it there when complete: readers see all of it or none.

    Parameters
    ----------
    path
        The pack; an older one is replaced at the very end.
    meta
        `region`, `name`, `data_date`, `attribution` and `bbox` (`w,s,e,n`).

    Examples
    --------
    >>> with PackWriter(Path("demo.wmap"), {"name": "Demo"}) as pack:  # doctest: +SKIP
    ...     pack.add(8, 134, 89, encode_tile([]))
    """

    def __init__(self, path: Path, meta: Mapping[str, str]) -> None:
        self._path = path
        self._unfinished = path.with_name(path.name + ".part")
        self._unfinished.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._unfinished)
        self._connection.executescript(
            "pragma journal_mode=off; pragma page_size=4096;"
            "create table meta(k text primary key, v text) without rowid;"
            "create table tile(z int, x int, y int, data blob, primary key(z, x, y)) without rowid;"
        )
        rows = {"format": FORMAT, "zooms": ",".join(map(str, ZOOMS)), **meta}
        self._connection.executemany("insert into meta values (?, ?)", sorted(rows.items()))

    def add(self, z: int, x: int, y: int, data: bytes) -> None:
        """Put a tile in."""
        self._connection.execute("insert into tile values (?, ?, ?, ?)", (z, x, y, data))

    def __enter__(self) -> "PackWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._connection.commit()
            self._connection.execute("vacuum")
            self._connection.close()
            self._unfinished.replace(self._path)
        else:
            self._connection.close()
            self._unfinished.unlink(missing_ok=True)


def _parts(geometry: BaseGeometry) -> Iterator[tuple[int, object]]:
    """Yield type and coordinates of every simple part."""
    if isinstance(geometry, BaseMultipartGeometry):
        for part in geometry.geoms:
            yield from _parts(part)
    elif geometry.is_empty:
        return
    elif isinstance(geometry, Point):
        yield 0, _flat(geometry)
    elif isinstance(geometry, LineString):
        yield 1, _flat(geometry)
    elif isinstance(geometry, Polygon):
        yield 2, [_flat(ring) for ring in (geometry.exterior, *geometry.interiors)]


def _flat(geometry: BaseGeometry) -> list[int]:
    flat: list[int] = shapely.get_coordinates(geometry).round().astype(int).ravel().tolist()
    return flat
