"""What something costs somebody on a day, and why. Pure: rows in, a price with its reasons out.

Order of authority, the first that knows a price decides: the account's own lists, those of its class, of its territory,
of everybody; among equals the list that began last. A list that does not name the product asks its base list and
raises or lowers that price by its percentage, rounded to four digits. A line is rounded once, half up, to the
currency's minor unit: never its unit price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum
from uuid import UUID

from server.products.money import plain, unit_rounded
from server.records.currencies import rounded

HUNDRED = Decimal(100)


class Rank(IntEnum):
    """Whose a list is, the closest first."""

    ACCOUNT = 0
    CLASS = 1
    TERRITORY = 2
    EVERYBODY = 3


@dataclass(frozen=True)
class Listed:
    """A price list."""

    id: UUID
    name: str
    currency: str
    is_gross: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    base_id: UUID | None = None
    percent: Decimal = Decimal(0)
    """By how much prices of the base list rise or fall."""

    def holds_on(self, day: date) -> bool:
        """Whether the list is valid on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


type Breaks = Sequence[tuple[Decimal, Decimal]]
"""Least quantity and unit price, by quantity."""


@dataclass(frozen=True)
class Book:
    """Lists with their prices: all that is needed to price without asking anything."""

    lists: Mapping[UUID, Listed]
    breaks: Mapping[tuple[UUID, UUID], Breaks]
    """(list, product) -> its breaks."""
    uses: Sequence[tuple[Rank, UUID]] = field(default=())
    """The lists of one customer with their rank."""

    def in_order(self, day: date, currency: str | None) -> list[Listed]:
        """The customer's lists that hold on a day, by authority."""
        known = [(rank, self.lists[list_id]) for rank, list_id in self.uses if list_id in self.lists]
        valid = [
            (rank, one) for rank, one in known if one.holds_on(day) and (currency is None or one.currency == currency)
        ]
        began = {one.id: (one.valid_from or date.min).toordinal() for _rank, one in valid}
        return [one for _rank, one in sorted(valid, key=lambda pair: (pair[0], -began[pair[1].id], pair[1].name))]


@dataclass(frozen=True)
class Reason:
    """One step of a price: the list it stands in, the quantity that lowers it, a percentage on it."""

    kind: str
    """`list`, `from`, `percent`, `deal` or `hand`."""
    value: str = ""


@dataclass(frozen=True)
class Priced:
    """What one unit costs, and why."""

    unit_price: Decimal
    currency: str
    is_gross: bool
    list_id: UUID
    reasons: tuple[Reason, ...]


def price_of(book: Book, product_id: UUID, quantity: Decimal, day: date, currency: str | None = None) -> Priced | None:
    """The price of one unit for this customer, day and quantity; None when no list names the product."""
    for one in book.in_order(day, currency):
        found = _in_list(book, one, product_id, abs(quantity), day, frozenset())
        if found is not None:
            price, reasons = found
            return Priced(price, one.currency, one.is_gross, one.id, reasons)
    return None


def line_amount(unit_price: Decimal, quantity: Decimal, discount_percent: Decimal, currency: str) -> Decimal:
    """The amount of a line: quantity times price less the discount, rounded once, half up."""
    return rounded(unit_price * quantity * (HUNDRED - discount_percent) / HUNDRED, currency)


def in_words(reasons: Sequence[Reason], unit: str = "") -> str:
    """A price's reasons in a sentence: “list Retail 2026, from 10 pc, −5 %”."""
    return ", ".join(_word(reason, unit) for reason in reasons)


def _word(reason: Reason, unit: str) -> str:
    match reason.kind:
        case "list":
            return f"list {reason.value}"
        case "from":
            return f"from {reason.value} {unit}".strip()
        case "percent":
            return f"{signed(reason.value)} %"
        case "deal":
            return "agreed in the deal"
        case _:
            return "set by hand"


def signed(number: str) -> str:
    """A percentage with its sign, the minus as people print it."""
    return f"−{number[1:]}" if number.startswith("-") else f"+{number}"


def _in_list(
    book: Book, one: Listed, product_id: UUID, quantity: Decimal, day: date, seen: frozenset[UUID]
) -> tuple[Decimal, tuple[Reason, ...]] | None:
    breaks = [step for step in book.breaks.get((one.id, product_id), ()) if step[0] <= quantity]
    if breaks:
        least, price = breaks[-1]
        own = (Reason("list", one.name),)
        return price, (*own, Reason("from", plain(least))) if least > 1 else own
    base = book.lists.get(one.base_id) if one.base_id else None
    if base is None or base.id in seen or base.currency != one.currency or base.is_gross != one.is_gross:
        return None
    found = _in_list(book, base, product_id, quantity, day, seen | {one.id})
    if found is None:
        return None
    price, reasons = found
    if one.percent == 0:
        return price, (Reason("list", one.name), *reasons)
    changed = unit_rounded(price * (HUNDRED + one.percent) / HUNDRED)
    return changed, (Reason("list", one.name), *reasons, Reason("percent", plain(one.percent)))


@dataclass(frozen=True)
class Rate:
    """A tax rate."""

    country: str
    valid_from: date
    percent: Decimal


def rate_on(rates: Sequence[Rate], country: str, day: date) -> Decimal | None:
    """The per cent of a tax class in a country on a day; a rate without country counts where the country has none."""
    for wanted in (country, ""):
        holding = [rate for rate in rates if rate.country == wanted and rate.valid_from <= day]
        if holding:
            return max(holding, key=lambda rate: rate.valid_from).percent
    return None
