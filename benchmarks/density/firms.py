"""Made-up firms along real streets: copies of one country's streets side by side, with its kinds of firms."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h3
import numpy as np
import shapely
from sqlalchemy import select, text

from server.accounts import tallying
from server.kit.database import copy_rows, engine, transaction
from server.kit.ids import uuid7
from server.kit.tiles import Tile
from server.regions import service as regions
from server.regions.models import Region, Stage, State

sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))
A_COPY = 2_500
"""Firms in one copy of the country: about as many as open data knows of a dense one."""
COPIES_A_ROW = 60
STEP_LON, STEP_LAT = 0.22, 0.28
CHUNK = 20_000


def write(size: int, extract: Path, *, every: int, others: int = 0) -> None:
    """Write a region with so many prospects, unless they are there; every so many-th is a customer with an account,
    and so many others have an account too."""
    with transaction() as session:
        if session.scalar(text("select 1 from prospect limit 1")):
            return
        region = regions.register(session, "bench", "ab" * 32, extract.name)
        regions.load(session, region.id, extract)
        region = session.get_one(Region, region.id)
        region.state = State.READY
        session.flush()
        lines = [
            shapely.from_wkb(bytes(row[0]))
            for row in session.execute(text("select ST_AsBinary(line) from region_street"))
        ]
        kinds = [row[0] for row in session.execute(text("select kind from prospect"))]
        session.execute(text("delete from prospect"))
        definitions = session.execute(
            text("select indexname, indexdef from pg_indexes where tablename = 'prospect' and indexname like 'ix%'")
        ).all()
        for name, _ in definitions:
            session.execute(text(f"drop index {name}"))
        columns = ("region_id", "id", "source_id", "name", "kind", "tags", "cell", "pin")
        session.execute(text("create temporary table read (like prospect) on commit drop"))
        copy_rows(session, "read", columns, firms(size, region.id, lines, kinds))
        session.execute(text("insert into prospect select * from read order by cell, id"))  # as an extract is loaded
        for _, definition in definitions:
            session.execute(text(definition))
        session.execute(text("analyze prospect"))
        become_customers(session, size // every)
        if others:
            become_customers(session, others, status="prospect")


def firms(size: int, region_id: Any, lines: list[Any], kinds: list[str]) -> Iterator[tuple[Any, ...]]:
    """Rows of prospects, a copy of the country after the other."""
    draw = np.random.default_rng(7)
    lengths = np.array([line.length for line in lines])
    geometries = np.array(lines, dtype=object)
    for start in range(0, size, CHUNK):
        numbers = np.arange(start, min(size, start + CHUNK))
        street = draw.choice(len(lines), len(numbers), p=lengths / lengths.sum())
        points = shapely.line_interpolate_point(geometries[street], draw.random(len(numbers)), normalized=True)
        xy = shapely.get_coordinates(points)
        copy = numbers // A_COPY
        lon = xy[:, 0] - 9.5 + (copy % COPIES_A_ROW) * STEP_LON - 5
        lat = xy[:, 1] - 10 + (copy // COPIES_A_ROW) * STEP_LAT + draw.normal(0, 1e-5, len(numbers))
        for n, x, y in zip(numbers.tolist(), lon.tolist(), lat.tolist(), strict=True):
            cell = h3.str_to_int(h3.latlng_to_cell(y, x, 10))
            yield (
                region_id, uuid7(), f"n{n}", f"Firm {n * 7919 % 999_983} {n}", kinds[n * 31 % len(kinds)], "{}", cell,
                f"SRID=4326;POINT({x} {y})",
            )  # fmt: skip


BECOME = (
    """
    create temporary table chosen on commit drop as
    select p.id, p.name, p.pin, gen_random_uuid() as account_id from prospect p
    where not exists (select from density_customer c where c.prospect_id = p.id)
      and not exists (select from account a where a.name = p.name)
    order by md5(p.source_id) limit :count
    """,
    """
    insert into account (id, name, status, yearly_value, currency)
    select account_id, name, :status, 1000 + (hashtext(name) & 16383), 'EUR' from chosen
    """,
    """
    insert into site (id, account_id, is_main, pin, pin_state, grade, uncertainty_m)
    select gen_random_uuid(), account_id, true, pin, 'placed', 'rooftop',
           case when hashtext(name) & 7 = 0 then 150 else 8 end from chosen
    """,
)


def become_customers(session: Any, count: int, status: str = "customer") -> None:
    """Make accounts of some firms that have none, at their places; past the triggers, so we note them ourselves."""
    session.execute(text("set local session_replication_role = replica"))
    values = {"count": count, "status": status}
    for statement in BECOME:
        session.execute(text(statement), {name: one for name, one in values.items() if f":{name}" in statement})
    noted = "insert into density_changed (site_id) select s.id from site s join chosen using (account_id)"
    session.execute(text(noted))
    session.execute(text("drop table chosen"))
    session.execute(text("analyze account, site"))


CHANGE = (
    "create temporary table chosen on commit drop as select a.id, a.status, s.id as site_id,"
    " row_number() over (partition by a.status order by md5(a.id::text || :seed)) as n"
    " from account a join site s on s.account_id = a.id and s.is_main",
    "delete from chosen where n > :count / 2",
    # Of those who were none, four fifths become customers; of the customers a third each moves, is of another kind,
    # or is lost.
    "update account a set status = case when c.status = 'customer' then 'former' else 'customer' end from chosen c"
    " where c.id = a.id and (c.status = 'customer' and n % 3 = 0 or c.status <> 'customer' and n % 5 > 0)",
    "update account a set kind = 'shop=bakery' from chosen c where c.id = a.id and c.status = 'customer' and n % 3 = 1",
    "update site s set pin = ST_Translate(s.pin, 0.004, 0.002) from chosen c"
    " where c.site_id = s.id and (c.status = 'customer' and n % 3 = 2 or c.status <> 'customer' and n % 5 = 0)",
    "insert into density_changed (site_id) select site_id from chosen",
    "drop table chosen",
    "analyze account, site",
)


def change_accounts(session: Any, count: int) -> None:
    """Change so many accounts, half of them customers; past the triggers, so we note them ourselves."""
    session.execute(text("set local session_replication_role = replica"))
    values = {"count": count, "seed": str(session.scalar(text("select count(*) from account where status = 'former'")))}
    for statement in CHANGE:
        session.execute(text(statement), {name: one for name, one in values.items() if f":{name}" in statement})
    session.execute(text("set local session_replication_role = origin"))


NEWER = (
    """
    create temporary table chosen on commit drop as
    select id, row_number() over () as n from (
        select id from prospect where region_id = :old order by md5(id::text || cast(:new as text)) limit :count
    ) picked
    """,
    "create unique index on chosen (id)",
    """
    insert into prospect
    select :new, p.id, p.source_id, p.name, p.kind, p.tags, p.cell, p.pin
    from prospect p left join chosen c on c.id = p.id
    where p.region_id = :old and (c.id is null or n % 3 = 0)
    union all
    -- A third goes, a third moves to where another of the chosen was, and a third comes beside it.
    select :new, case when c.n % 3 = 1 then p.id else gen_random_uuid() end, p.source_id,
           case when c.n % 3 = 1 then p.name else 'New ' || p.name end, p.kind, p.tags, at.cell, at.pin
    from chosen c join prospect p on p.region_id = :old and p.id = c.id
    join chosen other on other.n = c.n + 1 join prospect at on at.region_id = :old and at.id = other.id
    where c.n % 3 <> 2
    order by cell
    """,
    "drop table chosen",
)


def newer_extract(session: Any, count: int) -> None:
    """Put a newer extract into service in which so many prospects are others."""
    old = session.scalars(text("select id from region where state = 'ready'")).one()
    new = regions.register(session, "bench", uuid7().hex, "newer")
    definitions = session.execute(
        text("select indexname, indexdef from pg_indexes where tablename = 'prospect' and indexname like 'ix%'")
    ).all()
    for name, _ in definitions:
        session.execute(text(f"drop index {name}"))
    values = {"old": old, "new": new.id, "count": count}
    for statement in NEWER:
        asked = {name: one for name, one in values.items() if f":{name}" in statement}
        session.execute(text(statement), asked)
    new.stage = Stage.PACKED
    regions.publish(session, new.id)
    for _, definition in definitions:
        session.execute(text(definition))
    session.execute(text("analyze prospect"))


def some_tiles(session: Any, zoom: int, count: int, table: str = "prospect") -> list[Tile]:
    """Different tiles that hold something, drawn by the firms in them; the fullest among them."""
    rows = session.execute(
        text(f"select ST_X(pin), ST_Y(pin) from {table} tablesample system (:share) repeatable (3) limit 20000"),
        {"share": 20},
    )
    weight: dict[Tile, int] = {}
    for lon, lat in rows:
        x = int((lon + 180) / 360 * 2**zoom)
        y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**zoom)
        weight[Tile(zoom, x, y)] = weight.get(Tile(zoom, x, y), 0) + 1
    ordered = sorted(weight, key=lambda tile: (-weight[tile], tile))
    half = ordered[: count // 2]
    rest = ordered[count // 2 :]
    return half + rest[:: max(1, len(rest) // max(1, count - len(half)))][: count - len(half)]


def some_account_tiles(session: Any, zoom: int, count: int) -> list[Tile]:
    """The same by accounts' sites."""
    return some_tiles(session, zoom, count, table="site")


def write_accounts(count: int) -> None:
    """Write accounts with sites, owners and territories as `benchmarks/scale` does."""
    import company
    from shapely.geometry import MultiPolygon, box

    from server.auth.models import Role, User
    from server.auth.service import create_user, set_team
    from server.territories import service as territories

    with transaction() as session:
        if session.scalar(text("select count(*) from territory")):
            return  # filled before
        is_empty = session.scalar(text("select id from account limit 1")) is None
        reps = [(f"rep{n}", Role.REP) for n in range(12)] if is_empty else []
        for login, role in (*reps, ("lead", Role.MANAGER)):
            create_user(session, login=login, name=login.title(), role=role, password="three words make one")
        team = [f"rep{n}" for n in range(2, 6)] + ["lead"]
        set_team(session, "Four of them", list(session.scalars(select(User.id).where(User.login.in_(team)))))
        for n in range(16):
            area = MultiPolygon([box(5 + n % 4 * 2, 45 + n // 4 * 2, 7 + n % 4 * 2, 47 + n // 4 * 2)])
            territories.create(session, name=f"T{n}", area=area)
    if is_empty:
        fill_accounts(count)
    with engine().begin() as connection:
        for past_triggers in ("set local session_replication_role = replica", "set local work_mem = '256MB'"):
            connection.execute(text(past_triggers))
        indexes = company.taken_away(connection, ("account",))
        connection.execute(
            text(
                "update account a set territory_id = t.id from site s join territory t on ST_Covers(t.area, s.pin)"
                " where s.account_id = a.id"
            )
        )
        for definition in indexes:
            connection.execute(text(definition))
        connection.execute(text("analyze account, site, territory"))
    with transaction() as session:
        tallying.note_all(session)


def fill_accounts(count: int) -> None:
    """The accounts of `benchmarks/scale` and their sites, without what hangs on them."""
    import company

    with engine().begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("set local work_mem = '256MB'"))
        indexes = company.taken_away(connection)
        for statement in (company.ACCOUNTS, *company.NUMBERED, company.SITES):
            values = {
                "accounts": count, "towns": company.TOWNS, "trades": company.TRADES, "streets": company.STREETS
            }  # fmt: skip
            connection.execute(text(statement), {name: one for name, one in values.items() if f":{name}" in statement})
        bring_back(connection, indexes)


def bring_back(connection: Any, indexes: list[str]) -> None:
    """Make indexes anew, without those of the search, which no tile here asks."""
    for definition in indexes:
        if "search" not in definition:
            connection.execute(text(definition))


def touch_accounts(session: Any, count: int) -> None:
    """Move some accounts to another class, as an import would: in one statement."""
    session.execute(
        text(
            "update account set account_class = case account_class when 'A' then 'B' else 'A' end"
            " where id in (select id from account where merged_into is null order by md5(id::text) limit :count)"
        ),
        {"count": count},
    )
