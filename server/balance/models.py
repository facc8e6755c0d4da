"""Tables of balancing: a run with its small areas, and the scenarios that came out."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import ARRAY, CheckConstraint, DateTime, Double, ForeignKey, Integer, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class RunState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BalanceRun(Base):
    """Some territories that are balanced among each other."""

    __tablename__ = "balance_run"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    state: Mapped[str] = mapped_column(server_default=RunState.WAITING.value)
    territory_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), comment="In the order of the numbers of owners.")
    revs: Mapped[list[int]] = mapped_column(ARRAY(Integer), comment="Their revisions when the run began.")
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    progress: Mapped[float] = mapped_column(server_default=text("0"), comment="0 to 1.")
    stage: Mapped[str] = mapped_column(server_default=text("''"), comment="What it is at, in words.")
    trouble: Mapped[str] = mapped_column(server_default=text("''"), comment="Why it failed, in words.")
    facts: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Measures of the territories as they were."
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (CheckConstraint("state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),)


class BalanceArea(Base):
    """A small area: what a hexagon and a territory have in common."""

    __tablename__ = "balance_area"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("balance_run.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[int] = mapped_column(comment="Number of the territory that has it now.")
    area: Mapped[WKBElement] = mapped_column(Geometry("POLYGON", srid=4326, spatial_index=False))
    lon: Mapped[float]
    lat: Mapped[float]
    accounts: Mapped[int]
    hours: Mapped[float]
    value: Mapped[float]
    potential: Mapped[float]
    neighbours: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    travel_h: Mapped[list[float]] = mapped_column(ARRAY(Double), comment="Hours on the way a year, by territory.")


class BalanceScenario(Base):
    """One way to share the small areas."""

    __tablename__ = "balance_scenario"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("balance_run.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True, comment="few, even, compact, or hand: changed by a person.")
    owners: Mapped[list[int]] = mapped_column(ARRAY(Integer), comment="Number of the territory of each small area.")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Its measures.")
    apply_on: Mapped[date | None] = mapped_column(index=True, comment="The day on which a job applies it.")
    trouble: Mapped[str] = mapped_column(server_default=text("''"), comment="Why it was not applied, in words.")
    change_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("territory_change.id", ondelete="SET NULL"), comment="What it became when it was applied."
    )


class ChallengeState(StrEnum):
    """What became of a challenge."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class TerritoryChallenge(Base):
    """Somebody who works in the field contests the territory of an account."""

    __tablename__ = "territory_challenge"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    from_id: Mapped[UUID | None] = mapped_column(comment="The territory that has it; null: none.")
    to_id: Mapped[UUID] = mapped_column(comment="The territory that should have it.")
    reason: Mapped[str]
    effect: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Hours of both territories before and after.")
    state: Mapped[str] = mapped_column(server_default=ChallengeState.OPEN.value)
    by_rule: Mapped[bool] = mapped_column(server_default=text("false"), comment="Decided by the rule, not by a person.")
    answer: Mapped[str] = mapped_column(server_default=text("''"))
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (CheckConstraint("state in ('open', 'accepted', 'refused')", name="state"),)


class ChallengeRule(Base):
    """When small challenges are decided by themselves; one row, none: never."""

    __tablename__ = "challenge_rule"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    accept_h: Mapped[float] = mapped_column(comment="Up to so many hours a year: accepted when it evens the two out.")
    refuse_h: Mapped[float] = mapped_column(comment="Up to so many hours a year: refused when it makes them less even.")

    __table_args__ = (CheckConstraint("accept_h >= 0 and refuse_h >= 0", name="hours"),)
