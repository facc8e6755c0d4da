"""The server and the database as processes: started, asked over HTTP, and how much processor time they took."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).parent
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(home: Path, workers: int) -> Iterator[tuple[int, int]]:
    """The application in processes of its own; its port and the first one's id."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "uvicorn", "--factory", "served:create_app", "--port", str(port), "--workers",
        str(workers), "--log-level", "warning", "--app-dir", str(HERE),
    ]  # fmt: skip
    paths = os.pathsep.join((str(HERE.parents[1]), str(HERE)))
    process = subprocess.Popen(command, env={**os.environ, "WAYMARK_HOME": str(home), "PYTHONPATH": paths})
    try:
        wait_for(port, process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the application answers."""
    while process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/sign-in")
            connection.getresponse().read()
        except ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("The server did not start.")


class Browser:
    """One kept connection, as a person or a program uses it."""

    def __init__(self, port: int, secret: str) -> None:
        self.port, self.secret = port, secret
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, query: dict[str, str] | None = None) -> tuple[int, bytes]:
        """The answer of a page or of the API."""
        return self.send("GET", path, query or {})

    def send(self, method: str, path: str, values: dict[str, str]) -> tuple[int, bytes]:
        """Ask with a query, or send a body; the answer's status and text."""
        accept = "application/json" if path.startswith(("/api", "/floor")) else "text/html"
        headers = {"Authorization": f"Bearer {self.secret}", "Accept": accept, "Accept-Encoding": "gzip"}
        asked, body = {name: value for name, value in values.items() if value}, None
        if method == "POST":
            asked, body = {}, json.dumps(values)
            headers["Content-Type"] = "application/json"
        address = path + (f"?{urlencode(asked)}" if asked else "")
        try:
            self.connection.request(method, address, body, headers)
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:  # it was idle for too long
            self.connection.close()
            self.connection.request(method, address, body, headers)
            answer = self.connection.getresponse()
        return answer.status, answer.read()


def processes() -> dict[int, tuple[int, float]]:
    """Every process: its parent, and its processor seconds with those of its ended children."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(folder.name)] = int(fields[1]), sum(map(int, fields[11:15])) * TICK_S
    return found


def spent(root: int) -> float:
    """Processor seconds of a process and all below it, so far."""
    known = processes()
    family, grown = {root}, True
    while grown:
        more = {pid for pid, (parent, _) in known.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(known[pid][1] for pid in family if pid in known)
