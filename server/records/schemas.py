"""Wire shapes of two records that become one, the same for every kind."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.records.joining import Choice
from server.records.models import RecordMerge


class JoinWrite(BaseModel):
    """How two records become one."""

    model_config = ConfigDict(extra="forbid")

    loser_id: UUID = Field(description="The one that goes into the other.")
    choices: dict[str, Choice] = Field(
        default={},
        description="Field: winner, loser or both (where values can be put together); left out: what is proposed.",
    )
    winner_rev: int | None = Field(default=None, description="Refuse when the winner was changed after this revision.")
    loser_rev: int | None = None

    @property
    def revs(self) -> tuple[int, int] | None:
        """The revisions that the choice was made on."""
        return None if self.winner_rev is None or self.loser_rev is None else (self.winner_rev, self.loser_rev)


class JoinRead(BaseModel):
    """A merge; it can be undone for 30 days."""

    id: UUID
    winner_id: UUID
    loser_id: UUID
    merged_at: datetime
    merged_by: UUID | None
    undone_at: datetime | None
    kept: list[str] = Field(default=[], description="What was edited since and stayed as it is, after an undo.")

    @classmethod
    def of(cls, made: RecordMerge, kept: tuple[str, ...] = ()) -> "JoinRead":
        """The wire shape of a merge."""
        return cls(
            id=made.id, winner_id=made.winner_id, loser_id=made.loser_id, merged_at=made.merged_at,
            merged_by=made.merged_by, undone_at=made.undone_at, kept=list(kept),
        )  # fmt: skip
