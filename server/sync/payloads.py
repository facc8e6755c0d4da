"""What a rep takes down at a customer's, as it travels within an op."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from server.sync.messages import Instant, Message, Small

type Stroke = Annotated[list[Annotated[int, Field(ge=0, le=1000)]], Field(min_length=4, max_length=2000)]
type Amount = Annotated[str, StringConstraints(pattern=r"^\d{1,12}(\.\d{1,4})?$")]
"""A decimal number as text; never a float."""


class Answers(Message):
    """What was answered at a visit of some type, to its form as the phone had it."""

    visit_type_id: UUID
    version_id: UUID | None
    answers: Annotated[dict[str, JsonValue], Field(max_length=100)]


class Signature(Message):
    """Who signed, and the strokes of the pen: x, y, x, y, ... in a box of 1000 by 400."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    strokes: Annotated[list[Stroke], Field(min_length=1, max_length=200)]


class NewLine(Message):
    """A line of an order: a product, or in words what is sold."""

    id: UUID
    product_id: UUID | None
    text: Annotated[str, Field(max_length=500)] | None
    quantity: Amount
    unit_price: Amount | None
    """What the phone showed; for words it is the price, for a product the lists decide."""


class NewOrder(Message):
    """An order that a rep took down without network; it arrives as a draft."""

    account_id: UUID
    site_id: UUID | None
    currency: Annotated[str, Field(min_length=3, max_length=3)]
    wanted_on: date | None
    note: Annotated[str, Field(max_length=5000)] | None
    lines: list[NewLine] = Field(min_length=1, max_length=200)


class NewActivity(Message):
    """A next step: a task, a call or a meeting."""

    kind: Literal["task", "call", "meeting"]
    account_id: UUID | None
    site_id: UUID | None
    contact_id: UUID | None
    subject: Annotated[str, Field(min_length=1, max_length=300)]
    note: Annotated[str, Field(max_length=20_000)] | None
    due_on: date | None
    starts_at: Instant | None
    ends_at: Instant | None


class NewLead(Message):
    """Somebody whom a rep met, and where."""

    company: Small | None
    person: Small | None
    phone: Annotated[str, Field(max_length=60)] | None
    email: Small | None
    note: Annotated[str, Field(max_length=5000)] | None
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
