"""Prices of one unit, and how numbers are written. Pure; amounts are rounded in `records.currencies`."""

from decimal import ROUND_HALF_UP, Decimal

from server.records.currencies import digits

UNIT = Decimal("0.0001")
"""What the price of one unit is rounded to."""


def unit_rounded(price: Decimal) -> Decimal:
    """The price of one unit, to four digits: a screw costs less than a cent."""
    return price.quantize(UNIT, ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """A number without zeros at its end: `12`, `0.5`, `-5`."""
    written = format(number.normalize(), "f")
    return "0" if written == "-0" else written


def priced(price: Decimal, currency: str) -> str:
    """The price of one unit with at least the digits of its currency: `4.50`, `0.076`."""
    least = Decimal(1).scaleb(-digits(currency))
    return plain(price) if price != price.quantize(least, ROUND_HALF_UP) else format(price.quantize(least), "f")
