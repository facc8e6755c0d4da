"""A small map pack over Vaduz, made for tests: a river, a wood, a few streets and names."""

import json
import math
import sqlite3
import zlib
from pathlib import Path

BBOX = (9.45, 47.05, 9.63, 47.27)
ZOOMS = (8, 10, 12, 14)
ATTRIBUTION = "© OpenStreetMap contributors"


def tile_of(lon: float, lat: float, z: int) -> tuple[float, float]:
    y = 0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)
    return (lon / 360 + 0.5) * 2**z, y * 2**z


def make_pack(path: Path, **changes: str) -> Path:
    """Write the pack; changes replace entries of its meta table."""
    db = sqlite3.connect(path)
    db.execute("create table meta(k text primary key, v text)")
    db.execute("create table tile(z int, x int, y int, data blob, primary key(z,x,y)) without rowid")
    meta = {
        "format": "waymark-map/1", "region": "r1", "name": "Testland", "data_date": "2026-01-01",
        "attribution": ATTRIBUTION, "bbox": ",".join(map(str, BBOX)), "zooms": ",".join(map(str, ZOOMS)),
    } | changes  # fmt: skip
    db.executemany("insert into meta values(?,?)", meta.items())
    features = [
        [
            "landuse",
            "forest",
            None,
            2,
            [[2048, 0, 4096, 0, 4096, 4096, 2048, 4096], [3000, 1000, 3500, 1000, 3500, 1500]],
        ],
        ["water", "river", "Rhein", 1, [300, -50, 400, 2000, 300, 4150]],
        ["building", "building", None, 2, [[1000, 1000, 1100, 1000, 1100, 1100, 1000, 1100]]],
        ["road", "primary", "Landstrasse", 1, [0, 2000, 1500, 2100, 4096, 2000]],
        ["road", "residential", "Städtle", 1, [1500, 0, 1500, 4096]],
        ["boundary", "admin_2", None, 1, [100, 0, 100, 4096]],
        ["place", "town", "Vaduz", 0, [1800, 1800]],
    ]
    for z in ZOOMS:
        west, north = tile_of(BBOX[0], BBOX[3], z)
        east, south = tile_of(BBOX[2], BBOX[1], z)
        for x in range(int(west), int(east) + 1):
            for y in range(int(north), int(south) + 1):
                db.execute("insert into tile values(?,?,?,?)", (z, x, y, zlib.compress(json.dumps(features).encode())))
    db.commit()
    db.close()
    return path
