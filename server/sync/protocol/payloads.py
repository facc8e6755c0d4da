"""What a rep takes down at a customer's, as it travels within an op."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from server.sync.protocol.messages import Instant, Message, Small

type Stroke = Annotated[list[Annotated[int, Field(ge=0, le=1000)]], Field(min_length=4, max_length=2000)]
type Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
type Amount = Annotated[str, StringConstraints(pattern=r"^\d{1,12}(\.\d{1,4})?$")]
"""A decimal number as text; never a float."""


class CheckIn(Message):
    """Where the phone was."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    accuracy_m: float = Field(ge=0)
    fix_at: Instant
    mock: bool
    unpinned: bool = False
    """True where the phone knew no pin of the site to compare with; absent otherwise."""


class NewPin(Message):
    """A better place for a site, and where the phone was when the rep moved the pin."""

    account_id: UUID
    site_id: UUID
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    note: Annotated[str, Field(max_length=2000)] | None
    fix: CheckIn | None


class Answers(Message):
    """What was answered at a visit of some type, to its form as the phone had it."""

    visit_type_id: UUID
    version_id: UUID | None
    answers: Annotated[dict[str, JsonValue], Field(max_length=100)]


class Signature(Message):
    """Who signed, and the strokes of the pen: x, y, x, y, ... in a box of 1000 by 400."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    strokes: Annotated[list[Stroke], Field(min_length=1, max_length=200)]
    box: Annotated[list[Annotated[int, Field(ge=1, le=1000)]], Field(min_length=2, max_length=2)] | None = None
    """Width and height of the sheet that was signed on: y grows downwards then. Absent on older phones, whose y grows
    upwards and whose sheet, whatever its shape, was stretched to 1000 by 400."""


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
    prospect_id: UUID | None = None
    """The `prospect` that it is made of; absent when the rep met somebody whom open data does not know."""


class NewAccount(Message):
    """An account that a rep met, where they stood or by its address alone: `lon` and `lat` are both given or both null.
    It is taken even when it looks like another one: that is proposed later."""

    name: Annotated[str, Field(min_length=1, max_length=300)]
    status: Literal["prospect", "customer"]
    account_class: Literal["A", "B", "C"] | None
    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(max_length=20)
    phone: Annotated[str, Field(max_length=60)] | None
    note: Annotated[str, Field(max_length=5000)] | None
    street: Small | None
    postcode: Annotated[str, Field(max_length=20)] | None
    city: Small | None
    lon: float | None = Field(ge=-180, le=180)
    lat: float | None = Field(ge=-90, le=90)


class Reached(Message):
    """A phone number or a mail address."""

    label: Annotated[str, Field(max_length=40)] | None = None
    value: Small


class NewContact(Message):
    """Somebody at an account, as a rep met them; one of the two names is needed."""

    account_id: UUID
    first_name: Annotated[str, Field(max_length=120)] | None
    last_name: Annotated[str, Field(max_length=120)] | None
    title: Annotated[str, Field(max_length=160)] | None
    """What they do there."""
    phones: list[Reached] = Field(max_length=20)
    mails: list[Reached] = Field(max_length=20)


class NewAttachment(Message):
    """A photo, a drawn signature or a document, and what it hangs on; its content is sent by its hash."""

    account_id: UUID
    owner: Literal["account", "visit", "note", "ticket", "order"]
    owner_id: UUID
    kind: Literal["photo", "signature", "document"]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    mime: Small
    size: int = Field(ge=1, le=15_000_000)
    sha256: Sha256
    thumbnail_sha256: Sha256 | None
    width: int | None = Field(ge=1, le=100_000)
    height: int | None = Field(ge=1, le=100_000)
    taken_at: Instant


class TrackFix(Message):
    """Where the phone was on the rep's way."""

    at: Instant
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    accuracy_m: float = Field(ge=0)


class NewTrack(Message):
    """A piece of the rep's way with its fixes by time; or that the rep pauses the recording for the rest of the day, or
    takes it up again, both without a fix."""

    kind: Literal["way", "pause", "resume"]
    at: Instant
    """When it began."""
    fixes: list[TrackFix] = Field(max_length=300)


class QuarantineRequest(Message):
    """What a retired phone still holds, signed with its key: SHA-256 over the canonical list of ops."""

    device: UUID
    ops: list[dict[str, JsonValue]] = Field(min_length=1)
    signature: str = Field(max_length=500)


class QuarantineReply(Message):
    """How many of them are kept here now, or were before."""

    held: int


class WipedRequest(Message):
    """A phone destroyed what it held; signed before its key was destroyed."""

    device: UUID
    signature: str = Field(max_length=500)


class BlobRequest(Message):
    """A content is to come, or is asked for: how many bytes it has."""

    size: int = Field(ge=1)


class BlobReply(Message):
    """How far a content has come. What is durable is in a verified backup: the phone may let go of its own."""

    state: Literal["partial", "stored"]
    offset: int
    durable: bool
