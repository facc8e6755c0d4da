"""Wire shapes of timelines."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class ChangeRead(BaseModel):
    """One field of an edit."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    old: str | None
    new: str | None


class EntryRead(BaseModel):
    """One thing that happened."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    kind: str
    entity: str
    id: UUID
    account_id: UUID
    actor_id: UUID | None
    who: str | None
    title: str | None
    body: str | None
    is_internal: bool
    facts: dict[str, Any]
    link: str | None
    changes: list[ChangeRead]
