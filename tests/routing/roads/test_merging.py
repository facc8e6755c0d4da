"""Two extracts that touch become one whose roads join."""

from pathlib import Path

import osmium
import pytest

from geo.types import LonLat
from routing.roads import merging, osrm_build
from routing.roads.osrm_build import GraphError, Trouble
from routing.roads.osrm_http import OsrmHttp
from tests.routing.roads.conftest import serve

WEST, BORDER, EAST = LonLat(9.0, 47.0), LonLat(9.01, 47.0), LonLat(9.02, 47.0)


def write_half(path: Path, nodes: dict[int, LonLat], way: int, version: int = 1) -> Path:
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for number, place in nodes.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=tuple(place), version=version))
        tags = {"highway": "residential"}
        writer.add_way(osmium.osm.mutable.Way(id=way, nodes=list(nodes), tags=tags, version=version))
    return path


def test_a_drive_crosses_the_border(tmp_path: Path) -> None:
    west = write_half(tmp_path / "west.osm.pbf", {1: WEST, 2: BORDER}, 1)
    east = write_half(tmp_path / "east.osm.pbf", {2: BORDER, 3: EAST}, 2)
    both = merging.merge([west, east], tmp_path / "both.osm.pbf")
    peer = serve(osrm_build.build(both, tmp_path / "graphs"))
    try:
        matrix = OsrmHttp("both", peer.post).matrix([WEST, EAST])
    finally:
        peer.process.kill()
        peer.process.wait()
    assert not matrix.estimated.any()
    assert matrix.metres[0, 1] == pytest.approx(1517, abs=5)


def test_of_what_both_hold_the_newer_one_stays(tmp_path: Path) -> None:
    old = write_half(tmp_path / "old.osm.pbf", {1: WEST, 2: BORDER}, 1)
    new = write_half(tmp_path / "new.osm.pbf", {1: WEST, 2: EAST}, 1, version=2)
    merged = merging.merge([old, new], tmp_path / "both.osm.pbf")
    found = [(o.type_str(), o.id, o.version) for o in osmium.FileProcessor(str(merged))]
    assert found == [("n", 1, 2), ("n", 2, 2), ("w", 1, 2)]


def test_a_broken_extract_leaves_nothing_behind(tmp_path: Path) -> None:
    good = write_half(tmp_path / "good.osm.pbf", {1: WEST, 2: BORDER}, 1)
    bad = tmp_path / "bad.osm.pbf"
    bad.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(GraphError, match=r"bad\.osm\.pbf") as caught:
        merging.merge([good, bad], tmp_path / "both.osm.pbf")
    assert caught.value.trouble is Trouble.BROKEN_EXTRACT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.osm.pbf", "good.osm.pbf"]


def test_the_name_of_a_union_does_not_depend_on_the_order() -> None:
    assert merging.digest_of(["a", "b"]) == merging.digest_of(["b", "a"]) != merging.digest_of(["ab"])
