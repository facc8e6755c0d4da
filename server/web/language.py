"""Texts, numbers, days and distances as a person reads them. English is written in the pages, German is looked up."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from server.accounts import opening_hours
from server.kit import clock
from server.kit.settings import settings
from server.products.money import plain, priced
from server.records.currencies import digits
from server.regions import firms
from server.regions.queries import Settlement
from server.reports.periods import Spanned, spelled
from server.web.wording import Wording

FOLDER = Path(__file__).parent / "texts"
LANGUAGES = {"en": "English", "de": "Deutsch"}

DAYS = {"en": "Mon Tue Wed Thu Fri Sat Sun".split(), "de": "Mo Di Mi Do Fr Sa So".split()}
COMPASS = {"en": "N NE E SE S SW W NW".split(), "de": "N NO O SO S SW W NW".split()}
MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "de": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.".split(),
}


@lru_cache
def catalogue(code: str) -> dict[str, str]:
    """The texts of a language by their English wording."""
    path = FOLDER / f"{code}.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return known


@lru_cache
def wording(code: str) -> Wording:
    """The sentences of a language by their English wording; English ones stay."""
    return Wording({} if code == "en" else catalogue(code), has_comma=code == "de")


@dataclass(frozen=True)
class Language:
    """How one language writes things."""

    code: str

    def t(self, text: str, /, **values: object) -> str:
        """A text in this language; where a translation is missing, in English. One of something has a text of its own
        where the catalogue has one: `{n} deals|1`.
        """
        known = catalogue(self.code)
        found = known.get(text, text)
        if not values:
            return found
        if str(values.get("n", values.get("count"))) == "1":
            found = known.get(f"{text}|1", found)
        return found.format(**values)

    def filled(self, told: Mapping[str, object]) -> str:
        """A text that was stored with its values: numbers are written as this language does."""
        values = {
            name: self.number(value) if isinstance(value, int) and not isinstance(value, bool) else value
            for name, value in told.items()
            if name != "text"
        }
        return self.t(str(told["text"]), **values)

    def firm(self, kind: str) -> str:
        """A kind of firm as people call it: “Bakery” for `shop=bakery`; one without a word, as it is tagged."""
        return firms.word(kind, self.code)

    def said(self, sentences: str | None) -> str:
        """What was put together in English, stored or just refused, in this language."""
        return wording(self.code).said(sentences) if sentences else ""

    def number(self, value: float | Decimal | None, digits: int = 0) -> str:
        """A number with separators: 1,284 or 1.284."""
        if value is None:
            return "–"
        written = f"{value:,.{digits}f}"
        return written if self.code == "en" else written.translate(str.maketrans(",.", ".,"))

    def typed(self, value: Decimal | None) -> str:
        """A number as a person types it into a field: 1284.5 or 1284,5, without zeros at its end."""
        if value is None:
            return ""
        return plain(value) if self.code == "en" else plain(value).replace(".", ",")

    def money(self, value: float | Decimal | None, currency: str) -> str:
        """An amount without cents, with its currency."""
        return "–" if value is None else f"{self.number(value)} {currency}"

    def amount(self, value: Decimal | None, currency: str) -> str:
        """An amount as somebody gave it: with cents only where it has some, 4,920.46 EUR but 5,000 EUR."""
        return self.money(value, currency) if value is None or value == int(value) else self.exact(value, currency)

    def exact(self, value: Decimal | str | None, currency: str) -> str:
        """An amount, also as text, with the digits of its currency: 1,284.50 EUR or 1,284 JPY."""
        return "–" if value is None else f"{self.number(Decimal(value), digits(currency))} {currency}"

    def gone(self, choice: str) -> str:
        """A choice that its field does not have any more."""
        return self.t("{value} (no choice any more)", value=choice)

    def quantity(self, value: Decimal, unit: str | None) -> str:
        """A number with all the digits that it has, and what it counts: 1,284.5 m²."""
        written = self.number(value, max(0, -int(value.normalize().as_tuple().exponent)))
        return f"{written} {self.t(unit)}" if unit else written

    def price(self, value: Decimal, currency: str, beside: Iterable[Decimal] = ()) -> str:
        """The price of one unit with all its digits: 1,284.50 or 0,076; as many as those `beside` it in a column."""
        return self.number(value, max(len(priced(one, currency).partition(".")[2]) for one in (value, *beside)))

    def distance(self, metres: float | None) -> str:
        """`64 m` or `1.4 km`."""
        if metres is None:
            return "–"
        return f"{self.number(metres)} m" if metres < 995 else f"{self.number(metres / 1000, 1)} km"

    def places(self, near: Sequence[Settlement | None]) -> list[str]:
        """Places by their nearest settlements; those of one settlement are told apart by way and direction."""
        shared = Counter(one.name for one in near if one)
        winds = COMPASS[self.code]
        return [
            "" if one is None else one.name if shared[one.name] == 1
            else f"{one.name}, {self.distance(one.distance_m)} {winds[round(one.bearing_deg / 45) % 8]}"
            for one in near
        ]  # fmt: skip

    def duration(self, seconds: float | None) -> str:
        """`45 min` or `2 h 15 min`."""
        if seconds is None:
            return "–"
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"

    def hours(self, text: str) -> str:
        """Opening hours in words: `Di–Fr 08:00–12:00; Feiertage geschlossen`."""
        off = self.t("closed")
        codes = opening_hours.DAYS
        days = dict(zip(map(str.lower, codes), DAYS["de"] if self.code == "de" else codes, strict=True))
        holidays = {"ph": self.t("public holidays"), "sh": self.t("school holidays")}
        return opening_hours.told(text, days | holidays | {"off": off, "closed": off})

    def size(self, octets: float) -> str:
        """`41 MB`."""
        for unit in ("B", "kB"):
            if octets < 1000:
                return f"{self.number(octets)} {unit}"
            octets /= 1000
        return f"{self.number(octets, 1)} MB"

    def day(self, value: date | None, *, year: bool | None = None) -> str:
        """`Thu 26 Nov`, with the year when it is not this one."""
        if value is None:
            return "–"
        month = MONTHS[self.code][value.month - 1]
        dot = "." if self.code == "de" else ""
        written = f"{DAYS[self.code][value.weekday()]} {value.day}{dot} {month}"
        shows_year = value.year != clock.now().year if year is None else year
        return f"{written} {value.year}" if shows_year else written

    def period(self, value: Spanned) -> str:
        """`November 2026`, `Week 48, 2026`, `Q4 2026`, `2026`, or both days."""
        return spelled(value, self.code)

    def short_period(self, value: Spanned) -> str:
        """`Nov 2026`, `W48 2026`, `26 Nov – 3 Dec`: for below a bar."""
        match value.span:
            case "month":
                return f"{MONTHS[self.code][value.first.month - 1]} {value.first.year}"
            case "week":
                year, week, _ = value.first.isocalendar()
                return f"{'KW ' if self.code == 'de' else 'W'}{week} {year}"
            case None:
                return " – ".join(self.day(one, year=False).partition(" ")[2] for one in (value.first, value.last))
        return self.period(value)

    def clock(self, value: datetime | None, zone: str | None = None) -> str:
        """`10:40` where the visit takes place."""
        return "–" if value is None else f"{value.astimezone(ZoneInfo(zone or settings().zone)):%H:%M}"

    def moment(self, value: datetime | str | None, zone: str | None = None) -> str:
        """`Thu 26 Nov, 10:40`; of a text that a phone wrote as well, which stays as it is where it is no moment."""
        if value is None:
            return "–"
        try:
            told = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            here = (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone or settings().zone))
        except (ValueError, OverflowError):
            return str(value)
        return f"{self.day(here.date())}, {here:%H:%M}"

    def ago(self, since: timedelta) -> str:
        """`3 min ago`."""
        seconds = int(since.total_seconds())
        for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
            if seconds >= size:
                return self.t("{n} {unit} ago", n=seconds // size, unit=name)
        return self.t("just now")


def chosen(wish: str | None, accept_language: str) -> str:
    """The language for a person: their own wish, else their browser's, else the company's."""
    browser = [part.split(";")[0].strip()[:2].lower() for part in accept_language.split(",")]
    for code in (wish or "", *browser, settings().language):
        if code in LANGUAGES:
            return code
    return "en"
