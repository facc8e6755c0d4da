"""Amounts: decimals with the digits that their currency has. Pure."""

from decimal import ROUND_HALF_UP, Decimal

DIGITS = dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0) | dict.fromkeys(
    "BHD IQD JOD KWD LYD OMR TND".split(), 3
)
"""Digits after the point of the currencies that do not have two (ISO 4217)."""

UNIT = Decimal("0.0001")
"""What the price of one unit is rounded to."""


def digits(currency: str) -> int:
    """How many digits after the point an amount of a currency has."""
    return DIGITS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, half of one up (away from zero)."""
    return amount.quantize(Decimal(1).scaleb(-digits(currency)), ROUND_HALF_UP)


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
