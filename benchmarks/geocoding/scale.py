"""The address index of ten thousand to a million streets: time to build, size, time to open, and speed of answers.

    python benchmarks/geocoding/scale.py [--streets 10000 100000 300000 1000000] [--questions 20000]

Streets are made up from the real ones of the five places (of the made-up region where those are missing): towns are
copied with other names, postcodes and surroundings, and a third of the street names is put together anew. Everything
is drawn with a fixed seed. Each size is asked in a process of its own that maps the file; times are processor time.
`--sqlite` measures the hot operations beside the same rows in an SQLite database.
"""

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from places import PLACES, content

from geo.distance import haversine_m
from geo.geocode import mapped
from geo.geocode.content import Content, HouseRow, PlaceRow, StreetRow
from geo.geocode.geocoder import Geocoder
from geo.geocode.joint import joint
from geo.geocode.keys import Keys
from geo.geocode.normalise import street_name
from geo.geocode.packing import packed, rules
from geo.geocode.segment import Segment
from geo.geocode.types import AddressQuery
from geo.types import LonLat

SEED = 20261125
STREETS_PER_HAMLET = 20
"""A million streets lie in fifty thousand places."""
BEFORE = ("Ober", "Unter", "Neu", "Alt", "Groß", "Klein", "Bad ", "Sankt ", "Nord", "Castel", "Monte", "East ", "Ylä")
BEHIND = ("heim", "hausen", "dorf", "bach", "berg", "feld", "ville", "ton", "burg", "ano", "etto", "la", "stedt", "au")
SINGLES = 3_000


def real() -> list[Content]:
    """Streets and places of what is on this machine."""
    found = [content(place) for place in PLACES if place.source.exists()]
    if not found:
        from geo.madeup import write_region

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "madeup.osm.pbf"
            write_region(path)
            found = [content(type(PLACES[0])("madeup", path))]
    return found


Town = tuple[str, list[StreetRow]]


def towns(contents: Sequence[Content]) -> list[Town]:
    """Streets by the town that their addresses write."""
    found: dict[tuple[int, str], list[StreetRow]] = defaultdict(list)
    for at, one in enumerate(contents):
        for street in one.streets:
            found[at, street.city].append(street)
    return [(city, streets) for (_, city), streets in found.items() if city and len(streets) > 4]


class Country:
    """A country made up from real towns: `places` first, then `streets`, each read once and in order."""

    def __init__(self, real_towns: Sequence[Town], size: int) -> None:
        self._random = random.Random(SEED)
        self._names = [city for city, _ in real_towns]
        self._parts = [s.name for _, streets in real_towns for s in streets if " " not in s.name and len(s.name) > 7]
        self.towns: list[tuple[str, list[StreetRow], LonLat, int]] = []
        """Name, real streets, how far they are moved, position of the first place."""
        self.places: list[PlaceRow] = []
        left = size
        while left > 0:
            _, streets = real_towns[self._random.randrange(len(real_towns))]
            streets = streets[:left]
            move = LonLat(self._random.uniform(-9, 9), self._random.uniform(-4, 4))
            name = self._town_name()
            self.towns.append((name, streets, move, len(self.places)))
            middle = _moved(streets[0].point, move)
            self.places.append(PlaceRow(name, (), "town", "", middle, 4_000.0))
            for hamlet in range(len(streets) // STREETS_PER_HAMLET):
                point = _moved(streets[hamlet * STREETS_PER_HAMLET].point, move)
                self.places.append(PlaceRow(self._town_name(), (), "hamlet", "", point, 800.0))
            left -= len(streets)

    def _town_name(self) -> str:
        base = self._random.choice(self._names).split(" ")[-1]
        cut = base[: self._random.randint(3, 7)]
        return self._random.choice(BEFORE) * (self._random.random() < 0.4) + cut + self._random.choice(BEHIND)

    def streets(self) -> Iterator[StreetRow]:
        """The streets, town by town."""
        chance = random.Random(SEED + 1)
        for at, (name, streets, move, first) in enumerate(self.towns):
            for n, street in enumerate(streets):
                hamlet = n // STREETS_PER_HAMLET
                places = (first, first + 1 + hamlet) if hamlet < len(streets) // STREETS_PER_HAMLET else (first,)
                code = f"{10_000 + (at * 7 + n // 400) % 90_000}"
                title = self._street_name(street.name, chance)
                houses = tuple(HouseRow(h.number, _moved(h.point, move), code) for h in street.houses)
                yield StreetRow(
                    title, (), name, street.country, (code,), places, _moved(street.point, move), street.extent_m,
                    street.is_place, houses,
                )  # fmt: skip

    def _street_name(self, name: str, chance: random.Random) -> str:
        """The name itself in two of three, else with the beginning of another one."""
        first, _, rest = name.partition(" ")
        if chance.random() < 0.67 or len(first) < 6:
            return name
        other = chance.choice(self._parts)
        return other[: chance.randint(3, 6)] + first[len(first) // 2 :].lower() + (" " + rest if rest else "")


def _moved(point: LonLat, by: LonLat) -> LonLat:
    return LonLat(round(point.lon + by.lon, 7), round(point.lat + by.lat, 7))


def _typo(text: str, chance: random.Random) -> str:
    at = chance.randrange(1, max(2, len(text) - 1))
    return chance.choice((text[:at] + text[at + 1 :], text[:at] + text[at : at + 2][::-1] + text[at + 2 :]))


Asked = tuple[AddressQuery, LonLat | None]


def questions(chosen: list[StreetRow]) -> list[Asked]:
    """Addresses as people write them, with the true point; none for those that do not exist."""
    chance = random.Random(SEED + 2)
    chance.shuffle(chosen)
    return [_asked(street, chance.choice(street.houses), chance) for street in chosen if street.houses]


def _asked(street: StreetRow, house: HouseRow, chance: random.Random) -> Asked:
    name, city, code, way = street.name, street.city, house.postcode, chance.random()
    if way < 0.25:
        return AddressQuery(street=f"{name} {house.number}", postcode=code, city=city), house.point
    if way < 0.45:
        return AddressQuery(query=f"{name} {house.number}, {code} {city}"), house.point
    if way < 0.55:
        return AddressQuery(street=f"{name} {house.number}", city=city), house.point
    if way < 0.75:
        return AddressQuery(street=f"{_typo(name, chance)} {house.number}", postcode=code, city=city), house.point
    if way < 0.85:
        return AddressQuery(query=f"{_typo(name, chance)} {house.number}, {code} {_typo(city, chance)}"), house.point
    if way < 0.95:
        return AddressQuery(street=f"{name} {house.number}", city=_typo(city, chance)), house.point
    return AddressQuery(query=f"Xq{name[::-1].lower()} {house.number}, {code} {city}"), None


def build(size: int, real_towns: Sequence[Town], count: int, folder: Path) -> dict[str, float]:
    """Write the index of a made-up country and its questions."""
    country = Country(real_towns, size)
    wanted = set(random.Random(SEED).sample(range(size), min(size, 2 * count)))
    chosen: list[StreetRow] = []
    made, start = 0.0, time.process_time()

    def timed() -> Iterator[StreetRow]:
        nonlocal made
        begun = time.process_time()
        for at, row in enumerate(country.streets()):
            if at in wanted:
                chosen.append(row)
            made += time.process_time() - begun
            yield row
            begun = time.process_time()

    arrays = packed(country.places, timed(), ())
    path = folder / f"{size}.index"
    mapped.write(path, arrays, rules())
    built_s = time.process_time() - start - made
    asked = [(q.street, q.postcode, q.city, q.query, point) for q, point in questions(chosen)[:count]]
    (folder / f"{size}.json").write_text(json.dumps(asked))
    return {
        "build_s": built_s, "bytes": path.stat().st_size, "houses": len(arrays["house.lons"]),
        "places": len(country.places),
    }  # fmt: skip


def ask(path: Path) -> dict[str, float]:
    """Open an index in this process and ask: once one by one with nothing remembered, then all in a batch."""
    asked = [
        (AddressQuery("", street, code, city, "", query), LonLat(*point) if point else None)
        for street, code, city, query, point in json.loads(path.with_suffix(".json").read_text())
    ]
    street_name("Hauptstrasse")  # the language tables are read once per process, whatever the index
    before, start = _private_mb(), time.perf_counter()
    geocoder = Geocoder(joint([mapped.read(path, rules())], "x"))
    opened_s = time.perf_counter() - start
    geocoder.locate(asked[0][0])
    first_s = time.perf_counter() - start
    singles = []
    for query, _ in asked[:SINGLES]:
        start = time.process_time()
        geocoder.locate(query)
        singles.append(1000 * (time.process_time() - start))
    singles.sort()
    rest = asked[SINGLES:]
    start = time.process_time()
    answers = list(geocoder.locate_many(query for query, _ in rest))
    rate = len(rest) / (time.process_time() - start)
    right = sum(
        (point is None and not a.is_confident)
        or (point is not None and a.point is not None and haversine_m(a.point, point) <= 200)
        for a, (_, point) in zip(answers, rest, strict=True)
    )
    wrong = sum(
        a.is_confident and (point is None or a.point is None or haversine_m(a.point, point) > 200)
        for a, (_, point) in zip(answers, rest, strict=True)
    )
    return {
        "open_ms": 1000 * opened_s, "first_ms": 1000 * first_s, "median_ms": singles[len(singles) // 2],
        "p99_ms": singles[len(singles) * 99 // 100], "worst_ms": singles[-1], "rate": rate,
        "private_mb": _private_mb() - before, "right": right / len(rest), "wrong": wrong / len(rest),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def _private_mb() -> float:
    """Memory of this process that no other one can share, on Linux; elsewhere nothing is known."""
    rollup = Path("/proc/self/smaps_rollup")
    if not rollup.exists():
        return 0.0
    lines = (line.split() for line in rollup.read_text().splitlines())
    return sum(int(words[1]) for words in lines if words[0] == "Private_Dirty:") / 1024


def beside_sqlite(path: Path, folder: Path) -> None:
    """Time the hot operations on the file and on an SQLite database with the same rows."""
    segment, keys = Segment(mapped.read(path, rules())), Keys(mapped.read(path, rules()), "street")
    base = sqlite3.connect(folder / "peer.sqlite")
    base.execute("create table street_key (key text, street int)")
    base.execute("create table house (street int, number text, code text, lon real, lat real)")
    base.execute("create table code_street (code text, street int)")
    base.execute("create virtual table grams using fts5(key, tokenize='trigram', detail='none', content='')")
    streets = range(segment.counts[0])
    base.executemany("insert into street_key values (?, ?)", ((keys.texts[k], s) for s in streets for k in keys.of[s]))
    base.executemany("insert into grams(rowid, key) values (?, ?)", ((k, keys.texts[k]) for k in range(len(keys))))
    base.executemany(
        "insert into code_street values (?, ?)", ((c, s) for s in streets for c in segment.street(s).postcodes)
    )
    base.executemany(
        "insert into house values (?, ?, ?, ?, ?)",
        ((s, h.number.text, h.postcode, *h.point) for s in streets for h in segment.houses(s)),
    )
    for statement in ("street_key (key)", "house (street)", "code_street (code)"):
        base.execute(f"create index i_{statement.split()[0]} on {statement}")
    base.execute("create index i_key_street on street_key (street, key)")
    base.commit()
    fresh = Segment(mapped.read(path, rules()))
    chance = random.Random(SEED)
    some = chance.sample(streets, min(2_000, len(streets)))
    names = [keys.texts[keys.of[s][0]] for s in some]
    typos = [_typo(name, chance) for name in names if len(name) > 5][:300]
    codes = [next(iter(segment.street(s).postcodes), "") for s in some]
    block = "select k.key, k.street from code_street c join street_key k on k.street = c.street where c.code = ?"

    def fetched(statement: str) -> Callable[[object], object]:
        return lambda value: base.execute(statement, (value,)).fetchall()

    def by_grams(key: object) -> object:
        padded = str(key)
        query = " OR ".join(f'"{padded[i : i + 3]}"' for i in range(len(padded) - 2))
        return base.execute("select rowid from grams where grams match ? order by rank limit 8", (query,)).fetchall()

    for operation, values, ours, theirs in (
        ("streets_named", names, fresh.streets_named, fetched("select street from street_key where key = ?")),
        ("postcode_block", codes, fresh.postcode_block, fetched(block)),
        ("houses", some, fresh.houses, fetched("select number, code, lon, lat from house where street = ?")),
        ("streets_like", typos, lambda key: fresh.streets_like(key, 8), by_grams),
    ):
        a, b = _each_us(ours, values), _each_us(theirs, values)
        print(f"  {operation:15} file {a:9.1f} us, SQLite {b:9.1f} us, {b / a:6.1f} times as long", flush=True)
    sizes = [file.stat().st_size / 1e6 for file in (path, folder / "peer.sqlite")]
    print(f"  size            file {sizes[0]:9.1f} MB, SQLite {sizes[1]:9.1f} MB")


def _each_us(ask_one: Callable[..., object], values: Sequence[object]) -> float:
    start = time.process_time()
    for value in values:
        ask_one(value)
    return 1e6 * (time.process_time() - start) / len(values)


def main() -> None:
    """Build and ask every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streets", type=int, nargs="+", default=[10_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--questions", type=int, default=20_000)
    parser.add_argument("--sqlite", action="store_true", help="compare the hot operations of the smallest size")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, help="keep the files in this folder")
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask(options.ask)))
        return
    real_towns = towns(real())
    with tempfile.TemporaryDirectory(prefix="waymark-scale-") as made:
        folder = options.keep or Path(made)
        for size in options.streets:
            b = build(size, real_towns, options.questions + SINGLES, folder)
            path = folder / f"{size}.index"
            command = [sys.executable, __file__, "--ask", str(path)]
            a = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(
                f"{size:9,} streets in {b['places']:6,.0f} places, {b['houses']:10,.0f} houses: "
                f"built in {b['build_s']:6.1f} s ({1e6 * b['build_s'] / size:4.0f} us a street), "
                f"{b['bytes'] / 1e6:7.1f} MB ({b['bytes'] / size:4.0f} bytes a street)\n"
                f"  opened in {a['open_ms']:.1f} ms, first answer after {a['first_ms']:.1f} ms, "
                f"{a['private_mb']:.0f} MB of its own after all questions\n"
                f"  one by one median {a['median_ms']:.2f} ms, p99 {a['p99_ms']:.2f} ms, worst {a['worst_ms']:.2f} ms; "
                f"batch {a['rate']:,.0f} rows/s; right {a['right']:.1%}, confidently wrong {a['wrong']:.2%}",
                flush=True,
            )
        if options.sqlite:
            beside_sqlite(folder / f"{options.streets[0]}.index", folder)


if __name__ == "__main__":
    main()
