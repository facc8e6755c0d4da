"""Tables of leads, what happened to them, and who got them why."""

from datetime import datetime
from decimal import Decimal
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
    Numeric,
    SmallInteger,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.accounts.models import PinState
from server.auth import veil
from server.kit.database import Base
from server.records.models import Joinable

LEAD_NAME = "search_words(company, person, null, null)"
LEAD_TEXT = "search_words(company, person, street, city)"
"""What a search looks through; the trigram indexes hold exactly these expressions."""


class LeadState(StrEnum):
    """Where a lead stands."""

    NEW = "new"
    WORKING = "working"
    QUALIFIED = "qualified"
    DISQUALIFIED = "disqualified"
    CONVERTED = "converted"


OPEN = (LeadState.NEW, LeadState.WORKING, LeadState.QUALIFIED)
"""Somebody still has to do something."""


class LeadSource(StrEnum):
    """By which door a lead came."""

    FORM = "form"
    API = "api"
    IMPORT = "import"
    MAP = "map"
    """Dropped as a pin."""
    MAIL = "mail"
    PHONE = "phone"
    """Somebody called, or a rep met them in the field."""
    HAND = "hand"
    FAIR = "fair"
    REFERRAL = "referral"
    WHITE_SPACE = "white_space"
    """Made of a firm that open data knows."""
    PROSPECT = "prospect"
    """The same, by a rep before its door."""


class LostReason(StrEnum):
    """Why a lead is no lead."""

    NO_NEED = "no_need"
    NO_BUDGET = "no_budget"
    COMPETITOR = "competitor"
    OUT_OF_AREA = "out_of_area"
    UNREACHABLE = "unreachable"
    DUPLICATE = "duplicate"
    SPAM = "spam"
    OTHER = "other"


class SignalKind(StrEnum):
    """What shows interest, or the lack of it."""

    FORM = "form"
    IMPORT = "import"
    API = "api"
    MAP = "map"
    HAND = "hand"
    MAIL = "mail"
    """A mail came in."""
    MAIL_OPENED = "mail_opened"
    CLICK = "click"
    CALL = "call"
    VISIT = "visit"
    WEB = "web"
    NOTE = "note"


class Lead(Joinable, Base):
    """Somebody who may become a customer."""

    __tablename__ = "lead"

    number: Mapped[str | None] = mapped_column(comment="The key of another program; what an import recognises it by.")
    company: Mapped[str | None]
    person: Mapped[str | None]
    phones: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"), comment="As typed.")
    phones_e164: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Normalised; what is not understood is left out."
    )
    emails: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"), comment="Lower case.")
    website: Mapped[str | None]
    street: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    pin: Mapped[WKBElement | WKTElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    pin_state: Mapped[str] = mapped_column(server_default=PinState.PENDING.value)
    grade: Mapped[str | None] = mapped_column(comment="geo.types.Grade; null while there is no pin.")
    uncertainty_m: Mapped[float | None]
    confidence: Mapped[float | None]
    geocode_reason: Mapped[str | None] = mapped_column(comment="Why the pin is where it is, or why there is none.")
    provider: Mapped[str | None]
    region_version: Mapped[str | None]
    source: Mapped[str] = mapped_column(server_default=LeadSource.HAND.value)
    campaign: Mapped[str | None]
    utm: Mapped[dict[str, str]] = mapped_column(
        JSONB,
        server_default=text("'{}'::jsonb"),
        comment="utm_source, utm_medium, utm_campaign, ...",
    )
    referrer: Mapped[str | None] = mapped_column(comment="The page that they came from.")
    form_id: Mapped[UUID | None] = mapped_column(ForeignKey("lead_form.id"), index=True)
    consent_text: Mapped[str | None] = mapped_column(comment="What they agreed to, as it was shown.")
    consented_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    message: Mapped[str | None]
    expected_value: Mapped[Decimal | None] = mapped_column(Numeric, comment="A year, as a customer.")
    currency: Mapped[str] = mapped_column(server_default="EUR", comment="ISO 4217, of the expected value.")
    note: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=LeadState.NEW.value)
    reason: Mapped[str | None] = mapped_column(comment="LostReason, of a disqualified one.")
    reason_note: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When it was converted or disqualified."
    )
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    assigned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    territory_id: Mapped[UUID | None] = mapped_column(index=True, comment="The polygon that covers the pin.")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: a form or a program.")
    score: Mapped[int | None] = mapped_column(SmallInteger, comment="0 to 100: the chance in percent, or the points.")
    points: Mapped[int | None] = mapped_column(comment="Sum of the rules' points.")
    chance: Mapped[float | None] = mapped_column(comment="0 to 1, of the model; null while there is none.")
    score_reasons: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb"), comment="The strongest first; see leads.scoring."
    )
    account_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("account.id"), index=True, comment="What it was converted to."
    )
    account_is_new: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="The conversion made the account."
    )
    contact_id: Mapped[UUID | None] = mapped_column(comment="The person at the account.")
    opportunity_id: Mapped[UUID | None] = mapped_column(comment="The deal that it became.")

    __table_args__ = (
        CheckConstraint("state in ('new', 'working', 'qualified', 'disqualified', 'converted')", name="state"),
        CheckConstraint("company is not null or person is not null", name="named"),
        CheckConstraint("pin_state in ('pending', 'placed', 'review', 'failed')", name="pin_state"),
        CheckConstraint("(state = 'disqualified') = (reason is not null)", name="reason"),
        CheckConstraint("(state = 'converted') = (account_id is not null)", name="converted"),
        CheckConstraint("score between 0 and 100", name="score"),
        CheckConstraint("expected_value >= 0", name="expected_value"),
        CheckConstraint("length(currency) = 3", name="currency"),
        Index("uq_lead_number", "number", unique=True, postgresql_where=text("deleted_at is null")),
        Index("ix_lead_pin", "pin", postgresql_using="gist"),
        Index("ix_lead_created_at", "created_at", "id"),
        Index("ix_lead_phones", "phones_e164", postgresql_using="gin"),
        Index("ix_lead_emails", "emails", postgresql_using="gin"),
        Index("ix_lead_waiting", "id", postgresql_where=text("pin_state = 'pending' and deleted_at is null")),
        Index(
            "ix_lead_open",
            "owner_id",
            postgresql_where=text("state in ('new', 'working', 'qualified') and deleted_at is null"),
        ),
        Index(
            "ix_lead_name",
            literal_column(LEAD_NAME).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        Index(
            "ix_lead_search",
            literal_column(LEAD_TEXT).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
    )


veil.over_rows(Lead, "lead")


class LeadSignal(Base):
    """One sign of a lead's interest; only ever appended."""

    __tablename__ = "lead_signal"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    kind: Mapped[str]
    key: Mapped[str | None] = mapped_column(comment="Which one of its kind; the same one twice is one signal.")
    body: Mapped[str | None] = mapped_column(comment="What was said or done, in words.")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        Index("ix_lead_signal_lead", "lead_id", "at"),
        Index("uq_lead_signal_key", "lead_id", "kind", "key", unique=True, postgresql_where=text("key is not null")),
    )


class LeadAssignment(Base):
    """Who got a lead, and why; only ever appended."""

    __tablename__ = "lead_assignment"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: nobody.")
    rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("lead_rule.id"), index=True)
    because: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, comment="The steps of the reason; see leads.wording.")
    by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: the rules.")

    __table_args__ = (Index("ix_lead_assignment_user", "user_id", "at"),)


class LeadTraits(Base):
    """What the model looks at, as of the moment when the lead came in; kept as it is once the lead is decided."""

    __tablename__ = "lead_traits"

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True)
    values: Mapped[dict[str, float | None]] = mapped_column(JSONB)
    measured_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
