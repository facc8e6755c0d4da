"""The speed of sync between phones and server, as processes, with the load on the same cores.

`python -m benchmarks.sync.run [first] [one] [rates] [morning]`; without words all of them. See README.md.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.scale.running import spent
from benchmarks.sync import company
from benchmarks.sync.load import Caller, Line, Tally
from benchmarks.sync.serving import serving

BATCH = 20
PARALLEL = 16
SECONDS = 10.0
SMALL, LARGE = 100_000, 3_000_000

type Phones = dict[str, tuple[str, str]]


class Server:
    """The processes that answer, and what they cost."""

    def __init__(self, port: int, pid: int) -> None:
        from server.kit import embedded
        from server.kit.settings import settings

        database = embedded.status(settings().home).pid
        assert database is not None
        self.port, self.pid, self.database = port, pid, database

    def cpu_s(self) -> float:
        """Processor seconds of the workers and of the database, so far."""
        return sum(self.parts_s())

    def parts_s(self) -> tuple[float, float]:
        """Those of the workers, and those of the database."""
        return spent(self.pid), spent(self.database)


def callers(server: Server, phones: Phones, engine: Engine, tally: dict[str, Tally]) -> list[Caller]:
    """A caller for each phone; each visits an account of its own."""
    theirs = "select t.name, min(a.id::text) from account a join territory t on t.id = a.territory_id group by 1"
    with engine.connect() as connection:
        accounts: dict[str, str] = {row[0]: row[1] for row in connection.execute(text(theirs))}
    return [
        Caller(Line(server.port, access, tally), device, accounts[login])
        for login, (device, access) in sorted(phones.items())
    ]


def first_sync(server: Server, engine: Engine, phones: Phones) -> None:
    """A whole first sync of the real phone: bytes, server, time to take it."""
    from mobile.field.home import PhoneHome, SignedIn
    from mobile.field.sync import wire
    from mobile.field.sync.api import Api
    from mobile.field.sync.hello import align, hello
    from mobile.field.sync.pull import pull
    from mobile.field.sync.transport import HttpTransport

    device, access = phones["rep1"]
    counted = Counted(HttpTransport(f"http://127.0.0.1:{server.port}"))
    with tempfile.TemporaryDirectory() as folder:
        home = PhoneHome(Path(folder))
        home.remember(SignedIn("http://bench", "rep1", "rep1", "Rep", "rep"))
        store = home.store()
        store.outbox.adopt_device(device)
        api = Api(counted)
        api.access_token = access
        reply: wire.HelloReply = hello(store, api)
        align(store, reply)
        before, own, began = server.cpu_s(), time.process_time(), time.perf_counter()
        pulled = pull(store, api, reply.epoch, reply.limits)
        wall, applied, served = time.perf_counter() - began, time.process_time() - own, server.cpu_s() - before
        store.close()
    print(f"first sync: {pulled.rows} rows in {pulled.pages} pages, {counted.bytes / 1e6:.2f} MB on the wire")
    print(f"  server {served:.2f} core-s, phone {applied:.2f} s of CPU, {wall:.2f} s wall")
    print(f"  first page after {counted.first_s:.2f} s")


class Counted:
    """A transport that counts the bytes of bodies."""

    def __init__(self, transport: Any) -> None:
        self.transport, self.bytes, self.first_s = transport, 0, 0.0
        self.began = time.perf_counter()

    def open(self, request: Any) -> Any:
        """Carry a request."""
        from contextlib import contextmanager
        from dataclasses import replace
        from io import BytesIO

        @contextmanager
        def opened() -> Any:
            with self.transport.open(request) as reply:
                raw = reply.body.read()
                self.bytes += len(raw)
                if request.path.endswith("/pull") and not self.first_s:
                    self.first_s = time.perf_counter() - self.began
                yield replace(reply, body=BytesIO(raw))

        return opened()


def one_change(engine: Engine) -> None:
    """What one change costs in the database when the feed is small and when it is large."""
    from server.sync.pulling.cursors import BEGINNING
    from server.sync.pulling.feeding import FEED

    more = """
        insert into sync_item (bucket_id, e, id, op)
        select (select min(id) from bucket where kind = 'territory' and key <> 'nobody'), 12::smallint,
            gen_random_uuid(), 'P'
        from generate_series(1, cast(:rows as int) - (select count(*)::int from sync_item))
    """
    costs = {}
    for rows in (SMALL, LARGE):
        with engine.begin() as connection:
            connection.execute(text(more), {"rows": rows})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze sync_item"))
        costs[rows] = [timed(engine, FEED, BEGINNING) for _ in range(200)]
    small, large = (statistics.median(costs[rows]) * 1000 for rows in (SMALL, LARGE))
    print(
        f"a pull with one change: {small:.3f} ms at {SMALL:,} rows, {large:.3f} ms at {LARGE:,}; x {large / small:.2f}"
    )


def timed(engine: Engine, feed: str, beginning: str) -> float:
    """Seconds that the database takes to find one change."""
    seen, now = "select pg_current_snapshot()::text", "select id, bucket_id from sync_item where op = 'P' limit 1"
    with engine.begin() as connection:
        before = connection.execute(text(seen)).scalar_one()
        row_id, bucket = connection.execute(text(now)).one()
        stamp = "update sync_item set txid = pg_current_xact_id() where id = :id and bucket_id = :bucket"
        connection.execute(text(stamp), {"id": row_id, "bucket": bucket})
    with engine.connect() as connection:
        target = connection.execute(text(seen)).scalar_one()
        values = {
            "buckets": [bucket], "seen": before, "target": target, "txid": "0", "e": 0,
            "id": "00000000-0000-0000-0000-000000000000", "bucket": 0, "tombstones": True, "limit": 2000, "unknown": [],
        }  # fmt: skip
        began = time.perf_counter()
        found = connection.execute(text(feed), values).all()
        took = time.perf_counter() - began
    if len(found) != 1 or beginning == before:
        raise SystemExit(f"{len(found)} changes were found instead of one.")
    return took


async def rate(several: list[Caller], work: Callable[[Caller], Any], server: Server) -> tuple[int, float, list[float]]:
    """How often filled phones get their work done in some seconds; what it took of server, database and load."""
    await filled(several)
    for told in several[0].line.tally.values():
        told.took_s.clear()
    done, began = 0, time.perf_counter()
    before = (*server.parts_s(), time.process_time())

    async def one(caller: Caller) -> None:
        nonlocal done
        while time.perf_counter() < began + SECONDS:
            await work(caller)
            done += 1

    await asyncio.gather(*(one(caller) for caller in several))
    took, after = time.perf_counter() - began, (*server.parts_s(), time.process_time())
    for caller in several:
        caller.line.hang_up()
    return done, took, [later - earlier for later, earlier in zip(after, before, strict=True)]


async def filled(callers: list[Caller]) -> None:
    """Phones that hold what there is: what follows is the sync of every day."""
    for caller in callers:
        await caller.hello()
        await caller.pull()


@contextmanager
def changing(engine: Engine) -> Iterator[None]:
    """Forty rows that everybody holds change, ten times a second."""
    stamp = """
        update sync_item set txid = pg_current_xact_id()
        where e = 1 and id in (select id from sync_item where e = 1 order by id limit 40)
    """
    over = Event()

    def change() -> None:
        while not over.wait(0.1):
            with engine.begin() as connection:
                connection.execute(text(stamp))

    thread = Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def rates(server: Server, engine: Engine, phones: Phones) -> None:
    """Pushed ops and pulls a second of phones that are filled, with the load on the same cores."""
    tally: dict[str, Tally] = {}
    several = callers(server, phones, engine, tally)[1 : PARALLEL + 1]
    quiet = contextlib.nullcontext()
    for name, unit, around, work in (
        ("pushed ops", BATCH, quiet, lambda caller: caller.push(BATCH)),
        ("pulls of nothing", 1, quiet, lambda caller: caller.pull()),
        ("pulls of forty changes", 1, changing(engine), lambda caller: caller.pull()),
    ):
        with around:
            done, took, spent_s = asyncio.run(rate(several, work, server))
        done *= unit
        web, database, load = (1000 * part / done for part in spent_s)
        print(f"{name}: {done / took:.0f}/s over {took:.0f} s; {done / sum(spent_s) * 2:.0f}/s on two whole cores")
        print(f"  each: server {web:.2f} ms, database {database:.2f} ms, load {load:.2f} ms of processor")
        told = tally["/sync/v1/push" if unit > 1 else "/sync/v1/pull"]
        print(f"  a request: p50 {told.percentile(0.5) * 1000:.0f} ms, p99 {told.percentile(0.99) * 1000:.0f} ms")
    print(f"  a bare loop of five million steps: {bare_loop_s():.2f} s of processor")


def bare_loop_s() -> float:
    """How fast this machine is at this moment: 0.2 to 0.3 s when it is at rest."""
    began, total = time.process_time(), 0
    for step in range(5_000_000):
        total += step
    return time.process_time() - began


async def at_once(several: list[Caller], work: Callable[[Caller], Any]) -> None:
    """All phones do their work at the same time; each over a connection of its own."""

    async def one(caller: Caller) -> None:
        await work(caller)
        caller.line.hang_up()

    await asyncio.gather(*(one(caller) for caller in several))


async def fill(caller: Caller) -> None:
    """What a new phone does: hello, and pages until it holds everything."""
    await caller.hello()
    await caller.pull()


async def come_back(caller: Caller) -> None:
    """What a phone does at 08:00: hello, twenty ops, pull."""
    await caller.hello()
    await caller.push(BATCH)
    await caller.pull()


def morning(server: Server, engine: Engine, phones: Phones) -> None:
    """A thousand new phones at once; and the same phones when they come back at 08:00 with twenty ops each."""
    several = callers(server, phones, engine, {})
    for title, work in (("new phones", fill), (f"phones back at 08:00 with {BATCH} ops each", come_back)):
        tally: dict[str, Tally] = {}
        for caller in several:
            caller.line.tally = tally
        before, began = server.cpu_s(), time.perf_counter()
        asyncio.run(at_once(several, work))
        took, served = time.perf_counter() - began, server.cpu_s() - before
        print(f"{len(several)} {title}: all done within {took:.1f} s, {served:.1f} core-s")
        for path, told in tally.items():
            away = sum(count for status, count in told.statuses.items() if status != 200)
            done = told.statuses[200]
            print(f"  {path}: {done} done, {away} sent away for a moment, p99 {told.percentile(0.99):.1f} s")


def main(words: list[str]) -> int:
    """Measure what was asked for."""
    wanted = words or ["first", "rates", "morning", "one"]
    with company.company() as engine:
        company.fill(engine)
        phones = company.register(engine)
        with serving() as (port, pid):
            server = Server(port, pid)
            for word, measure in (("first", first_sync), ("rates", rates), ("morning", morning)):
                if word in wanted:
                    measure(server, engine, phones)
        if "one" in wanted:
            one_change(engine)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
