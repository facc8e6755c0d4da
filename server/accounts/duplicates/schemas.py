"""Wire shapes of duplicates and merges."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from server.accounts.duplicates.merging import MergeWish
from server.accounts.duplicates.models import DuplicateRule
from server.accounts.duplicates.queue import Done, Waiting
from server.accounts.schemas import Read, Write
from server.records.joining import Choice, Side


class PairRead(Read):
    """Two accounts that may be the same."""

    one_id: UUID
    one_name: str
    one_place: str | None
    other_id: UUID
    other_name: str
    other_place: str | None
    score: float = Field(description="How likely they are one, 0 to 1.")
    distance_m: float | None
    reasons: list[str]
    contradictions: list[str] = Field(description="Fields that say something else.")

    @classmethod
    def of(cls, waiting: Waiting) -> "PairRead":
        """A pair of the queue."""
        pair = waiting.pair
        return cls(
            one_id=waiting.one.id,
            one_name=waiting.one.name,
            one_place=waiting.one_place,
            other_id=waiting.other.id,
            other_name=waiting.other.name,
            other_place=waiting.other_place,
            score=pair.score,
            distance_m=pair.distance_m,
            reasons=waiting.reasons(),
            contradictions=pair.contradictions,
        )


class MergeWrite(Write):
    """How two accounts become one."""

    loser_id: UUID = Field(description="The account that goes into the other.")
    choices: dict[str, Choice] = Field(
        default={}, description="Field: winner, loser or both (tags, note); left out: what is proposed."
    )
    main_site: Side | None = Field(default=None, description="Whose main site stays the main one; null: the winner's.")
    same_place: bool | None = Field(
        default=None, description="Whether both main sites are one place; null: as addresses and pins say."
    )
    winner_rev: int | None = Field(default=None, description="Refuse when the winner was changed after this revision.")
    loser_rev: int | None = None

    def wish(self) -> MergeWish:
        """The wish that the service takes."""
        revs = None if self.winner_rev is None or self.loser_rev is None else (self.winner_rev, self.loser_rev)
        return MergeWish(self.choices, main_site=self.main_site, same_place=self.same_place, revs=revs)


class MergeRead(Read):
    """A merge."""

    id: UUID
    winner_id: UUID
    winner_name: str
    loser_id: UUID
    loser_name: str
    merged_at: datetime
    merged_by: str | None = Field(description="Null: the rule.")
    batch_id: UUID | None
    score: float | None
    undo_until: datetime
    undone_at: datetime | None

    @classmethod
    def of(cls, done: Done) -> "MergeRead":
        """A merge of the history."""
        stored = {name: getattr(done.merge, name) for name in cls.model_fields if hasattr(done.merge, name)}
        named = {"winner_name": done.winner, "loser_name": done.loser, "merged_by": done.person}
        return cls(**stored | named | {"undo_until": done.undo_until})


class UndoneRead(Read):
    """What came of taking a merge back."""

    merge_id: UUID
    winner_id: UUID
    loser_id: UUID
    kept: list[str] = Field(description="What was edited since the merge and stays as it is.")


class PairWrite(Write):
    """Two accounts."""

    one_id: UUID
    other_id: UUID


class RuleWrite(Write):
    """When accounts are merged without a person."""

    is_on: bool
    threshold: float = Field(description="Least score, 0.9 to 1.")


class RuleRead(RuleWrite):
    """The rule, and what it would do."""

    changed_at: datetime | None
    would_merge: int = Field(description="Pairs that it would merge now.")

    @classmethod
    def of(cls, rule: DuplicateRule, would_merge: int) -> "RuleRead":
        """The stored rule."""
        return cls(is_on=rule.is_on, threshold=rule.threshold, changed_at=rule.changed_at, would_merge=would_merge)


class RunRead(Read):
    """What the latest search did."""

    at: datetime
    accounts: int
    looked_at: int
    compared: int
    found: int
    cut_blocks: int
    cut_pairs: int
