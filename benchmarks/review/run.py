"""How well each detector of bulk mistakes finds what is wrong, and what its repair makes of it.

    python benchmarks/review/run.py [--sites 6000] [--seed 5] [--extract FILE.osm.pbf ...]

Sites at the real houses of each extract get a known mistake (`mistakes.py`); every detector then searches as the page
does. The peer is the plain rule that a spreadsheet would apply, in the same run. Ends with 1 when a detector falls
short.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from mistakes import NEEDS_BORDER, OWN, WORTH, Company, Site, metres

HOME = Path(tempfile.mkdtemp(prefix="waymark-review-"))
HOME.chmod(0o755)
os.environ["WAYMARK_HOME"] = str(HOME)
os.environ.pop("WAYMARK_DATABASE_URL", None)

from sqlalchemy import text  # noqa: E402

from geo.madeup import write_region  # noqa: E402
from server import migrations  # noqa: E402
from server.accounts.reviewing import repair_rows, repairs  # noqa: E402
from server.accounts.reviewing.detectors import DETECTORS  # noqa: E402
from server.auth import service as auth  # noqa: E402
from server.auth.access import Scope, scope_of  # noqa: E402
from server.auth.models import Role, User  # noqa: E402
from server.geocoding import service as geocoding  # noqa: E402
from server.kit import embedded  # noqa: E402
from server.kit.database import copy_rows, engine, transaction  # noqa: E402
from server.kit.ids import uuid7  # noqa: E402
from server.regions import service as regions  # noqa: E402
from server.regions.packing import sha256_of  # noqa: E402

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "osm"
EXTRACTS = [DATA / f"{name}.osm.pbf" for name in ("liechtenstein", "helsinki", "malta")]
WANTED = (0.97, 0.90)
"""Precision and recall that each detector must reach in each place."""
NEAR_M = 100.0
"""A mended pin is right so near to where it was before the mistake."""

HOUSES = text(
    """
    select s.name || ' ' || a.number, nullif(a.postcode, ''), nullif(s.city, ''), nullif(s.country, ''),
           st_x(a.point), st_y(a.point)
    from geocoding_address a join geocoding_street s on s.source_id = a.source_id and s.position = a.street
    where not s.is_place and s.city <> '' and a.number <> '' order by a.position
    """
)
WATERS = text(
    """
    select st_x(p), st_y(p) from (
        select st_transform((st_dump(st_generatepoints(geom, 20, 7))).geom, 4326) as p from basemap_feature
        where layer = 'water' and st_dimension(geom) = 2 and st_area(geom) > 4000 and st_isvalid(geom)
        order by region_id, st_area(geom) desc limit 2000
    ) w
    """
)
BORDER = "select exists (select from region_place where kind = 'country' and area is not null)"

PLAIN = {
    "lost_zero": "select id from site where country = (select max(country) from site) and length(postcode) ="
    " (select mode() within group (order by length(postcode)) from site) - 1",
    "swapped_point": "select id from site where not (pin && (select st_expand(st_extent(pin)::geometry, 0.05) from ("
    "select pin from site order by st_distance(pin, (select st_centroid(st_collect(pin)) from site))"
    " limit (select count(*) * 8 / 10 from site)) core))",
    "stacked": "select id from site where pin in (select pin from site group by pin having count(*) >= 5)",
    "outside_country": "select id from site where not (pin && (select st_setsrid(st_makebox2d("
    "st_makepoint(r.bbox[1], r.bbox[2]), st_makepoint(r.bbox[3], r.bbox[4])), 4326) from region r limit 1))",
    "country_missing": "select id from site where country is null",
    "wrong_columns": "select id from site where postcode !~ '[0-9]' or city ~ '[0-9]'",
}
"""What the plain rule finds; where there is none, nobody does it without a map."""


@dataclass(frozen=True)
class Score:
    """How one detector did."""

    said: int
    right: int
    planted: int
    mended: int
    asked: int
    plain: tuple[int, int] | None
    seconds: float
    found: int
    """Of those planted for it."""

    @property
    def precision(self) -> float:
        """Which share of what it names is wrong indeed."""
        return self.right / self.said if self.said else 1.0


def main() -> None:
    """Plant, search and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=6000, help="good ones; 1.5 % more of each mistake")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--extract", type=Path, nargs="+", default=[path for path in EXTRACTS if path.exists()])
    given = parser.parse_args()
    fine = True
    try:
        migrations.upgrade(engine())
        for path in given.extract or [made_up()]:
            fine &= measure(path, given.sites, given.seed)
    finally:
        engine().dispose()
        embedded.stop(HOME)
        shutil.rmtree(HOME, ignore_errors=True)
    sys.exit(0 if fine else 1)


def made_up() -> Path:
    """An extract where there is no real one."""
    path = HOME / "made-up.osm.pbf"
    write_region(path, villages=12)
    return path


def add_region(file: Path) -> None:
    """The map of one extract, in place of the one before."""
    with transaction() as session:
        for (name,) in session.execute(text("select name from region")).all():
            regions.remove(session, name)
        region = regions.register(session, regions.name_of(file), sha256_of(file), file.name)
        regions.keep_extract(region, file)
        regions.load(session, region.id, file)
        regions.pack(session, region.id)
        geocoding.build_index(session, region.id)
        regions.publish(session, region.id)


def measure(path: Path, count: int, seed: int) -> bool:
    """One place; whether every detector reaches what is wanted there."""
    add_region(path)
    with transaction() as session:
        rows = session.execute(HOUSES).all()
        home = repairs.home_country(session)
        houses = [Site("", row[0], row[1], row[2], row[3] or home, (row[4], row[5])) for row in rows]
        waters = [(x, y) for x, y in session.execute(WATERS)]
    sites = Company(seed, houses, waters, count, 0.015).sites()
    known = load(sites)
    print(f"\n{path.name}: {len(sites):,} sites, {sum(bool(one.mistake) for one in sites):,} with a mistake\n")
    print("| detector | planted | named | precision | recall | mended right | to the desk | plain rule | s |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    return all([report(name, score(name, known)) for name in DETECTORS])


def load(sites: list[Site]) -> dict[UUID, Site]:
    """Store the sites in place of those that are there."""
    known = {uuid7(): site for site in sites}
    with transaction() as session:
        session.execute(text("set local sync.suppress = 'on'"))
        session.execute(text("truncate account, site, field_history cascade"))
        accounts = {site_id: uuid7() for site_id in known}
        copy_rows(session, "account", ("id", "name"), ((accounts[i], site.name) for i, site in known.items()))
        columns = ("id", "account_id", "is_main", "street", "postcode", "city", "country", "pin", "pin_state", "grade")
        copy_rows(
            session, "site", columns,
            (
                (i, accounts[i], True, s.street, s.postcode, s.city, s.country,
                 f"SRID=4326;POINT({s.point[0]} {s.point[1]})", "placed", "given")
                for i, s in known.items()
            ),
        )  # fmt: skip
        session.execute(text("analyze account, site"))
    return known


def reach() -> tuple[UUID, ...]:
    """The id of somebody who may place every pin."""
    with transaction() as session:
        user = session.query(User).first() or auth.create_user(session, login="ada", name="Ada", role=Role.ADMIN)
        session.flush()
        return (user.id,)


def score(name: str, known: dict[UUID, Site]) -> Score:
    """Search as the page does, and compare with what was planted."""
    (user_id,) = reach()
    began = time.perf_counter()
    with transaction() as session:
        scope: Scope = scope_of(session, session.get_one(User, user_id), source="web")
        run = repairs.begin(session, scope, name)
        repairs.search(session, scope, run)
        rows = repair_rows.rows(session, run.id, limit=1_000_000)
        spent = time.perf_counter() - began
        plain = session.execute(text(PLAIN[name])).scalars().all() if name in PLAIN else None
        has_border = session.execute(text(BORDER)).scalar_one()
    worth = WORTH[name]
    right = [row for row in rows if known[row.site_id].mistake in worth]
    wrong = Counter(known[row.site_id].mistake or known[row.site_id].trap or "good" for row in rows)
    found = {row.site_id for row in right}
    own = {i for i, site in known.items() if site.mistake in OWN.get(name, {name})}
    if name in NEEDS_BORDER and not has_border:
        own = set()
    missed = Counter(spelt(known[i]) for i in own - found)
    if missed or len(right) < len(rows):
        print(f"{name}: named {dict(wrong)}, missed {dict(missed.most_common(4))}", file=sys.stderr)
    plainly = (len(plain), sum(known[i].mistake in worth for i in plain)) if plain is not None else None
    asked = sum(row.verb == "ask" for row in right)
    mended = sum(is_mended(row, known[row.site_id]) for row in right if row.verb != "ask")
    return Score(len(rows), len(right), len(own), mended, asked, plainly, spent, len(own & found))


def spelt(site: Site) -> str:
    """A site that was missed, in a word or two."""
    return f"{site.postcode}|{site.city}|{site.country}"


def is_mended(row: repair_rows.RepairRow, site: Site) -> bool:
    """Whether the repair brings back what was there before the mistake."""
    was = site.was or site
    if row.to_lon is not None and row.to_lat is not None and metres((row.to_lon, row.to_lat), was.point) > NEAR_M:
        return False
    return all(
        row.after[name] == getattr(was, name) for name in ("street", "postcode", "city", "country") if name in row.after
    )


def report(name: str, got: Score) -> bool:
    """One line of the table; whether it is good enough."""
    recall = got.found / got.planted if got.planted else 1.0
    plain = "" if got.plain is None else f"{got.plain[1] / max(1, got.plain[0]):.1%} of {got.plain[0]}"
    moved = got.right - got.asked
    mended = f"{got.mended / moved:.1%}" if moved else ""
    figures = f"{got.precision:.1%} | {f'{recall:.1%}' if got.planted else ''} | {mended} | {got.asked} | {plain}"
    print(f"| {name} | {got.planted} | {got.said} | {figures} | {got.seconds:.1f} |", flush=True)
    return got.precision >= WANTED[0] and recall >= WANTED[1]


if __name__ == "__main__":
    main()
