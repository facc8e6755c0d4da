"""Two years of trade: a catalogue, price lists, and the quotes, orders and credit notes of every customer.

Written set-based; the same accounts and the same day give the same documents, ids apart.
"""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.demo.words import say
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.orders import feeding, service
from server.orders.models import Kind, Order, State
from server.products import service as products
from server.products.models import Product
from server.products.pricing import line_amount
from server.products.queries import Customer
from server.products.totals import Item, totals
from server.products.values import check_digit

YEARS = 2
TAX = Decimal("8.1")
REDUCED = Decimal("2.6")
"""Of what is eaten, e.g.; the company sells nothing of it so far."""
CATALOGUE: tuple[tuple[str, str, tuple[tuple[str, str, str, int], ...]], ...] = (
    ("Coffee", "kg", (("Espresso beans", "24.50", "1", 6), ("Crema beans", "22.80", "1", 6),
                      ("Decaffeinated beans", "27.90", "1", 6), ("Filter coffee, ground", "19.60", "1", 6))),
    ("Tea", "box", (("Mountain herbs, 100 bags", "14.20", "1", 1), ("Green tea, 100 bags", "15.90", "1", 1),
                    ("Peppermint, 100 bags", "12.40", "1", 1))),
    ("Cold drinks", "crate", (("Apple juice 24 × 0.33 l", "31.20", "1", 1), ("Iced tea 24 × 0.5 l", "28.80", "1", 1),
                              ("Mineral water 24 × 0.5 l", "16.80", "1", 1))),
    ("Supplies", "pc", (("Paper cups 200 ml", "0.08", "500", 500), ("Wooden stirrers", "0.02", "1000", 1000),
                        ("Sugar sticks, box of 1,000", "18.50", "1", 1), ("Oat drink 6 × 1 l", "13.90", "1", 1))),
    ("Machines", "pc", (("Filter machine FM 2", "420.00", "1", 1), ("Espresso machine EM 8", "3890.00", "1", 1),
                        ("Grinder G 5", "690.00", "1", 1), ("Descaling set", "39.00", "1", 1))),
)  # fmt: skip
"""Category, unit, and its products: name, price, least quantity, step."""

COLD = 2
MACHINES = 4
SEASON = (0.8, 0.85, 1.0, 1.0, 1.05, 1.1, 0.75, 0.7, 1.05, 1.1, 1.2, 1.35)
"""How busy the months are; in July and August half of the customers are away."""


@dataclass(frozen=True)
class Good:
    """A product with what the generator needs of it."""

    product: Product
    price: Decimal
    branch: int


@dataclass
class Batch:
    """Rows to write."""

    orders: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: dict[tuple[Kind, int], int] = field(default_factory=dict)


ORDER_COLUMNS = ("id", "kind", "state", "number", "account_id", "owner_id", "currency", "country", "language", "day",
                 "zone", "valid_until", "reason", "net", "tax", "gross", "placed_at", "closed_at", "quote_id",
                 "credits_id", "payment_terms")  # fmt: skip
LINE_COLUMNS = ("id", "order_id", "position", "product_id", "text", "quantity", "unit", "unit_price", "price_reason",
                "discount_percent", "tax_class_id", "tax_percent", "amount", "delivered",
                "credits_line_id")  # fmt: skip


def fill(session: Session, today: date, seed: int = 11) -> dict[str, int]:
    """Two believable years of trade, when there is none yet; gives how many documents and lines."""
    if session.scalar(select(Order.id).limit(1)) is not None:
        return {}
    goods, chance, batch = catalogue(session, today), random.Random(seed), Batch()
    statement = select(Account).where(Account.deleted_at.is_(None), Account.merged_into.is_(None))
    customers = session.scalars(statement.order_by(Account.name, Account.number)).all()
    for event in sorted(events(customers, today, chance), key=lambda one: (one[0], one[1])):
        document(batch, goods, chance, today, *event[2:], day=event[0])
    copy_rows(session, "sales_order", ORDER_COLUMNS, batch.orders)
    copy_rows(session, "order_line", LINE_COLUMNS, batch.lines)
    for (kind, year), last in batch.numbers.items():
        session.execute(
            text("insert into order_number (kind, year, last) values (:kind, :year, :last)"),
            {"kind": kind.value, "year": year, "last": last},
        )
    feeding.ask_for_visits(session, today)
    return {"documents": len(batch.orders), "lines": len(batch.lines)}


def catalogue(session: Session, today: date) -> list[Good]:
    """The products, their taxes and price lists."""
    currency = settings().currency
    standard = products.tax_class(session, "standard")
    start = date(today.year - 3, 1, 1)
    for country, percent in (("LI", TAX), ("CH", TAX), ("", Decimal(0))):
        products.set_rate(session, standard.id, country, start, percent)
    reduced = products.tax_class(session, "reduced")
    for country, percent in (("LI", REDUCED), ("CH", REDUCED), ("", Decimal(0))):
        products.set_rate(session, reduced.id, country, start, percent)
    retail = products.create_list(session, {"name": "Retail", "currency": currency, "valid_from": start})
    products.use_list(session, retail.id, [Customer()])
    trade = {"name": "Class A", "currency": currency, "base_id": retail.id, "percent": "-5"}
    best = products.create_list(session, trade)
    products.use_list(session, best.id, [Customer(account_class="A")])
    goods, counter = [], 1000
    for branch, (name, unit, entries) in enumerate(CATALOGUE):
        category = products.category(session, say(name))
        for label, price, least, step in entries:
            counter += 1
            digits = f"76400000{counter}"
            made = {"number": f"P-{counter}", "name": say(label), "category_id": category.id, "unit": unit,
                    "min_quantity": least, "quantity_step": step if int(least) > 1 else 1,
                    "tax_class_id": standard.id, "ean": digits + check_digit(digits)}  # fmt: skip
            product = products.create(session, made)
            products.set_price(session, retail.id, product.id, price)
            if branch < MACHINES:
                many = max(10, int(least) * 4)
                products.set_price(
                    session, retail.id, product.id, str(round(Decimal(price) * Decimal("0.93"), 3)), many
                )
            products.note_stock(session, product.id, (counter * 37) % 400, clock.now() - timedelta(hours=counter % 30))
            goods.append(Good(product, Decimal(price), branch))
    service.write_letterhead(
        session, address="Hauptstrasse 12\n9490 Vaduz", footer="VAT 61 234 · LI21 0881 0000 2324 013A A",
        terms_en="30 days net", terms_de="30 Tage netto",
    )  # fmt: skip
    session.flush()
    return goods


def events(customers: Any, today: date, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """When which customer orders: at its own rhythm, with the seasons, some of them drifting away or beginning late."""
    for place, account in enumerate(customers):
        if account.status == "prospect" and chance.random() < 0.8:
            continue
        gap = {"A": 16, "B": 29, "C": 58}.get(account.account_class or "C", 58) * chance.uniform(0.75, 1.3)
        size = {"A": 3.2, "B": 1.5, "C": 0.7}.get(account.account_class or "C", 0.7) * chance.uniform(0.7, 1.4)
        first = today - timedelta(days=int(YEARS * 365 * (chance.random() if chance.random() < 0.25 else 1)))
        last = today - timedelta(days=int(chance.uniform(40, 300))) if chance.random() < 0.12 else today
        likes = sorted(chance.sample(range(14), chance.randint(3, 6)))
        day = first + timedelta(days=chance.randrange(max(2, int(gap))))
        while day <= last:
            if day.weekday() < 5:
                yield day, place, account, size, likes
            pace = SEASON[day.month - 1]
            day += timedelta(days=max(2, round(gap / pace * chance.uniform(0.75, 1.25))))


def document(
    batch: Batch, goods: list[Good], chance: random.Random, today: date, account: Account, size: float,
    likes: list[int], *, day: date,
) -> None:  # fmt: skip
    """One purchase: usually an order, sometimes a quote before it or alone, seldom a credit note after it."""
    wanted = chosen(goods, chance, size, likes, day)
    age = (today - day).days
    quote_id = None
    if chance.random() < 0.12 or any(good.branch == MACHINES for good, _ in wanted):
        won = chance.random() < 0.6 and age > 5
        state = State.ACCEPTED if won else State.SENT if age < 25 else chance.choice([State.DECLINED, State.EXPIRED])
        quote_id = write(batch, account, Kind.QUOTE, state, wanted, day)[0]
        if not won:
            return
        day = min(today, day + timedelta(days=chance.randrange(2, 15)))
    cancelled = chance.random() < 0.02
    done = State.DELIVERED if age > 9 else chance.choice([State.PLACED, State.CONFIRMED])
    state = State.CANCELLED if cancelled else done
    order_id, line_ids = write(batch, account, Kind.ORDER, state, wanted, day, quote_id=quote_id)
    if state is State.DELIVERED and chance.random() < 0.03 and day + timedelta(days=6) <= today:
        good, quantity = wanted[0]
        back = [(good, -quantity)]
        write(batch, account, Kind.CREDIT, State.PLACED, back, day + timedelta(days=6), sold=(order_id, line_ids[0]))


def chosen(
    goods: list[Good], chance: random.Random, size: float, likes: list[int], day: date
) -> list[tuple[Good, Decimal]]:
    """What is bought: what the customer likes, more cold drinks in summer, seldom a machine."""
    picked = [goods[one] for one in likes if chance.random() < 0.75] or [goods[likes[0]]]
    if chance.random() < 0.03:
        picked.append(goods[14 + chance.randrange(4)])
    warm = 1 + 0.7 * math.sin((day.timetuple().tm_yday - 100) / 365 * 2 * math.pi)
    found = []
    for good in picked:
        step = good.product.quantity_step
        usual = 1.0 if good.branch == MACHINES else 4 * size * chance.uniform(0.6, 1.5)
        if good.branch == COLD:
            usual *= warm
        steps = max(1, round(usual / (4 if step > 1 else 1)))
        found.append((good, max(good.product.min_quantity, steps * step)))
    return found


def write(
    batch: Batch, account: Account, kind: Kind, state: State, wanted: list[tuple[Good, Decimal]], day: date, *,
    quote_id: UUID | None = None, sold: tuple[UUID, UUID] | None = None,
) -> tuple[UUID, list[UUID]]:  # fmt: skip
    """The rows of one document."""
    order_id, currency, discount = uuid7(), settings().currency, account.account_class == "A"
    last = batch.numbers.get((kind, day.year), 0) + 1
    batch.numbers[kind, day.year] = last
    items, line_ids = [], []
    for position, (good, quantity) in enumerate(wanted, 1):
        price = (good.price * Decimal("0.95")).quantize(Decimal("0.0001")) if discount else good.price
        reason = [{"kind": "list", "value": "Class A"}] if discount else []
        reason += [{"kind": "list", "value": "Retail"}, *([{"kind": "percent", "value": "-5"}] if discount else [])]
        amount = line_amount(price, quantity, Decimal(0), currency)
        product, line_id = good.product, uuid7()
        items.append(Item(amount, TAX))
        line_ids.append(line_id)
        batch.lines.append(
            (line_id, order_id, position, product.id, product.name, quantity, product.unit, price, json.dumps(reason),
             0, product.tax_class_id, TAX, amount, quantity if state is State.DELIVERED else 0,
             sold[1] if sold else None)
        )  # fmt: skip
    sums = totals(items, currency)
    at = datetime.combine(day, time(9, 30 + last % 30), UTC)
    closed = at + timedelta(days=4) if state not in (State.SENT, State.PLACED, State.CONFIRMED) else None
    until = day + timedelta(days=30) if kind is Kind.QUOTE else None
    why = {State.DECLINED: "too dear", State.CANCELLED: "ordered twice"}.get(state, "damaged" if sold else None)
    batch.orders.append(
        (order_id, kind.value, state.value, f"{service.LETTERS[kind]}-{day.year}-{last:05d}", account.id,
         account.owner_id, currency, "LI", "de", day, settings().zone, until, why, sums.net, sums.tax, sums.gross, at,
         closed, quote_id, sold[0] if sold else None, "30 Tage netto" if kind is not Kind.CREDIT else None)
    )  # fmt: skip
    return order_id, line_ids
