"""Wire shapes of visit demand."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.demands.models import DemandOrigin, DemandState
from server.demands.queries import DemandRow
from server.demands.service import LONGEST_SENTENCE, MOST_PRIZE_S, USUAL_PRIZE_S, Wanted


class DemandWrite(BaseModel):
    """A visit that is asked for."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID
    sentence: str = Field(max_length=LONGEST_SENTENCE, description="Why; becomes the stop's reason.")
    origin: DemandOrigin = DemandOrigin.API
    origin_key: str = Field(
        min_length=1, max_length=200, description="Which one of its kind. The same key again changes the demand."
    )
    site_id: UUID | None = Field(default=None, description="Null: the main site.")
    earliest: date | None = None
    deadline: date | None = None
    prize_s: int = Field(default=USUAL_PRIZE_S, ge=0, le=MOST_PRIZE_S, description="Worth, in seconds of driving.")
    service_s: int | None = Field(default=None, ge=60, le=86_400, description="Null: as usual at the site.")
    mandatory: bool = False
    rep_ids: Annotated[list[UUID], Field(max_length=100, description="Who may go; empty: who works the account.")] = []

    def wanted(self) -> Wanted:
        """The same for the rules."""
        return Wanted(**self.model_dump(exclude={"rep_ids"}), rep_ids=tuple(self.rep_ids))


class DemandRead(BaseModel):
    """A visit that is wanted."""

    id: UUID
    account_id: UUID
    account_name: str
    site_id: UUID | None
    origin: str
    origin_key: str
    sentence: str
    earliest: date | None
    deadline: date | None
    prize_s: int
    service_s: int | None
    mandatory: bool
    rep_ids: list[UUID]
    state: DemandState
    visit_id: UUID | None
    created_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, row: DemandRow) -> "DemandRead":
        """A demand as it goes over the wire."""
        own = ("account_id", "account_name")
        values = {name: getattr(row.demand, name) for name in cls.model_fields if name not in own}
        return cls(account_id=row.account_id, account_name=row.account_name, **values)
