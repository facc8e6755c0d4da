"""Reads of the catalogue: products, price lists, and the book of prices of one customer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Text

from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import NotFound
from server.kit.filtering import Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import answers_in_time
from server.kit.filtering.listing import Listing, key_of, page_of
from server.kit.settings import settings
from server.products.fields import IN_STOCK, fields, matches
from server.products.models import (
    Price,
    PriceList,
    PriceListUse,
    Product,
    ProductCategory,
    StockLevel,
    TaxClass,
    TaxRate,
)
from server.products.pricing import Book, Listed, Rank, Rate
from server.records.binned import binned


def visible_to(scope: Scope, permission: str = "products:read") -> Select[Product]:
    """The products that a permission of somebody reaches: all, or none."""
    statement = select(Product).where(Product.deleted_at.is_(None))
    return statement if scope.may(permission) else statement.where(Product.id.is_(None))


def in_bin(scope: Scope) -> Select[Any]:
    """Deleted products, for the bin of those who keep the catalogue."""
    column = Product.__table__.c
    title = func.concat_ws(" ", column.number, column.name)
    rows = select(*binned(entity="product", id=column.id, title=title, deleted_at=column.deleted_at))
    gone = column.deleted_at.is_not(None), column.merged_into.is_(None)
    return rows.where(*gone, literal(scope.may("products:write")))


def lists_in_bin(scope: Scope) -> Select[Any]:
    """Deleted price lists, for the same."""
    column = PriceList.__table__.c
    rows = select(*binned(entity="price_list", id=column.id, title=column.name, deleted_at=column.deleted_at))
    return rows.where(column.deleted_at.is_not(None), literal(scope.may("products:write")))


def language(session: Session, scope: Scope) -> Vocabulary:
    """What products can be asked by somebody."""
    return vocabulary(session, scope, "product", fields(), today=clock.today(scope.zone or settings().zone))


def chosen(session: Session, scope: Scope, *, filter: str | None = None, search: str | None = None) -> Select[Product]:
    """The products that a filter and a search leave: the same for list and export."""
    statement = visible_to(scope)
    if filter and filter.strip():
        statement = statement.where(compile_filter(parse(filter), language(session, scope)))
    if search and search.strip():
        statement = statement.where(matches(search[:200]))
    return statement


@dataclass(frozen=True)
class Row:
    """A product as lists show it."""

    product: Product
    category: str | None
    tax_class: str | None
    stock: Decimal | None
    stock_as_of: datetime | None
    """The oldest word on it."""


STOCK_AS_OF = (
    select(func.min(StockLevel.as_of))
    .where(StockLevel.product_id == Product.id, StockLevel.deleted_at.is_(None))
    .correlate(Product)
    .scalar_subquery()
)


def with_details(statement: Select[Product]) -> Select[Product, str, str, Decimal, datetime]:
    """A selection of products with the columns of `Row`."""
    return (
        statement.outerjoin(ProductCategory, ProductCategory.id == Product.category_id)
        .outerjoin(TaxClass, TaxClass.id == Product.tax_class_id)
        .with_only_columns(Product, ProductCategory.name, TaxClass.name, IN_STOCK, STOCK_AS_OF)
    )


SORTS: dict[str, ColumnElement[Any]] = {
    "name": func.search_text(Product.name, type_=Text),
    "number": Product.__table__.c.number,
    "created": Product.__table__.c.created_at,
}
"""What a list can be sorted by."""


@answers_in_time
def page(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    sort: str = "name",
    cursor: str | None = None,
    limit: int = 50,
    exact: bool = False,
) -> Listing[Row]:
    """One page of the catalogue. `sort` names a key, with `-` in front for the other way round."""
    statement, key = chosen(session, scope, filter=filter, search=search), key_of(SORTS, sort)
    found = page_of(session, statement, Product.id, key, sort=sort, cursor=cursor, limit=limit, exact=exact)
    rows = session.execute(with_details(select(Product).where(found.among(Product.id))))
    return found.listing([Row(*row) for row in found.in_order(rows)])


def detail(session: Session, scope: Scope, product_id: UUID) -> Row | None:
    """One product."""
    found = session.execute(with_details(visible_to(scope).where(Product.id == product_id))).one_or_none()
    return Row(*found) if found else None


def standing(session: Session, product: Product | None) -> Product | None:
    """The product that stands for one: itself, or the one that it was merged into."""
    return product if product is None or product.merged_into is None else session.get_one(Product, product.merged_into)


def stands_for(product_id: Any) -> ColumnElement[bool]:
    """Whether a product is the one of a line, or the one that this one was merged into: a line is found by both."""
    asked = aliased(Product)
    into = select(asked.merged_into).where(asked.id == product_id).correlate_except(asked).scalar_subquery()
    return or_(Product.id == product_id, Product.id == into)


def find(session: Session, scope: Scope, product_id: UUID) -> Product:
    """The product of that id, or the one that it was merged into."""
    asked = standing(session, session.get(Product, product_id))
    if asked is None or asked.deleted_at is not None or not scope.may("products:read"):
        raise NotFound("There is no such product.", id=str(product_id))
    return asked


def by_code(session: Session, code: str) -> Product | None:
    """The product with this number or barcode; of a merged one the product that stands for it."""
    wanted = code.strip()
    digits = wanted.replace(" ", "").replace("-", "")
    statement = select(Product).where(
        or_(Product.deleted_at.is_(None), Product.merged_into.is_not(None)),
        or_(Product.number == wanted, Product.ean == digits),
    )
    living_first = Product.deleted_at.is_not(None), (Product.number == wanted).desc()
    return standing(session, session.scalars(statement.order_by(*living_first).limit(1)).first())


def stock_of(session: Session, product_ids: Iterable[UUID]) -> dict[UUID, list[StockLevel]]:
    """What is known of some products' stock, by warehouse."""
    statement = select(StockLevel).where(StockLevel.product_id.in_(list(product_ids)), StockLevel.deleted_at.is_(None))
    found: dict[UUID, list[StockLevel]] = {}
    for level in session.scalars(statement.order_by(StockLevel.product_id, StockLevel.warehouse)):
        found.setdefault(level.product_id, []).append(level)
    return found


def categories(session: Session) -> list[tuple[UUID, str]]:
    """The branches of the catalogue with their whole path, by path."""
    rows = session.scalars(select(ProductCategory).where(ProductCategory.deleted_at.is_(None))).all()
    by_id = {row.id: row for row in rows}

    def path(row: ProductCategory) -> str:
        parent = by_id.get(row.parent_id) if row.parent_id else None
        return f"{path(parent)} / {row.name}" if parent else row.name

    return sorted(((row.id, path(row)) for row in rows), key=lambda pair: pair[1].casefold())


def tax_classes(session: Session) -> list[TaxClass]:
    """The tax classes by name."""
    return list(session.scalars(select(TaxClass).where(TaxClass.deleted_at.is_(None)).order_by(TaxClass.name)))


def tax_rates(session: Session) -> dict[UUID, list[Rate]]:
    """All tax rates by their class."""
    found: dict[UUID, list[Rate]] = {}
    statement = select(TaxRate).where(TaxRate.deleted_at.is_(None)).order_by(TaxRate.country, TaxRate.valid_from)
    for rate in session.scalars(statement):
        found.setdefault(rate.tax_class_id, []).append(Rate(rate.country, rate.valid_from, rate.percent))
    return found


def price_lists(session: Session) -> list[PriceList]:
    """The price lists by name."""
    statement = select(PriceList).where(PriceList.deleted_at.is_(None))
    return list(session.scalars(statement.order_by(func.lower(PriceList.name), PriceList.id)))


def prices_in(session: Session, list_id: UUID) -> Sequence[tuple[Price, Product]]:
    """The prices of a list with their products, by number and quantity."""
    statement = (
        select(Price, Product)
        .join(Product, Product.id == Price.product_id)
        .where(Price.price_list_id == list_id, Price.deleted_at.is_(None), Product.deleted_at.is_(None))
        .order_by(Product.number, Price.min_quantity)
    )
    return [(price, product) for price, product in session.execute(statement)]


def uses_of(session: Session, list_id: UUID) -> list[PriceListUse]:
    """Whom a list is for."""
    statement = select(PriceListUse).where(PriceListUse.price_list_id == list_id, PriceListUse.deleted_at.is_(None))
    return list(session.scalars(statement.order_by(PriceListUse.id)))


@dataclass(frozen=True)
class Customer:
    """What decides the lists of a customer; and for whom a list is, when one of the three is given."""

    account_id: UUID | None = None
    account_class: str | None = None
    territory_id: UUID | None = None


def book_of(session: Session, customer: Customer, product_ids: Iterable[UUID] | None = None) -> Book:
    """The price lists of a customer and their bases, with the prices of some products (or of all).

    A product that was merged costs what the one costs that stands for it.
    """
    lists = {one.id: _listed(one) for one in price_lists(session)}
    uses = [(_rank(use), use.price_list_id) for use in _uses(session, customer)]
    needed, queue = set[UUID](), [list_id for _rank_of, list_id in uses]
    while queue:
        list_id = queue.pop()
        if list_id not in needed and list_id in lists:
            needed.add(list_id)
            base = lists[list_id].base_id
            queue += [base] if base else []
    wanted = aliased(Product)
    statement = (
        select(Price.price_list_id, wanted.id, Price.min_quantity, Price.unit_price)
        .join(wanted, Price.product_id == func.coalesce(wanted.merged_into, wanted.id))
        .where(Price.deleted_at.is_(None), Price.price_list_id.in_(needed))
    )
    if product_ids is not None:
        statement = statement.where(wanted.id.in_(list(product_ids)))
    breaks: dict[tuple[UUID, UUID], list[tuple[Decimal, Decimal]]] = {}
    for list_id, product_id, least, price in session.execute(statement.order_by(Price.min_quantity)):
        breaks.setdefault((list_id, product_id), []).append((least, price))
    return Book(lists, breaks, uses)


def currencies_of(session: Session, customer: Customer, day: date) -> list[str]:
    """The currencies in which a customer has prices, that of the closest list first."""
    book = book_of(session, customer, ())
    return list(dict.fromkeys(one.currency for one in book.in_order(day, None)))


def _uses(session: Session, customer: Customer) -> Sequence[PriceListUse]:
    account, kind, area = PriceListUse.account_id, PriceListUse.account_class, PriceListUse.territory_id
    everybody = and_(account.is_(None), kind.is_(None), area.is_(None))
    statement = select(PriceListUse).where(
        PriceListUse.deleted_at.is_(None),
        or_(
            account == customer.account_id,
            kind == customer.account_class,
            area == customer.territory_id,
            everybody,
        ),
    )
    return session.scalars(statement).all()


def _rank(use: PriceListUse) -> Rank:
    if use.account_id is not None:
        return Rank.ACCOUNT
    if use.account_class is not None:
        return Rank.CLASS
    return Rank.TERRITORY if use.territory_id is not None else Rank.EVERYBODY


def _listed(one: PriceList) -> Listed:
    return Listed(one.id, one.name, one.currency, one.is_gross, one.valid_from, one.valid_to, one.base_id, one.percent)
