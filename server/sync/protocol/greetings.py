"""The messages with which a sync begins."""

from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from server.sync.protocol.messages import Instant, Message, Small

MAX_CONFLICTS = 200
MAX_REFUSED = 200


class Pending(Message):
    """What the phone still holds back."""

    ops: int = Field(ge=0)
    blobs: int = Field(ge=0)
    oldest: str | None


class HelloRequest(Message):
    """The phone introduces itself."""

    protocol: list[int]
    app: Small
    schema_: int = Field(alias="schema")
    device: str
    epoch: str | None
    max_n: int = Field(ge=0)
    tz: Small
    wall: Instant
    mono_ms: int = Field(ge=0, le=10**13)
    boot: Small
    free_mb: int
    pending: Pending
    conflicts: list[UUID] | None = Field(default=None, max_length=MAX_CONFLICTS)
    """Conflicts that this phone asks its rep about, or said who decided. Absent from apps that do not hear of it."""
    refused: list[UUID] | None = Field(default=None, max_length=MAX_REFUSED)
    """Ops of this phone, under whatever device id, that were refused. Absent from apps that do not hear of it."""
    accounts: list[UUID] | None = Field(default=None, max_length=MAX_REFUSED)
    """Accounts that unfinished forms, questions and refused ops of this phone are about. Absent from older apps."""


class Durable(Message):
    """Up to which op the server's backups hold everything; until then the phone keeps its journal."""

    n: int


class BucketInfo(Message):
    """A subscription that the user has now."""

    id: int
    kind: Literal["company", "territory", "user", "prospects"]
    prio: int
    gen: int


class SchemaRange(Message):
    """The schema versions that the server understands."""

    min: int
    current: int


class Limits(Message):
    """What fits into one message."""

    ops: int
    push_bytes: int
    page_rows: int
    chunk: int


class Shift(Message):
    """A rep works from one moment to another."""

    starts_at: Instant
    ends_at: Instant


class Tracking(Message):
    """The company records the way of its reps, and when."""

    keep_days: int = Field(ge=1)
    """After so many days the server deletes it."""
    zone: Small | None = None
    """IANA time zone of the rep's days. Absent from servers before version 0.5."""
    shifts: list[Shift]
    """The only times at which this phone may record: its rep's shifts of today and the days to come."""


class LeftOut(Message):
    """A bucket for which a phone has no room."""

    kind: Literal["territory", "user", "prospects"]
    name: str | None
    """Of the territory or of the person whose accounts they are; null: what lies in no territory."""
    rows: int = Field(ge=0)


class Holding(Message):
    """What the phone is given."""

    rows: int = Field(ge=0)
    """In all its buckets, as they were last counted; one that lies in two of them counts twice, as it comes twice."""
    max_rows: int = Field(ge=1)
    """The company's ceiling."""
    left_out: list[LeftOut]
    """The most urgent first; nothing of it is in `buckets`."""
    further: int = Field(ge=0)
    """So many buckets more lie behind the 64 that a phone is given."""


class Decided(Message):
    """What became of a conflict of this phone."""

    id: UUID
    state: str
    """How: `kept_server`, `took_mine` or `custom`."""
    value: JsonValue
    """What the field held then; null as well where it is not yours to see."""
    by: str | None
    """Who decided, by name."""
    at: Instant | None


class Clash(Message):
    """A field that somebody else changed too, with all three values. `server` is null when it is not yours to see."""

    id: UUID
    field: str
    base: JsonValue
    mine: JsonValue
    server: JsonValue
    by: str | None
    at: str | None
    policy: str
    kind: str | None = None
    """Why it could not simply be applied: a `ConflictKind`."""


class Taken(Message):
    """An op that was refused and that somebody has had taken since."""

    op_id: UUID
    status: Literal["applied", "merged", "conflict"]
    conflicts: list[Clash] | None = None


class HelloReply(Message):
    """What the server knows of this phone."""

    protocol: int
    epoch: str
    last_n: int
    durable_upto: Durable | None
    server_time: str
    buckets: list[BucketInfo]
    schema_: SchemaRange = Field(alias="schema")
    limits: Limits
    commands: list[dict[str, JsonValue]]
    poll_s: int
    jitter_s: int
    lock_days: int | None = Field(default=None, ge=1)
    """So many days without the server close the cache, never the outbox. Absent from servers before version 0.4."""
    tracks: Tracking | None = None
    """Absent while the company records no ways: the phone records nothing then."""
    zone: Small | None = None
    """IANA time zone of the rep's days. Absent from servers before version 0.5."""
    closed: list[str] | None = None
    """What this phone's user may not change: `account` or `contact` as a whole, or a field, `account.phone`
    (`account.deleted_at`: they may not bring back what was deleted). Absent
    from servers before schema 3."""
    holding: Holding | None = None
    """Absent from servers that know no ceiling."""
    export_key: Small | None = None
    """X25519, base64 of 32 bytes: what the phone cannot send it seals for this key. Absent from servers that take no
    exports."""
    decided: list[Decided] | None = None
    """Those of the request's conflicts that are decided; the others wait. Absent when the request names none."""
    taken: list[Taken] | None = None
    """Those of the request's refused ops that somebody has had taken. Absent when the request names none."""
    merged: dict[UUID, UUID] | None = None
    """Into which accounts those of the request's were merged that are no more, where this phone's user may see them.
    Absent when the request names none."""
