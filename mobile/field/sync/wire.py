"""The messages of protocol 1 as frozen values, with one small codec for all of them.

Reading ignores keys it does not know (the protocol only grows); fields with a default may be absent
and are left out when they are not set. Row documents and op bodies stay plain JSON: the phone keeps them whole.
"""

import dataclasses
import types
from dataclasses import dataclass
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

Json = dict[str, Any]


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


@dataclass(frozen=True)
class OpError:
    """Why an op was refused, and what to do."""

    code: str
    msg: str
    help: str | None = None
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
    return cast(T, _read(kind, message, kind.__name__))


def emit(value: Any) -> Any:
    """Write a message as plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: emit(got)
            for f in dataclasses.fields(value)
            if (got := getattr(value, f.name)) is not None or f.default is not None
        }
    return [emit(item) for item in value] if isinstance(value, list) else value


def _read(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        kinds = get_args(kind)
        if value is None and type(None) in kinds:
            return None
        return _read(next(k for k in kinds if k is not type(None)), value, where)
    if origin is list:
        _expect(isinstance(value, list), where, "a list")
        return [_read(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if dataclasses.is_dataclass(kind):
        return _read_object(kind, value, where)
    plain = origin or kind
    _expect(isinstance(value, plain) and (plain is bool or not isinstance(value, bool)), where, plain.__name__)
    return value


def _read_object(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), where, "an object")
    hints = get_type_hints(kind)
    given: Json = {}
    for f in dataclasses.fields(kind):
        if f.name in value:
            given[f.name] = _read(hints[f.name], value[f.name], f"{where}.{f.name}")
        else:
            _expect(f.default is None, f"{where}.{f.name}", "present")
    return kind(**given)


def _expect(true: bool, where: str, what: str) -> None:
    if not true:
        raise BadMessage(f"{where} must be {what}")
