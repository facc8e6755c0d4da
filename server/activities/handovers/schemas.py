"""Wire shapes of hand-overs."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.activities.handovers.models import HandoverState
from server.activities.handovers.queries import Row


class HandoverWrite(BaseModel):
    """Accounts that are to change hands."""

    model_config = ConfigDict(extra="forbid")

    account_ids: list[UUID] = Field(min_length=1, max_length=5000)
    to_id: UUID
    day: date | None = Field(default=None, description="Left out: today.")
    note: str = Field(default="", max_length=4000)
    takes_visits: bool = Field(default=False, description="Planned visits of the earlier owners go along.")


class HandoverRead(BaseModel):
    """A hand-over."""

    id: UUID
    to_id: UUID
    to_name: str
    by_name: str | None
    from_names: str
    day: date
    note: str
    takes_visits: bool
    state: HandoverState
    accounts: int
    done_at: datetime | None
    undone_at: datetime | None
    trouble: str | None
    rev: int

    @classmethod
    def of(cls, row: Row) -> "HandoverRead":
        """A stored hand-over as it goes over the wire."""
        own = ("to_name", "by_name", "from_names", "accounts")
        values = {name: getattr(row.handover, name) for name in cls.model_fields if name not in own}
        names = {"to_name": row.to_name, "by_name": row.by_name, "from_names": row.from_names}
        return cls(**values, **names, accounts=row.count)


class Undone(BaseModel):
    """What came of taking a hand-over back."""

    handover: HandoverRead
    kept: list[str]
    """Accounts that somebody has given on since; they stay where they are."""


class ItemRead(BaseModel):
    """One thing that is open."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    account: str
    link: str
    day: date | None


class OpenRead(BaseModel):
    """What is open of one kind."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    count: int
    items: list[ItemRead]
