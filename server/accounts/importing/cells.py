"""How people and spreadsheets write the values of an account: amounts, dates, durations, coordinates, opening words."""

import re
from datetime import date, timedelta
from decimal import Decimal

from geo.types import LonLat
from server.accounts.pins import misplaced
from server.records.currencies import CURRENCIES as CODES

CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "fr": "CHF", "sfr": "CHF", "fr.": "CHF", "zł": "PLN", "kč": "CZK"}
CURRENCIES |= {code.lower(): code for code in ("EUR", "USD", "CHF", "GBP", "JPY", "PLN", "CZK", "SEK", "NOK", "DKK")}
"""Signs and words for currencies; other codes are known in capitals alone, for “all” and “top” are words too."""
FACTORS = {"k": 1000, "tsd": 1000, "mio": 1_000_000, "million": 1_000_000, "millionen": 1_000_000, "mrd": 10**9}
GLUED = r"[€$£]|[A-Z]{3}|[Ss]?[Ff]r\.?"
"""What may stand at a number without a space between, before it."""
ONE_NUMBER = re.compile(
    rf"(?P<before>(?:[^\W\d_]++(?:[.:]\s*+|\s++)|[€$£~≈]\s*+)*(?:(?:{GLUED})\s?)?)(?P<sign>[+−-]?)\s?"
    r"(?P<number>\d(?:[\d.,'’\s]*\d)?|[.,]\d+)(?P<dash>[.,]\s?[–—-]{0,2}|\s*[–—]{1,2})?"
    r"(?P<after>(?:\s*+(?:[€$£/]|[^\W\d_]++\.?+))*+\s*+)"
)
"""A number with words before and after it, none of which holds a digit. A word is never tried letter by letter."""
WORD_OR_SIGN = re.compile(r"[^\W\d_]+\.?|[€$£]")
LONGEST_AMOUNT = 100
GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}")
"""Digits in groups: `1.234.567`, and `12,34,567` as in India; `1.23.456` is none."""
SCIENTIFIC = re.compile(r"[+-]?\d([.,]\d+)?[eE][+-]?\d+")
MONTH = r"(?:jan|feb|mär|mrz|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec)[a-zä]*"
DATE_LIKE = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}( 00:00:00)?|\d{{1,2}}[.\-/ ]+{MONTH}\.?|{MONTH}[.\- ]+\d{{1,2}}", re.IGNORECASE
)
WHOLE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]00:00(?::00)?)?|\d{1,2}([./])\d{1,2}\1\d{4}")
"""A day with its year, which no street is called by alone."""
SHORT_MONTH = r"(?:jan|feb|mär|mrz|mar|apr|jun|jul|aug|sept?|okt|oct|nov|dez|dec)\.?"
EATEN_HOUSE = re.compile(rf"\d{{1,2}}[.\-/ ]+{SHORT_MONTH}|{SHORT_MONTH}[.\- ]+\d{{1,2}}", re.IGNORECASE)
"""A house number such as `3-14`, of which a spreadsheet has made a day: `Mrz 14`."""
HALVES = re.compile(r"\d{1,2}/\d{1,2}|\d{1,2}[.\-/ ]+ma[iy]|ma[iy][.\- ]+\d{1,2}", re.IGNORECASE)
"""A house number of two parts, or a day and a month; streets are called `1. Mai` as well."""
POINTED = re.compile(r"\d+[.,]\d+")
"""Digits that a spreadsheet takes for a number with decimals."""
DECIMALS = re.compile(r"(\d+)[.,]0+")
"""What a spreadsheet makes of digits that it takes for a number: `9494.0`."""
HASHES = re.compile(r"#{3,}")
"""What a spreadsheet writes for a column that is too narrow."""
FAILED_FORMULA = re.compile(r"#(?:[A-ZÄÖÜ]{3,}(?:/0)?[!?]|N/A|NV)", re.IGNORECASE)
"""What a spreadsheet writes for a formula that failed: `#REF!`, `#DIV/0!`, `#BEZUG!`, `#NAME?`."""

POSTCODE = re.compile(r"(?:[A-Z]{1,3}-)?\d{4,5}(?:-\d{4})?")
POSTCODE_DIGITS = {"DE": 5, "FR": 5, "IT": 5, "ES": 5, "US": 5, "FI": 5, "HR": 5, "EE": 5, "LT": 5}
"""Countries whose postcodes are exactly so many digits and may begin with 0."""

POSTCODE_SIGNS = {
    **{country: {digits} for country, digits in POSTCODE_DIGITS.items()},
    **{country: {4} for country in ("AT", "BE", "BG", "CH", "DK", "HU", "LI", "LU", "NO", "SI")},
    **{country: {5} for country in ("CZ", "PL", "SE", "SK")},
    "US": {5, 9},
    "PT": {4, 7},
}
"""How many digits the postcodes of some countries have."""

CLASSES = re.compile(r"(?:\b|_)([ABC])(?:\b|_)", re.IGNORECASE)
STATUSES = {
    "customer": "customer kunde client cliente active aktiv actif attivo bestandskunde aktivkunde existing ja yes",
    "prospect": "prospect interessent lead potenziell potential prospetto potentiel neukunde neu new offen",
    "former": "former ehemalig ehemaliger inactive inaktiv inactif inattivo ancien ex exkunde verloren lost gekündigt",
}
STATUS_OF = {word: status for status, words in STATUSES.items() for word in words.split()}


def status(text: str) -> str | None:
    """The status that some word of a cell names."""
    return next((STATUS_OF[word] for word in re.findall(r"\w+", text.lower()) if word in STATUS_OF), None)


def amount(text: str) -> tuple[Decimal, str | None] | None:
    """An amount in any writing, and its currency when it names one: `CHF 12'500.–`, `12.500,00 €`, `1,234.5`.

    One number with words around it, e.g. `ca. 10k pro Jahr`. Sums, formulas, hexadecimal and scientific writing are
    none: a spreadsheet may have rounded them, and nobody knows what was meant; nor is what names two currencies.
    """
    written = text.strip()
    if len(written) > LONGEST_AMOUNT or any(sign.isnumeric() and not sign.isdecimal() for sign in written):
        return None  # `1½`, `1²`
    found = ONE_NUMBER.fullmatch(written)
    if found is None:
        return None
    number = plain_number(found["number"])
    if number is None:
        return None
    named = currencies(written)
    if len(named) > 1:
        return None
    words = re.findall(WORD_OR_SIGN, f"{found['before']} {found['after']}")
    factor = next((FACTORS[word.lower().strip(".")] for word in words if word.lower().strip(".") in FACTORS), 1)
    return (-number if found["sign"] in ("-", "−") else number) * factor, next(iter(named), None)


def currencies(text: str) -> list[str]:
    """The currencies that a text names, each once; `$` beside a code without a sign of its own is that one's dollar."""
    words = re.findall(WORD_OR_SIGN, text)
    named = dict.fromkeys(code for word in words if (code := CURRENCIES.get(word.lower()) or known_code(word)))
    if "$" in words and "USD" not in words and not set(named) <= set(CURRENCIES.values()):
        named.pop("USD")
    return list(named)


def plain_number(written: str) -> Decimal | None:
    """Digits with points, commas, apostrophes or spaces among them, or None when those do not stand as in a number."""
    number = re.sub(r"(?<=\d)['’\s](?=\d{3}(?!\d))", "", written)
    marks = re.sub(r"\d", "", number)
    if set(marks) - {".", ","}:
        return None
    if marks:
        mark = marks[-1]
        whole, _, rest = number.rpartition(mark)
        is_other = set(marks) == {".", ","}
        grouped = marks.count(mark) > 1 or (not is_other and len(rest) == 3 and 0 < len(whole) <= 3 and int(whole) > 0)
        if is_other and marks.count(mark) > 1:
            return None
        whole, rest = (number, "") if grouped else (whole, rest)
        if set(whole) & {".", ","} and not GROUPED.fullmatch(whole):
            return None
        number = f"{re.sub('[.,]', '', whole) or '0'}.{rest or '0'}"
    return Decimal(number)


def known_code(word: str) -> str | None:
    """Three capital letters may be a currency's code."""
    return word if word in CODES else None


def days(text: str) -> int | None:
    """A number of days: `14`, `4 weeks`, `2 Monate`, `monthly`."""
    words = {"weekly": 7, "wöchentlich": 7, "monthly": 28, "monatlich": 28, "quarterly": 84, "quartalsweise": 84}
    written = text.strip().lower()
    if written in words:
        return words[written]
    match = re.fullmatch(r"(\d{1,4})(?:[.,]0)?\s*([a-zäöü]*)\.?", written)
    if match is None:
        return None
    unit = next((size for start, size in (("m", 28), ("w", 7), ("s", 7), ("q", 84)) if match[2].startswith(start)), 1)
    return int(match[1]) * unit


def seconds(text: str) -> int | None:
    """A length of a visit: `30` (minutes), `45 min`, `1 h`, `1:30`, `00:45:00`."""
    written = text.strip().lower().replace(",", ".")
    if clock := re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", written):
        return int(clock[1]) * 3600 + int(clock[2]) * 60
    match = re.fullmatch(
        r"(\d{1,4}(?:\.\d+)?)\s*(h|hour|hours|std|stunde|stunden|heure|heures|ore|s|sec|)[a-z.]*", written
    )
    if match is None:
        return None
    size = 60 if not match[2] else 1 if match[2] in ("s", "sec") else 3600
    return round(float(match[1]) * size)


def day(text: str, *, month_first: bool = False) -> tuple[date, bool] | None:
    """A date in any usual writing, and whether day and month could be the other way round."""
    written = text.strip().split(" ")[0].split("T")[0]
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", written):
            return date.fromisoformat(written), False
        if re.fullmatch(r"[34]\d{4}(\.0+)?", written):
            return date(1899, 12, 30) + timedelta(days=int(float(written))), False
        match = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{2}|\d{4})", written)
        if match is None:
            return None
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        year += 2000 if year < 70 else 1900 if year < 100 else 0
        unclear = match[2] != "." and first <= 12 and second <= 12 and first != second
        swap = second > 12 or (month_first and first <= 12 and match[2] != ".")
        return (date(year, first, second) if swap else date(year, second, first)), unclear
    except ValueError:
        return None


def degrees(text: str) -> float | None:
    """A coordinate in degrees: `9.52`, `9,52`, `9.52° E`."""
    match = re.fullmatch(r"([+-]?\d{1,9}(?:[.,]\d+)?)\s*°?\s*([NSEWO]?)", text.strip(), re.IGNORECASE)
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    return -value if match[2].upper() in ("S", "W") else value


def pair(text: str) -> tuple[float, float] | None:
    """Longitude and latitude out of one cell: `47.14, 9.52` (latitude first) or `POINT(9.52 47.14)`."""
    if point := re.fullmatch(r"(?:SRID=4326;)?POINT\s*\(\s*([-\d.]+)\s+([-\d.]+)\s*\)", text.strip(), re.IGNORECASE):
        return float(point[1]), float(point[2])
    match = re.fullmatch(r"\s*([+-]?\d+\.\d+)\s*[,;\s]\s*([+-]?\d+\.\d+)\s*", text)
    return (float(match[2]), float(match[1])) if match else None


def point(lon: float, lat: float) -> LonLat | str:
    """A point where a pin can stand, or what is wrong with it."""
    try:
        found = LonLat.checked(lon, lat)
    except ValueError as error:
        return str(error)
    return misplaced(found) or found
