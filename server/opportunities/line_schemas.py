"""Wire shapes of what became of a deal's lines."""

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from server.opportunities.schemas import Read


class LineStoodRead(Read):
    """A line as it stood."""

    quantity: Decimal
    unit_price: Decimal
    discount: Decimal = Field(description="Share, 0 to 1.")
    amount: Decimal = Field(description="What it came to; with the tax, if its price contained it.")
    currency: str = Field(description="That of the deal at the time.")
    tax_percent: Decimal | None = Field(description="Null: unknown.")
    is_gross: bool = Field(description="The price contained the tax.")


class LineChangeRead(Read):
    """One line that came, went or changed."""

    name: str
    old: LineStoodRead | None = Field(description="Null: it came.")
    new: LineStoodRead | None = Field(description="Null: it went.")


class LinesSavedRead(Read):
    """What somebody changed in the lines of a deal at once."""

    at: datetime
    who: str | None = Field(description="Null: Waymark itself.")
    changes: list[LineChangeRead]
