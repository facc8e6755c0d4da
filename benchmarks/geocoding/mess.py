"""Addresses disturbed in the ways people disturb them: every row has its kinds of mess, question and truth."""

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from invented import Country, House, plain

COLUMNS = (
    "id", "region", "cls", "ops", "form", "name", "street", "postcode", "city", "country", "query", "lat", "lon",
    "t_number", "t_street", "t_postcode", "t_city", "alts",
)  # fmt: skip
ELSEWHERE = (
    ("8 Peachtree Street", "30303", "Atlanta", "USA"),
    ("Königsallee 72", "40212", "Düsseldorf", "Deutschland"),
    ("Via Condotti 12", "00187", "Roma", "Italia"),
    ("Rue de Rivoli 23", "75001", "Paris", "France"),
    ("Bahnhofstrasse 5", "8001", "Zürich", "Schweiz"),
    ("Calle de Alcalá 44", "28014", "Madrid", "España"),
    ("Mannerheimintie 14", "00100", "Helsinki", "Suomi"),
)
_STRANGERS = 0.8
"""Share of wrong postcodes that belong to a town without such a street, beyond what chance gives."""
_APART = (
    {"nopc", "wrongpc", "pcplus"}, {"nocity", "typocity", "altcity"}, {"nopc", "nocity"}, {"nocity", "wrongpc"},
    {"typo", "droptype"}, {"altlang", "droptype"}, {"altlang", "wrongtype"}, {"altlang", "abbr"},
    {"altlang", "initial"}, {"altlang", "art"}, {"altlang", "prefix"}, {"prefix", "droptype"},
    {"wrongtype", "droptype"}, {"wrongtype", "abbr"}, {"droptype", "abbr"}, {"wrongtype", "altcity"},
    {"altcity", "wrongpc"}, {"initial", "typo"}, {"initial", "droptype"}, {"join", "droptype"}, {"join", "initial"},
    {"art", "initial"}, {"num", "order"}, {"wrongtype", "prefix"},
)  # fmt: skip


@dataclass
class Draft:
    """An address while it is disturbed."""

    house: House
    street: str
    number: str
    postcode: str
    city: str
    country: str
    first: bool
    """Whether the number stands before the street."""
    gap: str = " "
    """Between street and number."""
    name: str = ""
    extra: str = ""
    case: Callable[[str], str] = str
    alts: list[House] = field(default_factory=list)
    """Other houses that would be as right."""


class Disturber:
    """Questions about one invented country.

    Parameters
    ----------
    country : Country
        Whose houses are asked for.
    seed : int
        Another seed gives other questions.
    """

    def __init__(self, country: Country, seed: int = 1) -> None:
        self._dice = random.Random(f"{country.code}/{seed}")
        self._made, self._table = country, country.table
        self._behind = country.table.get("postcode") == "behind"
        self._known = [h for h in country.houses if h.known]
        self._by_spot: dict[tuple[str, str], list[House]] = defaultdict(list)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._last: dict[tuple[str, str], int] = {}
        for house in country.houses:
            if house.known:
                self._by_spot[house.town.name, house.number].append(house)
            self._names[house.town.name].add(house.name)
            figure = _figure(house.number)
            key = (house.town.name, house.name)
            self._last[key] = max(figure, self._last.get(key, 0))
        self._count = 0

    def rows(self, each: int) -> Iterator[dict[str, str]]:
        """`each` messy questions, and half or fewer of every other class."""
        for _ in range(each // 4):
            yield self._asked("clean_struct", self._plain(self._pick()), "", as_line=False)
            yield self._asked("clean_line", self._plain(self._pick()), "", as_line=True)
        for _ in range(each):
            yield self._messy()
        missing = [h for h in self._made.houses if not h.known]
        for house in self._dice.sample(missing, min(len(missing), each // 4)):
            yield self._asked("gap", self._plain(house), "", as_line=self._dice.random() < 0.4)
        for _ in range(each // 8):
            for kind in ("no_street", "far_number", "other_city", "foreign"):
                yield self._negative(kind)
        for poi in self._made.pois:
            for op in ("", "legal", "typo", "drop", "case", "fold"):
                yield self._poi(poi.name, poi.tags["addr:city"], (poi.point.lat, poi.point.lon), op)

    def _pick(self) -> House:
        return self._dice.choice(self._known)

    def _plain(self, house: House) -> Draft:
        country = self._table["country"][0]
        first = self._table["number"] == "before"
        return Draft(house, house.name, house.number, house.town.postcode, house.town.name, country, first)

    def _messy(self) -> dict[str, str]:
        while True:
            draft = self._plain(self._pick())
            done = self._disturb(draft)
            if done:
                return self._asked("mess", draft, "+".join(done), as_line=self._dice.random() < 0.35)

    def _disturb(self, draft: Draft) -> list[str]:
        wanted = self._dice.choices((1, 2, 3), (50, 38, 12))[0]
        chosen: list[str] = []
        for op in self._dice.sample(list(_OPS), len(_OPS)):
            if len(chosen) < wanted and not any(op in pair and pair & {*chosen} - {op} for pair in _APART):
                chosen.append(op)
        return [op for op in _OPS if op in chosen and _OPS[op](self, draft)]

    # kinds of mess; each returns whether it changed anything

    def typo(self, d: Draft) -> bool:
        letters = [i for i, c in enumerate(d.street) if c.isalpha()]
        d.street, before = self._misspelt(d.street), d.street
        return len(letters) > 4 and d.street != before and d.street not in self._names[d.house.town.name]

    def _misspelt(self, text: str) -> str:
        at = self._dice.choice([i for i, c in enumerate(text) if c.isalpha() and i > 0] or [0])
        kind = self._dice.choice("dist")
        letter = self._dice.choice("abcdefghijklmnoprstuvz")
        if kind == "d":
            return text[:at] + text[at + 1 :]
        if kind == "i":
            return text[:at] + letter + text[at:]
        if kind == "s":
            return text[:at] + letter + text[at + 1 :]
        return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]

    def abbr(self, d: Draft) -> bool:
        found = [(long, s) for long, s in self._table["abbr"].items() if re.search(_as_word(long), d.street)]
        for long, short in self._dice.sample(found, min(len(found), self._dice.choice((1, 1, 2)))):
            d.street = re.sub(_as_word(long), self._dice.choice(short), d.street, count=1)
        return bool(found)

    def droptype(self, d: Draft) -> bool:
        short = self._without_type(d.street)
        if short is None or len(short) < 4 or short[0].isdigit():
            return False
        d.street = short
        d.alts = self._alike(d, lambda name: self._without_type(name) == short or name == short)
        return True

    def _without_type(self, name: str) -> str | None:
        for kind in self._table["types"]:
            if kind[0] == "-" and name.endswith(kind[1:]) and len(name) > len(kind) + 2:
                return name[: -len(kind) + 1].rstrip(" -")
            if name.startswith(kind + " "):
                return name[len(kind) + 1 :]
            if name.endswith(" " + kind):
                return name[: -len(kind) - 1]
        return None

    def wrongtype(self, d: Draft) -> bool:
        rest = self._without_type(d.street)
        if rest is None or len(rest) < 4 or rest[0].isdigit():
            return False
        kind = self._dice.choice(self._table["types"])
        if kind[0] == "-":
            changed = rest + (kind[1:] if d.street[len(rest)] not in " -" else d.street[len(rest)] + kind[1:].title())
        else:
            changed = f"{kind} {rest}" if d.street.endswith(rest) else f"{rest} {kind}"
        if changed in self._names[d.house.town.name]:
            return False
        d.alts = self._alike(d, lambda name: self._without_type(name) == rest)
        d.street = changed
        return True

    def _alike(self, d: Draft, same: Callable[[str], bool]) -> list[House]:
        return [h for h in self._by_spot[d.house.town.name, d.house.number] if h is not d.house and same(h.name)]

    def art(self, d: Draft) -> bool:
        for little in self._table["little"]:
            glue = "" if little.endswith("'") else " "
            if f" {little}{glue}" in d.street:
                d.street = d.street.replace(f" {little}{glue}", " ", 1)
                return True
        return False

    def initial(self, d: Draft) -> bool:
        if "~" not in d.house.street:
            return False
        given, _, rest = d.house.street.partition("~")
        head, _, first = given.rpartition(" ")
        short = self._dice.choice(("", first[0] + ".", first[0]))
        d.street = " ".join(w for w in (head, short, rest) if w)
        return plain(d.street) != d.house.name and d.street not in self._names[d.house.town.name]

    def altlang(self, d: Draft) -> bool:
        d.street = d.house.other or d.street
        return bool(d.house.other)

    def prefix(self, d: Draft) -> bool:
        if not self._table.get("prefix") or " " in d.street or d.street[0].isdigit():
            return False
        d.street = self._dice.choice(self._table["prefix"]) + d.street
        return True

    def join(self, d: Draft) -> bool:
        """A compound is split, or a hyphen or space in a name is changed."""
        for kind in self._table["types"]:
            if kind[0] == "-" and d.street.endswith(kind[1:]) and d.street[-len(kind)].isalpha():
                d.street = d.street[: -len(kind) + 1] + self._dice.choice((" ", "-", " ")) + kind[1:].title()
                return True
        if "-" in d.street:
            d.street = d.street.replace("-", self._dice.choice((" ", "")))
            return True
        return False

    def num(self, d: Draft) -> bool:
        form = self._dice.choice(self._table["noise"])
        d.number = form.format(x=d.number, y=_figure(d.number) + 2)
        return True

    def order(self, d: Draft) -> bool:
        d.first = not d.first
        return not d.house.name[0].isdigit() and not d.house.name[-1].isdigit()

    def punct(self, d: Draft) -> bool:
        d.gap = self._dice.choice((", ", "  ", " ", ",", "")) if not d.street[-1].isdigit() else ", "
        if d.first and d.gap == "":
            d.gap = ","
        if d.gap == " ":
            d.street = re.sub(r" (?=\w{3,} )", "  ", d.street, count=1) + ("," if d.first else "")
        return d.gap != " " or "  " in d.street

    def nopc(self, d: Draft) -> bool:
        done, d.postcode = bool(d.postcode), ""
        return done

    def wrongpc(self, d: Draft) -> bool:
        others = [t for t in self._made.towns if t is not d.house.town and t.postcode != d.postcode]
        if not d.postcode or not others:
            return False
        if self._dice.random() < _STRANGERS:
            others = [t for t in others if d.house.name not in self._names[t.name]] or others
        wrong = self._dice.choice(others).postcode
        if self._dice.random() < 0.4:
            figures = [i for i, c in enumerate(d.postcode) if c.isdigit()]
            if len(figures) > 1:
                at = self._dice.choice(figures[1:])
                wrong = d.postcode[:at] + str((int(d.postcode[at]) + 3) % 10) + d.postcode[at + 1 :]
        d.postcode = wrong
        return True

    def pcplus(self, d: Draft) -> bool:
        if not d.postcode:
            return False
        if self._dice.random() < 0.3 and " " in d.postcode:
            d.postcode = d.postcode.replace(" ", "")
        else:
            d.postcode = f"{self._made.code}-{d.postcode}"
        return True

    def nocity(self, d: Draft) -> bool:
        d.city = ""
        return bool(d.postcode)

    def typocity(self, d: Draft) -> bool:
        d.city = self._misspelt(d.city)
        return d.city != d.house.town.name and len(d.city) > 4

    def altcity(self, d: Draft) -> bool:
        options = [*d.house.town.others]
        if d.house.hamlet:
            options += [
                d.house.hamlet,
                f"{d.house.town.name}-{d.house.hamlet}",
                f"{d.house.hamlet} ({d.house.town.name})",
            ]
        for mark in ("-", " "):
            if mark in d.city and len(d.city.split(mark)[0]) > 3:
                options.append(d.city.split(mark)[0])
        options.append(f"{d.city} ({self._made.code})")
        d.city = self._dice.choice(options)
        return True

    def country(self, d: Draft) -> bool:
        d.country = self._dice.choice(["", *self._table["country"][1:]])
        return True

    def extra(self, d: Draft) -> bool:
        d.extra = self._dice.choice(self._table["extra"])
        return True

    def name(self, d: Draft) -> bool:
        d.name = self._dice.choice(self._table["company"])
        return True

    def case(self, d: Draft) -> bool:
        d.case = self._dice.choice((str.upper, str.lower))
        return True

    def fold(self, d: Draft) -> bool:
        before = (d.street, d.city)
        d.street, d.city = _without_accents(d.street), _without_accents(d.city)
        return (d.street, d.city) != before

    # writing it down

    def _asked(self, cls: str, d: Draft, ops: str, *, as_line: bool) -> dict[str, str]:
        parts = (d.number, d.street) if d.first else (d.street, d.number)
        street = d.gap.join(parts)
        if d.extra:
            style = self._dice.choice(("{s}, {x}", "{s}, {x}", "{x}, {s}", "{s} - {x}", "{s} {x}", "{s} / {x}"))
            if d.first and style == "{s} {x}":
                style = "{s}, {x}"
            street = style.format(s=street, x=d.extra)
        truth = d.house
        row = dict.fromkeys(COLUMNS, "") | {
            "region": self._made.code, "cls": cls, "ops": ops, "lat": str(truth.point.lat), "lon": str(truth.point.lon),
            "t_number": truth.number, "t_street": truth.name, "t_postcode": truth.town.postcode,
            "t_city": truth.town.name, "alts": ";".join(f"{h.point.lat},{h.point.lon}" for h in d.alts),
        }  # fmt: skip
        if as_line:
            return self._numbered(row | {"form": "line", "query": d.case(self._line(d, street))})
        shown = {"name": d.name, "street": street, "postcode": d.postcode, "city": d.city, "country": d.country}
        return self._numbered(row | {"form": "fields"} | {k: d.case(v) for k, v in shown.items()})

    def _line(self, d: Draft, street: str) -> str:
        where = " ".join(p for p in (d.postcode, d.city) if p)
        if self._behind:
            where = ", ".join(p for p in (d.city, d.postcode) if p)
        style = self._dice.random()
        if style < 0.1 and d.city:
            parts = [d.name, " ".join(p for p in (d.city, d.postcode) if p), street]
        else:
            parts = [d.name, street, where, d.country if style < 0.7 else ""]
        glue = (
            ", "
            if self._behind
            else "  "
            if style > 0.93
            else " "
            if 0.86 < style < 0.93 and not d.name and not d.extra
            else ", "
        )
        return glue.join(p for p in parts if p)

    def _numbered(self, row: dict[str, str]) -> dict[str, str]:
        self._count += 1
        return row | {"id": f"{self._made.code}-{self._count}"}

    def _negative(self, kind: str) -> dict[str, str]:
        d = self._plain(self._pick())
        if kind == "no_street":
            d.street, d.number = self._dice.choice(self._table["nonsense"]), str(self._dice.randint(1, 60))
        elif kind == "far_number":
            last = self._last[d.house.town.name, d.house.name]
            d.number = str(last + self._dice.randint(60, 600))
        elif kind == "other_city":
            others = [t for t in self._made.towns if d.house.name not in self._names[t.name]]
            if others and self._dice.random() < 0.5:
                town = self._dice.choice(others)
                d.postcode, d.city = town.postcode, town.name
            else:
                d.postcode, d.city = _postal(self._dice.choice(self._table["cities"]))
        else:
            others = [row for row in ELSEWHERE if row[3] not in self._table["country"]]
            d.street, d.postcode, d.city, d.country = self._dice.choice(others)
            d.number, d.gap = "", ""
        row = self._asked("negative", d, kind, as_line=self._dice.random() < 0.4)
        return row | dict.fromkeys(("lat", "lon", "t_number", "t_street", "t_postcode", "t_city"), "")

    def _poi(self, name: str, city: str, spot: tuple[float, float], op: str) -> dict[str, str]:
        asked = name
        if op == "legal":
            asked = f"{name} {self._dice.choice(self._table['legal'])}"
        elif op == "typo":
            asked = self._misspelt(name)
        elif op == "drop" and len(name.split()) > 2:
            asked = " ".join(name.split()[:-1])
        elif op == "case":
            asked = self._dice.choice((name.upper(), name.lower()))
        elif op == "fold":
            asked = _without_accents(name)
        row = dict.fromkeys(COLUMNS, "") | {
            "region": self._made.code, "cls": "poi", "ops": op, "form": "line", "query": f"{asked}, {city}",
            "lat": str(spot[0]), "lon": str(spot[1]), "t_street": name, "t_city": city,
        }  # fmt: skip
        return self._numbered(row)


_OPS: dict[str, Callable[[Disturber, Draft], bool]] = {
    op: getattr(Disturber, op)
    for op in (
        "altlang", "initial", "wrongtype", "droptype", "art", "abbr", "prefix", "join", "typo", "num", "order", "nopc",
        "wrongpc", "pcplus", "nocity", "typocity", "altcity", "country", "extra", "name", "fold", "punct", "case",
    )
}  # fmt: skip


def _as_word(long: str) -> str:
    """A pattern for a word, or for the glued end of one when it is written in lower case."""
    return rf"{re.escape(long)}(?!\w)" if long[0].islower() else rf"(?<!\w){re.escape(long)}(?!\w)"


def _figure(number: str) -> int:
    return int(re.findall(r"\d+", number)[-1])


def _postal(text: str) -> tuple[str, str]:
    """`110 00 Praha` as postcode and city."""
    code = re.match(r"[\d\- ]*\d(?: [A-Z]{2})?|[A-Z]{1,2}\d+ \d[A-Z]{2}|[A-Z]\d\w \w{3,4}", text)
    found = code[0] if code else ""
    return found.strip(), text[len(found) :].strip()


def _without_accents(text: str) -> str:
    text = (
        text.replace("ß", "ss")
        .replace("ø", "o")
        .replace("ł", "l")
        .replace("æ", "ae")
        .replace("đ", "d")
        .replace("ı", "i")
    )
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
