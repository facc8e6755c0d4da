"""The map pack: what is written can be read back with nothing but the standard library."""

import json
import sqlite3
import zlib
from pathlib import Path

import pytest
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box

from geo.mappack import FORMAT, PackWriter, TileFeature, encode_tile


def _decode(data: bytes) -> list[list[object]]:
    rows: list[list[object]] = json.loads(zlib.decompress(data))
    return rows


def test_a_tile_holds_its_features_in_drawing_order_as_integers() -> None:
    ring = Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(10, 10), (20, 10), (20, 20)]])
    tile = encode_tile(
        [
            TileFeature("place", "town", "Città", Point(7.4, 8.6)),
            TileFeature("road", "primary", "", LineString([(0, 0), (4096, 10)])),
            TileFeature("landuse", "forest", "", ring),
        ]
    )
    landuse, road, place = _decode(tile)
    assert place == ["place", "town", "Città", 0, [7, 9]]
    assert road == ["road", "primary", None, 1, [0, 0, 4096, 10]]
    assert landuse[:4] == ["landuse", "forest", None, 2]
    assert isinstance(landuse[4], list)
    assert [len(ring) for ring in landuse[4]] == [10, 8]


def test_parts_of_a_multipart_feature_stand_alone() -> None:
    tile = _decode(encode_tile([TileFeature("place", "town", "A", MultiPoint([(1, 2), (3, 4)]))]))
    assert [row[4] for row in tile] == [[1, 2], [3, 4]]


def test_a_pack_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "demo.wmap"
    data = encode_tile([TileFeature("water", "lake", "", box(0, 0, 10, 10))])
    with PackWriter(path, {"name": "Demo", "bbox": "9,47,10,48"}) as pack:
        pack.add(8, 1, 2, data)
    with sqlite3.connect(path) as connection:
        meta = dict(connection.execute("select k, v from meta").fetchall())
        assert connection.execute("select data from tile where z=8 and x=1 and y=2").fetchone() == (data,)
    assert meta == {"format": FORMAT, "zooms": "8,10,12,14", "name": "Demo", "bbox": "9,47,10,48"}


def test_a_pack_that_breaks_off_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "demo.wmap"
    path.write_bytes(b"old")
    with pytest.raises(sqlite3.IntegrityError):
        _write_twice(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def _write_twice(path: Path) -> None:
    with PackWriter(path, {}) as pack:
        pack.add(8, 1, 2, b"")
        pack.add(8, 1, 2, b"")
