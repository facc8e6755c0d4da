"""Which engine answers, and what happens to graphs."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads import osrm_build
from server.regions.models import Region
from server.roads import graphs, service
from server.roads.models import RoadGraph
from server.roads.process import RoadProcess
from tests.routing.roads.conftest import EAST, WEST
from tests.server.roads.conftest import make_region


def test_without_a_region_the_straight_line_answers_and_says_so(session: Session, home: Path) -> None:
    engine = service.engine(session, [WEST, EAST])
    assert engine.key == "straight-1"
    assert engine.matrix([WEST, EAST]).estimated.all()


def test_a_region_without_a_graph_is_answered_by_the_straight_line(session: Session, region: Region) -> None:
    assert service.engine(session, [WEST]).key == "straight-1"


def test_a_built_graph_answers_for_its_region(session: Session, region: Region) -> None:
    row = graphs.build_graph(session, region)
    assert row.folder == f"Village-the/{region.sha12}-car"
    engine = service.engine(session, [WEST, EAST])
    assert engine.key == f"osrm-mld-{region.sha12}-car"
    assert not engine.matrix([WEST, EAST]).estimated.any()


def test_building_twice_leaves_one_graph_and_one_row(session: Session, region: Region) -> None:
    first = graphs.build_graph(session, region).built_at
    steps: list[str] = []
    assert graphs.build_graph(session, region, progress=steps.append).built_at >= first
    assert steps == []
    assert session.query(RoadGraph).count() == 1


def test_points_mostly_elsewhere_are_answered_by_the_region_that_covers_most(session: Session, region: Region) -> None:
    graphs.build_graph(session, region)
    assert service.engine(session, [LonLat(0, 0)]).key == "straight-1"
    matrix = service.engine(session, [WEST, EAST, LonLat(0, 0)]).matrix([WEST, EAST, LonLat(0, 0)])
    assert matrix.estimated.tolist() == [[False, False, True], [False, False, True], [True, True, True]]


def test_a_broken_extract_keeps_the_old_graph_and_names_the_remedy(session: Session, region: Region) -> None:
    graphs.build_graph(session, region)
    region.state = "building"
    session.flush()
    newer = make_region(session, region.name, b"broken")
    with pytest.raises(graphs.GraphNotBuilt, match=r"extract\.osm\.pbf") as caught:
        graphs.build_graph(session, newer)
    assert caught.value.help
    assert service.engine(session, [WEST]).key == f"osrm-mld-{region.sha12}-car"


def test_a_newer_extract_takes_over_and_its_process_replaces_the_old_one(session: Session, region: Region) -> None:
    graphs.build_graph(session, region)
    service.engine(session, [WEST, EAST]).matrix([WEST, EAST])
    process = RoadProcess(graphs.graphs_root(region))
    old = process.running()
    extract = region.extract.read_bytes()
    region.state = "building"
    session.flush()
    newer = make_region(session, region.name, extract, sha256="f" * 64)
    graphs.build_graph(session, newer)
    assert service.engine(session, [WEST, EAST]).route([WEST, EAST])[0].estimated is False
    new = process.running()
    assert old is not None
    assert new is not None
    assert new.graph == "ffffffffffff-car"
    assert not old.is_ours()
    assert osrm_build.read(graphs.graphs_root(region) / f"{region.sha12}-car") is None


def test_the_old_graph_serves_until_the_newer_extract_is_in_service(session: Session, region: Region) -> None:
    """It was deleted as soon as the new one stood; a build that was killed then left another extract's roads."""
    graphs.build_graph(session, region)
    root = graphs.graphs_root(region)
    newer = make_region(session, "Village", region.extract.read_bytes(), sha256="f" * 64)
    newer.state, newer.name = "building", region.name
    session.flush()
    graphs.build_graph(session, newer)
    old, new = root / f"{region.sha12}-car", root / "ffffffffffff-car"
    assert osrm_build.current(root) == osrm_build.read(old)
    assert service.engine(session, [WEST]).key == f"osrm-mld-{region.sha12}-car"
    assert graphs.contract(region).state == "done"
    assert osrm_build.read(new) is not None, "contracting the old one leaves it"
    region.state = "building"
    session.flush()
    newer.state = "ready"
    session.flush()
    graphs.serve(newer)
    assert osrm_build.current(root) == osrm_build.read(new)
    assert sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.is_symlink()) == [new.name]
