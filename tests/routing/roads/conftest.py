"""A village that can be checked by hand, a real road process that serves it, and the engines under test."""

import http.client
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import osmium
import pytest

from geo.types import LonLat
from routing.roads import osrm_build, osrm_contract
from routing.roads.combined import Patchwork
from routing.roads.osrm_http import OsrmHttp
from routing.roads.straight import StraightLine
from routing.roads.types import RoadEngine, RoadsUnavailable
from routing.roads.valhalla_http import ValhallaHttp
from tests.routing.roads import valhalla_peer

WEST, EAST = LonLat(9.0, 47.0), LonLat(9.02, 47.0)
"""Ends of Main Street, 1,517 m apart; it may be driven both ways."""
LOOP_TOP = LonLat(9.02, 47.01)
"""Top of a loop that may only be driven from East up and, by a dog-leg, back to West."""
ISLAND = LonLat(9.01, 47.1)
"""On the only road of an island: no bridge, no ferry."""
LAKE = LonLat(9.01, 47.05)
"""4.4 km from any road."""


def write_village(path: Path) -> Path:
    """Main Street (both ways), a one-way loop, and an island with a road of its own."""
    nodes = {1: WEST, 2: LonLat(9.01, 47.0), 3: EAST, 4: LOOP_TOP, 5: LonLat(9.0, 47.01), 6: ISLAND, 7: (9.02, 47.1)}
    ways = {
        1: ([1, 2, 3], {"highway": "residential", "name": "Main Street"}),
        2: ([3, 4, 5, 1], {"highway": "residential", "name": "Loop", "oneway": "yes"}),
        3: ([6, 7], {"highway": "residential", "name": "Island Road"}),
    }
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for number, place in nodes.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=tuple(place), version=1))
        for number, (refs, tags) in ways.items():
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags, version=1))
    return path


@dataclass
class Peer:
    """A running `osrm-routed`."""

    process: subprocess.Popen[str]
    port: int

    def post(self, path: str, body: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        except OSError as error:
            raise RoadsUnavailable("nobody there") from error
        finally:
            connection.close()


def serve(graph: osrm_build.Graph) -> Peer:
    """Start `osrm-routed` on a free port and wait until it says that it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        osrm_build.bundled("bin", "osrm-routed"),
        osrm_build.quoted(graph.base),
        "-a",
        graph.algorithm,
        "-i",
        "127.0.0.1",
    ]
    command += ["-p", str(port), "-t", "1", "--max-table-size", "10000"]
    quiet = {**os.environ, "DISABLE_ACCESS_LOGGING": "1"}
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, env=quiet)
    assert process.stdout is not None
    assert any("running and waiting" in line for line in process.stdout), "osrm-routed did not start"
    return Peer(process, port)


@pytest.fixture(scope="session")
def village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_village(tmp_path_factory.mktemp("village") / "village.osm.pbf")


@pytest.fixture(scope="session")
def graph(village: Path, tmp_path_factory: pytest.TempPathFactory) -> osrm_build.Graph:
    return osrm_build.build(village, tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="session")
def osrm(graph: osrm_build.Graph) -> Iterator[OsrmHttp]:
    peer = serve(graph)
    yield OsrmHttp(graph.key, peer.post)
    peer.process.kill()
    peer.process.wait()


@pytest.fixture(scope="session")
def osrm_by_address(osrm: OsrmHttp) -> OsrmHttp:
    """As servers elsewhere are asked: everything in the address, small tables, short routes."""

    def get(path: str, body: bytes) -> bytes:
        assert body == b""
        connection = http.client.HTTPConnection("127.0.0.1", osrm.post.__self__.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    return replace(osrm, post=get, by_address=True, most_points=7, most_stops=3)


@pytest.fixture(scope="session")
def contracted(graph: osrm_build.Graph) -> Iterator[OsrmHttp]:
    contracted = osrm_contract.contract(graph, limit_s=60)
    peer = serve(contracted)
    yield OsrmHttp(contracted.key, peer.post)
    peer.process.kill()
    peer.process.wait()


@pytest.fixture(scope="session")
def valhalla(village: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValhallaHttp]:
    """A Valhalla server: the real one when WAYMARK_VALHALLA names its folder, else what it answered then."""
    with valhalla_peer.served(village, tmp_path_factory) as post:
        yield ValhallaHttp("valhalla-village", post, most_cells=16, most_stops=5)


@pytest.fixture(params=["straight", "osrm", "osrm_by_address", "contracted", "valhalla", "patchwork"])
def engine(request: pytest.FixtureRequest) -> RoadEngine:
    if request.param == "straight":
        return StraightLine()
    if request.param == "patchwork":
        return Patchwork({"village": request.getfixturevalue("osrm")}, lambda _point: "village")
    return request.getfixturevalue(request.param)
