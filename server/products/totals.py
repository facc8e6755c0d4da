"""What a document comes to. Pure and exact: decimals, each line rounded once, each tax rate once.

A line is quantity × unit price − discount, rounded half up to the currency's minor unit. The lines of one tax rate are
added up: on prices without tax the tax is that sum × rate, on prices with tax it is the part of the sum that is tax,
rounded half up once each. Net and tax together are always the sum of what stands on the document.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from server.records.currencies import rounded

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Item:
    """What a line brings to the sums."""

    amount: Decimal
    """Rounded to the currency's minor unit."""
    tax_percent: Decimal | None
    """None: unknown, counts as nothing."""
    is_gross: bool = False
    """The amount contains the tax."""


@dataclass(frozen=True)
class TaxLine:
    """The tax of one rate."""

    percent: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Totals:
    """What a document comes to."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    taxes: tuple[TaxLine, ...]
    """By rate, the highest first."""


def totals(items: Iterable[Item], currency: str) -> Totals:
    """The sums of some lines in a currency."""
    zero = rounded(Decimal(0), currency)
    without: dict[Decimal, Decimal] = {}
    within: dict[Decimal, Decimal] = {}
    for item in items:
        sums = within if item.is_gross else without
        percent = item.tax_percent if item.tax_percent is not None else Decimal(0)
        sums[percent] = sums.get(percent, zero) + item.amount
    taxes = []
    for percent in sorted({*without, *within}, reverse=True):
        net, gross = without.get(percent, zero), within.get(percent, zero)
        on_top = rounded(net * percent / HUNDRED, currency)
        inside = gross - rounded(gross * HUNDRED / (HUNDRED + percent), currency)
        taxes.append(TaxLine(percent, net + gross - inside, on_top + inside))
    net = sum((line.net for line in taxes), zero)
    tax = sum((line.tax for line in taxes), zero)
    return Totals(net, tax, net + tax, tuple(taxes))
