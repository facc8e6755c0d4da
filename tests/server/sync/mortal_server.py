"""The real application in two worker processes that end, or whose database ends, at a named place of the code.

The places are wrapped around the application's functions here, in the tests; the application knows nothing of them.
A file says at which place what ends next; whoever reaches it takes the file away and dies (`kill -9`).
"""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn

WORKERS = 2
BEFORE, AFTER = "before", "after"

FUNCTIONS: dict[str, tuple[str, str, str]] = {
    "hello, before its commit": ("server.sync.hello", "hello", AFTER),
    "push, before the effect": ("server.sync.pushing.push", "take_all", BEFORE),
    "push, between visits and what follows from them": ("server.activities.recording", "write", AFTER),
    "push, before the receipts": ("server.sync.pushing.receipts", "write", BEFORE),
    "push, after the receipts": ("server.sync.pushing.receipts", "write", AFTER),
    "push, before its commit": ("server.sync.pushing.push", "push", AFTER),
    "pull, after the feed": ("server.sync.pulling.pull", "feed", AFTER),
    "pull, before its answer": ("server.sync.pulling.pull", "pull", AFTER),
    "refresh, before its commit": ("server.auth.tokens", "rotate", AFTER),
    "content, declared": ("server.sync.pushing.blobs", "declare", AFTER),
    "content, between the piece and its count": ("server.files.uploads", "write", AFTER),
    "content, counted and not committed": ("server.files.uploads", "append", AFTER),
    "content, whole and not committed": ("server.attachments.service", "arrive", AFTER),
}
"""A place within the application: module, function, and on which side of it."""

REPLIES: dict[str, tuple[str, str]] = {
    "hello, committed": ("/sync/v1/hello", BEFORE),
    "push, committed": ("/sync/v1/push", BEFORE),
    "push, within the answer": ("/sync/v1/push", AFTER),
    "pull, within the answer": ("/sync/v1/pull", AFTER),
    "refresh, committed": ("/api/v1/auth/refresh", BEFORE),
    "content, committed": ("/att/v1/", BEFORE),
}
"""A place after the transaction: path, before the answer or within it."""

POINTS = (*FUNCTIONS, *REPLIES)


def armed() -> Path:
    """The file that says what is to end where."""
    return Path(os.environ["MORTAL"]) / "armed"


def reach(place: str) -> None:
    """End what is to end here, if this is the place."""
    try:
        wanted, victim = armed().read_text().split("\n")
        if wanted != place:
            return
        armed().rename(armed().with_name("fired"))
    except FileNotFoundError:
        return
    if victim == "database":
        kill_database()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def kill_database() -> None:
    """End the database server and each of its processes, as a power cut does."""
    from server.kit import embedded
    from server.kit.settings import settings

    server = embedded.status(settings().home).pid
    if server is None:
        return
    family = [server, *children_of(server)]
    for pid in family:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def children_of(parent: int) -> list[int]:
    """The processes that somebody started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wrap(place: str, module: str, name: str, side: str) -> None:
    """Have a function end at its place."""
    room: ModuleType = __import__(module, fromlist=[name])
    real: Callable[..., Any] = getattr(room, name)

    def mortal(*given: Any, **named: Any) -> Any:
        if side == BEFORE:
            reach(place)
        result = real(*given, **named)
        if side == AFTER:
            reach(place)
        return result

    setattr(room, name, mortal)


class Mortal:
    """The application, which may end before an answer or within it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.pass_by(path, BEFORE)
            elif len(body := message.get("body", b"")) > 1:
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                self.pass_by(path, AFTER)
                message = {**message, "body": body[len(body) // 2 :]}
            await send(message)

        await self.app(scope, receive, sending)

    @staticmethod
    def pass_by(path: str, side: str) -> None:
        """Reach the places of a path."""
        for place, (begin, where) in REPLIES.items():
            if where == side and path.startswith(begin):
                reach(place)


def ends_with_its_parent() -> None:
    """No process of a run outlives it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def work(listening: socket.socket, app: Any) -> int:
    """A worker process; returns its number."""
    pid = os.fork()
    if pid:
        return pid
    ends_with_its_parent()
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])
    os._exit(0)


def main() -> None:
    """Listen on a port, say which, and replace each worker that ends."""
    ends_with_its_parent()
    from server.app import create_app

    app = Mortal(create_app())
    for place, (module, name, side) in FUNCTIONS.items():
        wrap(place, module, name, side)
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    workers = {work(listening, app) for _ in range(WORKERS)}
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        pid, _ = os.wait()
        if pid in workers:
            workers.remove(pid)
            workers.add(work(listening, app))


if __name__ == "__main__":
    main()
