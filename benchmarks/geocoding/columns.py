"""Addresses in the column of names, streets and towns exchanged, and streets mixed of two: made-up towns of all tables.

Right addresses are to be found surely or asked about; invented ones are never to be sure, neither of a street nor of a
town. (A figure right behind a legal form, `Moen AS 42`, is no address: such a company is answered with its town.)

    python benchmarks/geocoding/columns.py [FR ES ...] [--seed 9] [--each 40] [--wrong]
"""

import argparse
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from invented import Country, House, countries

from geo.distance import haversine_m
from geo.geocode.geocoder import Geocoder
from geo.geocode.memory import MemoryIndex
from geo.geocode.normalise import street_name
from geo.geocode.types import AddressQuery

Asked = tuple[str, AddressQuery, House | None]
"""A kind, a question, and the house that is right; none for an invented one."""


class Asker:
    """Questions about one country.

    Parameters
    ----------
    made : Country
        Whose houses are asked for.
    seed : int
        Another seed gives other questions.
    """

    def __init__(self, made: Country, seed: int) -> None:
        self._made, self._table, self._dice = made, made.table, random.Random(f"{made.code}{seed}columns")
        self._names: dict[str, dict[str, House]] = defaultdict(dict)
        for house in made.houses:
            self._names[house.town.name].setdefault(house.name, house)
        names = {name for known in self._names.values() for name in known} | {h.other for h in made.houses if h.other}
        self._known = {street_name(name).core for name in names} | {street_name(name).glued for name in names}

    def rows(self, each: int) -> Iterator[Asked]:
        """So many houses in every form."""
        spots = Counter((h.town.name, h.name, h.number) for h in self._made.houses)
        once = [h for h in self._made.houses if h.known and spots[h.town.name, h.name, h.number] == 1]
        for house in self._dice.sample(once, each):
            yield from self._right(house)
            yield from self._invented(house)

    def _right(self, house: House) -> Iterator[Asked]:
        street = self._written(house.name, house.number)
        place = {"postcode": house.town.postcode, "city": house.town.name}
        company, extra = self._dice.choice(self._table["company"]), self._dice.choice(self._table["extra"])
        line = ", ".join((street, f"{place['postcode']} {place['city']}"))
        misspelt = self._written(self._misspelt(house.name), house.number)
        for kind, fields in {
            "name": place | {"name": street},
            "name, number apart": place | {"name": self._written(house.name, house.number, ", ")},
            "name, floor": place | {"name": f"{street}, {extra}"},
            "name, company": place | {"name": f"{company}, {street}"},
            "name, line": {"name": f"{company}, {line}"},
            "name, line and place": place | {"name": f"{company}, {line}"},
            "name, misspelt": place | {"name": misspelt},
            "name <-> street": place | {"name": street, "street": company},
            "street <-> city": place | {"street": place["city"], "city": street},
            "street <-> city, no postcode": {"street": place["city"], "city": street},
            "street <-> city, misspelt": place | {"street": place["city"], "city": misspelt},
            "street <-> postcode": {"street": place["postcode"], "postcode": street, "city": place["city"]},
            "postcode column": {"postcode": street, "city": place["city"]},
        }.items():
            yield kind, AddressQuery(**fields), house

    def _invented(self, house: House) -> Iterator[Asked]:
        place = {"postcode": house.town.postcode, "city": house.town.name}
        company = self._dice.choice(self._table["company"])
        figure = str(self._dice.randint(1, 60))
        here = self._names[house.town.name]
        others = [name for known in self._names.values() for name in known if name not in here]
        strange = self._written(self._dice.choice(self._table["nonsense"]), figure)
        yield "name, nonsense (invented)", AddressQuery(**place, name=strange), None
        yield "exchanged, nonsense (invented)", AddressQuery("", place["city"], place["postcode"], strange), None
        yield "company and figure (invented)", AddressQuery(**place, name=f"{company} {figure}"), None
        if others:
            other = self._written(self._dice.choice(others), figure)
            yield "name, another town's (invented)", AddressQuery(**place, name=other), None
            yield (
                "exchanged, another town's (invented)",
                AddressQuery("", place["city"], place["postcode"], other),
                None,
            )
        for kind, mixed in self._mixed(house, sorted(here)):
            words = set(street_name(mixed).words)
            shortened = any(words <= set(street_name(name).words) for name in here)
            if not shortened and not {street_name(mixed).core, street_name(mixed).glued} & self._known:
                yield (
                    f"mixed, {kind} (invented)",
                    AddressQuery(street=self._written(mixed, house.number), **place),
                    None,
                )

    def _mixed(self, house: House, here: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Names mixed of the house's street and another one of its town."""
        mine, other = house.name, self._dice.choice([name for name in here if name != house.name])
        own, word = _tellers(mine, self._table), self._dice.choice(_tellers(other, self._table) or [other])
        if not own or word in own or len(word) < 4:
            return
        if len(own) > 1 or " " in mine:
            yield "a word replaced", mine.replace(self._dice.choice(own), word, 1)
        yield "a word before", mine.replace(own[0], f"{word} {own[0]}", 1)
        yield "a word behind", mine.replace(own[-1], f"{own[-1]} {word}", 1)
        yield "glued", mine.replace(own[-1], word + own[-1].lower(), 1)
        yield "with a hyphen", mine.replace(own[0], f"{word}-{own[0]}", 1)

    def _written(self, name: str, number: str, gap: str = " ") -> str:
        return gap.join((number, name) if self._table["number"] == "before" else (name, number))

    def _misspelt(self, name: str) -> str:
        at = self._dice.choice([n for n in range(1, len(name) - 1) if name[n : n + 2].isalpha()] or [1])
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def _tellers(name: str, table: Mapping[str, Any]) -> list[str]:
    """The words of a name that tell it from others; of a compound with a type the word before it."""
    glued = [kind[1:] for kind in table["types"] if kind[0] == "-"]
    found = []
    for word in re.split(r"[ ~-]", name):
        kind = next((kind for kind in glued if word.endswith(kind) and len(word) > len(kind) + 2), "")
        word = word.removesuffix(kind)
        if len(word) > 3 and word not in table["types"] and word not in table["abbr"] and word.isalpha():
            found.append(word)
    return found


def main() -> None:
    """Ask, and print the shares of each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("codes", nargs="*", help="some of the countries; all by default")
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--each", type=int, default=40, help="houses of each country")
    parser.add_argument("--wrong", action="store_true", help="print what is sure and wrong, and what is not found")
    options = parser.parse_args()
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for made in countries(options.seed):
        if options.codes and made.code not in options.codes:
            continue
        asked = Geocoder(MemoryIndex(made.content()))
        for kind, query, house in Asker(made, options.seed).rows(options.each):
            answer = asked.locate(query)
            is_right = house is not None and answer.point is not None and haversine_m(answer.point, house.point) <= 200
            result = ("sure" if answer.is_confident else "asked") + (" right" if is_right else " wrong")
            all_of_it = "all invented" if house is None else "all right ones"
            for row in (kind, all_of_it):
                found[row][result] += 1
            if options.wrong and result in ("sure wrong", "asked wrong") and (house is not None or answer.is_confident):
                print(made.code, kind, query, house and (house.name, house.number), answer, sep=" | ")
    print("| kind | rows | right and sure | right | sure and wrong |", "|---|---|---|---|---|", sep="\n")
    for kind, counts in found.items():
        share = 100 / counts.total()
        sure, right = share * counts["sure right"], share * (counts["sure right"] + counts["asked right"])
        print(f"| {kind} | {counts.total()} | {sure:.1f} | {right:.1f} | {share * counts['sure wrong']:.1f} |")


if __name__ == "__main__":
    main()
