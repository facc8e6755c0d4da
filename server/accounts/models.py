"""Tables of accounts, their sites, proposals of better pins, and repairs of places."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record

INTERVALS = {"A": 14, "B": 28, "C": 84}
"""Days between two visits when an account names none itself, by class."""

ACCOUNT_TEXT = "search_words(name, number, phone_e164, email)"
SITE_TEXT = "search_words(name, street, postcode, city)"
"""What a search looks through; the trigram indexes hold exactly these expressions."""


class AccountClass(StrEnum):
    """How much an account matters."""

    A = "A"
    B = "B"
    C = "C"


class Status(StrEnum):
    """Where an account stands with the company."""

    PROSPECT = "prospect"
    CUSTOMER = "customer"
    FORMER = "former"


class PinState(StrEnum):
    """What is known about the place of a site."""

    PENDING = "pending"
    """Waits for the geocoder."""
    PLACED = "placed"
    REVIEW = "review"
    """Placed, but a person should look at it."""
    FAILED = "failed"
    """No place was found."""


class Account(Record, Base):
    """An organisation that the company sells to, or wants to."""

    __tablename__ = "account"

    number: Mapped[str | None] = mapped_column(comment="The company's own key; what an import recognises it by.")
    name: Mapped[str]
    account_class: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=Status.PROSPECT.value)
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    interval_days: Mapped[int | None] = mapped_column(comment="Days between visits; null: what the class says.")
    yearly_value: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    yearly_potential: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str] = mapped_column(server_default="EUR", comment="ISO 4217, of value and potential.")
    phone: Mapped[str | None] = mapped_column(comment="As typed.")
    phone_e164: Mapped[str | None] = mapped_column(index=True, comment="Normalised; null when not understood.")
    email: Mapped[str | None]
    website: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    note: Mapped[str | None]
    merged_into: Mapped[UUID | None] = mapped_column(
        ForeignKey("account.id"), index=True, comment="The account that lives on after a merge."
    )
    territory_id: Mapped[UUID | None] = mapped_column(index=True, comment="Of the main site, unless fixed.")
    territory_is_fixed: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Assigned by a person; a change of polygons leaves it."
    )
    last_visit_on: Mapped[date | None] = mapped_column(Date, comment="Day of the latest visit that took place.")

    sites: Mapped[list["Site"]] = relationship(
        back_populates="account",
        order_by="(Site.is_main.desc(), Site.id)",
        primaryjoin="and_(Site.account_id == Account.id, Site.deleted_at.is_(None))",
        viewonly=True,
    )

    __table_args__ = (
        CheckConstraint("account_class in ('A', 'B', 'C')", name="class"),
        CheckConstraint("status in ('prospect', 'customer', 'former')", name="status"),
        CheckConstraint("interval_days > 0", name="interval"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("merged_into <> id", name="merged_elsewhere"),
        Index("uq_account_number", "number", unique=True, postgresql_where=text("deleted_at is null")),
        Index("ix_account_name", text("search_text(name)"), "id"),
        Index(
            "ix_account_search",
            literal_column(ACCOUNT_TEXT).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        Index("ix_account_tags", "tags", postgresql_using="gin"),
    )


class AccountRep(Base):
    """A rep who works an account although it is neither theirs nor in their territory."""

    __tablename__ = "account_rep"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True, index=True)


class Site(Record, Base):
    """A physical place of an account; routes visit sites."""

    __tablename__ = "site"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str | None] = mapped_column(comment="Null for the only site of an account.")
    is_main: Mapped[bool] = mapped_column(server_default=text("false"))
    street: Mapped[str | None] = mapped_column(comment="With the house number, as people write it.")
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None] = mapped_column(comment="As given; two capital letters when understood (ISO 3166-1).")
    pin: Mapped[WKBElement | WKTElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    pin_state: Mapped[str] = mapped_column(server_default=PinState.PENDING.value)
    grade: Mapped[str | None] = mapped_column(comment="geo.types.Grade; null while there is no pin.")
    uncertainty_m: Mapped[float | None]
    confidence: Mapped[float | None]
    geocode_reason: Mapped[str | None] = mapped_column(comment="Why the pin is where it is, or why there is none.")
    provider: Mapped[str | None] = mapped_column(
        comment="Who placed the pin: a geocoder, `import`, `hand` or `checkins`."
    )
    region_version: Mapped[str | None] = mapped_column(comment="Address index that the geocoder used.")
    opening_hours: Mapped[str | None] = mapped_column(comment="OpenStreetMap syntax.")
    service_s: Mapped[int] = mapped_column(server_default=text("1800"), comment="Planned length of a visit.")
    territory_id: Mapped[UUID | None] = mapped_column(index=True, comment="The polygon that covers the pin.")

    account: Mapped[Account] = relationship(back_populates="sites", viewonly=True)

    __table_args__ = (
        CheckConstraint("pin_state in ('pending', 'placed', 'review', 'failed')", name="pin_state"),
        CheckConstraint("service_s between 0 and 86400", name="service"),
        CheckConstraint("uncertainty_m >= 0", name="uncertainty"),
        Index("ix_site_pin", "pin", postgresql_using="gist"),
        Index(
            "ix_site_review", "id", postgresql_where=text("pin_state in ('review', 'failed') and deleted_at is null")
        ),
        Index("ix_site_pending", "id", postgresql_where=text("pin_state = 'pending' and deleted_at is null")),
        Index(
            "uq_site_main",
            "account_id",
            unique=True,
            postgresql_where=text("is_main and deleted_at is null"),
        ),
        Index(
            "ix_site_search",
            literal_column(SITE_TEXT).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
    )


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
