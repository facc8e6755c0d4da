"""Tables of what people decide about leads: forms, who gets which, what earns points; and the trained models."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class LeadForm(Record, Base):
    """A form for other people's pages."""

    __tablename__ = "lead_form"

    key: Mapped[str] = mapped_column(unique=True, comment="In its address; tells nothing.")
    name: Mapped[str] = mapped_column(comment="As the company calls it.")
    title: Mapped[str] = mapped_column(comment="Above the form.")
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, comment="In order: name, and whether it is required.")
    consent_text: Mapped[str | None] = mapped_column(comment="Must be agreed to; null: nothing is asked.")
    thanks: Mapped[str]
    campaign: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default="en")
    origins: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Pages that may show it, as https://example.com; empty: any."
    )
    is_on: Mapped[bool] = mapped_column(server_default=text("true"))


class LeadFormPost(Base):
    """One try to send a form: for the limits, the tokens that count once, and the figures of the page."""

    __tablename__ = "lead_form_post"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    form_id: Mapped[UUID] = mapped_column(ForeignKey("lead_form.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    address: Mapped[bytes] = mapped_column(LargeBinary, comment="Keyed hash of the sender's network address.")
    outcome: Mapped[str] = mapped_column(comment="taken, repeat, honeypot, too_fast or too_many.")
    nonce: Mapped[str | None] = mapped_column(unique=True, comment="Of the token that was used up.")
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("lead.id", ondelete="SET NULL"), index=True)

    __table_args__ = (
        Index("ix_lead_form_post_form", "form_id", "at"),
        Index("ix_lead_form_post_address", "address", "at"),
    )


class LeadRule(Record, Base):
    """Who gets which leads: the first rule that fits decides."""

    __tablename__ = "lead_rule"

    position: Mapped[int]
    name: Mapped[str]
    condition: Mapped[str] = mapped_column(server_default="", comment="In the filter language; empty: every lead.")
    target: Mapped[str] = mapped_column(comment="covering, territory, team or person.")
    target_id: Mapped[UUID | None] = mapped_column(comment="The territory, team or person.")
    is_on: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (
        CheckConstraint("target in ('covering', 'territory', 'team', 'person')", name="target"),
        CheckConstraint("(target = 'covering') = (target_id is null)", name="target_id"),
    )


class LeadPoints(Record, Base):
    """What earns a lead points, or costs it some."""

    __tablename__ = "lead_points"

    sentence: Mapped[str] = mapped_column(comment="Why, as reps read it.")
    condition: Mapped[str] = mapped_column(comment="In the filter language.")
    points: Mapped[int]
    is_on: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (CheckConstraint("points between -100 and 100", name="points"),)


class LeadPolicy(Base):
    """How many leads a rep works at once; one row."""

    __tablename__ = "lead_policy"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    most_open: Mapped[int] = mapped_column(server_default=text("30"), comment="Open leads of one rep.")
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        CheckConstraint("one", name="one"),
        CheckConstraint("most_open between 1 and 10000", name="most_open"),
    )


class LeadModel(Base):
    """A trained model as plain numbers, with its quality on leads that it had not seen."""

    __tablename__ = "lead_model"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    trained_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    is_used: Mapped[bool] = mapped_column(comment="Better than guessing, and the latest.")
    first_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="Of the leads it was trained on.")
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="The latest decision among them.")
    cut_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), comment="For the quality: trained on decisions before it, tried on leads after it."
    )
    samples: Mapped[int]
    wins: Mapped[int]
    coefficients: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="See leads.learning.Model.")
    quality: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="See leads.learning.Quality.")

    __table_args__ = (Index("ix_lead_model_trained_at", "trained_at"),)
