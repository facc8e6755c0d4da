"""The rules of the catalogue: products, categories, stock, taxes, price lists and prices."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.locks import one_at_a_time
from server.products import values
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
from server.products.queries import Customer
from server.products.values import PRICE_LIST, PRODUCT
from server.records.models import Record
from server.records.revising import cleaned, require_revision, revised
from server.webhooks import service as webhooks


class NumberTaken(Conflict):
    """Two products cannot share a number or a barcode."""

    code: ClassVar[str] = "number_taken"


class Circular(Conflict):
    """Something would stand below itself."""

    code: ClassVar[str] = "circular"


class InUse(Conflict):
    """Others rest on it."""

    code: ClassVar[str] = "in_use"


def found[T: Record](session: Session, kind: type[T], row_id: UUID, name: str) -> T:
    """A living row, locked for a change."""
    row = session.get(kind, row_id, with_for_update=True, populate_existing=True)
    if row is None or row.deleted_at is not None:
        raise NotFound(f"There is no such {name}.", id=str(row_id))
    return row


def create(session: Session, fields: Mapping[str, object], *, id: UUID | None = None) -> Product:
    """Take a product into the catalogue. Refuses a number or barcode that another product has."""
    given = {name: cleaned(PRODUCT, name, value) for name, value in fields.items()}
    for name in ("number", "name"):
        if name not in given:
            raise Invalid(f"{PRODUCT[name].label}: is missing.", help="Every product needs one.", field=name)
    product = Product(**given)
    if id is not None:
        product.id = id
    check(session, given, None)
    session.add(product)
    session.flush()
    session.refresh(product)
    tell(session, product)
    return product


def edit(session: Session, product_id: UUID, base_rev: int, changes: Mapping[str, object]) -> Product:
    """Change fields of a product seen at a revision; merged with what others changed, or refused by field."""
    product = found(session, Product, product_id, "product")
    written = revised(session, product, PRODUCT, base_rev, changes, called=product.name)
    check(session, written, product.id)
    return _written(session, product, written)


def delete(session: Session, product_id: UUID, base_rev: int) -> Product:
    """Take a product away; orders keep their lines, and it can be restored."""
    product = found(session, Product, product_id, "product")
    require_revision(product, base_rev, called=product.name)
    return _written(session, product, {"deleted_at": clock.now()})


def restore(session: Session, product_id: UUID) -> Product:
    """Bring a deleted product back. Refuses one that was merged, and a number or barcode that is taken by now."""
    product = session.get(Product, product_id, with_for_update=True, populate_existing=True)
    if product is None:
        raise NotFound("There is no such product.", id=str(product_id))
    if product.merged_into is not None:
        raise Conflict("This product was merged into another one.", help="Undo the merge.")
    check(session, {"number": product.number, "ean": product.ean}, product.id)
    return _written(session, product, {"deleted_at": None})


def _written(session: Session, product: Product, written: Mapping[str, Any]) -> Product:
    for name, value in written.items():
        setattr(product, name, value)
    session.flush()
    session.refresh(product)
    tell(session, product)
    return product


def tell(session: Session, product: Product) -> None:
    """Tell webhooks of a product's revision."""
    webhooks.announce(session, "product", str(product.id), str(product.rev))


def check(session: Session, given: Mapping[str, Any], own_id: UUID | None) -> None:
    """Refuse a number or barcode that is taken, references to nothing, a product that succeeds itself."""
    for name in ("number", "ean"):
        if given.get(name) is not None:
            statement = select(Product.name).where(
                getattr(Product, name) == given[name], Product.deleted_at.is_(None), Product.id.is_distinct_from(own_id)
            )
            other = session.scalars(statement).first()
            if other is not None:
                label = PRODUCT[name].label.lower()
                raise NumberTaken(
                    f"“{other}” has the {label} {given[name]} already.", help=f"Choose another {label}.", field=name
                )
    references: tuple[tuple[str, type[Any]], ...] = (
        ("category_id", ProductCategory),
        ("tax_class_id", TaxClass),
        ("successor_id", Product),
    )
    for name, kind in references:
        if given.get(name) is not None:
            known = session.get(kind, given[name])
            if known is None or known.deleted_at is not None:
                raise Invalid(f"{PRODUCT[name].label}: there is no such thing.", field=name)
    successor = given.get("successor_id")
    if successor is not None and own_id is not None:
        refuse_circle(session, Product, "successor_id", own_id, successor, "The product would succeed itself.")


def refuse_circle(session: Session, kind: type[Any], column: str, own_id: UUID, above: UUID, message: str) -> None:
    """Refuse a reference that leads back to the row itself, also by what others change at the same moment."""
    in_turn(session)
    at: UUID | None = above
    seen = set[UUID]()
    while at is not None and at not in seen:
        if at == own_id:
            raise Circular(message, help="Choose another one.", field=column)
        seen.add(at)
        at = session.scalar(select(getattr(kind, column)).where(kind.id == at))


def in_turn(session: Session) -> None:
    """Wait for whoever else changes what stands below what: two changes could make a circle that neither sees."""
    one_at_a_time(session, "catalogue trees")


def category(session: Session, name: object, parent_id: UUID | None = None) -> ProductCategory:
    """Add a branch to the catalogue's tree; one that is there stays."""
    written = values.needed(100)(name)
    if parent_id is not None:
        found(session, ProductCategory, parent_id, "category")
    statement = select(ProductCategory).where(
        ProductCategory.deleted_at.is_(None),
        func.lower(ProductCategory.name) == written.lower(),
        ProductCategory.parent_id.is_not_distinct_from(parent_id),
    )
    known = session.scalars(statement).first()
    if known is None:
        known = ProductCategory(name=written, parent_id=parent_id)
        session.add(known)
        session.flush()
    return known


def move_category(session: Session, category_id: UUID, parent_id: UUID | None) -> ProductCategory:
    """Hang a branch elsewhere. Refuses a place below itself."""
    in_turn(session)
    branch = found(session, ProductCategory, category_id, "category")
    if parent_id is not None:
        found(session, ProductCategory, parent_id, "category")
        refuse_circle(
            session, ProductCategory, "parent_id", category_id, parent_id, f"“{branch.name}” would stand below itself."
        )
    branch.parent_id = parent_id
    session.flush()
    return branch


def tax_class(session: Session, name: object) -> TaxClass:
    """Add a tax class; one that is there stays."""
    written = cleaned(values.TAX, "tax_class", name)
    statement = select(TaxClass).where(TaxClass.deleted_at.is_(None), func.lower(TaxClass.name) == written.lower())
    known = session.scalars(statement).first()
    if known is None:
        known = TaxClass(name=written)
        session.add(known)
        session.flush()
    return known


def set_rate(session: Session, tax_class_id: UUID, country: object, valid_from: date, percent: object) -> TaxRate:
    """Say what a tax class means in a country from a day on; the same day again corrects it."""
    found(session, TaxClass, tax_class_id, "tax class")
    where = cleaned(values.TAX, "country", country)
    much = cleaned(values.TAX, "percent", percent)
    if much is None:
        raise Invalid("Per cent: is missing.", help="Write 0 where nothing is due.", field="percent")
    statement = select(TaxRate).where(
        TaxRate.deleted_at.is_(None),
        TaxRate.tax_class_id == tax_class_id,
        TaxRate.country == where,
        TaxRate.valid_from == valid_from,
    )
    rate = session.scalars(statement.with_for_update()).first()
    if rate is None:
        rate = TaxRate(tax_class_id=tax_class_id, country=where, valid_from=valid_from, percent=much)
        session.add(rate)
    rate.percent = much
    session.flush()
    return rate


def note_stock(
    session: Session, product_id: UUID, quantity: object, as_of: datetime | None = None, warehouse: object = ""
) -> StockLevel:
    """Note how much there was. An older word than the one that is known changes nothing."""
    found(session, Product, product_id, "product")
    much, moment = values.decimal(quantity, 3), as_of or clock.now()
    if much is None:
        raise Invalid("Quantity: is missing.", field="quantity")
    if moment > clock.now():
        raise Invalid("The stock was counted in the future.", help="Correct the time.", field="as_of")
    place = values.plain_text(warehouse, 60) or ""
    statement = select(StockLevel).where(
        StockLevel.product_id == product_id, StockLevel.warehouse == place, StockLevel.deleted_at.is_(None)
    )
    level = session.scalars(statement.with_for_update()).first()
    if level is None:
        level = StockLevel(product_id=product_id, warehouse=place, quantity=much, as_of=moment)
        session.add(level)
    elif moment >= level.as_of:
        level.quantity, level.as_of = much, moment
    session.flush()
    return level


def create_list(session: Session, fields: Mapping[str, object]) -> PriceList:
    """Begin a price list. Refuses a name that is taken, and a base in another currency."""
    given = {name: cleaned(PRICE_LIST, name, value) for name, value in fields.items()}
    for name in ("name", "currency"):
        if name not in given:
            raise Invalid(f"{PRICE_LIST[name].label}: is missing.", field=name)
    check_list(session, given, None)
    one = PriceList(**given)
    session.add(one)
    session.flush()
    session.refresh(one)
    return one


def edit_list(session: Session, list_id: UUID, base_rev: int, changes: Mapping[str, object]) -> PriceList:
    """Change a price list seen at a revision. Refuses another currency once it has prices."""
    one = found(session, PriceList, list_id, "price list")
    written = revised(session, one, PRICE_LIST, base_rev, changes, called=one.name)
    has_prices = select(Price.id).where(Price.price_list_id == one.id, Price.deleted_at.is_(None)).limit(1)
    if written.get("currency", one.currency) != one.currency and session.scalar(has_prices) is not None:
        raise Conflict(
            f"“{one.name}” has prices in {one.currency}.",
            help="Begin a list of its own for the other currency.",
            field="currency",
        )
    check_list(session, {name: getattr(one, name) for name in PRICE_LIST} | written, one.id)
    for name, value in written.items():
        setattr(one, name, value)
    session.flush()
    session.refresh(one)
    return one


def check_list(session: Session, given: Mapping[str, Any], own_id: UUID | None) -> None:
    """Refuse days in the wrong order, a name that is taken, a base that does not fit or leads back."""
    first, last, name = given.get("valid_from"), given.get("valid_to"), given["name"]
    if first and last and last < first:
        raise Invalid("The list ends before it begins.", help="Swap the two days.", field="valid_to")
    statement = select(PriceList.id).where(
        func.lower(PriceList.name) == name.lower(),
        PriceList.deleted_at.is_(None),
        PriceList.id.is_distinct_from(own_id),
    )
    if session.scalars(statement).first() is not None:
        raise NumberTaken(f"There is a list “{name}” already.", help="Choose another name.", field="name")
    if given.get("base_id") is None:
        return
    base = session.get(PriceList, given["base_id"])
    if base is None or base.deleted_at is not None:
        raise Invalid("Base list: there is no such list.", field="base_id")
    if (base.currency, base.is_gross) != (given["currency"], bool(given.get("is_gross"))):
        raise Invalid(
            f"“{base.name}” is in {base.currency} with tax, this list is not."
            if base.is_gross
            else f"“{base.name}” is in {base.currency} without tax, this list is not.",
            help="A list and its base share currency and tax.",
            field="base_id",
        )
    if own_id is not None:
        refuse_circle(session, PriceList, "base_id", own_id, given["base_id"], f"“{name}” would rest on itself.")


def delete_list(session: Session, list_id: UUID, base_rev: int) -> None:
    """Take a price list away. Refuses while others rest on it."""
    one = found(session, PriceList, list_id, "price list")
    require_revision(one, base_rev, called=one.name)
    above = session.scalars(select(PriceList.name).where(PriceList.base_id == list_id, PriceList.deleted_at.is_(None)))
    if names := list(above):
        raise InUse(f"“{one.name}” is the base of {', '.join(names)}.", help="Give those another base first.")
    one.deleted_at = clock.now()
    session.flush()


def restore_list(session: Session, list_id: UUID) -> None:
    """Bring a deleted price list back. Refuses when its name is taken by now, or its base list is gone."""
    one = session.get(PriceList, list_id, with_for_update=True, populate_existing=True)
    if one is None:
        raise NotFound("There is no such price list.", id=str(list_id))
    check_list(session, {name: getattr(one, name) for name in PRICE_LIST}, one.id)
    one.deleted_at = None
    session.flush()


def set_price(session: Session, list_id: UUID, product_id: UUID, unit_price: object, min_quantity: object = 1) -> Price:
    """Say what a product costs in a list from a quantity on; the same quantity again corrects it."""
    found(session, PriceList, list_id, "price list")
    found(session, Product, product_id, "product")
    much = cleaned({"unit_price": values.UNIT_PRICE}, "unit_price", unit_price)
    least: Decimal = cleaned({"min_quantity": values.QUANTITY}, "min_quantity", min_quantity)
    if much is None:
        raise Invalid("Price: is missing.", field="unit_price")
    statement = select(Price).where(
        Price.price_list_id == list_id,
        Price.product_id == product_id,
        Price.min_quantity == least,
        Price.deleted_at.is_(None),
    )
    price = session.scalars(statement.with_for_update()).first()
    if price is None:
        price = Price(price_list_id=list_id, product_id=product_id, min_quantity=least, unit_price=much)
        session.add(price)
    price.unit_price = much
    session.flush()
    return price


def drop_price(session: Session, price_id: UUID) -> None:
    """Take a price out of its list."""
    found(session, Price, price_id, "price").deleted_at = clock.now()
    session.flush()


def use_list(session: Session, list_id: UUID, whom: Sequence[Customer]) -> None:
    """Say for whom a price list is; what is not named any more is taken away."""
    one = found(session, PriceList, list_id, "price list")
    for each in whom:
        if sum(part is not None for part in (each.account_id, each.account_class, each.territory_id)) > 1:
            raise Invalid(
                "A list is for an account, a class or a territory, not for several at once.",
                help="Name them one by one.",
                field="uses",
            )
    wanted = {(each.account_id, each.account_class, each.territory_id) for each in whom}
    statement = select(PriceListUse).where(PriceListUse.price_list_id == one.id, PriceListUse.deleted_at.is_(None))
    for use in session.scalars(statement.with_for_update()):
        key = (use.account_id, use.account_class, use.territory_id)
        if key in wanted:
            wanted.discard(key)
        else:
            use.deleted_at = clock.now()
    for account_id, account_class, territory_id in wanted:
        session.add(
            PriceListUse(
                price_list_id=one.id, account_id=account_id, account_class=account_class, territory_id=territory_id
            )
        )
    session.flush()
