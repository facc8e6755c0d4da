"""What kinds of values people give: the rules that fields of every record share, for forms, API, phones and imports."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import phonenumbers

from server.kit.errors import Invalid
from server.records.currencies import CURRENCIES

MAX_MONEY = Decimal("999999999999.99")
MOST_DECIMALS = 20
"""More are no amount that anybody wrote."""
CENT = Decimal("0.01")
EMAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.[^\s@<>(),;:\".]{2,}")
WEBSITE = re.compile(r"https?://[^\s/?#\"<>]+\.[^\s\"<>]+", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

UNSEEN = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]+"
)
"""Nothing that anybody could see: blanks, what Unicode calls default ignorable (zero-width spaces and joiners, marks of
direction, variation selectors, fillers), and the empty Braille pattern."""


def plain(value: object, limit: int, *, lines: bool = False) -> str | None:
    """Text without control characters and blanks around it; None when nothing is left that anybody could see. Refuses
    what is too long."""
    if value is None:
        return None
    written = CONTROL.sub(" ", str(value))
    if not written.isascii():
        if UNSEEN.fullmatch(written):
            return None
        written = unicodedata.normalize("NFC", written)
    written = written.strip() if lines else " ".join(written.split())
    if len(written) > limit:
        raise Invalid(f"{len(written):,} characters are too many", help=f"At most {limit:,} fit.")
    return written or None


def text(limit: int, *, lines: bool = False) -> Callable[[object], str | None]:
    """A rule for text of limited length."""
    return lambda value: plain(worded(value), limit, lines=lines)


def worded(value: object) -> object:
    """What can be a text; refuses lists, objects, and yes or no."""
    if isinstance(value, bool | list | tuple | dict):
        raise Invalid("needs a text")
    return value


def money(value: object) -> Decimal | None:
    """An amount, not negative, with all its decimals: it is rounded once, where its currency is known."""
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
        fits = 0 <= amount <= MAX_MONEY  # not a number: no comparison
    except InvalidOperation as error:
        raise Invalid(f"“{plain(value, 100)}” is not an amount", help="Write it like 12500.00.") from error
    if not fits:
        raise Invalid(f"{amount} cannot be", help="Amounts lie between 0 and 999,999,999,999.99.")
    if not int(amount.as_tuple().exponent) >= -MOST_DECIMALS:
        raise Invalid(f"“{plain(value, 100)}” is not an amount", help="Write it like 12500.00.")
    return abs(amount)


def spelled(amount: object) -> str:
    """An amount as it travels and as it is compared: with two decimals, and more where it has more."""
    exact = Decimal(str(amount))
    shortest = exact.normalize()
    return format(shortest if int(shortest.as_tuple().exponent) < -2 else exact.quantize(CENT), "f")


_FIGURES = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")
"""Nobody types 1e5 and means it."""


def whole(low: int, high: int) -> Callable[[object], int | None]:
    """A rule for whole numbers in a range."""

    def rule(value: object) -> int | None:
        if value is None or value == "":
            return None
        if not _FIGURES.fullmatch(str(value)):
            raise Invalid(f"“{plain(value, 100)}” is not a number", help=f"A whole number from {low} to {high:,}.")
        number = Decimal(str(value))
        if number != int(number) or not low <= number <= high:
            raise Invalid(f"{number} cannot be", help=f"A whole number from {low} to {high:,}.")
        return int(number)

    return rule


def currency(value: object) -> str:
    """A currency of ISO 4217 by its three letters."""
    written = (plain(value, 20) or "").upper()
    if written not in CURRENCIES:
        raise Invalid(f"“{written}” is not a currency", help="Three letters such as EUR or CHF.")
    return written


def email(value: object) -> str | None:
    """An e-mail address."""
    written = plain(worded(value), 254)
    if written is None:
        return None
    written = written.removeprefix("mailto:")
    if not EMAIL.fullmatch(written):
        raise Invalid(f"“{written}” is not an e-mail address", help="Write it like name@example.com.")
    return written


def website(value: object) -> str | None:
    """A web address; `https://` is put in front where no scheme is given."""
    written = plain(worded(value), 500)
    if written is None:
        return None
    whole_address = written if re.match(r"[a-z][a-z0-9+.-]*:", written, re.IGNORECASE) else f"https://{written}"
    if not WEBSITE.fullmatch(whole_address):
        raise Invalid(f"“{written}” is not a web address", help="Write it like https://example.com.")
    return whole_address


def tags(value: object) -> list[str]:
    """Short words to find accounts by, each once."""
    parts = value.split(",") if isinstance(value, str) else value
    if parts is None:
        return []
    if not isinstance(parts, Iterable):
        raise Invalid("needs a list of words")
    found = list(dict.fromkeys(tag for part in parts if (tag := plain(part, 60))))
    if len(found) > 50:
        raise Invalid(f"{len(found)} tags are too many", help="At most 50 fit.")
    return found


def language(value: object) -> str | None:
    """A language as two letters of ISO 639-1."""
    written = (plain(value, 20) or "").lower()
    if written and not re.fullmatch(r"[a-z]{2}", written):
        raise Invalid(f"“{written}” is not a language", help="Two letters such as de, fr or en.")
    return written or None


def identity(value: object) -> UUID | None:
    """A reference to another row."""
    try:
        return None if value is None or value == "" else UUID(str(value))
    except ValueError as error:
        raise Invalid(f"“{plain(value, 100)}” is not an id") from error


def flag(value: object) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise Invalid("must be true or false")
    return value


def day(value: object) -> date | None:
    """A date."""
    try:
        return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid(f"“{plain(value, 100)}” is not a date", help="Write it like 2026-03-31.") from error


def phone_e164(written: str | None, region: str | None) -> str | None:
    """A phone number as +4232371212; None when it cannot be one. `region` is where numbers without +… are dialled."""
    if written is None:
        return None
    if region is None and written.lstrip().startswith("00"):
        written = "+" + written.lstrip()[2:]
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return f"+{number.country_code}{'0' if number.italian_leading_zero else ''}{number.national_number}"


@dataclass(frozen=True)
class Rule:
    """One editable field."""

    clean: Callable[[object], Any]
    """Turns what people give into what is stored, or raises `Invalid`."""
    label: str
    """How people call it."""


def cleaned(rules: Mapping[str, Rule], name: str, value: object) -> Any:
    """The value as it is stored. Refuses unknown fields and wrong values; names the field."""
    rule = rules.get(name)
    if rule is None:
        raise Invalid(f"There is no field “{name}” to edit.", help="Known: " + ", ".join(rules) + ".", field=name)
    try:
        return rule.clean(value)
    except Invalid as error:
        raise Invalid(f"{rule.label}: {error.message}.", help=error.help, field=name) from error
