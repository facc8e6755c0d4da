"""A map pack: one SQLite file with the vector tiles of a region."""

import json
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = "waymark-map/1"
EXTENT = 4096
MAX_TILE_BYTES = 16 * 1024 * 1024

POINT, LINE, POLYGON = 0, 1, 2


class BadPack(Exception):
    """The file is not a map this app can read; says which file and why."""


@dataclass(frozen=True)
class Feature:
    """Something on the map, in tile units (0 to 4096, y down)."""

    layer: str
    kind: str
    name: str | None
    type: int
    coords: list[Any]


class MapPack:
    """Reads tiles; opened by the thread that uses it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            meta: dict[str, str] = dict(self._db.execute("select k, v from meta").fetchall())
        except sqlite3.DatabaseError as error:
            raise BadPack(f"{path.name} is not a map: {error}") from error
        if meta.get("format") != FORMAT:
            raise BadPack(f"{path.name} has the format {meta.get('format')!r}, this app reads {FORMAT}")
        self.region = meta.get("region", "")
        self.name = meta.get("name", "")
        self.data_date = meta.get("data_date", "")
        self.attribution = meta.get("attribution", "")
        west, south, east, north = (float(part) for part in meta["bbox"].split(","))
        self.bbox = (west, south, east, north)
        self.zooms = tuple(sorted(int(part) for part in meta["zooms"].split(",")))

    def close(self) -> None:
        self._db.close()

    def zoom_for(self, zoom: float) -> int:
        """The stored zoom that draws a view best: the largest not above it, else the smallest."""
        below = [z for z in self.zooms if z <= zoom + 0.4]
        return below[-1] if below else self.zooms[0]

    def covers(self, lon: float, lat: float) -> bool:
        west, south, east, north = self.bbox
        return west <= lon <= east and south <= lat <= north

    def tile(self, z: int, x: int, y: int) -> list[Feature]:
        """The features of a tile in drawing order; nothing where the pack holds nothing or is damaged."""
        row = self._db.execute("select data from tile where z=? and x=? and y=?", (z, x, y)).fetchone()
        if row is None:
            return []
        try:
            items = json.loads(zlib.decompressobj().decompress(row[0], MAX_TILE_BYTES))
            return [Feature(*item) for item in items]
        except (zlib.error, ValueError, TypeError):
            return []


def open_packs(folder: Path) -> list[MapPack]:
    """Every readable pack of the folder, newest file first."""
    packs: list[MapPack] = []
    for path in sorted(folder.glob("*.wmap"), key=lambda p: p.stat().st_mtime, reverse=True):
        try:
            packs.append(MapPack(path))
        except (BadPack, KeyError, ValueError):
            continue
    return packs
