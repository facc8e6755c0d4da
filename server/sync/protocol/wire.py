"""The messages of sync protocol 1. The JSON Schema in `tests/contract` is generated from this file.

Reading ignores keys it does not know: the protocol only grows. Keys that may be absent are left out when not set.
"""

import hashlib
import json
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from server.sync.protocol.greetings import BucketInfo as BucketInfo
from server.sync.protocol.greetings import Clash as Clash
from server.sync.protocol.greetings import Decided as Decided
from server.sync.protocol.greetings import Durable as Durable
from server.sync.protocol.greetings import HelloReply as HelloReply
from server.sync.protocol.greetings import HelloRequest as HelloRequest
from server.sync.protocol.greetings import Holding as Holding
from server.sync.protocol.greetings import LeftOut as LeftOut
from server.sync.protocol.greetings import Limits as Limits
from server.sync.protocol.greetings import Pending as Pending
from server.sync.protocol.greetings import SchemaRange as SchemaRange
from server.sync.protocol.greetings import Shift as Shift
from server.sync.protocol.greetings import Taken as Taken
from server.sync.protocol.greetings import Tracking as Tracking
from server.sync.protocol.messages import Instant as Instant
from server.sync.protocol.messages import Message as Message
from server.sync.protocol.messages import OpError as OpError
from server.sync.protocol.messages import Small as Small
from server.sync.protocol.messages import moment as moment
from server.sync.protocol.payloads import (
    Answers,
    NewAccount,
    NewActivity,
    NewAttachment,
    NewContact,
    NewLead,
    NewOrder,
    NewPin,
    NewTrack,
    Signature,
)
from server.sync.protocol.payloads import BlobReply as BlobReply
from server.sync.protocol.payloads import BlobRequest as BlobRequest
from server.sync.protocol.payloads import CheckIn as CheckIn
from server.sync.protocol.payloads import QuarantineReply as QuarantineReply
from server.sync.protocol.payloads import QuarantineRequest as QuarantineRequest
from server.sync.protocol.payloads import WipedRequest as WipedRequest

PROTOCOL = 1
SCHEMA_MIN = 1
SCHEMA_CURRENT = 5
SCHEMA_PROSPECTS = 2
"""From this one on a phone knows prospects."""
MAX_OPS = 100
MAX_PUSH_BYTES = 1_048_576
MAX_OP_BYTES = 65_536
MAX_PAGE_ROWS = 2000
MAX_BUCKETS = 64
CHUNK_BYTES = 524_288


type Status = Literal["applied", "merged", "conflict", "rejected", "deferred"]


def canonical(value: Any) -> str:
    """One spelling of a JSON value, so that two machines hash it alike; refuses NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def body_sha(op: dict[str, Any]) -> bytes:
    """The hash of an op without its number: a phone that registers anew renumbers what it has not sent."""
    return hashlib.sha256(canonical({key: op[key] for key in op if key != "n"}).encode()).digest()


def emit(message: Message) -> dict[str, Any]:
    """A message as plain JSON; keys that were not set are left out."""
    return message.model_dump(mode="json", by_alias=True, exclude_unset=True)


# push


class Moment(Message):
    """When an op was made, by the phone's clocks; decides nothing."""

    wall: Instant
    mono: int = Field(ge=0, le=10**13)
    boot: Small


class Op(Message):
    """What every op carries."""

    n: int = Field(ge=1)
    op_id: UUID
    e: str
    id: UUID
    at: Moment | None = None
    dep_op: UUID | None = None
    mends: UUID | None = None
    """A refused op of its sender that this one takes the place of."""


class Patch(Op):
    """Changed fields, each with the value seen and the value wanted."""

    k: Literal["patch"]
    base_rev: int = Field(ge=0)
    f: dict[str, tuple[JsonValue, JsonValue]] = Field(min_length=1, max_length=50)
    decides: UUID | None = None
    """The conflict that this is its sender's answer to; `f` has its field alone then, also when it stays as it is."""


class SetChange(Op):
    """Elements to add to a set or to take out of it; never conflicts."""

    k: Literal["setadd", "setdel"]
    field: str
    v: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(min_length=1, max_length=100)


class Delete(Op):
    """Take a record away; refused when somebody changed it since."""

    k: Literal["delete"]
    base_rev: int = Field(ge=0)


class VisitEvent(Message):
    """Something that happened to a visit: a fact."""

    visit_id: UUID
    account_id: UUID
    site_id: UUID | None
    day: date
    zone: Small
    state: Literal["en_route", "checked_in", "done", "missed", "cancelled"]
    outcome: Annotated[str, Field(max_length=200)] | None
    """`order`, `follow_up`, `information`, `not_interested`, `nobody_there`, or one of the company's own."""
    note: Annotated[str, Field(max_length=20_000)] | None
    checkin: CheckIn | None
    form: Answers | None = None
    """Absent when nothing was asked, as the next when nobody signed."""
    signature: Signature | None = None


class Create(Op):
    """A new fact, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["visit_event"]
    d: VisitEvent


class ProposePin(Op):
    """A proposal, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["pin_proposal"]
    d: NewPin


class DraftOrder(Op):
    """An order, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["order"]
    d: NewOrder


class AddActivity(Op):
    """A next step, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["activity"]
    d: NewActivity


class AddLead(Op):
    """A lead, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["lead"]
    d: NewLead


class AddAccount(Op):
    """An account, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["account"]
    d: NewAccount


class AddContact(Op):
    """A person at an account, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["contact"]
    d: NewContact


class AddAttachment(Op):
    """A photo or a file whose content follows, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["attachment"]
    d: NewAttachment


class AddTrack(Op):
    """A piece of the rep's way, or that it is not recorded from here on, with the id the phone gave it."""

    k: Literal["create"]
    e: Literal["track"]
    d: NewTrack


type Creation = Annotated[
    Create | ProposePin | DraftOrder | AddActivity | AddLead | AddAccount | AddContact | AddAttachment | AddTrack,
    Field(discriminator="e"),
]
type AnyOp = Annotated[Patch | SetChange | Delete | Creation, Field(discriminator="k")]


class Envelope(Message):
    """What must be right for an op to be answered at all; the rest is judged op by op."""

    n: int = Field(ge=1)
    op_id: UUID


class PushRequest(Message):
    """Ops in the order of their numbers."""

    epoch: str
    ops: list[dict[str, JsonValue]] = Field(min_length=1)


class OpResult(Message):
    """The verdict on one op."""

    n: int
    status: Status
    rev: int | None = None
    row: dict[str, JsonValue] | None = None
    conflicts: list[Clash] | None = None
    error: OpError | None = None
    replay: bool | None = None
    dropped: int | None = None
    """So many fixes of a `track` were not kept: outside working hours, in a pause, or nothing is recorded."""


class PushReply(Message):
    """Verdicts; they are committed before they are sent."""

    last_n: int
    results: list[OpResult]


# pull


class PullGroup(Message):
    """Buckets that are read from one cursor."""

    cursor: str | None
    buckets: list[int] = Field(max_length=MAX_BUCKETS)


class PullRequest(Message):
    """Ask for one page."""

    epoch: str
    groups: list[PullGroup] = Field(max_length=MAX_BUCKETS)
    limit: int = Field(ge=1)


class RowChange(Message):
    """One row in one bucket: P present (with revision and document), R left the bucket, D deleted."""

    b: int
    e: str
    id: str
    o: Literal["P", "R", "D"]
    r: int | None = None
    d: dict[str, JsonValue] | None = None


class PageGroup(Message):
    """What changed in some buckets, and the cursor behind it."""

    buckets: list[int]
    cursor: str | None
    complete: bool
    rows: list[RowChange]


class PullReply(Message):
    """One page."""

    buckets_now: list[int]
    more: bool
    groups: list[PageGroup]


# digest


class RangeSum(Message):
    """How many rows a range holds, and their sum: entity, last hexadecimal digit of the id."""

    e: str
    x: str = Field(pattern="^[0-9a-f]$")
    count: int
    sum: str = Field(pattern="^[0-9a-f]{16}$")


class RangeRows(Message):
    """The rows that the phone holds in a range."""

    e: str
    x: str = Field(pattern="^[0-9a-f]$")
    revs: dict[str, int]


class DigestRequest(Message):
    """Compare a bucket: first its sums, then the rows of the ranges that differ."""

    epoch: str
    bucket: int
    sums: list[RangeSum] | None = None
    have: list[RangeRows] | None = None


class RangeName(Message):
    """A range that differs."""

    e: str
    x: str


class DigestReply(Message):
    """To sums: the ranges that differ, and the cursor to go on from. To rows: what is to be changed."""

    cursor: str | None = None
    differ: list[RangeName] | None = None
    rows: list[RowChange] | None = None
