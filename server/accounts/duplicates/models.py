"""Tables of accounts that resemble each other, of merges, and of the rule that merges without a person."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class AccountTrait(Base):
    """What of an account is compared with others, as it was last looked at; see `duplicate_pairs`."""

    __tablename__ = "account_trait"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    stamp: Mapped[str] = mapped_column(comment="Revisions of account and main site; others are looked at again.")
    print: Mapped[str] = mapped_column(comment="Changes when something material changes.")
    glued: Mapped[str] = mapped_column(comment="The folded name without legal form and spaces.")
    pin: Mapped[WKBElement | WKTElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))

    __table_args__ = (Index("ix_account_trait_pin", "pin", postgresql_using="gist"),)


class AccountBlock(Base):
    """A block of accounts that are compared with each other: those of one phone, address, rare word."""

    __tablename__ = "account_block"

    key: Mapped[str] = mapped_column(primary_key=True, comment="See `resemblance.keys_of`.")
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True)


class PairState(StrEnum):
    """What is known of two accounts that resemble each other."""

    OPEN = "open"
    MERGED = "merged"
    NOT_DUPLICATE = "not_duplicate"


class AccountPair(Base):
    """Two accounts that may be the same."""

    __tablename__ = "account_pair"

    low_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    high_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True)
    score: Mapped[float] = mapped_column(comment="How likely they are one, 0 to 1.")
    name_similarity: Mapped[float]
    same_phone: Mapped[bool]
    same_email: Mapped[bool]
    same_domain: Mapped[bool]
    same_address: Mapped[bool]
    distance_m: Mapped[float | None]
    contradictions: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="Fields that say something else.")
    low_print: Mapped[str] = mapped_column(comment="Of `account_trait` when they were compared.")
    high_print: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=PairState.OPEN.value)
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("low_id < high_id", name="order"),
        CheckConstraint("state in ('open', 'merged', 'not_duplicate')", name="state"),
        Index("ix_account_pair_open", "score", postgresql_where=text("state = 'open'")),
    )


class AccountMerge(Base):
    """One account went into another; holds what an undo needs."""

    __tablename__ = "account_merge"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    winner_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    loser_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    score: Mapped[float | None] = mapped_column(comment="Of the pair when it was merged; null for one by hand.")
    merged_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    merged_by: Mapped[UUID | None] = mapped_column(comment="Null for the rule.")
    batch_id: Mapped[UUID | None] = mapped_column(index=True, comment="The run of the rule that merged them.")
    fields: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment='{"winner": {field: [before, after]}, "loser": {...}}; see `merging`.'
    )
    sites: Mapped[list[Any]] = mapped_column(JSONB, comment="Each site that was moved or folded, before and after.")
    reps: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), comment="Reps the winner got.")
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_by: Mapped[UUID | None]

    __table_args__ = (
        Index("uq_account_merge_loser", "loser_id", unique=True, postgresql_where=text("undone_at is null")),
    )


class DuplicateRule(Base):
    """When two accounts are merged without a person: one row."""

    __tablename__ = "duplicate_rule"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    is_on: Mapped[bool] = mapped_column(server_default=text("false"))
    threshold: Mapped[float] = mapped_column(server_default=text("0.99"), comment="Least score of a pair.")
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("one", name="one"),
        CheckConstraint("threshold between 0.9 and 1", name="threshold"),
    )


class DuplicateRun(Base):
    """What one search for duplicates did, and what it left out."""

    __tablename__ = "duplicate_run"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    accounts: Mapped[int] = mapped_column(comment="Living accounts.")
    looked_at: Mapped[int] = mapped_column(comment="New and changed ones among them.")
    compared: Mapped[int] = mapped_column(comment="Pairs that were compared.")
    found: Mapped[int] = mapped_column(comment="Pairs that resemble each other.")
    cut_blocks: Mapped[int] = mapped_column(comment="Blocks that were too large to compare.")
    cut_pairs: Mapped[int] = mapped_column(BigInteger, comment="Pairs in them; most share another block too.")
