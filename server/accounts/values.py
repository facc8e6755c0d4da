"""What each field of an account and of a site accepts: one rule for forms, API, phones and imports."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from uuid import UUID

import phonenumbers

from geo.geocode.vocabulary import fold, vocabulary, words
from server.accounts.models import AccountClass, Status
from server.accounts.opening_hours import HoursNotUnderstood, parse_hours
from server.kit.errors import Invalid
from server.records.merging import Json, Rules

MAX_MONEY = Decimal("999999999999.99")
EMAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.[^\s@<>(),;:\".]{2,}")
WEBSITE = re.compile(r"https?://[^\s/?#\"<>]+\.[^\s\"<>]+", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def plain(value: object, limit: int, *, lines: bool = False) -> str | None:
    """Text without control characters and blanks around it; None when nothing is left. Refuses what is too long."""
    if value is None:
        return None
    written = CONTROL.sub(" ", str(value))
    if not written.isascii():
        written = unicodedata.normalize("NFC", written)
    written = written.strip() if lines else " ".join(written.split())
    if len(written) > limit:
        raise Invalid(f"{len(written):,} characters are too many", help=f"At most {limit:,} fit.")
    return written or None


def text(limit: int, *, lines: bool = False) -> Callable[[object], str | None]:
    """A rule for text of limited length."""
    return lambda value: plain(value, limit, lines=lines)


def required(value: object) -> str:
    """A name: text that cannot be empty."""
    name = plain(value, 300)
    if name is None:
        raise Invalid("is missing", help="Every account needs a name.")
    return name


def choice(kind: type[AccountClass] | type[Status]) -> Callable[[object], str | None]:
    """A rule for one of a few values."""
    by_name = {str(member).lower(): str(member) for member in kind}

    def rule(value: object) -> str | None:
        written = plain(value, 100)
        if written is None:
            return None
        if written.lower() not in by_name:
            raise Invalid(f"“{written}” is not known", help="One of: " + ", ".join(by_name.values()) + ".")
        return by_name[written.lower()]

    return rule


def money(value: object) -> Decimal | None:
    """An amount with two decimals; not negative."""
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value)).quantize(Decimal("0.01"))
        fits = 0 <= amount <= MAX_MONEY  # not a number: no comparison
    except InvalidOperation as error:
        raise Invalid(f"“{plain(value, 100)}” is not an amount", help="Write it like 12500.00.") from error
    if not fits:
        raise Invalid(f"{amount} cannot be", help="Amounts lie between 0 and 999,999,999,999.99.")
    return amount


def whole(low: int, high: int) -> Callable[[object], int | None]:
    """A rule for whole numbers in a range."""

    def rule(value: object) -> int | None:
        if value is None or value == "":
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation as error:
            raise Invalid(f"“{plain(value, 100)}” is not a number") from error
        if not number.is_finite() or number != int(number) or not low <= number <= high:
            raise Invalid(f"{number} cannot be", help=f"A whole number from {low} to {high:,}.")
        return int(number)

    return rule


def currency(value: object) -> str:
    """Three letters of ISO 4217."""
    written = (plain(value, 20) or "").upper()
    if not re.fullmatch(r"[A-Z]{3}", written):
        raise Invalid(f"“{written}” is not a currency", help="Three letters such as EUR or CHF.")
    return written


def email(value: object) -> str | None:
    """An e-mail address."""
    written = plain(value, 254)
    if written is None:
        return None
    written = written.removeprefix("mailto:")
    if not EMAIL.fullmatch(written):
        raise Invalid(f"“{written}” is not an e-mail address", help="Write it like name@example.com.")
    return written


def website(value: object) -> str | None:
    """A web address; `https://` is put in front where no scheme is given."""
    written = plain(value, 500)
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


def country(value: object) -> str | None:
    """Two capital letters where the country's name or code is understood in any language, else as written."""
    written = plain(value, 100)
    return None if written is None else country_code(written) or written


@lru_cache(maxsize=1000)
def country_code(written: str) -> str | None:
    """The ISO 3166-1 code of a country's name or code."""
    return vocabulary().countries.get("".join(words(fold(written))))


def opening_hours(value: object) -> str | None:
    """Opening hours in OpenStreetMap's syntax; refuses what nobody could plan by."""
    written = plain(value, 500)
    if written is not None:
        try:
            parse_hours(written)
        except HoursNotUnderstood as error:
            raise Invalid(error.message, help=error.help) from error
    return written


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


ACCOUNT: dict[str, Rule] = {
    "number": Rule(text(100), "Number"),
    "name": Rule(required, "Name"),
    "account_class": Rule(choice(AccountClass), "Class"),
    "status": Rule(choice(Status), "Status"),
    "owner_id": Rule(identity, "Owner"),
    "interval_days": Rule(whole(1, 3650), "Call interval"),
    "yearly_value": Rule(money, "Yearly value"),
    "yearly_potential": Rule(money, "Yearly potential"),
    "currency": Rule(currency, "Currency"),
    "phone": Rule(text(60), "Phone"),
    "email": Rule(email, "E-mail"),
    "website": Rule(website, "Website"),
    "tags": Rule(tags, "Tags"),
    "note": Rule(text(20_000, lines=True), "Note"),
    "territory_id": Rule(identity, "Territory"),
    "territory_is_fixed": Rule(flag, "Territory assigned by hand"),
}
"""The fields of an account that people edit."""

SITE: dict[str, Rule] = {
    "name": Rule(text(300), "Name"),
    "street": Rule(text(300), "Street"),
    "postcode": Rule(text(20), "Postcode"),
    "city": Rule(text(200), "City"),
    "country": Rule(country, "Country"),
    "opening_hours": Rule(opening_hours, "Opening hours"),
    "service_s": Rule(whole(0, 86_400), "Service time"),
}
"""The fields of a site that people edit; its pin has verbs of its own."""

ADDRESS = ("street", "postcode", "city", "country")
"""What a pin follows from."""

ACCOUNT_RULES = Rules(
    groups=(
        frozenset({"yearly_value", "yearly_potential", "currency"}),
        frozenset({"territory_id", "territory_is_fixed"}),
    )
)
SITE_RULES = Rules(take_field=frozenset({"opening_hours"}), groups=(frozenset(ADDRESS),))
"""How edits of two people merge: whoever stood at the door knows the opening hours best."""


def cleaned(rules: Mapping[str, Rule], name: str, value: object) -> Any:
    """The value as it is stored. Refuses unknown fields and wrong values; names the field."""
    rule = rules.get(name)
    if rule is None:
        raise Invalid(f"There is no field “{name}” to edit.", help="Known: " + ", ".join(rules) + ".", field=name)
    try:
        return rule.clean(value)
    except Invalid as error:
        raise Invalid(f"{rule.label}: {error.message}.", help=error.help, field=name) from error


def wire(name: str, value: object) -> Json:
    """A field's value as it travels and as it is compared: money as decimal text, ids as text."""
    if value is None:
        return None
    if name in ("yearly_value", "yearly_potential"):
        return str(Decimal(str(value)).quantize(Decimal("0.01")))
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return str(value)
