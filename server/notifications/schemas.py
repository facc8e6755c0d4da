"""Wire shapes of notifications."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from server.notifications.models import Channel
from server.notifications.queries import Told, in_english


class NotificationRead(BaseModel):
    """One thing that you were told."""

    id: UUID
    kind: str
    text: str
    sentence: str
    gaps: dict[str, Any]
    link: str
    entity: str
    row_id: UUID
    by: str | None
    made_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, told: Told) -> "NotificationRead":
        """A stored notification as it goes over the wire."""
        row = told.notification
        own = {name: getattr(row, name) for name in cls.model_fields if name not in ("text", "by")}
        return cls(**own, text=in_english(row.sentence, row.gaps), by=told.who)


class Unread(BaseModel):
    """How much you have not seen."""

    unread: int


class WishesWrite(BaseModel):
    """How you want to be told; kinds that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    kinds: dict[str, Channel] = {}
    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_at: time = time(7)


class WishesRead(WishesWrite):
    """How you are told, by kind."""
