"""Reads of quotes, orders and credit notes. Every read starts at `visible_to(scope)`."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, cast, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts import queries as accounts
from server.accounts.around import Around
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.accounts.spots import through
from server.auth.access import Scope
from server.auth.models import User
from server.auth.roles import Level
from server.kit.errors import NotFound
from server.kit.filtering import Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import answers_in_time
from server.kit.filtering.listing import Listing, key_of, page_of
from server.orders.fields import fields
from server.orders.models import Kind, Letterhead, Order, OrderLine, State
from server.products.models import Product
from server.products.totals import Item, Totals, totals
from server.records.happenings import happening


def visible_to(scope: Scope, permission: str = "orders:read", *, few: bool = False) -> Select[Order]:
    """The documents at accounts that a permission reaches, and one's own sales."""
    statement = select(Order).where(Order.deleted_at.is_(None))
    level = scope.level(permission)
    if level >= Level.ALL:
        return statement
    if level <= Level.NONE:
        return statement.where(Order.id.is_(None))
    mine = Order.owner_id == scope.user_id
    return statement.where(accounts.own_or_reached(Order.id, Order.account_id, scope, permission, mine, few=few))


def find(session: Session, scope: Scope, order_id: UUID, permission: str = "orders:read") -> Order:
    """The document of that id; for a stranger's there is none."""
    order = session.scalars(visible_to(scope, permission).where(Order.id == order_id)).one_or_none()
    if order is None:
        raise NotFound("There is no such order.", id=str(order_id))
    return order


def locked(session: Session, scope: Scope, order_id: UUID) -> Order:
    """The document, locked for a change, when the person may write it."""
    statement = visible_to(scope, "orders:write").where(Order.id == order_id)
    order = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if order is None:
        raise NotFound("There is no such order.", id=str(order_id))
    return order


def lines_of(session: Session, order_id: UUID) -> list[OrderLine]:
    """The lines of a document in their order."""
    statement = select(OrderLine).where(OrderLine.order_id == order_id, OrderLine.deleted_at.is_(None))
    return list(session.scalars(statement.order_by(OrderLine.position, OrderLine.id)))


def sums(order: Order, lines: Iterable[OrderLine]) -> Totals:
    """What a document comes to."""
    return totals((Item(line.amount, line.tax_percent, line.is_gross) for line in lines), order.currency)


def credited(session: Session, line_ids: Iterable[UUID], *, drafts: bool = True) -> dict[UUID, Decimal]:
    """How much of some lines credit notes take back, drafts too unless only what is placed counts."""
    without = (State.CANCELLED,) if drafts else (State.CANCELLED, State.DRAFT)
    rows = session.execute(
        select(OrderLine.credits_line_id, -func.sum(OrderLine.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            OrderLine.credits_line_id.in_(list(line_ids)),
            OrderLine.deleted_at.is_(None),
            Order.deleted_at.is_(None),
            Order.state.not_in(without),
        )
        .group_by(OrderLine.credits_line_id)
    )
    return {line_id: much for line_id, much in rows if line_id is not None}


def letterhead(session: Session) -> Letterhead:
    """What stands on every document."""
    return session.scalars(select(Letterhead).order_by(Letterhead.created_at).limit(1)).first() or Letterhead(
        address="", footer="", terms_en="", terms_de="", quote_days=30
    )


@dataclass(frozen=True)
class Row:
    """A document with the names that a list shows."""

    order: Order
    account_id: UUID
    """The account that stands for it after all merges."""
    account_name: str
    owner_name: str | None


SORTS: dict[str, ColumnElement[Any]] = {
    "day": Order.__table__.c.day,
    "number": func.coalesce(Order.number, ""),
    "gross": Order.__table__.c.gross,
    "state": Order.__table__.c.state,
    "created": Order.__table__.c.created_at,
    "account": select(func.search_text(Account.name, type_=Text))
    .where(Account.id == Order.account_id)
    .correlate(Order)
    .scalar_subquery(),
}
"""What a list can be sorted by."""


def language(session: Session, scope: Scope) -> Vocabulary:
    """What documents can be asked by somebody."""
    around = Around(session, accounts.visible_to(scope), Reaching(session, through(Order.account_id, Order.site_id)))
    return vocabulary(session, scope, "order", fields(), today=accounts.today_of(scope), places=around)


def chosen(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    permission: str = "orders:read",
    few: bool = False,
) -> Select[Order]:
    """The documents that a filter and a search leave of what somebody may see."""
    statement = visible_to(scope, permission, few=few)
    if filter and filter.strip():
        statement = statement.where(compile_filter(parse(filter), language(session, scope)))
    if search and search.strip():
        word = "%" + search.strip()[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        named = select(Account.id).where(func.search_text(Account.name).like(func.search_text(word)))
        statement = statement.where(
            or_(Order.number.ilike(word), Order.reference.ilike(word), Order.account_id.in_(named))
        )
    return statement


@answers_in_time
def page(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    account_id: UUID | None = None,
    opportunity_id: UUID | None = None,
    sort: str = "-day",
    cursor: str | None = None,
    limit: int = 50,
    exact: bool = False,
) -> Listing[Row]:
    """One page of the documents that somebody may see, the latest first."""
    statement = chosen(session, scope, filter=filter, search=search)
    if account_id is not None:
        statement = statement.where(Order.account_id.in_(accounts.family(account_id)))
    if opportunity_id is not None:
        statement = statement.where(Order.opportunity_id == opportunity_id)
    key = key_of(scope.askable("order", SORTS), sort)
    found = page_of(session, statement, Order.id, key, sort=sort, cursor=cursor, limit=limit, exact=exact)
    rows = session.execute(with_names(select(Order).where(found.among(Order.id))))
    return found.listing([Row(*row) for row in found.in_order(rows)])


def with_names(statement: Select[Order]) -> Select[Order, UUID, str, str]:
    """A selection of documents with the columns of `Row`."""
    return (
        statement.join(Account, Account.id == func.account_surviving(Order.account_id))
        .outerjoin(User, User.id == Order.owner_id)
        .with_only_columns(Order, Account.id, Account.name, User.name)
    )


def row_of(session: Session, order: Order) -> Row:
    """A document with its names."""
    found = session.execute(with_names(select(Order).where(Order.id == order.id))).one()
    return Row(*found)


def following(session: Session, scope: Scope, order: Order) -> list[Order]:
    """What came of a document, and what it came from: its quote, its order, its credit notes."""
    related = or_(
        Order.quote_id == order.id,
        Order.credits_id == order.id,
        Order.id.in_([one for one in (order.quote_id, order.credits_id) if one is not None]),
    )
    return list(session.scalars(visible_to(scope).where(related).order_by(Order.created_at, Order.id)))


def happenings(scope: Scope, accounts_: Select[Any]) -> Select[Any]:
    """What happened in orders and quotes at some accounts; see records.happenings."""
    seen = visible_to(scope, few=True).where(Order.account_id.in_(accounts_)).subquery("orders_seen")
    kind = func.replace(seen.c.kind, Kind.CREDIT.value, Kind.ORDER.value)
    return select(
        *happening(
            at=func.coalesce(seen.c.placed_at, seen.c.created_at),
            kind=kind,
            entity="order",
            id=seen.c.id,
            account_id=seen.c.account_id,
            actor_id=seen.c.owner_id,
            title=func.coalesce(seen.c.number, seen.c.reference),
            body=seen.c.note,
            facts=func.jsonb_build_object(
                "kind", seen.c.kind, "state", seen.c.state, "gross", cast(seen.c.gross, Text), "currency",
                seen.c.currency,
            ),
        )
    )  # fmt: skip


def product_numbers(session: Session, product_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The numbers of some products, gone ones too."""
    rows = session.execute(select(Product.id, Product.number).where(Product.id.in_(list(product_ids))))
    return {product_id: number for product_id, number in rows}
