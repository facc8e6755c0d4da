"""Wire shapes of proposals of better pins."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from server.accounts.proposed_pins import ProposedPin
from server.accounts.schemas import FixWrite, Read, Write


class PinProposalWrite(Write):
    """A better place for a site."""

    id: UUID | None = Field(default=None, description="Made where it was proposed; the same id twice is one proposal.")
    lon: float
    lat: float
    note: str | None = Field(default=None, description="What the manager should know.")
    fix: FixWrite | None = Field(default=None, description="Where the phone was.")


class RefusalWrite(Write):
    """Why the pin stays where it is."""

    answer: str


class PinProposalRead(Read):
    """A proposal of a better pin, and what became of it."""

    id: UUID
    site_id: UUID
    account_id: UUID
    account_name: str
    lon: float
    lat: float
    moved_m: float | None = Field(description="From the pin at the time of the proposal.")
    away_m: float | None = Field(description="From the pin as it is now.")
    grade: str = Field(description="What the pin becomes when accepted.")
    uncertainty_m: float
    origin: str = Field(description="rep or checkins.")
    proposer: str | None
    proposed_at: datetime
    accuracy_m: float | None
    stood_m: float | None = Field(description="From the phone's fix to the proposed place.")
    mock: bool
    fixes: int | None
    spread_m: float | None
    note: str | None
    state: str = Field(description="open, accepted, refused or withdrawn.")
    decider: str | None
    decided_at: datetime | None
    answer: str | None

    @classmethod
    def of(cls, row: ProposedPin) -> "PinProposalRead":
        """A row of a list."""
        beside = ("account_name", "lon", "lat", "away_m", "proposer", "decider")
        return cls(
            **{name: getattr(row, name) for name in beside},
            **{name: getattr(row.proposal, name) for name in cls.model_fields if name not in beside},
        )
