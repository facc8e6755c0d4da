"""Answers from a single look-up: the same as those of the whole cascade."""

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from worlds import EVERYWHERE, VADUZ, addresses, place_of, row, world

from geo.geocode.building import build
from geo.geocode.collecting import Uncollected
from geo.geocode.confidence import shipped
from geo.geocode.geocoder import Geocoder
from geo.geocode.matching import Matcher, Where
from geo.geocode.memory import MemoryIndex
from geo.geocode.names import glued
from geo.geocode.parsing import parse
from geo.geocode.plain import Plain, plain_reading
from geo.geocode.types import AddressQuery, Reason
from geo.osm.records import Poi

Town = Callable[[str], Geocoder]

WRITINGS = (
    "{street} {number}", "{number} {street}", "{street} {number}b", "{street} {number}0", "{street} 9{number}",
    "{street}", "{word} {number}", "{street} {number} {number}", "{street} nr {number}", "{cut} {number}",
)  # fmt: skip
NAMES = {0: "Hintergass", 2: "Kiosk Landstrasse", 3: "Gasthaus Linde AG"}
PLACES = (
    {"postcode": "{postcode}", "city": "{city}"},
    {"postcode": "{postcode}"},
    {"city": "{city}"},
    {"postcode": "1{postcode}", "city": "{city}"},
    {"postcode": "{postcode}", "city": "Xyzzy"},
    {},
)


def asked(country: str) -> list[AddressQuery]:
    """A house of every street in many writings, as fields and as lines by turns."""
    found: list[AddressQuery] = []
    for a in addresses({street: list(numbers)[:1] for street, numbers in EVERYWHERE[country].items()}, country):
        parts = {"street": a.street, "number": a.number, "word": a.street.split()[0], "cut": a.street[:-1]}
        for writing in WRITINGS:
            street = writing.format(**parts)
            for place in PLACES:
                known = {k: v.format(postcode=a.postcode, city=a.city) for k, v in place.items()}
                line = AddressQuery(query=", ".join([street, " ".join(known.values())]))
                found.append(AddressQuery(street=street, **known) if len(found) % 2 else line)
    return found


@pytest.mark.parametrize("country", sorted(EVERYWHERE))
def test_an_answer_from_one_look_up_is_the_answer_of_the_whole_cascade(town: Town, country: str) -> None:
    questions = asked(country)
    for question, answer in zip(questions, town(country).locate_many(questions), strict=True):
        assert answer == town(country).reading(question)[-1], question


def match_of(index: MemoryIndex, street: str, city: str) -> bool:
    parsed = parse(AddressQuery(street=street, city=city), index)
    where = Where((), "", dict.fromkeys(index.places_named(glued(city)), 1.0), True, False)
    return Plain(index, Matcher(index), shipped()).match(parsed.segments, where) is not None


def test_plainly_written_addresses_need_one_look_up_only() -> None:
    index = MemoryIndex(build(addresses(VADUZ, "LI")))
    for street in ("Landstrasse 5", "5 Landstrasse", "FÜRST-FRANZ-JOSEF-STRASSE 12 a", "Landstrasse 41"):
        assert match_of(index, street, "Vaduz"), street
    assert match_of(index, "5 Im Gässle", "Schaan")
    for street in ("Landstrasse", "Landstrase 5", "Landstrasse 5 7", "c/o Meier Landstrasse 5", "Backofengasse 5"):
        assert not match_of(index, street, "Vaduz"), street


def test_a_figure_that_may_be_part_of_a_name_is_looked_at_closely() -> None:
    index = MemoryIndex(
        build(addresses({("Sokak", "1", "Izmit"): row(1, 9), ("Sokak7", "1", "Izmit"): row(1, 9)}, "TR"))
    )
    assert match_of(index, "Sokak 5", "Izmit")
    assert not match_of(index, "Sokak 7", "Izmit")


@pytest.mark.parametrize(
    "words", ["a 5 b c", "nr 5", "5 b gasse", "gasse 5 6", "gasse 1234567", "gasse", "5", "ag gasse 5"]
)
def test_what_leaves_room_for_another_reading_is_not_plain(words: str) -> None:
    assert plain_reading(tuple(words.split())) is None


def test_a_business_of_the_very_name_is_the_answer_of_the_whole_cascade_too() -> None:
    shops = [Poi(f"n{n}", name, {}, "shop=kiosk", place_of(n, 9), {"addr:city": "Vaduz"}) for n, name in NAMES.items()]
    found = world(VADUZ, "LI", pois=shops)
    for line in (f"{name}, {city}" for name in NAMES.values() for city in ("Vaduz", "Schaan", "Xyzzy")):
        question = AddressQuery(query=line)
        assert found.locate(question) == found.reading(question)[-1], line
    assert found.locate(AddressQuery(query="Hintergass, Vaduz")).reason is Reason.POI


def test_what_a_large_batch_leaves_behind_is_not_looked_through_but_cycles_elsewhere_are_found_in_the_end() -> None:
    program = """
import gc, weakref
from geo.geocode.collecting import uncollected

class Ring: pass

ring = Ring()
ring.itself, gone = ring, weakref.ref(ring)
del ring
kept = []
for blocks in range(1, 101):
    with uncollected:
        kept += [[] for _ in range(21_000)]
    assert gc.isenabled() and len(gc.get_objects(generation=0)) < 2_000, blocks
    if gone() is None:
        break
print(blocks)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert 1 < int(done.stdout) <= 50


def test_cycles_are_searched_again_when_the_last_of_several_batches_is_answered() -> None:
    pause = Uncollected()
    assert gc.isenabled()
    with pause:
        other = Thread(target=pause.__enter__)
        other.start()
        other.join()
        assert not gc.isenabled()
    assert not gc.isenabled()
    pause.__exit__(None, None, None)
    assert gc.isenabled()
