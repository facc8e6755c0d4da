"""What quotes and orders can be filtered by, in every list and export."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, select

from server.accounts.models import Account
from server.auth.models import User
from server.kit.filtering import Field, Kind
from server.orders import models
from server.orders.models import Order, OrderLine, State
from server.products.models import Product
from server.products.queries import stands_for


def of_account(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The account fulfils it."""
    return select(Account.id).where(Account.id == Order.account_id, condition).correlate(Order).exists()


def of_owner(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whose sale it is fulfils it."""
    return select(User.id).where(User.id == Order.owner_id, condition).correlate(Order).exists()


def of_lines(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The product of some line fulfils it."""
    return (
        select(OrderLine.id)
        .join(Product, stands_for(OrderLine.product_id))
        .where(OrderLine.order_id == Order.id, OrderLine.deleted_at.is_(None), condition)
        .correlate(Order)
        .exists()
    )


def fields() -> Mapping[str, Field]:
    """The fields by name."""
    column = Order.__table__.c
    has_deal: Any = column.opportunity_id.is_not(None)
    lines: Any = line_count()
    declared = (
        Field("kind", Kind.CHOICE, column.kind, "Kind", tuple(models.Kind)),
        Field("state", Kind.CHOICE, column.state, "State", tuple(State)),
        Field("number", Kind.TEXT, column.number, "Number"),
        Field("account", Kind.TEXT, Account.__table__.c.name, "Account", exists=of_account),
        Field("account_number", Kind.TEXT, Account.__table__.c.number, "Account's number", exists=of_account),
        Field("class", Kind.CHOICE, Account.__table__.c.account_class, "Class", ("A", "B", "C"), of_account),
        Field("owner", Kind.TEXT, User.__table__.c.login, "Owner's login", exists=of_owner),
        Field("product", Kind.TEXT, Product.__table__.c.number, "Product's number", exists=of_lines),
        Field("day", Kind.DATE, column.day, "Day"),
        Field("placed", Kind.DATE, cast(column.placed_at, Date), "Placed"),
        Field("valid_until", Kind.DATE, column.valid_until, "Valid until"),
        Field("wanted_on", Kind.DATE, column.wanted_on, "Wanted on"),
        Field("currency", Kind.TEXT, column.currency, "Currency"),
        Field("net", Kind.NUMBER, column.net, "Net"),
        Field("gross", Kind.NUMBER, column.gross, "Total"),
        Field("reference", Kind.TEXT, column.reference, "Reference"),
        Field("has_deal", Kind.FLAG, has_deal, "Belongs to a deal"),
        Field("lines", Kind.NUMBER, lines, "Number of lines"),
    )
    return {one.name: one for one in declared}


def line_count() -> ColumnElement[int]:
    """How many lines a document has."""
    found = select(func.count()).where(OrderLine.order_id == Order.id, OrderLine.deleted_at.is_(None))
    return found.correlate(Order).scalar_subquery()
