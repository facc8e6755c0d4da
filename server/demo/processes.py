"""Server, worker and phone of a demonstration, each a process of its own."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from server.kit.errors import Unavailable

PATIENCE_S = 900
"""A machine may be slow and busy; a server that ends is noticed at once."""
LOOK_AGAIN_S = 2.0
"""So often it is asked whether the worker still runs; one that ends at once is not started more often either."""
ROOT = Path(__file__).resolve().parents[2]


class StepFailed(Unavailable):
    """A step of the demonstration did not do what it should."""

    code = "demo_failed"


def free_port(wanted: int = 0) -> int:
    """The wanted port of the loopback address, else another one that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StepFailed("There is no free port on the loopback address.", help="Close some programs.")


def start(*arguments: str, log: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a Python module as a process; what it says goes to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(  # noqa: S603 (our own modules)
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and end it when it does not."""
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def worker(log: Path, tell: Callable[[str], object] = str) -> Iterator[None]:
    """A running worker; one that ends by itself, or is killed, is started again, and `tell` hears of it."""
    process, ending = start("server.cli", "worker", log=log), threading.Event()

    def keep() -> None:
        nonlocal process
        while not ending.wait(LOOK_AGAIN_S):
            if process.poll() is not None:
                tell(f"The worker has ended ({process.returncode}); another one is started, see {log}")
                process = start("server.cli", "worker", log=log)

    keeper = threading.Thread(target=keep, name="worker-keeper")
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.join()
        stop(process)


@contextmanager
def web_server(port: int, log: Path) -> Iterator[str]:
    """A running server that answers; gives its address."""
    address = f"http://127.0.0.1:{port}"
    process = start("server.cli", "serve", "--port", str(port), log=log)
    try:
        wait_for_health(address, process, log)
        yield address
    finally:
        stop(process)


def wait_for_health(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; says what it said when it ended instead."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = log.read_text(errors="replace")[-2000:]
            raise StepFailed(f"The server ended at once: {said}", help=f"See {log}.")
        try:
            with urlopen(f"{address}/health", timeout=5) as answer:  # noqa: S310 (our own address)
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise StepFailed(
        f"The server did not answer within {PATIENCE_S} s.",
        help=f"See {log}, then run it again: it goes on with what is there.",
    )


class Api:
    """The server's API as one of the demonstration's people."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token

    def call(self, method: str, path: str, body: object = None, *, file: tuple[str, bytes] | None = None) -> Any:
        """Call a route; a problem document becomes an error with its words."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        data = None
        if file is not None:
            boundary = "waymark-demo-boundary"
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file[0]}"\r\n'
            data = (head + "Content-Type: text/csv\r\n\r\n").encode() + file[1] + f"\r\n--{boundary}--\r\n".encode()
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        elif body is not None:
            data = json.dumps(body, default=str).encode()
            headers["Content-Type"] = "application/json"
        request = Request(self.address + path, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=120) as answer:  # noqa: S310
                text = answer.read()
        except HTTPError as error:
            raise StepFailed(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:1000]}") from error
        return json.loads(text) if text else None

    def get(self, path: str) -> Any:
        """Read."""
        return self.call("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        """Write."""
        return self.call("POST", path, body)

    def wait(self, path: str, done: Any, *, seconds: float = 120) -> Any:
        """Read again and again until `done(answer)` holds."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if done(answer):
                return answer
            if time.monotonic() > deadline:
                raise StepFailed(f"{path} was not done within {seconds:.0f} s: {str(answer)[:500]}")
            time.sleep(0.2)


class Phone:
    """A headless phone; every command is a process of its own, as if the app were opened and closed."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder, self.server = folder, server

    def run(self, *arguments: str) -> dict[str, Any]:
        """Run one command; its last line is the answer."""
        command = [sys.executable, "-m", "mobile.headless", "--home", str(self.folder), "--server", self.server]
        done = subprocess.run(  # noqa: S603 (our own module)
            [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
        )
        lines = done.stdout.strip().splitlines()
        if not lines:
            raise StepFailed(f"The phone said nothing to {' '.join(arguments)}: {done.stderr[-1000:]}")
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer | {"exit": done.returncode}
