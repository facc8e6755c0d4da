"""A company whose sites stand at real houses, some of them with a mistake that is known: made from a seed.

Good sites are as hard as real life: firms of one house written in several ways, neighbours at one entrance, foreign
customers at home, countries that nobody wrote down, pins up to 20 m beside the house.
"""

import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

WORTH = {
    "lost_zero": {"lost_zero"},
    "wrong_columns": {"wrong_columns"},
    "street_and_city": {"street_and_city"},
    "number_elsewhere": {"number_elsewhere"},
    "country_missing": {"country_missing"},
    "swapped_point": {"swapped_point"},
    "stacked": {"stacked", "null_island"},
    "in_water": {"in_water"},
    "outside_map": {"outside_map", "outside_country", "outside_land", "swapped_point", "null_island"},
    "outside_country": {"outside_country", "swapped_point", "null_island"},
    "outside_land": {"outside_land", "outside_country", "swapped_point", "null_island"},
}
"""Which planted mistakes a detector is right to name: a swapped pin is outside its country too, and those at
0/0 are a pile besides."""

OWN = {"outside_map": {"outside_country", "outside_land"}}
"""What a detector must find where that is not the mistake of its own name."""
NEEDS_BORDER = {"outside_country", "outside_land"}
"""What can be told only on a map that has the country's border."""


@dataclass(frozen=True)
class Site:
    """One site, and what it was before something went wrong."""

    name: str
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    point: tuple[float, float]
    """Longitude, latitude."""
    mistake: str = ""
    """Empty for a good one."""
    trap: str = ""
    """What makes a good one look bad."""
    was: "Site | None" = None


ABROAD = (
    ("Mariahilfer Strasse 12", "1070", "Wien", "AT", (16.3610, 48.2010)),
    ("Bahnhofstrasse 20", "8001", "Zürich", "CH", (8.5390, 47.3700)),
    ("Rue de Rivoli 10", "75004", "Paris", "FR", (2.3560, 48.8560)),
    ("Prager Strasse 3", "01069", "Dresden", "DE", (13.7360, 51.0450)),
    ("Narva mnt 7", "10117", "Tallinn", "EE", (24.7640, 59.4370)),
)
"""Customers abroad, as they are."""


def beside(random_: random.Random, point: tuple[float, float], metres: float) -> tuple[float, float]:
    """A point so far away in some direction."""
    way = random_.uniform(0, math.tau)
    lat = point[1] + metres * math.sin(way) / 111_320
    return point[0] + metres * math.cos(way) / (111_320 * math.cos(math.radians(point[1]))), lat


class Company:
    """The sites of one company."""

    def __init__(
        self, seed: int, houses: Sequence[Site], waters: Sequence[tuple[float, float]], size: int, share: float
    ) -> None:
        self.random = random.Random(seed)
        self.houses, self.size, self.share = houses, size, share
        self.waters = self.random.sample(waters, len(waters))

    def sites(self) -> list[Site]:
        """All of them, the good and the bad."""
        rows = [*self.good(), *self.neighbours(), *self.foreign()]
        per_kind = round(self.share * self.size)
        for kind, spoil in self.spoilers().items():
            rows += self.piles(per_kind) if kind == "stacked" else self.spoilt(kind, spoil, per_kind)
        return [replace(row, name=f"Firma {place}") for place, row in enumerate(rows)]

    def house(self) -> Site:
        """A firm at a real house, its pin a little beside."""
        house = self.random.choice(self.houses)
        return replace(house, point=beside(self.random, house.point, self.random.uniform(0, 20)))

    def good(self) -> Iterator[Site]:
        """Firms as they should be; of one in fifty the country is not said and another is right."""
        for _ in range(self.size):
            yield self.house()

    def neighbours(self) -> Iterator[Site]:
        """Firms of one house, each with its own way to write it, and those of a centre with one entrance."""
        for _ in range(max(4, self.size // 200)):
            house = self.house()
            street = house.street or ""
            for written in (street, street.upper(), f"{street}, 2. OG", f"c/o Treuhand, {street}", f"{street} / Top 4"):
                yield replace(house, street=written, trap="one house")
            entrance = self.random.choice(self.houses)
            street = (entrance.street or "").rpartition(" ")[0]
            near = [one for one in self.houses if (one.street or "").rpartition(" ")[0] == street]
            near = [one for one in near if one.city == entrance.city and one.postcode == entrance.postcode]
            near = [one for one in near if metres(one.point, entrance.point) < 40][:8]
            yield from (replace(one, point=entrance.point, trap="one entrance") for one in near)

    def foreign(self) -> Iterator[Site]:
        """Customers abroad; of every second one the country is not written down."""
        for place in range(max(10, self.size // 100)):
            street, postcode, city, country, point = self.random.choice(ABROAD)
            yield Site("", street, postcode, city, country if place % 2 else None, point, trap="abroad")

    def spoilers(self) -> dict[str, Callable[[Site], Site | None]]:
        """What goes wrong, by its name; None when it cannot with this site."""
        return {
            "lost_zero": self.without_zeros,
            "wrong_columns": self.in_wrong_columns,
            "street_and_city": self.exchanged,
            "number_elsewhere": self.without_number,
            "country_missing": lambda site: replace(site, country=None),
            "swapped_point": lambda site: replace(site, point=(site.point[1], site.point[0])),
            "stacked": lambda site: site,
            "in_water": self.drowned,
            "outside_country": self.sent_abroad,
            "outside_land": lambda site: replace(site, country=None, point=beside(self.random, site.point, 150_000)),
            "null_island": lambda site: replace(site, point=(0.0, 0.0)),
        }

    def spoilt(self, kind: str, spoil: Callable[[Site], Site | None], count: int) -> Iterator[Site]:
        """Some sites with one mistake."""
        for _ in range(count):
            good = self.house()
            bad = spoil(good)
            if bad is not None:
                yield replace(bad, mistake=kind, was=good)

    def without_zeros(self, site: Site) -> Site | None:
        """A spreadsheet took the postcode for a number."""
        postcode = site.postcode or ""
        if not postcode.isdigit() or not postcode.startswith("0"):
            return None
        return replace(site, postcode=postcode.lstrip("0") or None)

    def in_wrong_columns(self, site: Site) -> Site | None:
        """Exchanged, or both in one of the two columns."""
        if not site.city or not any(map(str.isdigit, site.postcode or "")):
            return None
        return self.random.choice(
            (
                replace(site, postcode=site.city, city=site.postcode),
                replace(site, postcode=None, city=f"{site.postcode} {site.city}"),
                replace(site, postcode=f"{site.postcode} {site.city}", city=None),
                replace(site, postcode=f"{site.country}-{site.postcode} {site.city}", city=site.city),
            )
        )

    def exchanged(self, site: Site) -> Site | None:
        """The street stands in the column of the city, and the city in that of the street."""
        return replace(site, street=site.city, city=site.street) if site.street and site.city else None

    def without_number(self, site: Site) -> Site | None:
        """The house number is beside the city, or in the column of the postcode."""
        street, _, number = (site.street or "").rpartition(" ")
        if not street or any(map(str.isdigit, street)) or not re.fullmatch("[0-9]{1,4}[A-Za-z]?(-[0-9]{1,4})?", number):
            return None
        if not site.city or not any(map(str.isdigit, site.postcode or "")):
            return None
        return self.random.choice(
            (
                replace(site, street=street, city=f"{site.city} {number}"),
                replace(site, street=street, city=f"{number} {site.city}"),
                replace(site, street=street, postcode=number, city=f"{site.postcode} {site.city}"),
            )
        )

    def drowned(self, site: Site) -> Site | None:
        """The pin is in a lake, a river or the sea."""
        return replace(site, point=self.waters.pop()) if self.waters else None

    def sent_abroad(self, site: Site) -> Site | None:
        """The pin is 60 to 900 km away: another place of that name."""
        return replace(site, point=beside(self.random, site.point, self.random.uniform(60_000, 900_000)))

    def piles(self, count: int) -> Iterator[Site]:
        """Sites of several addresses on the middle of a town, five to thirty a pile."""
        while count > 0:
            centre, pile = self.random.choice(self.houses), self.random.randint(5, 30)
            town = [house for house in self.houses if house.city == centre.city]
            far = [house for house in town if metres(house.point, centre.point) > 100]
            count -= pile
            chosen = self.random.choices(far, k=pile) if far else []
            if len({(house.street, house.postcode) for house in chosen}) >= 3:
                yield from (replace(good, point=centre.point, mistake="stacked", was=good) for good in chosen)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far apart two points of one town are."""
    east = (one[0] - other[0]) * 111_320 * math.cos(math.radians(one[1]))
    return math.hypot(east, (one[1] - other[1]) * 111_320)
