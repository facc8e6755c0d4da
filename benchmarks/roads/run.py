"""What roads cost: building, contracting, big matrices and their memory: `python benchmarks/roads/run.py`.

Everything is measured in CPU seconds of the processes that do the work, in one run, beside the straight line (the least
that a matrix can cost) and, with `--valhalla FOLDER`, beside a Valhalla server on the same extract.
"""

import argparse
import http.client
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import osmium

sys.path.insert(0, str(Path(__file__).parents[2]))

from geo.types import LonLat
from routing.roads import osrm_build, osrm_contract
from routing.roads.osrm_build import Graph
from routing.roads.osrm_http import OsrmHttp
from routing.roads.straight import StraightLine
from routing.roads.types import RoadEngine
from routing.roads.valhalla_http import ValhallaHttp
from server.roads.process import Peer, RoadProcess

TICK = os.sysconf("SC_CLK_TCK")


def places(extract: Path, count: int) -> list[LonLat]:
    """Points of addresses, the same in every run."""
    keys = osmium.filter.KeyFilter("addr:housenumber")
    found = osmium.FileProcessor(str(extract), osmium.osm.NODE).with_filter(keys)
    everyone = [LonLat(node.lon, node.lat) for node in found]
    return random.Random(1).choices(everyone, k=count)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_mb(pid: int) -> float:
    """The most memory that a process has held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def children_s(work: Callable[[], Graph]) -> tuple[Graph, float, float]:
    """The result, CPU seconds and wall seconds of the builders."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    result = work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result, used, time.perf_counter() - started


def matrix(name: str, engine: RoadEngine, points: list[LonLat], pid: int | None, floor_s: float) -> float:
    """Print one matrix's cost; returns its CPU seconds, the peer's and ours."""
    own, peer = time.process_time(), cpu_s(pid) if pid else 0.0
    found = engine.matrix(points)
    ours = time.process_time() - own
    theirs = cpu_s(pid) - peer if pid else 0.0
    share = found.estimated.mean()
    memory = f"{peak_mb(pid):6.0f} MB" if pid else "          "
    print(
        f"{name:<14} {len(points):>5} x {len(points):<5} engine {theirs:6.2f} s  client {ours:6.2f} s  {memory}"
        f"  {(theirs + ours) / max(floor_s, 1e-6):6.1f} x straight line  estimated {share:.1%}"
    )
    return theirs + ours


def main() -> None:
    """Build, contract, ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extract", type=Path, default=Path("../shared/data/osm/malta.osm.pbf"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000])
    parser.add_argument("--valhalla", type=Path, help="folder with valhalla_service and valhalla_build_tiles")
    options = parser.parse_args()
    if not options.extract.exists():
        print(f"skipped: there is no {options.extract}")
        return
    points = places(options.extract, max(options.sizes))
    with tempfile.TemporaryDirectory(prefix="waymark-roads-") as folder, ExitStack() as stack:
        root = Path(folder, "graphs")
        process = RoadProcess(root)
        stack.callback(process.stop)
        graph, used, wall = children_s(lambda: osrm_build.build(options.extract, root))
        size = osrm_build.size_of(graph.folder) / 1e6
        print(f"{options.extract.name}: MLD built in {used:.1f} CPU s ({wall:.1f} s), {size:.0f} MB")
        contracted, used, wall = children_s(lambda: osrm_contract.contract(graph, limit_s=1800))
        print(f"contracted in {used:.1f} CPU s ({wall:.1f} s)")
        seconds: dict[tuple[str, int], float] = {}
        for size in options.sizes:
            some = points[:size]
            floor = matrix("straight line", StraightLine(), some, None, 1)
            for one in (graph, contracted):
                pid = process.ensure(one).pid
                engine = OsrmHttp(one.key, Fixed(process, one).post)
                engine.matrix(some[:2])
                seconds[one.algorithm, size] = matrix(f"OSRM {one.algorithm}", engine, some, pid, floor)
            print(f"MLD / CH: {seconds['MLD', size] / seconds['CH', size]:.1f}")
        legs(OsrmHttp(contracted.key, Fixed(process, contracted).post), points[:41])
        if options.valhalla:
            beside_valhalla(options, stack, Path(folder), process, contracted, points)


class Fixed(Peer):
    """Asks this very graph, although another one is current."""

    def _latest(self) -> Graph:
        return self.graph

    def post(self, path: str, body: bytes) -> bytes:
        """Ask, and leave the other graph's process alone."""
        return self._ask(self.graph, path, body)


def legs(engine: RoadEngine, stops: list[LonLat]) -> None:
    """The geometry of a day's tour."""
    started = time.perf_counter()
    found = engine.route(stops)
    print(f"a tour of {len(found)} legs with geometry: {(time.perf_counter() - started) * 1000:.0f} ms")


def beside_valhalla(
    options: argparse.Namespace,
    stack: ExitStack,
    folder: Path,
    process: RoadProcess,
    graph: Graph,
    points: list[LonLat],
) -> None:
    """The same matrix by Valhalla within the limits it comes with (50 x 50 at a time)."""
    from tests.routing.roads import valhalla_peer

    home = folder / "valhalla"
    home.mkdir()
    port = stack.enter_context(valhalla_peer.real(options.valhalla, options.extract, home))
    pid = next(
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and str(home).encode() in (path / "cmdline").read_bytes()
    )

    def post(path: str, body: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        try:
            connection.request("POST", path, body)
            return connection.getresponse().read()
        finally:
            connection.close()

    some = points[:200]
    floor = matrix("straight line", StraightLine(), some, None, 1)
    engine = OsrmHttp(graph.key, Fixed(process, graph).post)
    ours = matrix("OSRM CH", engine, some, process.ensure(graph).pid, floor)
    theirs = matrix("Valhalla", ValhallaHttp("valhalla", post), some, pid, floor)
    print(f"Valhalla / OSRM CH: {theirs / ours:.1f}")


if __name__ == "__main__":
    main()
