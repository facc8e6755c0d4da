"""What of orders and quotes accounts can be filtered by: `orders.sum(amount) over 24 months > 5000`."""

from datetime import date
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.auth.access import Scope
from server.auth.models import User
from server.kit.filtering import Field, Kind, Relation
from server.orders import models, queries
from server.orders.fields import of_lines, of_owner
from server.orders.models import COUNTS, Order, State
from server.products.models import Product

FIELDS = (
    Field("amount", Kind.NUMBER, Order.net, "Net"),
    Field("gross", Kind.NUMBER, Order.gross, "Total"),
    Field("day", Kind.DATE, Order.day, "Day"),
    Field("number", Kind.TEXT, Order.number, "Number"),
    Field("state", Kind.CHOICE, Order.state, "State", tuple(State)),
    Field("currency", Kind.TEXT, Order.currency, "Currency"),
    Field("owner", Kind.TEXT, User.login, "Owner's login", exists=of_owner),
    Field("product", Kind.TEXT, Product.number, "Product's number", exists=of_lines),
)


def relation(scope: Scope, name: str, plural: str, label: str, rows: Select[Any]) -> Relation | None:
    """Documents of some kind. Rows that only their owner sees count for the owner."""
    if not scope.may("orders:read"):
        return None
    return of_account(name, plural, label, rows, Order.account_id, FIELDS, day=Order.day)


def orders(session: Session, scope: Any, today: date) -> Relation | None:
    """Business done: orders, less what credit notes take back."""
    kinds = (models.Kind.ORDER, models.Kind.CREDIT)
    rows = queries.visible_to(scope).where(Order.kind.in_(kinds), Order.state.in_(COUNTS))
    return relation(scope, "order", "orders", "Orders", rows)


def quotes(session: Session, scope: Any, today: date) -> Relation | None:
    """Quotes that have left the house."""
    rows = queries.visible_to(scope).where(Order.kind == models.Kind.QUOTE, Order.state != State.DRAFT)
    return relation(scope, "quote", "quotes", "Quotes", rows)
