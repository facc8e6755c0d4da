"""Tables of better pins that were proposed, and of repairs of places."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class ProposalState(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """A newer one took its place."""


class Origin(StrEnum):
    """Where a proposal comes from."""

    REP = "rep"
    """Somebody in the field moved the pin."""
    CHECKINS = "checkins"
    """Several check-ins agree on another place."""


class PinProposal(Record, Base):
    """A better place for a site, which a manager accepts or refuses."""

    __tablename__ = "pin_proposal"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    pin: Mapped[WKBElement | WKTElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    moved_m: Mapped[float | None] = mapped_column(comment="From the pin of that moment; null when there was none.")
    grade: Mapped[str] = mapped_column(comment="What the pin becomes when accepted: manual or gps_confirmed.")
    uncertainty_m: Mapped[float] = mapped_column(comment="How far off the proposed pin may be.")
    origin: Mapped[str]
    proposed_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("app_user.id"), index=True, comment="Null: the check-ins."
    )
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="When it was made, on the phone.")
    accuracy_m: Mapped[float | None] = mapped_column(comment="Of the GPS fix at the proposal, or of the fixes' middle.")
    stood_m: Mapped[float | None] = mapped_column(comment="From the GPS fix of who proposed to the proposed pin.")
    mock: Mapped[bool] = mapped_column(server_default=text("false"), comment="The phone said the fix was made up.")
    fixes: Mapped[int | None] = mapped_column(comment="How many check-ins agree.")
    spread_m: Mapped[float | None] = mapped_column(comment="How far these lie around their middle.")
    note: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=ProposalState.OPEN.value)
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str | None] = mapped_column(comment="Why it was refused.")

    __table_args__ = (
        CheckConstraint("state in ('open', 'accepted', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("origin in ('rep', 'checkins')", name="origin"),
        CheckConstraint("state <> 'refused' or answer is not null", name="answer"),
        Index("ix_pin_proposal_open", "proposed_at", "id", postgresql_where=text("state = 'open'")),
    )


class RepairState(StrEnum):
    """Where a bulk repair stands."""

    LOOKING = "looking"
    READY = "ready"
    """The preview is there; nothing is changed yet."""
    APPLYING = "applying"
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"
    """Nothing was changed; the message says why."""


class RepairRun(Base):
    """One search of one detector, with what became of what it found."""

    __tablename__ = "repair_run"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    detector: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=RepairState.LOOKING.value)
    found: Mapped[int] = mapped_column(server_default=text("0"))
    message: Mapped[str | None]
    actor: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("ix_repair_run_created_at", "created_at"),)


class ChangeState(StrEnum):
    """What became of one change of a site's place."""

    PROPOSED = "proposed"
    DONE = "done"
    PASSED = "passed"
    """The site was changed after the preview, so it was left alone."""
    UNDONE = "undone"
    KEPT = "kept"
    """Somebody changed the place afterwards, so the undo left it."""


class SiteChange(Base):
    """A decision of the review desk, or one row of a bulk repair: what a site's place was, and what it becomes."""

    __tablename__ = "site_change"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    run_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("repair_run.id", ondelete="CASCADE"), comment="Null for a decision at the desk."
    )
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), index=True)
    verb: Mapped[str] = mapped_column(comment="What is done: place, take, address, move, locate, ask, ...")
    why: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="What the detector saw: `text` with gaps, and what stands in them."
    )
    before: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Address and pin; the pin as hexadecimal EWKB.")
    after: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="The fields that change; the pin likewise.")
    is_chosen: Mapped[bool] = mapped_column(server_default=text("true"))
    state: Mapped[str] = mapped_column(server_default=ChangeState.PROPOSED.value)
    base_rev: Mapped[int] = mapped_column(BigInteger, comment="The site's revision when it was looked at.")
    done_rev: Mapped[int | None] = mapped_column(BigInteger, comment="The site's revision right after the change.")
    actor: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("ix_site_change_run_id_id", "run_id", "id"),
        Index("ix_site_change_actor_done_at", "actor", "done_at", postgresql_where=text("run_id is null")),
    )


class ReviewClaim(Base):
    """Who has a site of the review desk before them; says so to others, and hinders nobody."""

    __tablename__ = "review_claim"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
