"""Points in one region, in two that overlap, in two that touch, and in none."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads import osrm_build
from server.kit.errors import Invalid, NotFound
from server.regions.models import Region
from server.roads import graphs, joining, service
from server.roads.models import RoadJoin
from tests.routing.roads.test_merging import BORDER, EAST, WEST, write_half
from tests.server.roads.conftest import make_region

NOWHERE = LonLat(20.0, 20.0)


@pytest.fixture
def west(session: Session, home: Path) -> Region:
    """A street up to the border; the region's box reaches over it."""
    extract = write_half(home / "west.osm.pbf", {1: WEST, 2: BORDER}, 1).read_bytes()
    return make_region(session, "west", extract, bbox=(8.99, 46.9, 9.1, 47.1))


@pytest.fixture
def east(session: Session, home: Path) -> Region:
    """The street's other half, and five kilometres more."""
    far = LonLat(9.09, 47.0)
    extract = write_half(home / "east.osm.pbf", {2: BORDER, 3: EAST, 4: far}, 2).read_bytes()
    return make_region(session, "east", extract, bbox=(9.005, 46.9, 9.2, 47.1))


@pytest.fixture
def both(session: Session, west: Region, east: Region) -> list[Region]:
    for region in (west, east):
        graphs.build_graph(session, region)
    return [west, east]


FAR_WEST, FAR_EAST = WEST, LonLat(9.08, 47.0)


@pytest.mark.usefixtures("both")
def test_points_that_lie_in_two_boxes_are_answered_by_the_region_with_the_roads(
    session: Session, west: Region, east: Region
) -> None:
    points = [LonLat(9.05, 47.0), LonLat(9.06, 47.0)]
    assert service.engine(session, points).key == f"osrm-mld-{east.sha12}-car"
    assert not service.engine(session, points).matrix(points).estimated.any()
    assert service.engine(session, [WEST]).key == f"osrm-mld-{west.sha12}-car"


@pytest.mark.usefixtures("both")
def test_a_drive_from_one_region_into_another_is_an_estimate_with_a_reason(session: Session) -> None:
    points = [FAR_WEST, LonLat(9.005, 47.0), FAR_EAST]
    engine = service.engine(session, points)
    assert engine.matrix(points).estimated.tolist() == [[False, False, True], [False, False, True], [True, True, False]]
    assert service.borders(engine).startswith("Drives between east and west are straight-line estimates")
    assert [leg.estimated for leg in engine.route(points)] == [False, True]


@pytest.mark.usefixtures("both")
def test_joined_regions_answer_across_the_border(session: Session) -> None:
    row = joining.ask_for(session, ["west", "east"])
    joining.note(session, row.key, joining.build(row, joining.regions_of(session, row)))
    assert (row.state, row.algorithm) == ("ready", "CH")
    points = [FAR_WEST, FAR_EAST]
    engine = service.engine(session, points)
    assert not engine.matrix(points).estimated.any()
    assert service.borders(engine) == ""
    assert joining.neighbours(session) == []
    joining.take_apart(session, row.key)
    assert service.engine(session, points).matrix(points).estimated.any()
    assert osrm_build.current(joining.root_of(row)) is None


@pytest.mark.usefixtures("both")
def test_regions_that_touch_are_offered_for_joining(session: Session) -> None:
    assert joining.neighbours(session) == [["east", "west"]]


@pytest.mark.usefixtures("both")
def test_joining_twice_merges_nothing_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    row = joining.ask_for(session, ["west", "east"])
    first = joining.build(row, joining.regions_of(session, row))
    monkeypatch.setattr(joining.merging, "merge", None)
    assert joining.build(row, joining.regions_of(session, row)).graph == first.graph


def test_a_broken_extract_is_written_on_the_joined_graph(session: Session, both: list[Region]) -> None:
    both[1].extract.write_bytes(b"broken")
    row = joining.ask_for(session, ["west", "east"])
    joining.note(session, row.key, joining.build(row, joining.regions_of(session, row)))
    assert (row.state, row.built_at) == ("failed", None)
    assert "cannot be merged" in row.trouble
    assert not list(joining.root_of(row).glob(".merging-*"))


def test_what_cannot_be_joined_is_refused_by_name(session: Session, west: Region, home: Path) -> None:
    make_region(session, "island", b"x", bbox=(14.0, 35.0, 15.0, 36.0))
    with pytest.raises(Invalid, match="west does not touch"):
        joining.ask_for(session, ["island", west.name])
    with pytest.raises(NotFound, match="Atlantis"):
        joining.ask_for(session, ["west", "Atlantis"])
    with pytest.raises(Invalid, match="2 to 10"):
        joining.ask_for(session, ["west"])
    assert session.scalars(select(RoadJoin)).all() == []


@pytest.mark.usefixtures("both")
def test_points_in_no_region_are_estimates(session: Session) -> None:
    assert service.engine(session, [NOWHERE]).key == "straight-1"
    points = [WEST, BORDER, NOWHERE]
    matrix = service.engine(session, points).matrix(points)
    assert matrix.estimated.tolist() == [[False, False, True], [False, False, True], [True, True, True]]


def test_a_contraction_is_written_down_and_given_up_in_time(session: Session, west: Region) -> None:
    row = graphs.build_graph(session, west)
    assert row.contraction == "waiting"
    graphs.note_contraction(session, west, graphs.contract(west, limit_s=0.0001))
    assert row.contraction == "given_up"
    assert "given up" in row.trouble
    assert service.engine(session, [WEST]).key.startswith("osrm-mld")
    graphs.note_contraction(session, west, graphs.contract(west))
    assert (row.contraction, row.algorithm, row.trouble) == ("done", "CH", "")
    assert service.engine(session, [WEST]).key == f"osrm-ch-{west.sha12}-car"


def test_a_damaged_graph_is_estimated_until_it_is_built_again(session: Session, west: Region) -> None:
    graphs.build_graph(session, west)
    graph = graphs.graph_of(west)
    assert graph is not None
    graph.base.with_name("roads.osrm.names").unlink()
    assert "roads.osrm.names" in graphs.damage_of(west)
    assert service.engine(session, [WEST]).key == "straight-1"
    graphs.build_graph(session, west)
    assert service.engine(session, [WEST]).key.startswith("osrm")
