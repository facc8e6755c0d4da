"""Table of visit demand."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class DemandState(StrEnum):
    """Where a demand stands."""

    OPEN = "open"
    PLANNED = "planned"
    """A published plan serves it."""
    DONE = "done"
    """The visit took place."""
    WITHDRAWN = "withdrawn"


class DemandOrigin(StrEnum):
    """Who can want a visit."""

    HAND = "hand"
    """A person asked for it."""
    TICKET = "ticket"
    CAMPAIGN = "campaign"
    LEAD = "lead"
    OPPORTUNITY = "opportunity"
    TASK = "task"
    ORDER = "order"
    """An order that stays away; see orders.feeding."""
    API = "api"
    """A program of the company's own."""


class VisitDemand(Record, Base):
    """A visit that somebody or something wants; each origin wants it once."""

    __tablename__ = "visit_demand"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True, comment="Null: the main site.")
    origin: Mapped[str] = mapped_column(comment="What kind of thing wants the visit.")
    origin_key: Mapped[str] = mapped_column(comment="Which one of its kind; asking twice for it changes nothing.")
    sentence: Mapped[str] = mapped_column(comment="Why, as reps and plans say it.")
    earliest: Mapped[date | None] = mapped_column(comment="Not before this day.")
    deadline: Mapped[date | None] = mapped_column(comment="By the end of this day.")
    prize_s: Mapped[int] = mapped_column(comment="What the visit is worth, in seconds of driving.")
    service_s: Mapped[int | None] = mapped_column(comment="How long it takes; null: as usual at the site.")
    mandatory: Mapped[bool] = mapped_column(server_default=text("false"), comment="Must be planned before all others.")
    rep_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=text("'{}'"), comment="Who may go; empty: whoever works the account."
    )
    state: Mapped[str] = mapped_column(server_default=DemandState.OPEN.value)
    visit_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="The visit that serves it; no key, because `activities` lies above."
    )
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: a program or a job.")
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("state in ('open', 'planned', 'done', 'withdrawn')", name="state"),
        CheckConstraint("deadline is null or earliest is null or deadline >= earliest", name="days"),
        CheckConstraint("prize_s >= 0", name="prize"),
        CheckConstraint("service_s between 60 and 86400", name="service"),
        Index("uq_visit_demand_origin", "origin", "origin_key", unique=True),
        Index("ix_visit_demand_wanting", "deadline", "id", postgresql_where=text("state in ('open', 'planned')")),
    )
