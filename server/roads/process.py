"""The road process of a region on this machine: one `osrm-routed` on a loopback port, shared by web and workers.

Whoever needs it first starts it; everybody else adopts it through a note beside the graph. It lives on after the
program that started it, until `waymark roads stop` or a newer graph takes its place. A note names a process; that the
process really serves the graph is asked of itself each time, because every answer of it repeats the graph's name.
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
        return isinstance(answer, dict) and answer.get("data_version") == graph

    def is_ours(self) -> bool:
        """Whether the number still belongs to a road process of this graph, not to a later stranger."""
        command = _command_of(self.pid)
        return "osrm-routed" in command and self.graph in command


@dataclass(frozen=True)
class RoadProcess:
    """The one road process of a region on this machine, running or not."""

    root: Path
    """Folder of the region's graphs."""

    @property
    def _note(self) -> Path:
        return self.root / f"process-{socket.gethostname()}.json"

    @property
    def log_file(self) -> Path:
        """What the process said last."""
        return self.root / f"process-{socket.gethostname()}.log"

    def noted(self) -> Running | None:
        """What the note says; the process may be gone."""
        try:
            return Running(**json.loads(self._note.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def running(self) -> Running | None:
        """The process, when it answers."""
        noted = self.noted()
        return noted if noted and noted.serves(noted.graph) else None

    def ensure(self, graph: Graph) -> Running:
        """The process that serves the graph: adopted when it runs, else started.

        Raises `RoadProcessFailed` when it cannot be started.
        """
        noted = self.noted()
        if noted and noted.serves(graph.folder.name):
            return noted
        with self._alone():
            noted = self.noted()
            if noted and noted.serves(graph.folder.name):
                return noted
            self._end(noted)
            return self._start(graph)

    def stop(self) -> bool:
        """End the process; tells whether there was one."""
        with self._alone():
            return self._end(self.noted())

    def _start(self, graph: Graph) -> Running:
        for _attempt in range(3):
            running = self._spawn(graph)
            if running:
                note = self._note.with_suffix(".new")
                note.write_text(json.dumps(asdict(running)))
                note.replace(self._note)
                return running
        raise RoadProcessFailed(
            f"The road process for {graph.folder} does not start: {_last_line(self.log_file)}",
            help=f"See {self.log_file}; `waymark region add` builds the graph anew.",
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
        self._end(running)
        return None

    def _end(self, running: Running | None) -> bool:
        self._note.unlink(missing_ok=True)
        if running is None or not running.is_ours():
            return False
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, number)
            if _is_gone_within(running, SECONDS_TO_STOP):
                return True
        return True

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
        """Ask; once more with a fresh process when the first is gone."""
        port = self.process.ensure(self.graph).port
        try:
            return _post(port, path, body, timeout_s=_SECONDS_TO_ANSWER)
        except RoadsUnavailable:
            log.warning("the road process for %s is gone; asking again", self.graph.folder)
        try:
            return _post(self.process.ensure(self.graph).port, path, body, timeout_s=_SECONDS_TO_ANSWER)
        except RoadsUnavailable as error:
            raise RoadProcessFailed(str(error), help=f"See {self.process.log_file} and try again.") from error


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
