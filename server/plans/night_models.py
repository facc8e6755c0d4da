"""Tables of the company's night, and of the rules by which it is planned."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.kit.database import Base
from server.kit.ids import uuid7


class PlanningRules(Base):
    """How the company plans; the only row."""

    __tablename__ = "planning_rules"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    stretches: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="Lengthen all call intervals alike when there is more work than time."
    )
    night_is_on: Mapped[bool] = mapped_column(server_default=text("false"), comment="Plan every night by itself.")
    night_hour: Mapped[int] = mapped_column(SmallInteger, server_default=text("20"), comment="In the company's zone.")
    night_weekdays: Mapped[list[int]] = mapped_column(
        ARRAY(SmallInteger), server_default=text("'{4}'"), comment="On whose evening; 0 = Monday."
    )
    night_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("5"), comment="Calendar days planned.")
    night_steps: Mapped[int] = mapped_column(server_default=text("20000"), comment="Steps of the search for each part.")
    hotel_cost_s: Mapped[int] = mapped_column(
        server_default=text("5400"), comment="What a hotel night costs, in seconds of driving."
    )

    __table_args__ = (
        CheckConstraint("one", name="one"),
        CheckConstraint("night_hour between 0 and 23", name="hour"),
        CheckConstraint("night_days between 1 and 7", name="days"),
        CheckConstraint("night_steps between 1 and 1000000000", name="steps"),
        CheckConstraint("hotel_cost_s between 0 and 864000", name="hotel"),
    )


class PartState(StrEnum):
    """How far one part of a night is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class NightRun(Base):
    """One night: everybody who works some days is planned, put into the calendar and gets their files."""

    __tablename__ = "night_run"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    first_day: Mapped[date]
    days: Mapped[int] = mapped_column(comment="Calendar days, the first one included.")
    engine: Mapped[str]
    seed: Mapped[int]
    steps: Mapped[int] = mapped_column(comment="Of the search, for each part.")
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: the clock.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    parts: Mapped[list["NightPart"]] = relationship(back_populates="run", order_by="NightPart.position")

    __table_args__ = (
        CheckConstraint("days between 1 and 7", name="days"),
        Index("ix_night_run_first_day", "first_day"),
    )


class NightPart(Base):
    """A territory's share of a night: one job, one plan."""

    __tablename__ = "night_part"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("night_run.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(comment="Of the territory, or of the rep who has none.")
    rep_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    other_rep_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), comment="Whom other parts plan: what these lead is left to them."
    )
    state: Mapped[str] = mapped_column(server_default=PartState.QUEUED.value)
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan.id", ondelete="SET NULL"))
    is_unchanged: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="The plan came out as the one that is published already."
    )
    tries: Mapped[int] = mapped_column(server_default=text("0"), comment="How often a worker began it.")
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    phases: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Seconds of work by phase."
    )
    files: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="SHA-256 of each rep's manifest, by login."
    )
    error: Mapped[str | None]
    error_help: Mapped[str | None]

    run: Mapped[NightRun] = relationship(back_populates="parts")

    __table_args__ = (CheckConstraint("state in ('queued', 'running', 'done', 'failed')", name="state"),)
