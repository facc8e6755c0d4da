"""Tables of pipelines, stages, deals, their lines and their way through the stages."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Numeric, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.auth import veil
from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class State(StrEnum):
    """Whether a deal is still on its way."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Category(StrEnum):
    """How much a forecast counts on a deal."""

    COMMIT = "commit"
    """It will come."""
    BEST_CASE = "best_case"
    """It comes when all goes well."""
    PIPELINE = "pipeline"
    """It may come."""
    OMITTED = "omitted"
    """It does not count."""


class ChoiceKind(StrEnum):
    """What there are lists of words for."""

    COMPETITOR = "competitor"
    SOURCE = "source"
    WIN_REASON = "win_reason"
    LOSS_REASON = "loss_reason"


class Pipeline(Record, Base):
    """One way of selling, as an order of stages."""

    __tablename__ = "pipeline"

    name: Mapped[str]
    position: Mapped[int] = mapped_column(server_default=text("0"), comment="Order among the pipelines.")

    __table_args__ = (Index("uq_pipeline_name", "name", unique=True, postgresql_where=text("deleted_at is null")),)


class Stage(Record, Base):
    """One step of a pipeline; a deal stands in exactly one."""

    __tablename__ = "stage"

    pipeline_id: Mapped[UUID] = mapped_column(ForeignKey("pipeline.id"), index=True)
    name: Mapped[str]
    position: Mapped[int] = mapped_column(comment="Order in the pipeline, from the left.")
    probability: Mapped[Decimal] = mapped_column(Numeric(4, 3), comment="Share of its deals that are won, 0 to 1.")
    category: Mapped[str] = mapped_column(comment="How a forecast counts its deals.")
    rotten_days: Mapped[int | None] = mapped_column(comment="Days after which a deal has stood here too long.")
    required: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Fields that a deal must have to come here."
    )
    is_won: Mapped[bool] = mapped_column(server_default=text("false"))
    is_lost: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        CheckConstraint("probability between 0 and 1", name="probability"),
        CheckConstraint("category in ('commit', 'best_case', 'pipeline', 'omitted')", name="category"),
        CheckConstraint("rotten_days > 0", name="rotten"),
        CheckConstraint("not (is_won and is_lost)", name="outcome"),
        Index("uq_stage_name", "pipeline_id", "name", unique=True, postgresql_where=text("deleted_at is null")),
    )


class DealChoice(Record, Base):
    """One word of a list: a competitor, a source, a reason to win or to lose."""

    __tablename__ = "deal_choice"

    kind: Mapped[str]
    name: Mapped[str]
    position: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        CheckConstraint("kind in ('competitor', 'source', 'win_reason', 'loss_reason')", name="kind"),
        Index("uq_deal_choice_name", "kind", "name", unique=True, postgresql_where=text("deleted_at is null")),
    )


class Opportunity(Record, Base):
    """A deal: something an account may buy, worth so much, by a day."""

    __tablename__ = "opportunity"

    number: Mapped[str | None] = mapped_column(comment="The company's own key.")
    name: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True, comment="Null: the main site.")
    contact_id: Mapped[UUID | None] = mapped_column(index=True, comment="Who decides at the account.")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    pipeline_id: Mapped[UUID] = mapped_column(ForeignKey("pipeline.id"))
    stage_id: Mapped[UUID] = mapped_column(ForeignKey("stage.id"))
    state: Mapped[str] = mapped_column(server_default=State.OPEN.value, comment="What the stage says: open, won, lost.")
    amount: Mapped[Decimal | None] = mapped_column(Numeric, comment="The sum of the lines, where there are any.")
    currency: Mapped[str] = mapped_column(server_default="EUR", comment="ISO 4217, of amount and lines.")
    close_on: Mapped[date] = mapped_column(comment="When the order is expected.")
    probability: Mapped[Decimal | None] = mapped_column(Numeric(4, 3), comment="Null: what the stage says.")
    category: Mapped[str | None] = mapped_column(comment="Null: what the stage says.")
    next_step: Mapped[str | None]
    next_step_on: Mapped[date | None]
    competitors: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    source: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(comment="Why it was won or lost.")
    note: Mapped[str | None]
    custom: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    stage_since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), comment="When it was won or lost.")

    stage: Mapped[Stage] = relationship(viewonly=True)

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("probability between 0 and 1", name="probability"),
        CheckConstraint("category in ('commit', 'best_case', 'pipeline', 'omitted')", name="category"),
        CheckConstraint("state in ('open', 'won', 'lost')", name="state"),
        CheckConstraint("(state = 'open') = (closed_at is null)", name="closed"),
        Index(
            "ix_opportunity_account",
            "account_id",
            "created_at",
            # What sums over many deals add up: they read no deal.
            postgresql_include=["deleted_at", "state", "stage_id", "currency", "amount", "closed_at", "probability"],
        ),
        Index("ix_opportunity_currency", "currency", "closed_at"),
        Index("ix_opportunity_stage", "stage_id", "close_on", "id", postgresql_where=text("deleted_at is null")),
        Index("ix_opportunity_close", "close_on", "id", postgresql_where=text("deleted_at is null")),
        Index("ix_opportunity_closed_at", "closed_at", postgresql_where=text("closed_at is not null")),
        Index("uq_opportunity_number", "number", unique=True, postgresql_where=text("deleted_at is null")),
    )


veil.over_rows(Opportunity, "opportunity")


class OpportunityLine(Record, Base):
    """One thing that a deal is about; the lines add up to the amount."""

    __tablename__ = "opportunity_line"

    opportunity_id: Mapped[UUID] = mapped_column(ForeignKey("opportunity.id"), index=True)
    position: Mapped[int]
    product_id: Mapped[UUID | None] = mapped_column(index=True, comment="From the catalogue, else free text.")
    name: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Numeric(14, 3))
    unit_price: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    discount: Mapped[Decimal] = mapped_column(Numeric(6, 5), server_default=text("0"), comment="Share, 0 to 1.")
    is_gross: Mapped[bool] = mapped_column(server_default=text("false"), comment="The price contains the tax.")
    tax_percent: Mapped[Decimal | None] = mapped_column(Numeric(6, 3), comment="Null: unknown, counts as nothing.")
    tax_class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tax_class.id"), index=True, comment="Null: the product's, where there is one."
    )

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price >= 0", name="price"),
        CheckConstraint("discount between 0 and 1", name="discount"),
    )


class StageChange(Base):
    """One step of a deal from stage to stage; rows are only added."""

    __tablename__ = "stage_change"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    opportunity_id: Mapped[UUID] = mapped_column(ForeignKey("opportunity.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), comment="Where the deal was at that time.")
    from_stage_id: Mapped[UUID | None] = mapped_column(ForeignKey("stage.id"), comment="Null: the deal is new.")
    to_stage_id: Mapped[UUID] = mapped_column(ForeignKey("stage.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: Waymark itself.")
    amount: Mapped[Decimal | None] = mapped_column(Numeric, comment="As it was then.")
    currency: Mapped[str]
    days_in_stage: Mapped[Decimal | None] = mapped_column(Numeric(10, 2), comment="In the stage that it left.")

    __table_args__ = (
        Index("ix_stage_change_opportunity", "opportunity_id", "at"),
        Index("ix_stage_change_account", "account_id", "at"),
        Index("ix_stage_change_to", "to_stage_id"),
    )


veil.over_rows(StageChange, "opportunity")
