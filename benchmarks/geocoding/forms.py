"""The ways in which one right address is written down: made-up towns of all tables, every house in every form.

Nothing is misspelt: what is not found, or not surely, was read wrongly.

    python benchmarks/geocoding/forms.py [--seed 9] [--each 12] [--wrong]
"""

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from invented import House, countries

from geo.distance import haversine_m
from geo.geocode.geocoder import Geocoder
from geo.geocode.memory import MemoryIndex
from geo.geocode.types import AddressQuery


def forms(house: House, table: Mapping[str, Any], dice: random.Random) -> dict[str, AddressQuery]:
    """One house in every form."""
    street = f"{house.number} {house.name}" if table["number"] == "before" else f"{house.name} {house.number}"
    code, city, land = house.town.postcode, house.town.name, table["country"][0]
    extra, company = dice.choice(table["extra"]), dice.choice(table["company"])
    lines = {
        "postcode city street": f"{code} {city} {street}",
        "city postcode street": f"{city} {code} {street}",
        "postcode city street country": f"{code} {city} {street} {land}",
        "street city": f"{street} {city}",
        "street city country": f"{street} {city} {land}",
        "street postcode city country": f"{street} {code} {city} {land}",
        "company, postcode city street": f"{company}, {code} {city} {street}",
        "country, postcode city, street": f"{land}, {code} {city}, {street}",
        "extra, street, postcode city": f"{extra}, {street}, {code} {city}",
        "lines of a label": "\n".join((company, extra, street, f"{code} {city}", land)),
        "street; city": f"{street};{city}",
    }
    return {name: AddressQuery(query=text) for name, text in lines.items()} | {
        "street (extra)": AddressQuery(street=f"{street} ({extra})", postcode=code, city=city),
        "company / street": AddressQuery(street=f"{company} / {street}", postcode=code, city=city),
        "wrong encoding": AddressQuery(street=street.encode().decode("cp1252", "ignore"), postcode=code, city=city),
        "city twice": AddressQuery(street=f"{street}, {city}", postcode=code, city=city),
    }


def main() -> None:
    """Ask, and print the shares of each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--each", type=int, default=12, help="houses of each country")
    parser.add_argument("--wrong", action="store_true", help="print what is not right and sure")
    options = parser.parse_args()
    found: dict[str, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for made in countries(options.seed):
        asked, dice = Geocoder(MemoryIndex(made.content())), random.Random(f"{made.code}{options.seed}x")
        for house in dice.sample([house for house in made.houses if house.known], options.each):
            for name, query in forms(house, made.table, dice).items():
                answer = asked.locate(query)
                is_right = answer.point is not None and haversine_m(answer.point, house.point) <= 200
                for row in (name, "all"):
                    found[row][is_right, answer.is_confident] += 1
                if options.wrong and not (is_right and answer.is_confident):
                    print(made.code, name, query, answer, sep=" | ")
    print("| form | right and sure | right | sure and wrong |", "|---|---|---|---|", sep="\n")
    for name, counts in found.items():
        share = 100 / counts.total()
        sure, unsure, wrong = (share * counts[key] for key in ((True, True), (True, False), (False, True)))
        print(f"| {name} | {sure:.1f} | {sure + unsure:.1f} | {wrong:.1f} |")


if __name__ == "__main__":
    main()
