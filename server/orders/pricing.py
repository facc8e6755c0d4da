"""A draft's lines: what can be sold, what it costs this customer, and what the document comes to."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.kit.errors import Invalid
from server.opportunities.pricing import customer_of
from server.orders import queries
from server.orders.errors import NeedsCredit, NoPrice
from server.orders.models import Kind, Order, OrderLine
from server.products import queries as products
from server.products.models import Product
from server.products.money import plain
from server.products.pricing import line_amount, price_of, rate_on


def price(session: Session, order: Order, lines: Sequence[OrderLine]) -> None:
    """Give lines their prices, taxes and amounts: as the customer's lists say, unless a person has set the price.

    Refuses a product that no list of the customer names in the document's currency.
    """
    ids = [line.product_id for line in lines if line.product_id and not line.by_hand]
    book = products.book_of(session, customer_of(session.get_one(Account, order.account_id)), ids)
    rates = products.tax_rates(session)
    for line in lines:
        if order.kind != Kind.CREDIT:
            if line.product_id is None or line.by_hand:
                line.price_reason = line.price_reason or [{"kind": "hand", "value": ""}]
            else:
                found = price_of(book, line.product_id, line.quantity, order.day, order.currency)
                if found is None:
                    raise NoPrice(
                        f"“{line.text}” has no price in {order.currency} on {order.day} for this customer.",
                        help="Set the price by hand, or put the product into a price list.",
                        field="unit_price",
                        product_id=str(line.product_id),
                    )
                line.unit_price, line.is_gross = found.unit_price, found.is_gross
                line.price_reason = [asdict(reason) for reason in found.reasons]
            known = rates.get(line.tax_class_id, ()) if line.tax_class_id else ()
            line.tax_percent = rate_on(known, order.country, order.day)
        line.amount = line_amount(line.unit_price, line.quantity, line.discount_percent, order.currency)


def count(session: Session, order: Order) -> None:
    """Write what a document comes to."""
    session.flush()
    found = queries.sums(order, queries.lines_of(session, order.id))
    order.net, order.tax, order.gross = found.net, found.tax, found.gross
    session.flush()
    session.refresh(order)


def check_quantity(session: Session, order: Order, line: OrderLine) -> None:
    if order.kind == Kind.CREDIT:
        _check_credit(session, line)
        return
    if line.quantity < 0:
        raise NeedsCredit(
            f"“{line.text}”: {plain(line.quantity)} {line.unit} cannot be sold.",
            help="To take something back, open the order it was sold with and make a credit note.",
            field="quantity",
        )
    product = session.get(Product, line.product_id) if line.product_id else None
    if product is None:
        return
    if line.quantity < product.min_quantity or line.quantity % product.quantity_step:
        raise Invalid(
            f"“{product.name}”: {plain(line.quantity)} {product.unit} cannot be ordered.",
            help=f"At least {plain(product.min_quantity)}, in steps of {plain(product.quantity_step)}.",
            field="quantity",
        )


def _check_credit(session: Session, line: OrderLine) -> None:
    sold = session.get(OrderLine, line.credits_line_id, with_for_update=True) if line.credits_line_id else None
    if sold is None or line.quantity > 0:
        raise NeedsCredit("A credit note takes back: its quantities are negative.", field="quantity")
    with session.no_autoflush:
        others = queries.credited(session, [sold.id]).get(sold.id, Decimal(0))
        stored = session.scalar(select(OrderLine.quantity).where(OrderLine.id == line.id)) or Decimal(0)
    left = sold.quantity - others - stored
    if -line.quantity > left:
        raise NeedsCredit(
            f"“{line.text}”: {plain(-line.quantity)} {line.unit} cannot be taken back, {plain(left)} are left.",
            help="Credit at most what was ordered and not credited yet.",
            field="quantity",
        )
