"""Tables of accounts, their sites, proposals of better pins, and repairs of places."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Numeric,
    Text,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.auth import veil
from server.fields.models import searched_by
from server.kit.database import Base
from server.records.models import Record

INTERVALS = {"A": 14, "B": 28, "C": 84}
"""Days between two visits when an account names none itself, by class."""

ACCOUNT_TEXT = "search_words(name, number, phone_e164, email)"
SITE_TEXT = "search_words(name, street, postcode, city)"
"""What a search looks through; the trigram indexes hold exactly these expressions."""

LIVING = "deleted_at is null and merged_into is null"
"""Accounts that lists show; what counts them finds all that it needs in an index of these."""
TAGGED = f"{LIVING} and tags != '{{}}'"


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


class Weekday(StrEnum):
    """A day of the week, as OpenStreetMap abbreviates it, in small letters."""

    MO = "mo"
    TU = "tu"
    WE = "we"
    TH = "th"
    FR = "fr"
    SA = "sa"
    SU = "su"


class DayPart(StrEnum):
    """When on a day somebody likes to be visited."""

    MORNING = "morning"
    MIDDAY = "midday"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class Channel(StrEnum):
    """How people are reached."""

    VISIT = "visit"
    PHONE = "phone"
    MAIL = "mail"
    SMS = "sms"
    POST = "post"


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
    kind: Mapped[str | None] = mapped_column(
        comment="Kind of firm as people said it, `shop=bakery`; null: what `account_guess` says."
    )
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    interval_days: Mapped[int | None] = mapped_column(comment="Days between visits; null: what the class says.")
    yearly_value: Mapped[Decimal | None] = mapped_column(Numeric)
    yearly_potential: Mapped[Decimal | None] = mapped_column(Numeric)
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
    parent_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("account.id"), index=True, comment="The account that it belongs to, e.g. its head office."
    )
    preferred_days: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Days on which visits are welcome: mo to su; empty: any."
    )
    preferred_time: Mapped[str | None] = mapped_column(comment="morning, midday, afternoon or evening; null: any.")
    preferred_channel: Mapped[str | None] = mapped_column(comment="How it likes to be reached.")
    language: Mapped[str | None] = mapped_column(comment="ISO 639-1.")
    preferred_rep_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("app_user.id"),
        index=True,
        comment="Whom the customer asked for; null: its owner, else whoever came most.",
    )
    by_appointment: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Visits only at a time that was agreed."
    )
    custom: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Values of the company's own fields by key."
    )

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
        CheckConstraint("parent_id <> id", name="parent_elsewhere"),
        Index("uq_account_number", "number", unique=True, postgresql_where=text("deleted_at is null")),
        Index("ix_account_name", text("search_text(name)"), "id"),
        Index(
            "ix_account_search",
            literal_column(ACCOUNT_TEXT).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        Index("ix_account_living_owner", "owner_id", "id", postgresql_where=text(LIVING)),
        Index(
            "ix_account_living_class",
            "account_class",
            "id",
            postgresql_include=["owner_id", "territory_id"],
            postgresql_where=text(LIVING),
        ),
        Index("ix_account_number_lower", text("lower(number)")),
        Index("ix_account_name_lower", text("lower(name)")),
        Index("ix_account_name_part", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
        Index("ix_account_tags", "tags", postgresql_using="gin"),
        Index(
            "ix_account_tagged", text("search_text(name)"), "id", postgresql_where=text(f"{LIVING} and tags != '{{}}'")
        ),
        searched_by("account"),
        Index("ix_account_deleted", "deleted_at", postgresql_where=text("deleted_at is not null")),
    )


veil.over_rows(Account, "account")


class Folded(Base):
    """A merged account and the one that stands for it after all merges; triggers keep it (migration 0062)."""

    __tablename__ = "account_folded"

    id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    survivor_id: Mapped[UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, comment="The account that lives on after all merges."
    )


class AccountGuess(Base):
    """What kind of firm an account seems to be while nobody has said it; the counting of density keeps it."""

    __tablename__ = "account_guess"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(comment="`shop=bakery`")
    source: Mapped[str] = mapped_column(comment="map: of the same firm in the open data; name: by a word in its name.")

    __table_args__ = (CheckConstraint("source in ('map', 'name')", name="source"),)


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
    custom: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Values of the company's own fields by key."
    )

    account: Mapped[Account] = relationship(back_populates="sites", viewonly=True)

    __table_args__ = (
        CheckConstraint("pin_state in ('pending', 'placed', 'review', 'failed')", name="pin_state"),
        CheckConstraint("service_s between 0 and 86400", name="service"),
        CheckConstraint("uncertainty_m >= 0", name="uncertainty"),
        Index(
            "ix_site_city_lower",
            text("lower(city)"),
            "account_id",
            postgresql_include=["city", "deleted_at"],
        ),
        Index("ix_site_pin", "pin", postgresql_using="gist"),
        Index("ix_site_deleted", "deleted_at", postgresql_where=text("deleted_at is not null")),
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
        searched_by("site"),
    )
