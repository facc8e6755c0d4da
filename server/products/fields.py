"""What products can be filtered by, in every list and export."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, cast, func, select

from server.kit.filtering import Field, Kind
from server.products.models import Product, ProductCategory, StockLevel, TaxClass


def of_category(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The category fulfils it."""
    found = select(ProductCategory.id).where(ProductCategory.id == Product.category_id, condition)
    return found.correlate(Product).exists()


def of_tax(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The tax class fulfils it."""
    return select(TaxClass.id).where(TaxClass.id == Product.tax_class_id, condition).correlate(Product).exists()


IN_STOCK = (
    select(func.sum(StockLevel.quantity))
    .where(StockLevel.product_id == Product.id, StockLevel.deleted_at.is_(None))
    .correlate(Product)
    .scalar_subquery()
)
"""How much there was in all warehouses; null when nobody said."""


def fields() -> Mapping[str, Field]:
    """The fields by name."""
    stock: Any = IN_STOCK
    declared = (
        Field("number", Kind.TEXT, Product.__table__.c.number, "Number"),
        Field("name", Kind.TEXT, Product.__table__.c.name, "Name"),
        Field("category", Kind.TEXT, ProductCategory.__table__.c.name, "Category", exists=of_category),
        Field("unit", Kind.TEXT, Product.__table__.c.unit, "Unit"),
        Field("active", Kind.FLAG, Product.__table__.c.is_active, "Is sold"),
        Field("barcode", Kind.TEXT, Product.__table__.c.ean, "Barcode"),
        Field("tax", Kind.TEXT, TaxClass.__table__.c.name, "Tax class", exists=of_tax),
        Field("stock", Kind.NUMBER, stock, "In stock"),
        Field("created", Kind.DATE, cast(Product.created_at, Date), "Created"),
    )
    return {one.name: one for one in declared}


def matches(words: str) -> ColumnElement[bool]:
    """Every word is found in name, number, barcode or description; accents do not matter."""
    return and_(*(found(word) for word in words.split()[:8]))


def found(word: str) -> ColumnElement[bool]:
    """One word is found; longer ones also when nearly so (trigrams)."""
    folded = func.rtrim(func.search_words(word, None, None, None))
    like = func.concat("%", func.regexp_replace(folded, r"([\\%_])", r"\\\1", "g"), "%")
    whole = func.search_words(Product.name, Product.number, Product.ean, Product.description)
    exact: ColumnElement[bool] = whole.like(like)
    return exact | folded.op("<%")(whole) if len(word) > 3 and not word.isdigit() else exact
