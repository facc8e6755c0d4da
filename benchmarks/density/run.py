"""Density at scale: made-up firms along real streets; counting, counting again after 1 % changed, tiles at every zoom.

    .venv/bin/python benchmarks/density/run.py --prospects 100000 1000000 --accounts 100000

Each size is a database of its own. Beside the wall time stands the processor time of Python and of the database's
process, which works alone (no parallel workers). The naive query counts the points of the tile; folium draws a part.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
EXTRACT = HERE.parents[2] / "shared" / "data" / "osm" / "liechtenstein.osm.pbf"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
ZOOMS = (4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
ACCOUNT_TILES = {
    "unfiltered": (None, None),
    "stage": ("status = customer", None),
    "class": ("class = A", None),
    "owner": ("owner = rep3", None),
    "territory": ('territory = "T3"', None),
    **{
        f"{whose}{part}": (words, login)
        for whose, login in (("of a rep", "rep3"), ("of a manager", "lead"))
        for part, words in (
            ("", None), (", stage", "status = customer"), (", class", "class = A"),
            (", owner", "owner = rep3"), (", territory", 'territory = "T3"'),
        )
    },
    "tag": ("tag = vip", None),
    "not visited": ("not visited since 90 days", None),
    "of a rep, tag": ("tag = vip", "rep3"),
    "of a manager, not visited": ("not visited since 90 days", "lead"),
}  # fmt: skip
"""What is asked of accounts, and by whom (None: an admin)."""
FIRST_ASKED = (
    "tag = vip", "not visited since 90 days", "name ~ hotel", "not tag = vip and value > 20000", "value > 20000",
    "city = Vaduz", "deal.stage = Quote",
)  # fmt: skip
"""Filters that every account is asked; the last one asks what hangs on it."""
FIRST_TILE = (5, 16, 11)
CUSTOMERS = 20
"""Every so many-th firm is a customer."""


def main() -> None:
    """Fill, measure, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prospects", type=int, nargs="*", default=[100_000])
    parser.add_argument("--accounts", type=int, default=0, help="also the tiles of so many accounts")
    parser.add_argument(
        "--changes", action="store_true", help="only: what following 1 %% changed costs, beside accounts"
    )
    parser.add_argument("--first", action="store_true", help="only: the first answer of other filters, with --accounts")
    parser.add_argument("--tiles", type=int, default=20, help="tiles a zoom")
    parser.add_argument("--extract", type=Path, default=EXTRACT, help="where the streets come from")
    parser.add_argument("--home", type=Path, help="a folder for the databases; left out: one that goes away")
    options = parser.parse_args()
    os.environ.pop("WAYMARK_DATABASE_URL", None)
    base = options.home or Path(tempfile.mkdtemp(prefix="waymark-density-"))
    try:
        for size in options.prospects:
            with company(base / f"p{size}"):
                of = of_changes(size, options.extract) if options.changes else None
                print(json.dumps(of or of_prospects(size, options.extract, options.tiles)), flush=True)
        if options.accounts:
            with company(base / f"a{options.accounts}"):
                found = of_first(options.accounts) if options.first else of_accounts(options.accounts, options.tiles)
                print(json.dumps(found), flush=True)
    finally:
        if options.home is None:
            shutil.rmtree(base, ignore_errors=True)


@contextmanager
def company(home: Path) -> Iterator[None]:
    """A database of its own, stopped afterwards."""
    home.mkdir(parents=True, exist_ok=True)
    home.parent.chmod(0o755)
    home.chmod(0o755)
    os.environ["WAYMARK_HOME"] = str(home)
    from server import migrations
    from server.kit import embedded
    from server.kit.database import engine
    from server.kit.settings import settings

    for cached in (engine, settings):
        getattr(cached, "cache_clear", lambda: None)()
    try:
        migrations.upgrade(engine())
        yield
    finally:
        engine().dispose()
        embedded.stop(home)


class Clock:
    """Wall time and processor time of Python and of one database process."""

    def __init__(self, session: Any) -> None:
        self.pid = session.execute(text("select pg_backend_pid()")).scalar_one()
        session.execute(text("set max_parallel_workers_per_gather = 0"))

    def now(self) -> tuple[float, float, float]:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return time.perf_counter(), time.process_time(), (int(fields[11]) + int(fields[12])) * TICK_S

    def of(self, work: Callable[[], Any]) -> dict[str, float]:
        """Seconds of one piece of work."""
        before = self.now()
        work()
        wall, python, database = (after - first for after, first in zip(self.now(), before, strict=True))
        return {"wall_s": round(wall, 2), "python_s": round(python, 2), "database_s": round(database, 2)}


def of_prospects(size: int, extract: Path, tiles: int) -> dict[str, Any]:
    """Everything about a number of prospects."""
    from firms import become_customers, write

    from server.density import service
    from server.kit.database import transaction

    began = time.perf_counter()
    write(size, extract, every=CUSTOMERS)
    found: dict[str, Any] = {"prospects": size}
    tell(found, written_s=round(time.perf_counter() - began))
    with transaction() as session:
        tell(found, first_count=Clock(session).of(lambda: service.refresh(session)))
    for name, share in (("one_percent", size // 100), ("one_firm", 1)):
        with transaction() as session:
            become_customers(session, share)
        with transaction() as session:
            tell(found, **{name: Clock(session).of(lambda: service.refresh(session))})
        with transaction() as session:
            tell(found, **{f"{name}_learned": Clock(session).of(lambda: service.learn_anew(session))})
    with transaction() as session:
        tell(found, nothing=Clock(session).of(lambda: service.refresh(session)))
        found["tiles"] = of_tiles(session, tiles)
        found["folium"] = of_folium(session)
    with transaction() as session:
        found["white_space"] = of_white_space(session)
    return found


def of_changes(size: int, extract: Path) -> dict[str, Any]:
    """A tenth of the firms have accounts, half of these are customers: what a refresh costs after 1 % of the accounts
    changed, after a newer extract changed 1 % of the prospects, and after both; and whether the figures are those of
    counting everything from nothing."""
    from firms import change_accounts, newer_extract, write

    from server.density import service
    from server.kit.database import transaction

    write(size, extract, every=CUSTOMERS, others=size // CUSTOMERS)
    found: dict[str, Any] = {"prospects": size, "accounts": 2 * (size // CUSTOMERS)}
    with transaction() as session:
        tell(found, before=Clock(session).of(lambda: service.refresh(session)))
    accounts = partial(change_accounts, count=found["accounts"] // 100)
    extracts = partial(newer_extract, count=size // 100)
    for name, ways in (("accounts", [accounts]), ("extract", [extracts]), ("both", [accounts, extracts])):
        with transaction() as session:
            tell(found, **{f"{name}_written": Clock(session).of(lambda ways=ways: [way(session) for way in ways])})
        with transaction() as session:
            tell(found, **{name: Clock(session).of(lambda: service.refresh(session))})
    with transaction() as session:
        followed = told(session)
        for table in ("state", "cell", "cell_change", "count", "count_change", "customer"):
            session.execute(text(f"delete from density_{table}"))
        session.expire_all()
        tell(found, from_nothing=Clock(session).of(lambda: service.refresh(session)))
        tell(found, same={one: followed[one] == now for one, now in told(session).items()})
        session.rollback()
    return found


TOLD = {
    "cells": "select cell, prospects, customers, territory_id, penetration, low, high from density_cell_now",
    "counts": "select cell, trade_id, sum(prospects), sum(customers) from density_count_now group by 1, 2"
    " having sum(prospects) <> 0 or sum(customers) <> 0",
    "customers": "select site_id, cells, parts, prospect_id, prospect_cell, trade_id, worth from density_customer",
}


def told(session: Any) -> dict[str, tuple[int, int]]:
    """How many rows each kind of figure has, and a sum of their fingerprints."""
    sums = "select count(*), sum(hashtextextended(told::text, 0)::numeric) from ({rows}) told"
    return {name: tuple(session.execute(text(sums.format(rows=rows))).one()) for name, rows in TOLD.items()}


def tell(found: dict[str, Any], **measured: Any) -> None:
    """Keep what was measured, and say it at once: a run of ten million firms takes a while."""
    found.update(measured)
    print(json.dumps(measured), file=sys.stderr, flush=True)


def of_tiles(session: Any, tiles: int) -> dict[str, Any]:
    """The tiles of each zoom that hold something, in ms of wall and of database; bytes; the naive query beside."""
    from firms import some_tiles

    from server.density import queries, surface

    top, everywhere = queries.kinds(session)[0].kind, queries.EVERYTHING
    trades = queries.trades_of(session, top)
    clock, found = Clock(session), {}
    for zoom in ZOOMS:
        chosen = some_tiles(session, zoom, tiles)
        ways: dict[str, Callable[[Any], bytes]] = {
            "hexagons": lambda tile: queries.density_tile(session, everywhere, tile),
            "of_a_kind": lambda tile: queries.density_tile(session, everywhere, tile, trades=trades),
            "prospects": lambda tile: queries.prospect_tile(session, everywhere, tile),
        }
        if zoom >= 5:
            ways["surface"] = lambda tile: surface.picture(
                session, everywhere, tile, of=surface.Of.PROSPECTS, bandwidth_m=1000
            )
        line = {name: timed(clock, way, chosen) for name, way in ways.items()}
        line["naive"] = timed(clock, lambda tile: naive(session, tile), chosen[: 3 if zoom < 9 else 10])
        tell(found, **{str(zoom): line})
    return found


def timed(clock: Clock, way: Callable[[Any], bytes], tiles: list[Any]) -> dict[str, float]:
    """Median and p95 of a tile; each was asked for once before, as in a server that runs."""
    walls, sizes = [], []
    for tile in tiles:
        way(tile)
    before = clock.now()
    for tile in tiles:
        begin = time.perf_counter()
        sizes.append(len(way(tile)))
        walls.append(1000 * (time.perf_counter() - begin))
    after = clock.now()
    ordered = sorted(walls)
    return {
        "p50_ms": round(statistics.median(walls), 1),
        "p95_ms": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
        "cpu_ms": round(1000 * (after[1] - before[1] + after[2] - before[2]) / len(tiles), 1),
        "most_bytes": max(sizes),
    }


def naive(session: Any, tile: Any) -> bytes:
    """What anybody would write first: group the points of the tile."""
    from server.density.queries import resolution_at

    rows = session.execute(
        text(
            "select h3_parent(cell, :resolution), count(*) from prospect"
            " where pin && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326) group by 1"
        ),
        {**tile._asdict(), "resolution": resolution_at(tile.z)},
    ).all()
    return repr(rows).encode()


def of_folium(session: Any, most: int = 5_000) -> dict[str, Any]:
    """The same firms as single markers of a folium page: seconds and bytes for a part of them."""
    import folium

    began = time.process_time()
    page = folium.Map()
    rows = session.execute(text("select name, ST_Y(pin), ST_X(pin) from prospect limit :most"), {"most": most})
    for name, lat, lon in rows:
        folium.CircleMarker((lat, lon), radius=3, tooltip=name).add_to(page)
    size = len(page.get_root().render())
    return {"markers": most, "cpu_s": round(time.process_time() - began, 1), "bytes": size}


def of_white_space(session: Any) -> dict[str, Any]:
    """The ranked list of nobody's ground."""
    from server.auth.access import system_scope
    from server.density.whitespace import Wish, ranked

    return Clock(session).of(lambda: ranked(session, system_scope(), Wish()))


def of_accounts(count: int, tiles: int) -> dict[str, Any]:
    """Counting accounts for the first time and after 1 % changed; their tiles, for an admin and a rep."""
    from firms import some_account_tiles, touch_accounts, write_accounts
    from sqlalchemy import select

    from server.accounts import tallying
    from server.accounts.tiles import tile as account_tile
    from server.auth.access import scope_of, system_scope
    from server.auth.models import User
    from server.kit.database import transaction
    from server.kit.filtering.guard import TooSlow

    began = time.perf_counter()
    write_accounts(count)
    found: dict[str, Any] = {"accounts": count, "written_s": round(time.perf_counter() - began), "tiles": {}}
    for name, share in (("first_count", 0), ("one_percent", count // 100), ("one_account", 1)):
        with transaction() as session:
            found[f"{name}_written"] = Clock(session).of(partial(touch_accounts, session, share))
        with transaction() as session:
            found[name] = Clock(session).of(partial(tallying.count, session))
        with transaction() as session:
            tallying.shrink(session)
    for zoom in reversed(ZOOMS):
        line = found["tiles"][str(zoom)] = {}
        for name, (words, login) in ACCOUNT_TILES.items():
            try:
                with transaction() as session:
                    chosen = some_account_tiles(session, zoom, tiles)
                    rep = session.scalars(select(User).where(User.login == login)).one() if login else None
                    scope = scope_of(session, rep, source="api") if rep else system_scope()
                    way = partial(account_tile, session, scope, filter=words)
                    first = asked_first(way, chosen[:4]) if name.endswith(("tag", "not visited")) else {}
                    line[name] = timed(Clock(session), way, chosen) | first
            except TooSlow:
                line[name] = {"stopped_after_s": 10}
        with transaction() as session:
            line["naive"] = timed(Clock(session), partial(naive_accounts, session), chosen[:3])
    return found


def of_first(count: int) -> dict[str, Any]:
    """The first answer of filters that every account is asked: for an admin, a manager and a rep, the better of two;
    and of the next tile beside it."""
    from firms import write_accounts
    from sqlalchemy import select

    from server.accounts import gathered, tallying
    from server.accounts.tiles import tile as account_tile
    from server.app import create_app
    from server.auth.access import scope_of, system_scope
    from server.auth.models import User
    from server.kit.database import transaction
    from server.kit.filtering.guard import TooSlow
    from server.kit.tiles import Tile

    create_app()  # all rooms tell what hangs on accounts
    write_accounts(count)
    with transaction() as session:
        tallying.count(session)
    found: dict[str, Any] = {"accounts": count}
    for words in FIRST_ASKED:
        line: dict[str, Any] = {}
        for name, login in (("admin", None), ("manager", "lead"), ("rep", "rep3")):
            runs = []
            try:
                for _ in range(2):
                    with transaction() as session:
                        person = session.scalars(select(User).where(User.login == login)).one() if login else None
                        scope = scope_of(session, person, source="api") if person else system_scope()
                        gathered.shelf.clear()
                        clock, way = Clock(session), partial(account_tile, session, scope, filter=words)
                        runs.append(clock.of(partial(way, Tile(*FIRST_TILE))))
                        z, x, y = FIRST_TILE
                        next_one = clock.of(partial(way, Tile(z, x + 1, y)))
                best = min(runs, key=lambda run: run["python_s"] + run["database_s"])
                line[name] = {"first": best, "next": next_one}
            except TooSlow:
                line[name] = "stopped"
        tell(found, **{words: line})
    return found


def asked_first(way: Callable[[Any], bytes], tiles: list[Any]) -> dict[str, float]:
    """The longest of some tiles of which nothing was gathered before, in ms."""
    from server.accounts import gathered

    walls = []
    for tile in tiles:
        gathered.shelf.clear()
        begin = time.perf_counter()
        way(tile)
        walls.append(1000 * (time.perf_counter() - begin))
    return {"first_ms": round(max(walls), 1)}


def naive_accounts(session: Any, tile: Any) -> bytes:
    """What anybody would write first: group the sites of the tile."""
    rows = session.execute(
        text(
            "select floor(ST_X(point) / :cell_m), floor(ST_Y(point) / :cell_m), account_class, count(*) from ("
            " select ST_Transform(s.pin, 3857) as point, a.account_class from site s join account a"
            " on a.id = s.account_id where s.pin && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)"
            " and s.deleted_at is null and a.deleted_at is null and a.merged_into is null) points group by 1, 2, 3"
        ),
        {**tile._asdict(), "cell_m": 40_075_016.7 / 2**tile.z / 16},
    ).all()
    return repr(rows).encode()


if __name__ == "__main__":
    main()
