"""What a request of a phone costs, by processor time: the application in one process, asked without a socket.

`python -m benchmarks.sync.inside [--beside FOLDER] [--rounds N]`. With another checkout of the repository beside this
one, both do the same at the same time in turns of some seconds: on cores shared with others only that compares.
"""

import argparse
import asyncio
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PHONES, BATCH = 30, 20
TIMES = {"a pull of nothing": 20, "a pull of forty changes": 8, "a pushed op": 2}
"""How often each phone asks in a round."""
STAMP = """
    update sync_item set txid = pg_current_xact_id()
    where e = 1 and id in (select id from sync_item where e = 1 order by id limit 40)
"""
ACCOUNTS = "select t.name, min(a.id::text) from account a join territory t on t.id = a.territory_id group by 1"

type Json = dict[str, Any]


@dataclass
class Inside:
    """A phone's way to the application of this very process; counts the processor time of answers."""

    app: Any
    access: str
    spent_s: float = 0.0

    async def call(self, path: str, message: Json) -> Json:
        """A message's answer."""
        body, parts, began = gzip.compress(json.dumps(message).encode(), 5), [], {}
        headers = {
            "host": "bench", "authorization": f"Bearer {self.access}", "accept-encoding": "gzip",
            "content-type": "application/json", "content-encoding": "gzip", "content-length": str(len(body)),
        }  # fmt: skip
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        told = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Json:
            return next(told, {"type": "http.disconnect"})

        async def send(part: Any) -> None:
            began.update(part) if part["type"] == "http.response.start" else parts.append(part["body"])

        before = time.process_time()
        await self.app(scope, receive, send)
        self.spent_s += time.process_time() - before
        answer = b"".join(parts)
        if began["status"] != 200:
            raise SystemExit(f"{path} answered {began['status']}: {answer[:300]!r}")
        is_packed = (b"content-encoding", b"gzip") in began["headers"]
        found: Json = json.loads(gzip.decompress(answer) if is_packed else answer)
        return found


def measured(words: list[str]) -> None:
    """Fill a company, then measure a round whenever a line comes in; a line of JSON goes out."""
    from sqlalchemy import text

    from benchmarks.scale.running import spent
    from benchmarks.sync import company
    from benchmarks.sync.load import Caller
    from server.app import served
    from server.kit import embedded
    from server.kit.settings import settings

    company.PHONES = PHONES + 1
    with company.company() as engine, asyncio.Runner() as loop:
        company.fill(engine)
        phones, app = company.register(engine), served()
        database = embedded.status(settings().home).pid
        assert database is not None
        with engine.connect() as connection:
            accounts: dict[str, str] = {row[0]: row[1] for row in connection.execute(text(ACCOUNTS))}
        phones.pop("rep1")
        lines = [Inside(app, access) for _, access in phones.values()]
        callers = [
            Caller(line, device, accounts[login])  # type: ignore[arg-type]
            for line, (login, (device, _)) in zip(lines, phones.items(), strict=True)
        ]

        def stamp() -> None:
            with engine.begin() as connection:
                connection.execute(text(STAMP))

        async def every(work: Callable[[Caller], Coroutine[Any, Any, Any]]) -> None:
            for caller in callers:
                await work(caller)

        def cost(name: str) -> list[float]:
            """Milliseconds of Python and of the database for one."""
            loop.run(every(lambda caller: caller.pull()))
            python, stored = sum(line.spent_s for line in lines), 0.0
            for _ in range(TIMES[name]):
                if name == "a pull of forty changes":
                    stamp()
                before = spent(database)
                loop.run(every((lambda one: one.push(BATCH)) if name == "a pushed op" else (lambda one: one.pull())))
                stored += spent(database) - before
            done = TIMES[name] * len(callers) * (BATCH if name == "a pushed op" else 1) / 1000
            return [(sum(line.spent_s for line in lines) - python) / done, stored / done]

        loop.run(every(lambda caller: caller.hello()))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            sys.stdout.write(json.dumps({name: cost(name) for name in TIMES if not words or words[0] in name}) + "\n")
            sys.stdout.flush()


def started(folder: Path, words: list[str]) -> "subprocess.Popen[str]":
    """A process that measures what is checked out in a folder."""
    return subprocess.Popen(
        [sys.executable, "-P", __file__, "--measure", *words], cwd=folder, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(folder)},
    )  # fmt: skip


def told(process: "subprocess.Popen[str]") -> str:
    """The next line of a process."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("It broke off.")
    return line


def main() -> None:
    """Measure this checkout, or this and another one in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="a word of what is to be measured")
    parser.add_argument("--beside", type=Path, help="another checkout, e.g. of what was before")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measured(chosen.only)
        return
    here = Path(__file__).parents[2]
    folders = {"here": here} | ({"beside": chosen.beside.resolve()} if chosen.beside else {})
    processes = {name: started(folder, chosen.only) for name, folder in folders.items()}
    for process in processes.values():
        told(process)
    for number in range(chosen.rounds):
        for name, process in processes.items():
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            costs = json.loads(told(process))
            for what, (python, database) in costs.items():
                print(
                    f"{number + 1} {name:7s} {what:24s} {python:6.2f} ms of Python, {database:5.2f} ms of the database"
                )
    for process in processes.values():
        process.communicate("")


if __name__ == "__main__":
    main()
