"""What a worker does for roads, each job run twice because a worker may be killed after it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from server.kit.database import transaction
from server.roads import graphs, jobs, joining
from server.roads.models import RoadGraph, RoadJoin
from tests.routing.roads.test_merging import BORDER, EAST, WEST, write_half
from tests.server.roads.conftest import make_region


def waiting(session: Session) -> list[str]:
    return list(session.scalars(text("select task_name from procrastinate_jobs where status = 'todo' order by id")))


@pytest.mark.usefixtures("home")
def test_after_a_build_contraction_waits_and_joined_graphs_are_built_anew(session: Session, home: Path) -> None:
    west = write_half(home / "w.osm.pbf", {1: WEST, 2: BORDER}, 1).read_bytes()
    region = make_region(session, "west", west)
    make_region(session, "east", b"x")
    joining.ask_for(session, ["west", "east"])
    jobs.after_build(session, region)
    jobs.after_build(session, region)
    assert waiting(session) == ["roads.contract", "roads.join"]


@pytest.mark.usefixtures("empty_database")
def test_the_jobs_build_contract_and_join(empty_database: Engine, home: Path) -> None:
    with transaction() as session:
        west = make_region(session, "west", write_half(home / "w.osm.pbf", {1: WEST, 2: BORDER}, 1).read_bytes())
        make_region(session, "east", write_half(home / "e.osm.pbf", {2: BORDER, 3: EAST}, 2).read_bytes())
        joining.ask_for(session, ["west", "east"])
    for _time in range(2):
        jobs.build(region_id=str(west.id))
        jobs.contract(region_id=str(west.id))
        jobs.join(join_key="east+west")
    with transaction() as session:
        row, joined = session.get_one(RoadGraph, west.id), session.get_one(RoadJoin, "east+west")
        assert (row.algorithm, row.contraction) == ("CH", "done")
        assert (joined.state, joined.algorithm) == ("ready", "CH")


@pytest.mark.usefixtures("empty_database")
def test_whoever_needs_settled_roads_contracts_them_or_waits_for_whoever_does(home: Path) -> None:
    with transaction() as session:
        region = make_region(session, "west", write_half(home / "w.osm.pbf", {1: WEST, 2: BORDER}, 1).read_bytes())
        graphs.build_graph(session, region)
    with ThreadPoolExecutor(2) as two:
        for done in [two.submit(jobs.settle) for _ in range(2)]:
            done.result()
    with transaction() as session:
        row = session.get_one(RoadGraph, region.id)
        assert (row.algorithm, row.contraction, row.trouble) == ("CH", "done", "")
    jobs.settle()


@pytest.mark.usefixtures("empty_database")
def test_a_build_that_fails_says_why_on_the_row(empty_database: Engine, home: Path) -> None:
    with transaction() as session:
        region = make_region(session, "west", write_half(home / "w.osm.pbf", {1: WEST, 2: BORDER}, 1).read_bytes())
        graphs.build_graph(session, region)
    graphs.forget_graphs("west")
    region.extract.write_bytes(b"broken")
    jobs.build(region_id=str(region.id))
    with transaction() as session:
        assert "extract.osm.pbf is not a whole" in session.get_one(RoadGraph, region.id).trouble
