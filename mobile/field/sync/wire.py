"""The messages of protocol 1 as frozen values, with one small codec for all of them.

Reading ignores keys that it does not know; fields with a default are left out when they are not set. Row documents and
op bodies stay plain JSON: the phone keeps them whole.
"""

import dataclasses
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

Json = dict[str, Any]
_Read = Callable[[Any], Any]


class BadMessage(ValueError):
    """The other side sent something that is not this protocol; names the key."""


@dataclass(frozen=True)
class Pending:
    """What the phone still holds back."""

    ops: int
    blobs: int
    oldest: str | None


@dataclass(frozen=True)
class HelloRequest:
    """The phone introduces itself."""

    protocol: list[int]
    app: str
    schema: int
    device: str
    epoch: str | None
    max_n: int
    tz: str
    wall: str
    mono_ms: int
    boot: str
    free_mb: int
    pending: Pending
    conflicts: list[str] | None = None
    refused: list[str] | None = None
    accounts: list[str] | None = None


@dataclass(frozen=True)
class Durable:
    """The highest op number that the server's backups cover."""

    n: int


@dataclass(frozen=True)
class BucketInfo:
    """A subscription the user has at this moment."""

    id: int
    kind: str
    prio: int
    gen: int


@dataclass(frozen=True)
class SchemaRange:
    """Schema versions the server understands."""

    min: int
    current: int


@dataclass(frozen=True)
class Limits:
    """What fits into one message."""

    ops: int
    push_bytes: int
    page_rows: int
    chunk: int


@dataclass(frozen=True)
class Shift:
    """The rep works from one moment to another."""

    starts_at: str
    ends_at: str


@dataclass(frozen=True)
class Tracking:
    """The company records the way of its reps, and when."""

    keep_days: int
    shifts: list[Shift]
    zone: str | None = None


@dataclass(frozen=True)
class LeftOut:
    """What this phone is not given; `name` None: what lies in no territory."""

    kind: str
    name: str | None
    rows: int


@dataclass(frozen=True)
class Holding:
    """How many rows this phone is given, and what is too much for it."""

    rows: int
    max_rows: int
    left_out: list[LeftOut]
    further: int


@dataclass(frozen=True)
class Decided:
    """What became of a conflict, and who decided."""

    id: str
    state: str
    value: Any
    by: str | None
    at: str | None


@dataclass(frozen=True)
class HelloReply:
    """What the server knows of this phone."""

    protocol: int
    epoch: str
    last_n: int
    durable_upto: Durable | None
    server_time: str
    buckets: list[BucketInfo]
    schema: SchemaRange
    limits: Limits
    commands: list[Json]
    poll_s: int
    jitter_s: int
    lock_days: int | None = None
    tracks: Tracking | None = None
    zone: str | None = None
    closed: list[str] | None = None
    holding: Holding | None = None
    export_key: str | None = None
    decided: list[Decided] | None = None
    taken: list[Json] | None = None
    merged: Json | None = None


@dataclass(frozen=True)
class PushRequest:
    """Ops in the order of their numbers."""

    epoch: str
    ops: list[Json]


@dataclass(frozen=True)
class Conflict:
    """A field that the server did not take, with all three values."""

    id: str
    field: str
    base: Any
    mine: Any
    server: Any
    by: str | None
    at: str | None
    policy: str
    kind: str | None = None


@dataclass(frozen=True)
class Reason:
    """A sentence of a refusal as a code with the values of its gaps."""

    code: str
    values: Json


@dataclass(frozen=True)
class OpError:
    """Why an op was refused, and what to do: in English, and in codes that are worded here."""

    code: str
    msg: str
    help: str | None = None
    reasons: list[Reason] | None = None
    retry: bool | None = None
    after_s: int | None = None
    ref: str | None = None


@dataclass(frozen=True)
class OpResult:
    """The verdict on one op."""

    n: int
    status: str
    rev: int | None = None
    row: Json | None = None
    conflicts: list[Conflict] | None = None
    error: OpError | None = None
    replay: bool | None = None
    dropped: int | None = None


@dataclass(frozen=True)
class PushReply:
    """Verdicts, committed before they were sent."""

    last_n: int
    results: list[OpResult]


@dataclass(frozen=True)
class PullGroup:
    """Buckets that are read from the same cursor."""

    cursor: str | None
    buckets: list[int]


@dataclass(frozen=True)
class PullRequest:
    """Ask for one page."""

    epoch: str
    groups: list[PullGroup]
    limit: int


@dataclass(frozen=True)
class RowChange:
    """One row in one bucket: P present (with document), R left the bucket, D deleted."""

    b: int
    e: str
    id: str
    o: str
    r: int | None = None
    d: Json | None = None


@dataclass(frozen=True)
class PageGroup:
    """What changed in a group of buckets, and the cursor behind it."""

    buckets: list[int]
    cursor: str | None
    complete: bool
    rows: list[RowChange]


@dataclass(frozen=True)
class PullReply:
    """One page."""

    buckets_now: list[int]
    more: bool
    groups: list[PageGroup]


@dataclass(frozen=True)
class QuarantineRequest:
    """What a retired phone still holds."""

    device: str
    ops: list[Json]
    signature: str


@dataclass(frozen=True)
class QuarantineReply:
    """How many of them are kept there now."""

    held: int


@dataclass(frozen=True)
class WipedRequest:
    """A phone destroyed what it held."""

    device: str
    signature: str


@dataclass(frozen=True)
class BlobRequest:
    """A photo's content is to come, or is asked for."""

    size: int


@dataclass(frozen=True)
class BlobReply:
    """How far a content has come; what is durable is in a backup of the server's."""

    state: str
    offset: int
    durable: bool


def parse[T](kind: type[T], message: Any) -> T:
    """Read a message; raises BadMessage naming the key that is missing or of the wrong type."""
    try:
        return cast(T, _reader(cast(Any, kind))(message))
    except _Wrong as wrong:
        raise BadMessage(f"{kind.__name__}{wrong.way} must be {wrong.what}") from None


def emit(value: Any) -> Any:
    """Write a message as plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: emit(got)
            for f in dataclasses.fields(value)
            if (got := getattr(value, f.name)) is not None or f.default is not None
        }
    return [emit(item) for item in value] if isinstance(value, list) else value


class _Wrong(Exception):
    """A value that is not what it has to be; the way to it is told backwards as it is left."""

    def __init__(self, what: str, way: str = "") -> None:
        super().__init__(what)
        self.what, self.way = what, way


@cache
def _reader(kind: Any) -> _Read:
    """How a value of a kind is read: made once, as a first sync reads tens of thousands of rows."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value: value
    if origin in (Union, types.UnionType):
        present = _reader(next(one for one in inner if one is not type(None)))
        optional = type(None) in inner
        return lambda value: None if value is None and optional else present(value)
    if origin is list:
        return _list_reader(_reader(inner[0]))
    return _object_reader(kind) if dataclasses.is_dataclass(kind) else _plain_reader(origin or kind)


def _plain_reader(kind: type) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _Wrong(kind.__name__)
        return value

    return read


def _list_reader(item: _Read) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Wrong("a list")
        found: list[Any] = []
        try:
            for one in value:
                found.append(item(one))
        except _Wrong as wrong:
            wrong.way = f"[{len(found)}]{wrong.way}"
            raise
        return found

    return read


def _object_reader(kind: Any) -> _Read:
    hints = get_type_hints(kind)
    fields = [(f.name, _reader(hints[f.name]), f.default is None) for f in dataclasses.fields(kind)]

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Wrong("an object")
        given: Json = {}
        for name, one, may_be_absent in fields:
            if name in value:
                try:
                    given[name] = one(value[name])
                except _Wrong as wrong:
                    wrong.way = f".{name}{wrong.way}"
                    raise
            elif not may_be_absent:
                raise _Wrong("present", f".{name}")
        return kind(**given)

    return read
