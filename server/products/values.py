"""What each field of the catalogue accepts: one rule for forms, API and imports."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from uuid import UUID

from server.kit.errors import Invalid
from server.products.money import plain
from server.records.revising import Rule
from server.records.values import currency

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
YES, NO = ("yes", "true", "1", "y", "ja", "j", "x", "oui", "si", "on"), ("no", "false", "0", "n", "nein", "non", "off")


LONGEST_DESCRIPTION = 10_000


def plain_text(value: object, limit: int, *, lines: bool = False) -> str | None:
    """Text without control characters and blanks around it; None when nothing is left. Refuses what is too long."""
    if value is None:
        return None
    written = unicodedata.normalize("NFC", CONTROL.sub(" ", str(value)))
    written = written.strip() if lines else " ".join(written.split())
    if len(written) > limit:
        raise Invalid(f"{len(written):,} characters are too many", help=f"At most {limit:,} fit.")
    return written or None


def text(limit: int, *, lines: bool = False) -> Callable[[object], str | None]:
    """A rule for text of limited length."""
    return lambda value: plain_text(value, limit, lines=lines)


def needed(limit: int) -> Callable[[object], str]:
    """A rule for text that cannot be empty."""

    def rule(value: object) -> str:
        written = plain_text(value, limit)
        if written is None:
            raise Invalid("is missing")
        return written

    return rule


def decimal(value: object, digits: int) -> Decimal | None:
    """A number with so many digits after the point; refuses what is none, and what has more."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    written = str(value).strip().replace("’", "").replace("'", "").replace("\u00a0", "").replace(" ", "")
    if "," in written and "." not in written:
        written = written.replace(",", ".")
    try:
        number = Decimal(written)
        if not number.is_finite():
            raise InvalidOperation
        exact = number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except InvalidOperation as error:
        raise Invalid(f"“{str(value)[:60]}” is not a number", help="Write it like 12.5.") from error
    if exact != number:
        raise Invalid(f"{number} has too many digits after the point", help=f"At most {digits} fit.")
    return exact


def between(low: str, high: str, digits: int, *, default: str | None = None) -> Callable[[object], Decimal | None]:
    """A rule for numbers in a range; an empty one is the default."""

    def rule(value: object) -> Decimal | None:
        number = decimal(value, digits)
        if number is None:
            return None if default is None else Decimal(default)
        if not Decimal(low) <= number <= Decimal(high):
            raise Invalid(f"{plain(number)} cannot be", help=f"A number from {low} to {high}.")
        return number

    return rule


def country(value: object) -> str:
    """Two letters of ISO 3166-1, or nothing for everywhere."""
    written = (plain_text(value, 20) or "").upper()
    if not re.fullmatch(r"([A-Z]{2})?", written):
        raise Invalid(f"“{written}” is not a country", help="Two letters such as CH or LI; nothing means everywhere.")
    return written


def identity(value: object) -> UUID | None:
    """A reference to another row."""
    try:
        return None if value is None or value == "" else UUID(str(value))
    except ValueError as error:
        raise Invalid(f"“{str(value)[:60]}” is not an id") from error


def day(value: object) -> date | None:
    """A day."""
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise Invalid(f"“{str(value)[:60]}” is not a day", help="Write it like 2026-11-26.") from error


def flag(value: object) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    written = str(value).strip().casefold()
    if written in YES or written in NO:
        return written in YES
    raise Invalid(f"“{str(value)[:60]}” is neither yes nor no", help="Write yes or no.")


def barcode(value: object) -> str | None:
    """A barcode: 8, 12, 13 or 14 digits, the last of which checks the others."""
    written = plain_text(value, 40)
    if written is None:
        return None
    code = re.sub(r"[\s-]", "", written)
    if not code.isascii() or not code.isdigit() or len(code) not in (8, 12, 13, 14):
        raise Invalid(f"“{written}” is not a barcode", help="EAN and GTIN codes have 8, 12, 13 or 14 digits.")
    if check_digit(code[:-1]) != code[-1]:
        raise Invalid(
            f"{code} has the check digit {code[-1]}, it should be {check_digit(code[:-1])}",
            help="A digit is wrong or two are swapped; read the code again.",
        )
    return code


def check_digit(digits: str) -> str:
    """The digit that makes a GTIN whole: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


PRODUCT: Mapping[str, Rule] = {
    "number": Rule("Number", needed(60)),
    "name": Rule("Name", needed(300)),
    "description": Rule("Description", text(LONGEST_DESCRIPTION, lines=True)),
    "category_id": Rule("Category", identity),
    "unit": Rule("Unit", lambda value: plain_text(value, 20) or "pc"),
    "pack_size": Rule("Pack size", between("0.001", "999999", 3)),
    "min_quantity": Rule("Least quantity", between("0.001", "999999", 3, default="1")),
    "quantity_step": Rule("Quantity step", between("0.001", "999999", 3, default="1")),
    "tax_class_id": Rule("Tax class", identity),
    "is_active": Rule("Active", flag),
    "successor_id": Rule("Successor", identity),
    "ean": Rule("Barcode", barcode),
}
"""The editable fields of a product."""

PRICE_LIST: Mapping[str, Rule] = {
    "name": Rule("Name", needed(200)),
    "currency": Rule("Currency", currency),
    "is_gross": Rule("Prices contain the tax", flag),
    "valid_from": Rule("Valid from", day),
    "valid_to": Rule("Valid to", day),
    "base_id": Rule("Base list", identity),
    "percent": Rule("Percentage", between("-99.999", "999", 3, default="0")),
}
"""The editable fields of a price list."""

UNIT_PRICE = Rule("Price", between("0", "9999999999", 4))
QUANTITY = Rule("From quantity", between("0.001", "999999999", 3, default="1"))
"""The fields of a price."""

TAX: dict[str, Rule] = {
    "tax_class": Rule("Tax class", needed(60)),
    "country": Rule("Country", country),
    "percent": Rule("Per cent", between("0", "100", 3)),
}
"""What a tax is called, where it is due and how high it is."""
