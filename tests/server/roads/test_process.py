"""One road process per region and machine: started once, adopted, replaced when killed, never left over."""

import http.client
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from routing.roads import osrm_build, osrm_contract
from routing.roads.osrm_build import Graph
from routing.roads.types import RoadsUnavailable
from server.roads import process as roads_process
from server.roads.process import Peer, RoadProcess, RoadProcessFailed, Running, _is_gone_within
from tests.routing.roads.conftest import write_village

TABLE = b'{"coordinates":[[9,47],[9.02,47]],"annotations":["duration"]}'


@pytest.fixture
def graph(home: Path) -> Graph:
    return osrm_build.build(write_village(home / "v.osm.pbf"), home / "graphs" / "village")


@pytest.fixture
def process(graph: Graph) -> RoadProcess:
    return RoadProcess(graph.folder.parent)


def kill(running: Running) -> None:
    os.kill(running.pid, signal.SIGKILL)
    assert _is_gone_within(running, 10)


def test_the_process_listens_on_loopback_only_and_answers(process: RoadProcess, graph: Graph) -> None:
    running = process.ensure(graph)
    command = Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")
    assert command[command.index(b"--ip") + 1] == b"127.0.0.1"
    assert b'"Ok"' in Peer(process, graph).post("/table/v1/driving", TABLE)


def test_asking_again_adopts_the_running_process(process: RoadProcess, graph: Graph) -> None:
    assert process.ensure(graph) == process.ensure(graph) == RoadProcess(process.root).running()


def test_many_at_once_start_only_one(process: RoadProcess, graph: Graph) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: process.ensure(graph), range(8)))) == 1


def test_another_program_adopts_it_and_it_outlives_the_program_that_started_it(
    process: RoadProcess, graph: Graph
) -> None:
    code = (
        "import sys; from pathlib import Path; from routing.roads import osrm_build;"
        "from server.roads.process import RoadProcess;"
        "root = Path(sys.argv[1]); print(RoadProcess(root).ensure(osrm_build.current(root)).pid)"
    )
    shown = subprocess.run([sys.executable, "-c", code, process.root], capture_output=True, text=True, check=True)
    assert process.ensure(graph).pid == int(shown.stdout)
    assert process.stop()


def test_a_killed_process_is_replaced_while_somebody_asks(process: RoadProcess, graph: Graph) -> None:
    first = process.ensure(graph)
    kill(first)
    assert process.running() is None
    assert b'"Ok"' in Peer(process, graph).post("/table/v1/driving", TABLE)
    assert process.ensure(graph).pid != first.pid


def test_stop_ends_it_and_says_whether_there_was_one(process: RoadProcess, graph: Graph) -> None:
    running = process.ensure(graph)
    assert process.stop()
    assert not running.is_ours()
    assert not process.stop()


def test_a_note_about_a_stranger_harms_nobody(process: RoadProcess, graph: Graph) -> None:
    process.ensure(graph)
    process.stop()
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        process._note(graph.folder.name).write_text(
            f'{{"pid": {sleeper.pid}, "port": 1, "graph": "{graph.folder.name}"}}'
        )
        assert process.running() is None
        assert not process.stop()
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_damaged_note_is_as_good_as_none(process: RoadProcess, graph: Graph) -> None:
    process._note(graph.folder.name).write_text("{")
    assert process.ensure(graph).pid


def test_many_programs_at_once_share_one_process(process: RoadProcess, graph: Graph) -> None:
    code = (
        "import sys; from pathlib import Path; from routing.roads import osrm_build;"
        "from server.roads.process import RoadProcess;"
        "root = Path(sys.argv[1]); print(RoadProcess(root).ensure(osrm_build.current(root)).pid)"
    )
    programs = [
        subprocess.Popen([sys.executable, "-c", code, process.root], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert len({program.communicate()[0] for program in programs}) == 1


def test_a_process_killed_in_the_middle_of_a_request_is_replaced_and_asked_again(
    process: RoadProcess, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = process.ensure(graph)
    asked: list[int] = []
    send = roads_process._post

    def cut_off_once(port: int, path: str, body: bytes, *, timeout_s: float) -> bytes:
        if body != TABLE or asked:
            return send(port, path, body, timeout_s=timeout_s)
        asked.append(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])  # the request is half sent when the process dies
        kill(first)
        try:
            connection.send(body[10:])
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            raise RoadsUnavailable("cut off") from error
        finally:
            connection.close()

    monkeypatch.setattr(roads_process, "_post", cut_off_once)
    assert b'"Ok"' in Peer(process, graph).post("/table/v1/driving", TABLE)
    assert process.ensure(graph).pid != first.pid


def test_a_contracted_graph_takes_over_while_requests_go_on(process: RoadProcess, graph: Graph) -> None:
    old = process.ensure(graph)
    peer = Peer(process, graph)
    with process.asking(graph):
        contracted = osrm_contract.contract(graph, limit_s=60)
        osrm_build.remove_others(process.root, contracted)
        assert b'"Ok"' in peer.post("/table/v1/driving", TABLE)
        assert old.is_ours(), "somebody still waits for its answer"
    assert b'"Ok"' in peer.post("/table/v1/driving", TABLE)
    assert not old.is_ours()
    assert [running.graph for running in process.noted()] == [contracted.folder.name]


def test_a_graph_that_goes_before_its_process_could_start_is_answered_for_by_the_one_in_its_place(
    process: RoadProcess, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure = RoadProcess.ensure

    def too_late(self: RoadProcess, wanted: Graph) -> Running:
        if wanted.folder == graph.folder and graph.folder.is_dir():
            osrm_build.remove_others(process.root, osrm_contract.contract(graph, limit_s=60))
        return ensure(self, wanted)

    monkeypatch.setattr(RoadProcess, "ensure", too_late)
    assert b'"Ok"' in Peer(process, graph).post("/table/v1/driving", TABLE)
    assert [running.graph.endswith(osrm_build.CONTRACTED) for running in process.noted()] == [True]


def test_a_part_that_was_cut_short_is_named(process: RoadProcess, graph: Graph) -> None:
    part = graph.base.with_name("roads.osrm.geometry")
    os.truncate(part, part.stat().st_size // 2)
    with pytest.raises(RoadProcessFailed, match=r"roads\.osrm\.geometry is missing or has another length"):
        process.ensure(graph)


def test_a_damaged_graph_is_reported_with_the_place_of_the_log(process: RoadProcess, graph: Graph) -> None:
    for part in graph.base.parent.iterdir():
        part.unlink()
    with pytest.raises(RoadProcessFailed, match="does not start") as caught:
        process.ensure(graph)
    assert str(process.log_file) in caught.value.help


def test_a_process_of_another_graph_is_not_adopted(process: RoadProcess, graph: Graph) -> None:
    running = process.ensure(graph)
    assert not replace(running, graph="0" * 12 + "-car").serves("0" * 12 + "-car")
