"""Tables of quotes, orders and credit notes."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Numeric, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.auth import veil
from server.kit.database import Base
from server.records.models import Record


class Kind(StrEnum):
    """What a document is."""

    QUOTE = "quote"
    ORDER = "order"
    CREDIT = "credit"
    """Takes lines of an order back."""


class State(StrEnum):
    """Where a document stands."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    PLACED = "placed"
    CONFIRMED = "confirmed"
    PARTLY_DELIVERED = "partly_delivered"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    CREDITED = "credited"
    """Everything of it was taken back."""


STATES = {
    Kind.QUOTE: (State.DRAFT, State.SENT, State.ACCEPTED, State.DECLINED, State.EXPIRED),
    Kind.ORDER: (
        State.DRAFT, State.PLACED, State.CONFIRMED, State.PARTLY_DELIVERED, State.DELIVERED, State.CANCELLED,
        State.CREDITED,
    ),
    Kind.CREDIT: (State.DRAFT, State.PLACED, State.CANCELLED),
}  # fmt: skip
"""The states that each kind knows."""

COUNTS = (State.PLACED, State.CONFIRMED, State.PARTLY_DELIVERED, State.DELIVERED, State.CREDITED)
"""Orders and credit notes in these states are business done."""


class Order(Record, Base):
    """A quote, an order or a credit note for one account in one currency."""

    __tablename__ = "sales_order"

    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=State.DRAFT.value)
    number: Mapped[str | None] = mapped_column(comment="Given when it is sent or placed: without gaps.")
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True, comment="Where it is delivered to.")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True, comment="Whose sale it is.")
    opportunity_id: Mapped[UUID | None] = mapped_column(index=True, comment="The deal it belongs to.")
    quote_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("sales_order.id"), index=True, comment="The quote that became this order."
    )
    credits_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("sales_order.id"), index=True, comment="The order that this credit note takes back."
    )
    currency: Mapped[str] = mapped_column(comment="ISO 4217; fixed once there are lines.")
    country: Mapped[str] = mapped_column(server_default="", comment="Where it is taxed: ISO 3166-1.")
    language: Mapped[str] = mapped_column(server_default="en", comment="Of the document.")
    day: Mapped[date] = mapped_column(comment="The day of its prices and taxes.")
    zone: Mapped[str] = mapped_column(comment="Where that is the day.")
    valid_until: Mapped[date | None] = mapped_column(comment="Last day of a quote.")
    wanted_on: Mapped[date | None] = mapped_column(comment="When the customer wants it.")
    reference: Mapped[str | None] = mapped_column(comment="What the customer calls it.")
    payment_terms: Mapped[str | None]
    note: Mapped[str | None] = mapped_column(comment="Stands on the document.")
    internal_note: Mapped[str | None] = mapped_column(comment="Never leaves the house.")
    flags: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=sql("'{}'"), comment="What is odd about it, as a phone took it down."
    )
    reason: Mapped[str | None] = mapped_column(comment="Why it was declined, cancelled or credited.")
    net: Mapped[Decimal] = mapped_column(Numeric(16, 3), server_default=sql("0"))
    tax: Mapped[Decimal] = mapped_column(Numeric(16, 3), server_default=sql("0"))
    gross: Mapped[Decimal] = mapped_column(Numeric(16, 3), server_default=sql("0"))
    placed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), comment="Sent, of a quote.")
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("kind in ('quote', 'order', 'credit')", name="kind"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("(state = 'draft') = (number is null)", name="number"),
        CheckConstraint("(kind = 'credit') = (credits_id is not null)", name="credit"),
        Index("uq_sales_order_number", "number", unique=True),
        Index("ix_sales_order_account", "account_id", sql("coalesce(placed_at, created_at) desc")),
        Index("ix_sales_order_day", sql("day desc"), sql("id desc"), postgresql_where=sql("deleted_at is null")),
        Index("ix_sales_order_currency", "currency", "day"),
        Index("ix_sales_order_open", "state", "valid_until", postgresql_where=sql("kind = 'quote'")),
    )


veil.over_rows(Order, "order")


class OrderLine(Record, Base):
    """One line: a product or free text, how much of it, for how much."""

    __tablename__ = "order_line"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("sales_order.id"))
    position: Mapped[int]
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("product.id"), index=True, comment="Null: free text.")
    text: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    unit: Mapped[str] = mapped_column(server_default="pc")
    unit_price: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    is_gross: Mapped[bool] = mapped_column(server_default=sql("false"), comment="The price contains the tax.")
    by_hand: Mapped[bool] = mapped_column(
        server_default=sql("false"), comment="A person has set the price; no list changes it."
    )
    price_reason: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=sql("'[]'::jsonb"), comment="See products.pricing.Reason."
    )
    discount_percent: Mapped[Decimal] = mapped_column(Numeric(6, 3), server_default=sql("0"))
    tax_class_id: Mapped[UUID | None] = mapped_column(ForeignKey("tax_class.id"), index=True)
    tax_percent: Mapped[Decimal | None] = mapped_column(Numeric(6, 3), comment="Null: no rate is known yet.")
    amount: Mapped[Decimal] = mapped_column(Numeric(16, 3), comment="Quantity × price − discount, rounded once.")
    delivered: Mapped[Decimal] = mapped_column(Numeric(12, 3), server_default=sql("0"))
    credits_line_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("order_line.id"), index=True, comment="The line that this one takes back."
    )

    __table_args__ = (
        CheckConstraint("quantity <> 0", name="quantity"),
        CheckConstraint("quantity > 0 or credits_line_id is not null", name="credit"),
        CheckConstraint("discount_percent between 0 and 100", name="discount"),
        CheckConstraint("unit_price >= 0", name="price"),
        Index("ix_order_line_order", "order_id", "position", "id"),
    )


veil.over_rows(OrderLine, "order")


class OrderNumber(Base):
    """The last number of a kind and year; the row is locked until the document that took it is committed."""

    __tablename__ = "order_number"

    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Letterhead(Record, Base):
    """What stands on every document; one row."""

    __tablename__ = "letterhead"

    address: Mapped[str] = mapped_column(server_default="", comment="The company's, below its name.")
    footer: Mapped[str] = mapped_column(server_default="", comment="Tax number, bank, register.")
    terms_en: Mapped[str] = mapped_column(server_default="", comment="Payment terms of a new document.")
    terms_de: Mapped[str] = mapped_column(server_default="")
    quote_days: Mapped[int] = mapped_column(server_default=sql("30"), comment="How long a new quote is valid.")

    __table_args__ = (CheckConstraint("quote_days between 1 and 365", name="days"),)


class Habit(Record, Base):
    """What an account's orders may change by themselves."""

    __tablename__ = "order_habit"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), unique=True)
    value_follows: Mapped[bool] = mapped_column(
        server_default=sql("false"), comment="The yearly value is the sum of twelve months of orders."
    )
    asks_for_visits: Mapped[bool] = mapped_column(
        server_default=sql("true"), comment="A visit is wanted when an order stays away."
    )
