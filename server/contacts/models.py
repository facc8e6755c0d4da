"""Tables of contacts, their places at accounts, consent, and addresses that nobody may use."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, func, literal_column, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.auth import veil
from server.fields.models import searched_by
from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Joinable, Record

CONTACT_TEXT = "search_words(first_name, last_name, array_words(mail_addresses), array_words(phone_numbers))"
"""What a search looks through; the trigram index holds exactly this expression."""


class Channel(StrEnum):
    """How people are reached."""

    MAIL = "mail"
    PHONE = "phone"
    SMS = "sms"
    POST = "post"
    VISIT = "visit"


class Purpose(StrEnum):
    """Why people are reached."""

    MARKETING = "marketing"
    SURVEY = "survey"
    SERVICE = "service"
    """What belongs to an order, a ticket or an appointment."""


class ConsentState(StrEnum):
    """What somebody said."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class How(StrEnum):
    """By which door a consent came."""

    FORM = "form"
    CALL = "call"
    MAIL = "mail"
    PAPER = "paper"
    IMPORT = "import"
    API = "api"
    LINK = "link"
    """An opt-out link in a mail."""
    MERGE = "merge"
    """Two contacts became one, or two again: said by neither, it follows from what both had said."""


class Contact(Joinable, Base):
    """A person."""

    __tablename__ = "contact"

    prefix: Mapped[str | None] = mapped_column(comment="Before the name, e.g. Dr.")
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    title: Mapped[str | None] = mapped_column(comment="What the person does, e.g. Head of purchasing.")
    languages: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="ISO 639-1, the preferred one first."
    )
    phones: Mapped[list[dict[str, str]]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb"), comment='[{"label": ..., "value": as typed}]'
    )
    mails: Mapped[list[dict[str, str]]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb"), comment='[{"label": ..., "value": as typed}]'
    )
    phone_numbers: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Of `phones`, normalised (E.164)."
    )
    mail_addresses: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Of `mails`, in small letters."
    )
    birthday: Mapped[date | None]
    note: Mapped[str | None]
    do_not_contact: Mapped[bool] = mapped_column(server_default=text("false"))
    do_not_contact_reason: Mapped[str | None]
    owner_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("app_user.id"), index=True, comment="Who sees the contact without an account in common."
    )
    merged_into: Mapped[UUID | None] = mapped_column(
        ForeignKey("contact.id"), index=True, comment="The contact that lives on after a merge."
    )
    custom: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Values of the company's own fields by key."
    )

    __table_args__ = (
        CheckConstraint("first_name is not null or last_name is not null", name="named"),
        CheckConstraint("merged_into <> id", name="merged_elsewhere"),
        Index("ix_contact_name", text("search_text(coalesce(last_name, first_name))"), "id"),
        Index("ix_contact_deleted", "deleted_at", postgresql_where=text("deleted_at is not null")),
        Index("ix_contact_mail", "mail_addresses", postgresql_using="gin"),
        Index("ix_contact_phone", "phone_numbers", postgresql_using="gin"),
        Index(
            "ix_contact_search",
            literal_column(CONTACT_TEXT).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        searched_by("contact"),
    )

    @property
    def name(self) -> str:
        """The name as it is said."""
        return " ".join(part for part in (self.prefix, self.first_name, self.last_name) if part)


veil.over_rows(Contact, "contact")


class ContactAccount(Record, Base):
    """What a person is at an account."""

    __tablename__ = "contact_account"

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True, comment="Where; null: anywhere.")
    roles: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Of the pick list `contact_role`."
    )
    is_primary: Mapped[bool] = mapped_column(server_default=text("false"), comment="Whom one asks for first.")
    since: Mapped[date | None]
    until: Mapped[date | None] = mapped_column(comment="The last day; null: still there.")

    __table_args__ = (
        CheckConstraint("until >= since", name="days"),
        Index(
            "uq_contact_account",
            "contact_id",
            "account_id",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
        Index("ix_contact_account_living", "account_id", "contact_id", postgresql_where=text("deleted_at is null")),
        Index(
            "uq_contact_account_primary",
            "account_id",
            unique=True,
            postgresql_where=text("is_primary and deleted_at is null"),
        ),
    )


class Consent(Base):
    """What somebody agreed to or took back: a fact, only ever appended. The latest of a channel and purpose holds."""

    __tablename__ = "consent"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    channel: Mapped[str]
    purpose: Mapped[str]
    state: Mapped[str]
    how: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="When the person said so.")
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    recorded_by: Mapped[UUID | None]
    wording: Mapped[str | None] = mapped_column(comment="The text that the person was shown.")
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("channel in ('mail', 'phone', 'sms', 'post', 'visit')", name="channel"),
        CheckConstraint("state in ('given', 'withdrawn')", name="state"),
        Index("ix_consent_contact", "contact_id", "at"),
    )


class Suppression(Base):
    """An address that nobody may use, whoever it belongs to."""

    __tablename__ = "suppression"

    address: Mapped[str] = mapped_column(
        primary_key=True, comment="A mail address in small letters, or a phone number (E.164)."
    )
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    by: Mapped[UUID | None]
