"""Wire shapes of the catalogue. Amounts travel as decimal text."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.products.models import StockLevel
from server.products.queries import Row


class Write(BaseModel):
    """Base of what people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class Read(BaseModel):
    """Base of what is read from tables."""

    model_config = ConfigDict(from_attributes=True)


class ProductFields(Write):
    """The editable fields of a product."""

    number: str | None = None
    name: str | None = None
    description: str | None = None
    category_id: UUID | None = None
    unit: str | None = None
    pack_size: Decimal | None = None
    min_quantity: Decimal | None = None
    quantity_step: Decimal | None = None
    tax_class_id: UUID | None = None
    is_active: bool | None = None
    successor_id: UUID | None = None
    ean: str | None = None


class ProductWrite(ProductFields):
    """A new product."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"number": "P-1001", "name": "Espresso beans 1 kg", "unit": "kg", "ean": "4006381333931"}]
        },
    )

    id: UUID | None = Field(default=None, description="Made by the client.")


class LikeProduct(BaseModel):
    """A product that may be the same article."""

    id: UUID
    number: str
    name: str
    why: str = Field(description="Why it may be the same.")


class StockRead(Read):
    """How much there was: a hint, never a promise."""

    warehouse: str
    quantity: Decimal
    as_of: datetime


class ProductRead(Read):
    """A product."""

    id: UUID
    number: str
    name: str
    description: str | None
    category_id: UUID | None
    category: str | None
    unit: str
    pack_size: Decimal | None
    min_quantity: Decimal
    quantity_step: Decimal
    tax_class_id: UUID | None
    tax_class: str | None
    is_active: bool
    successor_id: UUID | None
    ean: str | None
    stock: list[StockRead] = []
    picture: str | None = Field(default=None, description="Hash of its picture, which is at `/products/{id}/picture`.")
    rev: int

    @classmethod
    def of(cls, row: Row, stock: list[StockLevel], picture: str | None) -> "ProductRead":
        """A stored product."""
        made: dict[str, Any] = {"category": row.category, "tax_class": row.tax_class, "picture": picture}
        made["stock"] = [StockRead.model_validate(level) for level in stock]
        return cls(**made, **{name: getattr(row.product, name) for name in cls.model_fields if name not in made})


class StockWrite(Write):
    """How much there is."""

    quantity: Decimal = Field(examples=["120"])
    warehouse: str = ""
    as_of: AwareDatetime | None = Field(default=None, description="When it was counted; null: now.")


class PictureWrite(Write):
    """Which picture a product is shown with."""

    file_id: UUID = Field(description="Of a file that was sent to `/files`.")


class CategoryWrite(Write):
    """A branch of the catalogue."""

    name: str
    parent_id: UUID | None = None


class CategoryMove(Write):
    """Where a branch hangs."""

    parent_id: UUID | None = None


class CategoryRead(Read):
    """A branch of the catalogue with its whole path."""

    id: UUID
    path: str = Field(examples=["Coffee / Beans"])


class TaxClassWrite(Write):
    """A tax class."""

    name: str = Field(examples=["standard"])


class RateWrite(Write):
    """What a tax class means in a country from a day on."""

    country: str = Field(default="", description="ISO 3166-1; empty: everywhere else.", examples=["LI"])
    valid_from: date
    percent: Decimal = Field(examples=["8.1"])


class RateRead(Read):
    """A tax rate."""

    country: str
    valid_from: date
    percent: Decimal


class TaxClassRead(Read):
    """A tax class with its rates."""

    id: UUID
    name: str
    rates: list[RateRead] = []


class PriceListFields(Write):
    """The editable fields of a price list."""

    name: str | None = None
    currency: str | None = Field(default=None, examples=["CHF"])
    is_gross: bool | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    base_id: UUID | None = None
    percent: Decimal | None = Field(default=None, description="By how much the base list's prices rise or fall.")


class UseWrite(Write):
    """For whom a list is: one of the three, or none for everybody."""

    account_id: UUID | None = None
    account_class: str | None = Field(default=None, pattern="^[ABC]$")
    territory_id: UUID | None = None


class UseRead(Read):
    """For whom a list is."""

    account_id: UUID | None
    account_class: str | None
    territory_id: UUID | None


class PriceListRead(Read):
    """A price list."""

    id: UUID
    name: str
    currency: str
    is_gross: bool
    valid_from: date | None
    valid_to: date | None
    base_id: UUID | None
    percent: Decimal
    uses: list[UseRead] = []
    rev: int


class PriceWrite(Write):
    """What a product costs in a list."""

    product_id: UUID
    unit_price: Decimal = Field(examples=["18.90"])
    min_quantity: Decimal = Decimal(1)


class PriceRead(Read):
    """A price."""

    id: UUID
    product_id: UUID
    min_quantity: Decimal
    unit_price: Decimal
