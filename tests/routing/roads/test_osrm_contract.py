"""Contraction changes the speed, never the answers; it is given up in time, and the graph stands meanwhile."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from geo.types import LonLat
from routing.roads import osrm_build, osrm_contract
from routing.roads.osrm_build import GraphError, Trouble
from routing.roads.osrm_http import OsrmHttp

MALTA = Path(__file__).parents[4] / "shared/data/osm/malta.osm.pbf"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_contracted_graph_is_current_and_leaves_the_first_as_it_was(village: Path, tmp_path: Path) -> None:
    graph = osrm_build.build(village, tmp_path)
    before = bytes_of(graph.folder)
    contracted = osrm_contract.contract(graph, limit_s=60)
    assert contracted.key == graph.key.replace("mld", "ch")
    assert osrm_build.current(tmp_path) == contracted
    assert bytes_of(graph.folder) == before
    assert osrm_build.read(graph.folder) == graph


def test_contracting_twice_and_building_again_run_no_builder(
    village: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracted = osrm_contract.contract(osrm_build.build(village, tmp_path), limit_s=60)
    monkeypatch.setattr(osrm_contract.subprocess, "run", None)
    assert osrm_contract.contract(contracted, limit_s=60) == contracted
    assert osrm_build.build(village, tmp_path) == contracted


def test_both_give_the_same_numbers(osrm: OsrmHttp, contracted: OsrmHttp) -> None:
    places = [LonLat(random.Random(k).uniform(9, 9.02), random.Random(-k).uniform(46.999, 47.011)) for k in range(40)]
    one, other = osrm.matrix(places), contracted.matrix(places)
    assert np.array_equal(one.seconds, other.seconds)
    assert abs(one.metres - other.metres).max() <= 1
    assert [leg.seconds for leg in osrm.route(places)] == [leg.seconds for leg in contracted.route(places)]


def test_what_takes_too_long_is_given_up_and_leaves_nothing_behind(village: Path, tmp_path: Path) -> None:
    graph = osrm_build.build(village, tmp_path)
    with pytest.raises(GraphError, match="given up") as caught:
        osrm_contract.contract(graph, limit_s=0.0001)
    assert caught.value.trouble is Trouble.TOO_LONG
    assert osrm_build.current(tmp_path) == graph
    assert sorted(os.listdir(tmp_path)) == [graph.folder.name, "current"]


def test_without_hard_links_files_are_copied(village: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_paths: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refused)
    assert osrm_contract.contract(osrm_build.build(village, tmp_path), limit_s=60).folder.is_dir()


def test_a_damaged_graph_is_as_good_as_none_and_says_what_is_wrong(village: Path, tmp_path: Path) -> None:
    graph = osrm_build.build(village, tmp_path)
    assert osrm_build.damage(graph.folder) == ""
    part = graph.base.with_name("roads.osrm.geometry")
    part.write_bytes(part.read_bytes()[:-1])
    assert "mld/roads.osrm.geometry" in osrm_build.damage(graph.folder)
    assert osrm_build.current(tmp_path) is None
    assert osrm_build.build(village, tmp_path) == graph
    assert osrm_build.damage(graph.folder) == ""
