"""What of orders and quotes accounts can be filtered by: `orders.sum(amount) over 24 months > 5000`."""

from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.auth.access import Scope
from server.auth.models import User
from server.kit.filtering import Field, Kind, Relation
from server.kit.settings import settings
from server.opportunities.rates import rate_of, unrated
from server.orders import models, queries
from server.orders.fields import of_lines, of_owner
from server.orders.models import COUNTS, Order, State
from server.products.models import Product

FIELDS = (
    Field("day", Kind.DATE, Order.day, "Day"),
    Field("number", Kind.TEXT, Order.number, "Number"),
    Field("state", Kind.CHOICE, Order.state, "State", tuple(State)),
    Field("currency", Kind.TEXT, Order.currency, "Currency"),
    Field("owner", Kind.TEXT, User.login, "Owner's login", exists=of_owner),
    Field("product", Kind.TEXT, Product.number, "Product's number", exists=of_lines),
)


def amounts(session: Session) -> tuple[Field, ...]:
    """Sums in the company's currency, at the rate of the document's day."""
    column = Order.__table__.c
    rate = rate_of(column.currency, column.day)

    def field(name: str, much: Any, label: str) -> Field:
        needs = partial(unrated, session, column.currency, column.day)
        return Field(name, Kind.NUMBER, much * rate, f"{label} in {settings().currency}", needs=needs)

    return field("amount", column.net, "Net"), field("gross", column.gross, "Total")


def relation(session: Session, scope: Scope, name: str, plural: str, label: str, rows: Select[Any]) -> Relation | None:
    """Documents of some kind. Rows that only their owner sees count for the owner."""
    if not scope.may("orders:read"):
        return None
    asked = (*amounts(session), *FIELDS)
    return of_account(name, plural, label, rows, Order.account_id, asked, day=Order.day)


def orders(session: Session, scope: Any, today: date) -> Relation | None:
    """Business done: orders, less what credit notes take back."""
    kinds = (models.Kind.ORDER, models.Kind.CREDIT)
    rows = queries.visible_to(scope).where(Order.kind.in_(kinds), Order.state.in_(COUNTS))
    return relation(session, scope, "order", "orders", "Orders", rows)


def quotes(session: Session, scope: Any, today: date) -> Relation | None:
    """Quotes that have left the house."""
    rows = queries.visible_to(scope).where(Order.kind == models.Kind.QUOTE, Order.state != State.DRAFT)
    return relation(session, scope, "quote", "quotes", "Quotes", rows)
