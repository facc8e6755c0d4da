"""The road process of a region on this machine: one `osrm-routed` on a loopback port, shared by web and workers.

Whoever needs it first starts it; everybody else adopts it through a note beside the graph. It lives on after the
program that started it, until `waymark roads stop`, or until a newer graph has taken its place and nobody waits for
an answer of the older one any more. A note names a process; that the process really serves the graph is asked of
itself each time, because every answer of it repeats the graph's name.
"""

import contextlib
import fcntl
import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from routing.roads import osrm_build
from routing.roads.osrm_build import Graph
from routing.roads.types import RoadsUnavailable
from server.kit.errors import Unavailable

log = logging.getLogger("waymark.roads")

SECONDS_TO_START = 60
SECONDS_TO_STOP = 10
_SECONDS_TO_ANSWER = 300
_MOST_POINTS = 20_000
_MOST_STOPS = 2_000


class RoadProcessFailed(Unavailable, RoadsUnavailable):
    """The road process of a graph does not run and could not be started."""

    code = "roads_unavailable"


@dataclass(frozen=True)
class Running:
    """A road process as its note describes it."""

    pid: int
    """Process number on this machine."""
    port: int
    """Loopback port."""
    graph: str
    """Name of the graph's folder."""

    def serves(self, graph: str) -> bool:
        """Whether the process answers for this very graph."""
        if graph != self.graph:
            return False
        try:
            answer = json.loads(_post(self.port, "/table/v1/driving", b'{"coordinates":[[0,0],[0,0]]}', timeout_s=5))
        except (RoadsUnavailable, ValueError):
            return False
        return isinstance(answer, dict) and answer.get("data_version") == graph.removesuffix(osrm_build.CONTRACTED)

    def is_ours(self) -> bool:
        """Whether the number still belongs to a road process of this graph, not to a later stranger."""
        command = _command_of(self.pid)
        return "osrm-routed" in command and f"/{self.graph}/" in command


@dataclass(frozen=True)
class RoadProcess:
    """The road process of a region on this machine, running or not.

    While a newer graph takes over there are two for a moment: the older one ends when its last request is answered.
    """

    root: Path
    """Folder of the region's graphs."""

    @property
    def log_file(self) -> Path:
        """What the process said last."""
        return self.root / f"process-{socket.gethostname()}.log"

    def _note(self, graph: str) -> Path:
        return self.root / f"process-{socket.gethostname()}-{graph}.json"

    def noted(self) -> list[Running]:
        """What the notes say; the processes may be gone."""
        found = map(_read_note, sorted(self.root.glob(f"process-{socket.gethostname()}-*.json")))
        return [running for running in found if running]

    def running(self) -> Running | None:
        """The process that answers; of two, that of the current graph."""
        current = osrm_build.current(self.root)
        noted = sorted(self.noted(), key=lambda one: current is None or one.graph != current.folder.name)
        return next((one for one in noted if one.serves(one.graph)), None)

    def ensure(self, graph: Graph) -> Running:
        """The process that serves the graph: adopted when it runs, else started.

        Raises `RoadProcessFailed` when it cannot be started.
        """
        note = self._note(graph.folder.name)
        noted = _read_note(note)
        if noted and noted.serves(graph.folder.name):
            return noted
        with self._alone():
            noted = _read_note(note)
            if noted and noted.serves(graph.folder.name):
                return noted
            self._end(graph.folder.name)
            return self._start(graph)

    def stop(self) -> bool:
        """End the process; tells whether there was one."""
        with self._alone():
            return any([self._end(name) for name in self._names()])

    def retire_others(self, keep: Graph) -> None:
        """End the processes of other graphs that answer nobody; one that is busy is ended by its last request."""
        for name in self._names():
            if name == keep.folder.name:
                continue
            with self._alone(), self._busy(name).open("a") as gate, contextlib.suppress(BlockingIOError):
                fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._end(name)
                self._busy(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def asking(self, graph: Graph) -> Iterator[None]:
        """While a request is on its way, in whichever program, nobody ends the process to make room for a newer one."""
        with self._busy(graph.folder.name).open("a") as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
            yield

    def _names(self) -> list[str]:
        start = f"process-{socket.gethostname()}-"
        return sorted(path.name[len(start) : -len(".json")] for path in self.root.glob(f"{start}*.json"))

    def _busy(self, graph: str) -> Path:
        return self.root / f"busy-{socket.gethostname()}-{graph}.lock"

    def _start(self, graph: Graph) -> Running:
        damage = osrm_build.damage(graph.folder)
        for _attempt in range(0 if damage else 3):
            running = self._spawn(graph)
            if running:
                note = self._note(graph.folder.name)
                unfinished = note.with_suffix(".new")
                unfinished.write_text(json.dumps(asdict(running)))
                unfinished.replace(note)
                return running
        raise RoadProcessFailed(
            f"The road process for {graph.folder} does not start: {damage or _last_line(self.log_file)}",
            help=f"See {self.log_file}; `waymark roads build` builds the graph anew.",
        )

    def _spawn(self, graph: Graph) -> Running | None:
        port = _free_port()
        command = [str(osrm_build.bundled("bin", "osrm-routed")), osrm_build.quoted(graph.base)]
        command += ["--algorithm", graph.algorithm, "--ip", "127.0.0.1", "--port", str(port), "--mmap"]
        command += ["--threads", str(os.cpu_count() or 1), "--verbosity", "WARNING"]
        command += ["--max-table-size", str(_MOST_POINTS), "--max-viaroute-size", str(_MOST_STOPS)]
        with self.log_file.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 -- our own program and paths
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"DISABLE_ACCESS_LOGGING": "1", "PATH": os.defpath},
                start_new_session=True,
            )
        _children[process.pid] = process
        running = Running(process.pid, port, graph.folder.name)
        deadline = time.monotonic() + SECONDS_TO_START
        while process.poll() is None and time.monotonic() < deadline:
            if running.serves(graph.folder.name):
                return running
            time.sleep(0.02)
        log.warning("road process for %s did not start: %s", graph.folder, _last_line(self.log_file))
        _kill(running)
        return None

    def _end(self, name: str) -> bool:
        note = self._note(name)
        running = _read_note(note)
        note.unlink(missing_ok=True)
        return running is not None and running.is_ours() and _kill(running)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One program at a time may start or stop."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "process.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class Peer:
    """The way to a graph's road process; starts it again when it has gone."""

    process: RoadProcess
    graph: Graph

    def post(self, path: str, body: bytes) -> bytes:
        """Ask; once more with a fresh process when the first is gone, or of the graph that has taken its place."""
        graph = self._latest()
        try:
            with self.process.asking(graph):
                return self._ask(graph, path, body)
        except RoadsUnavailable:
            if self._latest() == graph:
                raise
            log.warning("the graph %s was replaced before it could answer; asking the new one", graph.folder)
        finally:
            self.process.retire_others(osrm_build.current(self.process.root) or graph)
        return self.post(path, body)

    def _ask(self, graph: Graph, path: str, body: bytes) -> bytes:
        port = self.process.ensure(graph).port
        try:
            return _post(port, path, body, timeout_s=_SECONDS_TO_ANSWER)
        except RoadsUnavailable:
            log.warning("the road process for %s is gone; asking again", graph.folder)
        try:
            return _post(self.process.ensure(graph).port, path, body, timeout_s=_SECONDS_TO_ANSWER)
        except RoadsUnavailable as error:
            raise RoadProcessFailed(str(error), help=f"See {self.process.log_file} and try again.") from error

    def _latest(self) -> Graph:
        """The graph, or what took its place since: contracted, or of a newer extract."""
        current = osrm_build.current(self.process.root)
        is_replaced = current is not None and current.data_version == self.graph.data_version
        if current is not None and (is_replaced or not self.graph.folder.is_dir()):
            return current
        return self.graph


def _read_note(path: Path) -> Running | None:
    try:
        return Running(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _kill(running: Running) -> bool:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)
        if _is_gone_within(running, SECONDS_TO_STOP):
            return True
    return True


_children: dict[int, subprocess.Popen[bytes]] = {}
"""Road processes that this program started: only a parent can see its child off."""


def _post(port: int, path: str, body: bytes, *, timeout_s: float) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise RoadsUnavailable(f"no answer from the road process on port {port}: {error}") from error
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_gone_within(running: Running, seconds: float) -> bool:
    child = _children.get(running.pid)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child is not None and child.poll() is not None:
            _children.pop(running.pid, None)
            return True
        if not running.is_ours():
            return True
        time.sleep(0.01)
    return False


def _command_of(pid: int) -> str:
    """The command line of a process, empty when there is none."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    shown = subprocess.run(  # noqa: S603 -- a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout


def _last_line(path: Path) -> str:
    try:
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return lines[-1] if lines else "no reason given"
