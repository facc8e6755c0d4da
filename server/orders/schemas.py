"""Wire shapes of quotes, orders and credit notes. Amounts travel as decimal text."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.auth import veil
from server.auth.veil import Veiled
from server.orders.models import Habit, Kind, OrderLine, State
from server.orders.queries import Row, sums
from server.orders.service import NewLine, NewOrder
from server.products.pricing import Reason, in_words
from server.records.currencies import rounded

Amount = Annotated[Decimal, Field(examples=["12.50"])]
Quantity = Annotated[Decimal, Field(examples=["6"])]


class Write(BaseModel):
    """Base of what people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class LineFields(Write):
    """The fields of a line."""

    text: str | None = Field(default=None, max_length=1000, description="Null: the product's name.")
    quantity: Quantity | None = None
    unit: str | None = Field(default=None, max_length=20)
    unit_price: Amount | None = Field(default=None, description="Set by a person; null: the customer's price lists.")
    discount_percent: Decimal | None = None
    tax_class_id: UUID | None = None


class LineWrite(LineFields):
    """A new line: a product by id, number or barcode, or free text."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"code": "4006381333931", "quantity": "12"}]}
    )

    id: UUID | None = Field(default=None, description="Made by the client: the same id again is the same line.")
    product_id: UUID | None = None
    code: str | None = Field(default=None, max_length=60, description="Number or barcode.")

    def wanted(self) -> NewLine:
        """The same for the rules."""
        beside = ("id", "product_id", "code")
        fields = {name: value for name, value in self.given().items() if name not in beside}
        return NewLine(self.product_id, self.code, fields, self.id)


class OrderFields(Write):
    """The editable fields of a document."""

    site_id: UUID | None = None
    owner_id: UUID | None = None
    opportunity_id: UUID | None = None
    country: str | None = Field(default=None, description="Where it is taxed: ISO 3166-1.", examples=["LI"])
    language: str | None = Field(default=None, examples=["de"])
    day: date | None = None
    valid_until: date | None = None
    wanted_on: date | None = None
    reference: str | None = None
    payment_terms: str | None = None
    note: str | None = None
    internal_note: str | None = None


EXAMPLE: dict[str, Any] = {
    "id": "01990000-0000-7000-8000-00000000000a",
    "account_id": "01990000-0000-7000-8000-000000000001",
    "kind": "order",
    "reference": "PO 4711",
    "lines": [{"code": "P-1001", "quantity": "12"}, {"text": "Delivery", "quantity": "1", "unit_price": "25.00"}],
}


class OrderWrite(OrderFields):
    """A quote or an order that begins."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    id: UUID | None = Field(default=None, description="Made by the client: the same id again is the same document.")
    account_id: UUID
    kind: Kind = Kind.ORDER
    currency: str | None = Field(default=None, description="Null: that of the customer's closest price list.")
    lines: Annotated[list[LineWrite], Field(max_length=500)] = []

    def wanted(self) -> NewOrder:
        """The same for the rules."""
        beside = ("id", "account_id", "kind", "currency", "lines")
        fields = {name: value for name, value in self.given().items() if name not in beside}
        lines = [line.wanted() for line in self.lines]
        return NewOrder(self.account_id, self.kind, lines, fields, self.currency, self.id)


class CurrencyWrite(Write):
    """Another currency."""

    currency: str = Field(examples=["CHF"])
    on: str = Field(default="refuse", pattern="^(refuse|reprice)$", description="What happens to lines that are there.")


class ReasonWrite(Write):
    """Why."""

    reason: str | None = Field(default=None, max_length=1000)


class QuantitiesWrite(ReasonWrite):
    """How much of some lines; without lines all that is open."""

    lines: dict[UUID, Quantity] | None = Field(default=None, description="Line -> how much.")


class MailWrite(Write):
    """To whom a document goes."""

    to: str = Field(max_length=254, examples=["purchasing@example.com"])
    message: str | None = Field(default=None, max_length=5000, description="Null: a usual sentence.")


class LineRead(Veiled):
    """A line."""

    veil_of = "order"

    id: UUID
    position: int
    product_id: UUID | None
    text: str
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    is_gross: bool
    by_hand: bool
    price_reason: str | None = Field(description="Why it costs that.", examples=["list Retail 2026, from 10 pc, −5 %"])
    discount_percent: Decimal | None
    tax_class_id: UUID | None
    tax_percent: Decimal | None
    amount: Decimal | None
    delivered: Decimal
    credits_line_id: UUID | None
    rev: int

    @classmethod
    def of(cls, line: OrderLine, currency: str) -> "LineRead":
        """A stored line."""
        if "amount" in veil.hidden("order"):  # a page of reading has no figures at all
            made: dict[str, Any] = {"price_reason": None, "amount": None}
        else:
            made = {"price_reason": reason_of(line), "amount": rounded(line.amount, currency)}
        return cls(**made, **{name: getattr(line, name) for name in cls.model_fields if name not in made})


def reason_of(line: OrderLine) -> str:
    """Why a line costs what it costs, in words."""
    return in_words([Reason(str(one["kind"]), str(one["value"])) for one in line.price_reason], line.unit)


class TaxRead(BaseModel):
    """The tax of one rate."""

    percent: Decimal
    net: Decimal
    tax: Decimal


class OrderListed(Veiled):
    """A document in a list."""

    veil_of = "order"

    id: UUID
    kind: Kind
    state: State
    number: str | None
    account_id: UUID
    account_name: str
    owner_id: UUID | None
    owner_name: str | None
    day: date
    valid_until: date | None
    wanted_on: date | None
    reference: str | None
    currency: str
    net: Decimal | None
    tax: Decimal | None
    gross: Decimal | None
    placed_at: datetime | None
    opportunity_id: UUID | None
    quote_id: UUID | None
    credits_id: UUID | None
    rev: int

    @classmethod
    def of(cls, row: Row) -> "OrderListed":
        """A row of a list."""
        return cls(**listed(row, OrderListed.model_fields))


def listed(row: Row, names: Any) -> dict[str, Any]:
    """The values of a document, amounts in whole minor units."""
    made: dict[str, Any] = {"account_id": row.account_id, "account_name": row.account_name}
    made |= {"owner_name": row.owner_name}
    amounts = {name: getattr(row.order, name) for name in ("net", "tax", "gross")}
    made |= {name: much if much is None else rounded(much, row.order.currency) for name, much in amounts.items()}
    return made | {name: getattr(row.order, name) for name in names if name not in made and hasattr(row.order, name)}


class OrderRead(OrderListed):
    """A document in full."""

    site_id: UUID | None
    country: str
    language: str
    zone: str
    payment_terms: str | None
    note: str | None
    internal_note: str | None
    reason: str | None
    closed_at: datetime | None
    lines: list[LineRead]
    taxes: list[TaxRead]

    @classmethod
    def whole(cls, row: Row, lines: Sequence[OrderLine]) -> "OrderRead":
        """A document with its lines."""
        taxes = () if "taxes" in veil.hidden("order") else sums(row.order, lines).taxes
        return cls(
            **listed(row, cls.model_fields),
            lines=[LineRead.of(line, row.order.currency) for line in lines],
            taxes=[TaxRead(percent=tax.percent, net=tax.net, tax=tax.tax) for tax in taxes],
        )


class LetterheadRead(BaseModel):
    """What stands on every document."""

    model_config = ConfigDict(from_attributes=True)

    address: str
    footer: str
    terms_en: str
    terms_de: str
    quote_days: int


class LetterheadWrite(Write):
    """What shall stand on every document."""

    address: str | None = None
    footer: str | None = None
    terms_en: str | None = None
    terms_de: str | None = None
    quote_days: int | None = Field(default=None, ge=1, le=365)


class HabitWrite(Write):
    """What an account's orders may change by themselves."""

    value_follows: bool = Field(description="The yearly value is the sum of twelve months of orders.")
    asks_for_visits: bool = Field(description="A visit is wanted when an order stays away.")


class HabitRead(HabitWrite):
    """What an account's orders change by themselves, and how often it orders."""

    orders: int | None = None
    gap_days: int | None = Field(default=None, description="Median of the days between orders: a fitting interval.")
    last_day: date | None = None

    @classmethod
    def of(cls, habit: Habit, rhythm: Any) -> "HabitRead":
        """A stored habit."""
        found = {name: getattr(rhythm, name, None) for name in ("orders", "gap_days", "last_day")}
        return cls(value_follows=habit.value_follows, asks_for_visits=habit.asks_for_visits, **found)
