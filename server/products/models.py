"""Tables of the catalogue: products, categories, stock, taxes, price lists."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Joinable, Record

PRODUCT_TEXT = "search_words(name, number, ean, description)"
"""What a search looks through; the trigram index holds exactly this expression."""


class ProductCategory(Record, Base):
    """A branch of the catalogue's tree."""

    __tablename__ = "product_category"

    name: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_category.id"), index=True)

    __table_args__ = (CheckConstraint("parent_id <> id", name="parent"),)


class TaxClass(Record, Base):
    """How a product is taxed, without saying how much: standard, reduced, none."""

    __tablename__ = "tax_class"

    name: Mapped[str]

    __table_args__ = (
        Index("uq_tax_class_name", text("lower(name)"), unique=True, postgresql_where=text("deleted_at is null")),
    )


class TaxRate(Record, Base):
    """How many per cent a tax class means in a country from a day on."""

    __tablename__ = "tax_rate"

    tax_class_id: Mapped[UUID] = mapped_column(ForeignKey("tax_class.id"))
    country: Mapped[str] = mapped_column(comment="ISO 3166-1, two letters; empty: wherever no other rate is known.")
    valid_from: Mapped[date]
    percent: Mapped[Decimal] = mapped_column(Numeric(6, 3))

    __table_args__ = (
        CheckConstraint("percent between 0 and 100", name="percent"),
        Index(
            "uq_tax_rate_day",
            "tax_class_id",
            "country",
            "valid_from",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
    )


class Product(Joinable, Base):
    """Something the company sells."""

    __tablename__ = "product"

    number: Mapped[str] = mapped_column(comment="The company's own key; what an import recognises it by.")
    name: Mapped[str]
    description: Mapped[str | None]
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_category.id"), index=True)
    unit: Mapped[str] = mapped_column(server_default="pc", comment="What a quantity of one means.")
    pack_size: Mapped[Decimal | None] = mapped_column(Numeric(12, 3), comment="Units in a pack; null: sold singly.")
    min_quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3), server_default=text("1"))
    quantity_step: Mapped[Decimal] = mapped_column(
        Numeric(12, 3), server_default=text("1"), comment="Quantities are multiples of it."
    )
    tax_class_id: Mapped[UUID | None] = mapped_column(ForeignKey("tax_class.id"), index=True)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"), comment="False: is sold no more.")
    successor_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("product.id"), index=True, comment="What is offered in its place."
    )
    ean: Mapped[str | None] = mapped_column(comment="Barcode: EAN-8, UPC-A, EAN-13 or GTIN-14 with its check digit.")

    __table_args__ = (
        CheckConstraint("pack_size > 0", name="pack"),
        CheckConstraint("min_quantity > 0", name="least"),
        CheckConstraint("quantity_step > 0", name="step"),
        CheckConstraint("successor_id <> id", name="successor"),
        Index("uq_product_number", "number", unique=True, postgresql_where=text("deleted_at is null")),
        Index("uq_product_ean", "ean", unique=True, postgresql_where=text("deleted_at is null")),
        Index("ix_product_name", text("search_text(name)"), "id"),
        Index(
            "ix_product_search",
            literal_column(PRODUCT_TEXT).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
    )


class StockLevel(Record, Base):
    """How much of a product lay in a warehouse at a moment: a hint, never a promise."""

    __tablename__ = "stock_level"

    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    warehouse: Mapped[str] = mapped_column(server_default="")
    quantity: Mapped[Decimal] = mapped_column(Numeric(14, 3))
    as_of: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index(
            "uq_stock_level_place", "product_id", "warehouse", unique=True, postgresql_where=text("deleted_at is null")
        ),
    )


class PriceList(Record, Base):
    """Prices in a currency for some days; where it names none, its base list does, raised or lowered."""

    __tablename__ = "price_list"

    name: Mapped[str]
    currency: Mapped[str] = mapped_column(comment="ISO 4217.")
    is_gross: Mapped[bool] = mapped_column(server_default=text("false"), comment="Prices contain the tax.")
    valid_from: Mapped[date | None] = mapped_column(comment="First day; null: always was.")
    valid_to: Mapped[date | None] = mapped_column(comment="Last day; null: until further notice.")
    base_id: Mapped[UUID | None] = mapped_column(ForeignKey("price_list.id"), index=True)
    percent: Mapped[Decimal] = mapped_column(
        Numeric(6, 3), server_default=text("0"), comment="By how much the base list's prices rise or fall."
    )

    __table_args__ = (
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("valid_to >= valid_from", name="days"),
        CheckConstraint("base_id <> id", name="base"),
        CheckConstraint("percent > -100", name="percent"),
        Index("uq_price_list_name", text("lower(name)"), unique=True, postgresql_where=text("deleted_at is null")),
    )


class Price(Record, Base):
    """What one unit costs in a list from a quantity on."""

    __tablename__ = "price"

    price_list_id: Mapped[UUID] = mapped_column(ForeignKey("price_list.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    min_quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3), server_default=text("1"))
    unit_price: Mapped[Decimal] = mapped_column(Numeric(14, 4))

    __table_args__ = (
        CheckConstraint("min_quantity > 0", name="least"),
        CheckConstraint("unit_price >= 0", name="amount"),
        Index(
            "uq_price_break",
            "product_id",
            "price_list_id",
            "min_quantity",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
    )


class PriceListUse(Record, Base):
    """Whom a price list is for: one account, a class, a territory, or (all three empty) everybody."""

    __tablename__ = "price_list_use"

    price_list_id: Mapped[UUID] = mapped_column(ForeignKey("price_list.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(index=True, comment="No key, because `accounts` lies above.")
    account_class: Mapped[str | None]
    territory_id: Mapped[UUID | None] = mapped_column(comment="No key, because `territories` lies beside.")

    __table_args__ = (
        CheckConstraint("num_nonnulls(account_id, account_class, territory_id) <= 1", name="whom"),
        Index(
            "uq_price_list_use_whom",
            "price_list_id",
            "account_id",
            "account_class",
            "territory_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("deleted_at is null"),
        ),
    )
