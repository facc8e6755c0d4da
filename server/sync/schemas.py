"""Shapes of the conflicts API."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from server.sync.protocol.messages import Reason


class ConflictRead(BaseModel):
    """A field that two people changed differently, with all the values."""

    id: UUID
    entity: str
    row_id: UUID
    account_id: UUID | None
    """Null where it is about a person."""
    account_name: str | None
    """Null where the account is out of the reader's reach by now."""
    contact_id: UUID | None = None
    """The person that it is about; null where it is about an account or a site."""
    contact_name: str | None = None
    """Null where the person is out of the reader's reach by now."""
    is_deleted: bool = False
    """Whether the account, its site or the person is in the bin: taking the sender's value, or another one, brings it
    back."""
    is_site_deleted: bool = False
    """Whether it is the site alone; the account is there."""
    is_restored: bool = False
    """Whether the decision brought it back."""
    field: str
    kind: str
    policy: str
    state: str
    base: JsonValue
    """What the sender saw."""
    mine: JsonValue
    """What the sender wanted."""
    server: JsonValue
    """What was stored then."""
    current: JsonValue
    """What is stored now."""
    current_by_name: str | None = None
    """Who wrote what is stored now; null where nobody is known, and to those who may not see it."""
    current_at: datetime | None = None
    """When it was written; null where it is as it was created."""
    rev: int
    """The record's revision, to send back with a decision; 0 where the record is out of the reader's reach by now."""
    actor: UUID | None
    actor_name: str | None
    device_id: UUID | None
    created_at: datetime
    resolved_by: UUID | None
    resolved_by_name: str | None = None
    resolved_at: datetime | None
    chosen: JsonValue = None
    """What the field held after the decision."""

    @property
    def name(self) -> str | None:
        """What the account or the person is called."""
        return self.contact_name if self.contact_id else self.account_name

    @property
    def page(self) -> str:
        """Where the account or the person stands."""
        return f"/contacts/{self.contact_id}" if self.contact_id else f"/accounts/{self.account_id}"


class Decision(BaseModel):
    """How a conflict is decided."""

    decision: Literal["keep_server", "take_mine", "custom"]
    value: JsonValue = None
    """For `custom`."""
    rev: int | None = None
    """The revision that the person saw; a field changed since then is not overwritten. Without it they saw what the
    conflict says that was stored."""


class HeldDecision(BaseModel):
    """What is to become of what a retired phone held."""

    take: bool
    ops: list[UUID] | None = None
    """Null: all that wait."""


class ExportRefusal(BaseModel):
    """An op of an export that the rules do not take; its content is kept with the answer."""

    op_id: UUID
    entity: str | None
    reason: str


class ExportRead(BaseModel):
    """What became of the unsent work of a phone that came as a file."""

    device_id: UUID
    device_name: str
    user_id: UUID
    user_name: str
    made_at: str
    """By the phone's clock."""
    ops: int
    """In the file."""
    taken: int
    """Done now, in the rep's name."""
    known: int
    """Here before, by the phone itself or by the same file: not done again."""
    waiting: int
    """For somebody's decision, as the phone or its user is out of service."""
    refused: list[ExportRefusal]
    photos: int
    """Contents in the file; a photo has two, itself and its small picture."""
    photos_refused: int
    photos_waiting: int
    """They follow their op."""
    unreadable: int
    """Entries that the phone cannot read any more, kept as they are for whoever can read more of them."""


class Said(BaseModel):
    """One field of what a phone sent."""

    field: str
    value: str
    entity: str = Field(default="", exclude=True)
    """What it is a field of."""
    given: JsonValue = Field(default=None, exclude=True)
    """As it came, for pages that say it in their language; lines of an order and what lies within it, in words."""
    stands: str | None = None
    """Of a change: what the field holds now, in words, where the reader may see it."""
    now: JsonValue = Field(default=None, exclude=True)
    """The same as it is stored."""


class HeldRead(BaseModel):
    """An op of a retired phone that waits for a decision."""

    op_id: UUID
    device_id: UUID
    n: int
    kind: str | None
    """create, patch, delete, setadd, setdel."""
    entity: str | None
    made_at: str | None
    """By the phone's clock."""
    received_at: datetime
    account_id: UUID | None
    account_name: str | None
    content: list[Said]
    """What it says, field by field, without fields that the reader may not see."""


class RefusedRead(BaseModel):
    """An entry of a phone that was refused, or built on one that was."""

    device_id: UUID
    n: int
    """Its number on the phone; below zero where another entry came under the same one."""
    op_id: UUID
    status: str
    """rejected or deferred; once somebody had it taken, what became of it."""
    kind: str | None
    entity: str | None
    made_at: str | None
    """By the phone's clock."""
    received_at: datetime
    why: str
    help: str
    account_id: UUID | None
    account_name: str | None
    contact_id: UUID | None = None
    """The person that it is about, where there is one that the reader may see."""
    contact_name: str | None = None
    content: list[Said]
    """In words."""
    rev: int | None = None
    """Of a change: the revision of the record of which `content` tells what stands now."""
    body: dict[str, JsonValue]
    """As it came."""
    decided_by_name: str | None
    decided_at: datetime | None
    mended_by: UUID | None = None
    """The op with which its rep has sent it anew."""
    is_over: bool = False
    """What it wants is decided or there already: it can only be put aside."""
    reasons: list[Reason] = Field(default=[], exclude=True)
    """Why, as codes, for pages that name fields as people call them."""


class RefusedDecision(BaseModel):
    """What is to become of an entry that was refused."""

    take: bool
    """True: take it again, as its rep's; false: put it aside."""
    rev: int | None = None
    """Of a change: the revision of the record that you saw. It is made on that, over what somebody else has written;
    without one it is judged as it was sent."""
