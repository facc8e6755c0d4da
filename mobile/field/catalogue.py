"""The catalogue on the phone: what is sold, and what it costs one customer, by the server's rules. Decimal only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from mobile.field import zones
from mobile.field.rows import docs
from mobile.field.slips import Vocabulary
from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.store.folding import fold, matches, variants

HUNDRED = Decimal(100)
DIGITS = dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0) | dict.fromkeys(
    "BHD IQD JOD KWD LYD OMR TND".split(), 3
)
"""Digits after the point of the currencies that do not have two (ISO 4217)."""


@dataclass(frozen=True)
class Product:
    """Something that can be ordered."""

    id: str
    number: str
    name: str
    category: str | None
    unit: str
    least: Decimal
    step: Decimal
    searched: str

    def fitted(self, quantity: Decimal) -> Decimal:
        """The nearest quantity, upwards, that can be ordered."""
        wanted = max(quantity, self.least)
        steps = (wanted / self.step).to_integral_value(rounding="ROUND_CEILING")
        return Decimal(steps) * self.step


@dataclass(frozen=True)
class Drafted:
    """One line of an order that a rep takes down."""

    product: Product
    quantity: Decimal
    unit_price: Decimal | None
    """None: no list of the customer names it."""
    is_gross: bool = False
    """The price contains the tax."""


def line_amount(quantity: Decimal, unit_price: Decimal, currency: str) -> Decimal:
    """What a line comes to, rounded once, half up, to the currency's minor unit; its unit price may be finer."""
    return (quantity * unit_price).quantize(minor_unit(currency), ROUND_HALF_UP)


def minor_unit(currency: str) -> Decimal:
    """The least amount of a currency: 0.01 for most."""
    return Decimal(1).scaleb(-DIGITS.get(currency, 2))


class Catalogue:
    """The products with the prices of one customer."""

    def __init__(self, store: Store, account_id: str, on: date | None = None) -> None:
        self.on = on or zones.today(store.outbox)
        account = store.cache.doc("account", account_id) or {}
        self._lists = {doc["id"]: doc for doc in docs(store, "price_list")}
        self._order = self._by_authority(docs(store, "price_list_use"), account, _territories(store, account_id))
        self.currency = next((one["currency"] for one in self._order), str(account.get("currency") or "EUR"))
        self._breaks: dict[str, list[Json]] = {}
        self.products: list[Product] = []
        for doc in docs(store, "product"):
            if doc.get("is_active"):
                self._breaks[doc["id"]] = doc["prices"]
                self.products.append(_product(doc))
        self.products.sort(key=lambda one: (fold(one.category or "~"), fold(one.name)))

    def _by_authority(self, uses: Iterable[Json], account: Json, areas: set[str]) -> list[Json]:
        """The customer's lists that hold on the day: their own first, then their class's, area's, everybody's."""
        found: list[tuple[int, int, str, Json]] = []
        for use in uses:
            listed, rank = self._lists.get(use["price_list_id"]), _rank(use, account, areas)
            if listed is not None and rank is not None and _holds(listed, self.on):
                began = date.fromisoformat(listed["valid_from"]).toordinal() if listed.get("valid_from") else 0
                found.append((rank, -began, listed["name"], listed))
        return [listed for *_key, listed in sorted(found, key=lambda one: one[:3])]

    def find(self, text: str) -> list[Product]:
        """Products whose name, number or category hold words beginning like each word typed; where none does, those
        that are a slip of the finger away."""
        words = [variants(word) for word in text.split() if fold(word)]
        exact = [one for one in self.products if matches(words, one.searched)]
        if exact:
            return exact
        near = Vocabulary({one.id: one.searched for one in self.products}).nearly(words)
        return [one for one in self.products if one.id in near]

    def price(self, product_id: str, quantity: Decimal) -> Decimal | None:
        """What one unit costs this customer; None when no list names the product."""
        return self._quoted(product_id, quantity)[0]

    def is_gross(self, product_id: str, quantity: Decimal) -> bool:
        """Whether that price contains the tax."""
        return self._quoted(product_id, quantity)[1]

    @property
    def all_gross(self) -> bool | None:
        """Whether this customer's prices contain the tax; None where some do and some do not."""
        found = {bool(one["is_gross"]) for one in self._order if one["currency"] == self.currency}
        return next(iter(found), False) if len(found) < 2 else None

    def _quoted(self, product_id: str, quantity: Decimal) -> tuple[Decimal | None, bool]:
        for listed in self._order:
            if listed["currency"] == self.currency:
                found = self._in_list(listed, product_id, quantity, frozenset())
                if found is not None:
                    return found, bool(listed["is_gross"])
        return None, False

    def _in_list(self, listed: Json, product_id: str, quantity: Decimal, seen: frozenset[str]) -> Decimal | None:
        breaks = [
            (Decimal(step["min_quantity"]), Decimal(step["unit_price"]))
            for step in self._breaks.get(product_id, ())
            if step["price_list_id"] == listed["id"] and Decimal(step["min_quantity"]) <= quantity
        ]
        if breaks:
            return max(breaks)[1]
        base = self._lists.get(listed.get("base_id") or "")
        if base is None or base["id"] in seen or _kind(base) != _kind(listed):
            return None
        price = self._in_list(base, product_id, quantity, seen | {listed["id"]})
        if price is None:
            return None
        return (price * (HUNDRED + Decimal(listed["percent"])) / HUNDRED).quantize(Decimal("0.0001"), ROUND_HALF_UP)

    def drafted(self, product: Product, quantity: Decimal) -> Drafted:
        """A line with its price for this quantity."""
        return Drafted(product, quantity, *self._quoted(product.id, quantity))

    def totals(self, lines: Sequence[Drafted]) -> dict[bool, Decimal]:
        """What the lines come to by whether their prices contain the tax, each line rounded once."""
        found: dict[bool, Decimal] = {}
        for one in lines:
            if one.unit_price is not None:
                amount = line_amount(one.quantity, one.unit_price, self.currency)
                found[one.is_gross] = found.get(one.is_gross, Decimal(0)) + amount
        return found


def _product(doc: Json) -> Product:
    return Product(
        id=doc["id"],
        number=doc["number"],
        name=doc["name"],
        category=doc.get("category"),
        unit=doc["unit"],
        least=Decimal(doc["min_quantity"]),
        step=Decimal(doc["quantity_step"]),
        searched=fold(f"{doc['name']} {doc['number']} {doc.get('category') or ''} {doc.get('ean') or ''}"),
    )


def _territories(store: Store, account_id: str) -> set[str]:
    return {s["territory_id"] for s in docs(store, "site", account_id) if s.get("is_main") and s.get("territory_id")}


def _rank(use: Json, account: Json, areas: set[str]) -> int | None:
    """How close a list is to this customer; None when it is not for them."""
    if use.get("account_id"):
        return 0 if use["account_id"] == account.get("id") else None
    if use.get("account_class"):
        return 1 if use["account_class"] == account.get("account_class") else None
    if use.get("territory_id"):
        return 2 if use["territory_id"] in areas else None
    return 3


def _kind(listed: Json) -> tuple[str, bool]:
    return listed["currency"], listed["is_gross"]


def _holds(listed: Json, on: date) -> bool:
    key = on.isoformat()
    return (listed.get("valid_from") or key) <= key <= (listed.get("valid_to") or key)
