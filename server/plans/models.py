"""Tables of plans: a plan, its routes with their stops, and what was left out and why."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class PlanState(StrEnum):
    """Where a plan stands."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    """Computed and checked; nobody has it in the calendar yet."""
    FAILED = "failed"
    PUBLISHED = "published"
    """Its visits are planned and on the reps' phones."""


class PlanOccasion(StrEnum):
    """What a plan was made for."""

    PLAN = "plan"
    RELAXED = "relaxed"
    """Another plan anew, with rules bent by somebody."""
    RUNNING_DAY = "running_day"
    """The rest of a day that has begun."""
    ABSENCE = "absence"
    """The visits of a rep who cannot work, given to others."""


class Plan(Record, Base):
    """One run of the planner: some reps, some days."""

    __tablename__ = "plan"

    state: Mapped[str] = mapped_column(server_default=PlanState.QUEUED.value)
    rep_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    first_day: Mapped[date]
    days: Mapped[int] = mapped_column(comment="Calendar days, the first one included.")
    engine: Mapped[str]
    seed: Mapped[int]
    seconds: Mapped[float | None] = mapped_column(comment="CPU seconds of the search; null: limited by steps.")
    steps: Mapped[int | None] = mapped_column(comment="Steps of the search; the same plan on every run.")
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    progress: Mapped[str | None] = mapped_column(comment="What a running plan is doing.")
    error: Mapped[str | None] = mapped_column(comment="Why it failed, for people.")
    error_help: Mapped[str | None]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    estimated: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Some drive is a straight-line estimate, not a road."
    )
    problem_sha256: Mapped[str | None] = mapped_column(
        comment="Of all that the search was given: equal ones give equal plans."
    )
    segment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("segment.id", ondelete="SET NULL"),
        index=True,
        comment="Only its accounts are visited; promises are kept.",
    )
    filter: Mapped[str | None] = mapped_column(comment="Of accounts: only these are visited; promises are kept.")
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="Counts and sums, see PlanSummary.")
    other_rep_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=text("'{}'"), comment="Planned elsewhere in the same night; theirs is left to them."
    )
    stretch: Mapped[float] = mapped_column(
        server_default=text("1"), comment="All call intervals were lengthened by this factor: more work than time."
    )
    occasion: Mapped[str] = mapped_column(server_default=PlanOccasion.PLAN.value, comment="See PlanOccasion.")
    based_on: Mapped[UUID | None] = mapped_column(
        ForeignKey("plan.id", ondelete="SET NULL"), index=True, comment="The plan that it takes further."
    )
    adjustments: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="Rules that somebody bent; see plans.relaxing."
    )
    changes: Mapped[list[dict[str, Any]] | None] = mapped_column(
        JSONB, comment="What it changes of the day; plans.changes."
    )
    replaced: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="Routes and visits as they were before it was accepted, for taking it back."
    )

    routes: Mapped[list["Route"]] = relationship(
        back_populates="plan", order_by="(Route.day, Route.rep_id)", cascade="all, delete-orphan", passive_deletes=True
    )
    unplanned: Mapped[list["Unplanned"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)

    __table_args__ = (
        CheckConstraint("state in ('queued', 'running', 'ready', 'failed', 'published')", name="state"),
        CheckConstraint("days between 1 and 7", name="days"),
        CheckConstraint("occasion in ('plan', 'relaxed', 'running_day', 'absence')", name="occasion"),
        CheckConstraint("seconds is not null or steps is not null", name="budget"),
        Index("ix_plan_first_day", "first_day"),
    )


class Route(Record, Base):
    """One rep, one day."""

    __tablename__ = "route"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), index=True)
    rep_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    day: Mapped[date] = mapped_column(comment="The rep's day, in `zone`.")
    zone: Mapped[str] = mapped_column(comment="IANA time zone of the day.")
    start_anchor: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Where the day begins: name, lon, lat.")
    end_anchor: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Where it ends: name, lon, lat.")
    leaves_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    returns_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    break_starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    break_s: Mapped[int | None]
    drive_s: Mapped[int] = mapped_column(comment="Of all legs.")
    distance_m: Mapped[int] = mapped_column(comment="Of all legs.")
    estimated: Mapped[bool] = mapped_column(comment="Some leg is a straight-line estimate.")
    polylines: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="One polyline6 per leg: stops + 1.")
    legs: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, comment="Per leg: seconds, metres, estimated; the last one leads home."
    )
    published_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Since when it counts; a later plan of the same day takes its place."
    )

    plan: Mapped[Plan] = relationship(back_populates="routes")
    stops: Mapped[list["Stop"]] = relationship(
        back_populates="route", order_by="Stop.position", cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        Index("ix_route_rep", "rep_id", "day"),
        Index("ix_route_day", "day"),
        Index(
            "uq_route_published",
            "rep_id",
            "day",
            unique=True,
            postgresql_where=text("published_at is not null and deleted_at is null"),
        ),
    )


class Stop(Record, Base):
    """A visit in its place on a route."""

    __tablename__ = "stop"

    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id", ondelete="CASCADE"), index=True)
    visit_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("visit.id"), index=True, comment="Null until the plan is published, unless it was promised before."
    )
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), index=True)
    position: Mapped[int] = mapped_column(comment="1 is the first.")
    arrives_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    drive_s: Mapped[int] = mapped_column(comment="Of the leg that leads here.")
    distance_m: Mapped[int] = mapped_column(comment="Of the leg that leads here.")
    estimated: Mapped[bool] = mapped_column(comment="That leg is a straight-line estimate.")
    why: Mapped[str] = mapped_column(comment="What brought it into the plan, as a sentence.")
    entry: Mapped[WKBElement | WKTElement | None] = mapped_column(
        Geometry("POINT", srid=4326, spatial_index=False),
        comment="Where the car stops; null when the drive is estimated.",
    )
    walk_m: Mapped[float | None] = mapped_column(comment="From there to the pin.")
    cautions: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="server.plans.entry: what to know of the place."
    )
    prize_s: Mapped[int] = mapped_column(comment="What the visit is worth, in seconds of driving.")
    overdue_days: Mapped[int] = mapped_column(comment="On the day of the visit; 0 while there is time.")
    demand_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=text("'{}'"), comment="The visit demands that it serves."
    )
    because: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="`why` as data; see routing.explain.")

    route: Mapped[Route] = relationship(back_populates="stops")


class Unplanned(Base):
    """A visit that was wanted and is not in the plan, with at least one reason."""

    __tablename__ = "unplanned"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id"), comment="Of a promised visit.")
    rep_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), comment="Who could have gone.")
    mandatory: Mapped[bool]
    prize_s: Mapped[int]
    overdue_days: Mapped[int] = mapped_column(comment="On the first day of the plan.")
    reasons: Mapped[list[dict[str, str]]] = mapped_column(JSONB, comment="Each with `code` and `text`.")
    relaxations: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB,
        server_default=text("'[]'"),
        comment="What would let it in, the smallest first; see plans.relaxing.",
    )
    key: Mapped[str | None] = mapped_column(comment="Of the wish in the plan's basis; null when it has no place.")

    __table_args__ = (
        CheckConstraint("jsonb_array_length(reasons) > 0", name="reasons"),
        Index("ix_unplanned_account_id", "account_id"),
    )


class PlanBasis(Base):
    """What a plan was computed from, so that it can be changed by hand by the same rules and on the same roads."""

    __tablename__ = "plan_basis"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    stamp: Mapped[UUID] = mapped_column(comment="Changes with the row; keys what a process remembers of it.")
    blueprint: Mapped[bytes] = mapped_column(LargeBinary, comment="server.plans.build.Blueprint as zlib of JSON.")
    roads: Mapped[bytes] = mapped_column(LargeBinary, comment="The travel matrix, see server.plans.basis.")


class PlanVersion(Base):
    """One state of a plan and who made it; the latest is the plan, the others can be gone back to."""

    __tablename__ = "plan_version"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(comment="1 is the first; a step back is a new one.")
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null for the planner.")
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[str] = mapped_column(comment="What was done, see server.plans.adjusting.Kind.")
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Names and times for the sentence about it.")
    board: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="routing.adjusting.Board.")
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Counts and sums, see PlanSummary.")
    goes_back_to: Mapped[int | None] = mapped_column(comment="The version that it repeats, for a step back.")
    request: Mapped[UUID | None] = mapped_column(comment="The client's own key: the same request counts once.")

    __table_args__ = (
        UniqueConstraint("plan_id", "number", name="uq_plan_version_number"),
        UniqueConstraint("plan_id", "request", name="uq_plan_version_request"),
    )
