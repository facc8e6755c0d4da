"""How many accounts a newer extract has looked at again, and whether one is missed: `python benchmarks/updates/run.py`.

A changed copy of an extract is made (streets renamed, numbers moved, added and taken away), accounts are placed with
the old one, and after the update every account is asked again: whoever would be answered differently must be among
those that were to be looked at.
"""

import argparse
import csv
import os
import random
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--extract", type=Path, default=Path("../shared/data/osm/liechtenstein.osm.pbf"))
parser.add_argument("--rows", type=Path, default=Path("../shared/data/geocode/li.csv"), help="messy addresses")
parser.add_argument("--sites", type=int, default=3000)
parser.add_argument("--changes", type=int, default=5, help="streets renamed; six times as many numbers change")
arguments = parser.parse_args()
if not arguments.extract.exists() or not arguments.rows.exists():
    print(f"skipped: there is no {arguments.extract} or {arguments.rows}")
    raise SystemExit(0)
folder = tempfile.TemporaryDirectory(prefix="waymark-updates-")
os.environ["WAYMARK_HOME"] = folder.name
os.environ.pop("WAYMARK_DATABASE_URL", None)

import osmium  # noqa: E402
from osmium.osm import mutable  # noqa: E402
from sqlalchemy import select, text  # noqa: E402

from geo.geocode.types import Answer  # noqa: E402
from server import migrations  # noqa: E402
from server.accounts import locating, rechecking  # noqa: E402
from server.accounts.models import Account, Site  # noqa: E402
from server.atlas import service as atlas  # noqa: E402
from server.geocoding import queries, updating  # noqa: E402
from server.geocoding import service as geocoding  # noqa: E402
from server.geocoding.reporting import in_words  # noqa: E402
from server.kit import embedded  # noqa: E402
from server.kit.database import engine, transaction  # noqa: E402


class Editor(osmium.SimpleHandler):  # type: ignore[misc]
    """Copies an extract with a few streets and house numbers changed."""

    def __init__(self, writer: osmium.SimpleWriter, seed: int, streets: int) -> None:
        super().__init__()
        self.writer, self.random, self.streets = writer, random.Random(seed), streets
        self.numbers, self.renamed = streets * 6, set[str]()

    def node(self, node: osmium.osm.Node) -> None:
        """One in a hundred house numbers goes, moves or is another one."""
        if self.is_chosen(node.tags):
            self.numbers -= 1
            if self.numbers % 3 == 1:
                self.writer.add_node(
                    mutable.Node(base=node, location=(node.location.lon + 0.001, node.location.lat + 0.001))
                )
            elif self.numbers % 3 == 2:
                self.writer.add_node(mutable.Node(base=node, tags=another(node.tags)))
            return
        self.writer.add_node(node)

    def way(self, way: osmium.osm.Way) -> None:
        """A few streets have another name, with the addresses on buildings; some buildings have another number."""
        name = way.tags.get("name", "")
        if "highway" in way.tags and name and name not in self.renamed and self.streets and self.random.random() < 0.02:
            self.streets -= 1
            self.renamed.add(name)
        if "highway" in way.tags and name in self.renamed:
            way = mutable.Way(base=way, tags={**dict(way.tags), "name": f"Neue {name}"})
        elif self.is_chosen(way.tags):
            self.numbers -= 1
            if self.numbers % 2:
                return
            way = mutable.Way(base=way, tags=another(way.tags))
        self.writer.add_way(way)

    def is_chosen(self, tags: osmium.osm.TagList) -> bool:
        """Whether a thing's house number changes."""
        return "addr:housenumber" in tags and self.numbers > 0 and self.random.random() < 0.01

    def relation(self, relation: osmium.osm.Relation) -> None:
        self.writer.add_relation(relation)


def another(tags: osmium.osm.TagList) -> dict[str, str]:
    """The tags with another house number."""
    return {**dict(tags), "addr:housenumber": tags["addr:housenumber"] + "z"}


def changed(extract: Path, target: Path, streets: int) -> None:
    """Write a changed copy of an extract."""
    with osmium.SimpleWriter(str(target)) as writer:
        Editor(writer, 7, streets).apply_file(str(extract))


def people(rows: Path, count: int) -> None:
    """Store accounts at messy addresses, the same ones over and over when there are too few."""
    with rows.open(newline="") as file:
        table = [row for row in csv.DictReader(file) if row.get("street") or row.get("city")]
    with transaction() as session:
        for at in range(count):
            row = table[at % len(table)]
            account = Account(name=row.get("name") or f"Firm {at}")
            session.add(account)
            session.flush()
            session.add(
                Site(
                    account_id=account.id, is_main=True, street=row.get("street") or None, city=row.get("city") or None,
                    postcode=row.get("postcode") or None, country=row.get("country") or None,
                )
            )  # fmt: skip
    while True:
        with transaction() as session:
            batch = locating.pending(session)
            locating.locate(session, batch)
        if len(batch) < locating.BATCH:
            return


def told(answer: Answer | Site) -> tuple[object, ...]:
    """What a person sees of an answer."""
    if isinstance(answer, Site):
        return (answer.grade, answer.pin_state == "placed", answer.geocode_reason)
    return (answer.grade, answer.is_confident, answer.reason)


def answers() -> dict[object, tuple[object, ...]]:
    """The present index's answer to every site."""
    found = {}
    with transaction() as session:
        rows = session.execute(select(Site, Account.name).join(Account, Account.id == Site.account_id)).all()
        given = geocoding.locate_many(session, [locating.query_of(site, name) for site, name in rows])
        for (site, _), answer in zip(rows, given, strict=True):
            at = answer.point and (round(answer.point.lon, 6), round(answer.point.lat, 6))
            found[site.id] = (at, *told(answer), answer.street, answer.number)
    return found


try:
    migrations.upgrade(engine())
    newer = Path(folder.name) / "newer.osm.pbf"
    changed(arguments.extract, newer, arguments.changes)
    atlas.add_region(arguments.extract, "here")
    people(arguments.rows, arguments.sites)
    with transaction() as session:
        session.execute(text("update site set grade = 'manual' where id in (select id from site order by id limit 20)"))
        by_hand = dict(session.execute(text("select id, pin::text from site where grade = 'manual'")).all())
    before = answers()
    atlas.add_region(newer, "here")
    after = answers()
    with transaction() as session:
        source = queries.of_region(session, "here")
        assert source is not None
        current = updating.settle(session)
        assert current is not None
        began = time.perf_counter()
        found = set(rechecking.concerned(session, current))
        took = time.perf_counter() - began
    differing = {site for site in before if before[site] != after[site]} - set(by_hand)
    with transaction() as session:
        state = dict(session.execute(text("select id, pin_state from site")).all())
    locating.check_pins_again.func()
    with transaction() as session:
        still = dict(session.execute(text("select id, pin::text from site where grade = 'manual'")).all())
    print(f"changes: {in_words(source.changes)}")
    print(
        f"sites: {len(before):,}; looked at again: {len(found):,} ({len(found) / len(before):.1%}),"
        f" found in {took:.1f} s"
    )
    sure = sum(state[site] == "placed" for site in found)
    print(f"of these {sure:,} were sure ({sure / sum(s == 'placed' for s in state.values()):.1%} of the sure ones)")
    print(f"answered differently: {len(differing):,}, of them missed: {len(differing - found)}")
    print(f"pins set by hand that moved: {sum(by_hand[site] != still.get(site) for site in by_hand)}")
    with transaction() as session:
        for site in list(differing - found)[:10]:
            row = session.get_one(Site, site)
            print("  missed:", row.street, row.postcode, row.city, before[site], "->", after[site])
finally:
    engine().dispose()
    embedded.stop(Path(folder.name))
