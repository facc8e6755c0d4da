"""Where a phone stands: the snapshot up to which it has seen everything, signed so that nobody can make one up."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, ValidationError

from server.sync.protocol.problems import BadMessage, CursorExpired, EpochChanged
from server.sync.protocol.wire import canonical

BEGINNING = "1:1:"
"""The snapshot that has seen nothing."""
LIFE = timedelta(days=150)
"""Tombstones are kept for 180 days; an older cursor could miss one."""
FIRST = ("0", 0, "00000000-0000-0000-0000-000000000000", 0)


@dataclass(frozen=True, slots=True)
class Position:
    """How far some buckets are read."""

    epoch: str
    gens: dict[int, int]
    """The generation of each bucket."""
    seen: str = BEGINNING
    """Everything visible in this snapshot has been delivered."""
    target: str | None = None
    """The snapshot that is being delivered, while there are more pages."""
    after: tuple[str, int, str, int] = FIRST
    """The last item delivered on the way there: transaction, entity, row, bucket."""

    @property
    def is_fresh(self) -> bool:
        """Whether the buckets are read for the first time."""
        return self.seen == BEGINNING

    def at(self, target: str, after: tuple[str, int, str, int]) -> "Position":
        """The position in the middle of a delivery."""
        return replace(self, target=target, after=after)

    def done(self, target: str) -> "Position":
        """The position behind a delivery."""
        return replace(self, seen=target, target=None, after=FIRST)


class Token(BaseModel):
    """A position as it is written down."""

    e: str
    g: dict[int, int]
    s: str
    t: str | None
    a: tuple[str, int, str, int] = Field(strict=True)
    i: int


def sign(position: Position, secret: bytes, now: datetime) -> str:
    """A position as a cursor."""
    token = Token(
        e=position.epoch, g=position.gens, s=position.seen, t=position.target, a=position.after, i=int(now.timestamp())
    )
    body = base64.urlsafe_b64encode(canonical(token.model_dump(mode="json")).encode()).decode().rstrip("=")
    return f"{body}.{seal(body, secret)}"


def seal(body: str, secret: bytes) -> str:
    """The signature of a cursor's body."""
    mac = hmac.digest(secret, body.encode(), hashlib.sha256)[:16]
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def read(cursor: str, secret: bytes, now: datetime, epoch: str) -> Position:
    """The position behind a cursor. Refuses forged ones, those of another epoch and those that are too old."""
    body, _, mac = cursor.partition(".")
    try:
        if not hmac.compare_digest(mac.encode(), seal(body, secret).encode()):
            raise BadMessage("The cursor was not made here.", help="Read the bucket from its beginning.")
        token = Token.model_validate_json(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValidationError, UnicodeError) as error:
        raise BadMessage("The cursor cannot be read.", help="Read the bucket from its beginning.") from error
    if token.e != epoch:
        raise EpochChanged("The cursor is of another epoch.", help="Say hello again.", retry=False, epoch=epoch)
    if now - datetime.fromtimestamp(token.i, tz=now.tzinfo) > LIFE:
        raise CursorExpired("The cursor is too old.", help="Compare by digest.", retry=False)
    return Position(epoch=token.e, gens=token.g, seen=token.s, target=token.t, after=token.a)
