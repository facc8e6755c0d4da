"""Graphs are whole or not there, and a failure says what is wrong with which file."""

import os
import resource
import shutil
from pathlib import Path
from types import SimpleNamespace

import osmium
import pytest

from routing.roads import osrm_build
from routing.roads.osrm_build import GraphError, Trouble


def test_a_graph_is_named_by_its_extract_and_is_current(village: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    graph = osrm_build.build(village, tmp_path, progress=steps.append)
    assert steps == ["extract", "partition", "customize"]
    assert graph.folder.name == f"{graph.extract_sha256[:12]}-car"
    assert osrm_build.current(tmp_path) == graph
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [graph.folder.name, "current"]


def test_building_the_same_extract_again_runs_no_builder(village: Path, tmp_path: Path) -> None:
    first = osrm_build.build(village, tmp_path)
    steps: list[str] = []
    assert osrm_build.build(village, tmp_path, progress=steps.append) == first
    assert steps == []


def test_a_half_written_folder_in_the_way_is_replaced(village: Path, tmp_path: Path) -> None:
    graph = osrm_build.build(village, tmp_path)
    (graph.folder / "manifest.json").unlink()
    assert osrm_build.current(tmp_path) is None
    assert osrm_build.build(village, tmp_path) == graph


def test_a_new_extract_becomes_current_and_the_old_graph_can_go(village: Path, tmp_path: Path) -> None:
    old = osrm_build.build(village, tmp_path)
    new = osrm_build.build(village, tmp_path, profile="bicycle")
    assert osrm_build.current(tmp_path) == new
    osrm_build.remove_others(tmp_path, new)
    assert not old.folder.exists()
    assert osrm_build.current(tmp_path) == new


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_a_broken_extract_is_named_and_leaves_nothing_behind(
    village: Path, tmp_path: Path, content: bytes | None
) -> None:
    good = osrm_build.build(village, tmp_path / "graphs")
    bad = tmp_path / "bad.osm.pbf"
    bad.write_bytes(village.read_bytes()[:-20] if content is None else content)
    with pytest.raises(GraphError, match=r"bad\.osm\.pbf") as caught:
        osrm_build.build(bad, tmp_path / "graphs")
    assert caught.value.trouble is Trouble.BROKEN_EXTRACT
    assert osrm_build.current(tmp_path / "graphs") == good
    assert len(os.listdir(tmp_path / "graphs")) == 2


def test_an_extract_without_roads_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    empty = tmp_path / "sea.osm.pbf"
    with osmium.SimpleWriter(str(empty)) as writer:
        writer.add_node(osmium.osm.mutable.Node(id=1, location=(9.0, 47.0), version=1))
    with pytest.raises(GraphError, match="holds no roads") as caught:
        osrm_build.build(empty, tmp_path / "graphs")
    assert caught.value.trouble is Trouble.NO_ROADS


def test_too_little_room_is_noticed_before_the_work(
    village: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_000_000))
    with pytest.raises(GraphError, match="needs about 64 MB") as caught:
        osrm_build.build(village, tmp_path)
    assert caught.value.trouble is Trouble.DISK_FULL


def test_a_disk_that_fills_up_while_building_leaves_nothing_behind(village: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        with pytest.raises(GraphError) as caught:
            osrm_build.build(village, tmp_path / "graphs")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.trouble is Trouble.DISK_FULL
    assert os.listdir(tmp_path / "graphs") == []


def test_a_missing_extract_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        osrm_build.build(tmp_path / "nowhere.osm.pbf", tmp_path / "graphs")


def test_spaces_and_quotes_in_paths_do_no_harm(village: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" & c'
    folder.mkdir()
    extract = shutil.copy(village, folder / "the village.osm.pbf")
    assert osrm_build.build(Path(extract), folder / "my graphs").folder.is_dir()
