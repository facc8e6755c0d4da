"""Tables of custom fields, pick lists, visit types and forms."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class FieldKind(StrEnum):
    """What a custom field, or a question of a form, holds."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"
    URL = "url"
    MAIL = "mail"
    PHONE = "phone"


OBJECTS = {
    "account": "Accounts",
    "site": "Sites",
    "contact": "Contacts",
    "lead": "Leads",
    "opportunity": "Opportunities",
    "order": "Orders",
    "product": "Products",
    "ticket": "Tickets",
    "visit": "Visits",
}
"""What can have fields of the company's own, by the name under which rooms ask for them."""

TABLES = {"order": "sales_order"}
"""Tables that are not called as their objects are."""


def searched_by(table: str) -> Index:
    """The index by which words are found in the custom fields of a table."""
    return Index(
        f"ix_{table}_custom",
        literal_column("custom_words(custom)").label("words"),
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )


class CustomField(Record, Base):
    """A field that the company has added to an object."""

    __tablename__ = "custom_field"

    object: Mapped[str] = mapped_column(comment="See `fields.models.OBJECTS`.")
    key: Mapped[str] = mapped_column(comment="Under which values are stored, filtered and imported; never changes.")
    label: Mapped[str]
    kind: Mapped[str] = mapped_column(comment="See `FieldKind`.")
    section: Mapped[str | None] = mapped_column(comment="Heading under which it is shown.")
    position: Mapped[int] = mapped_column(server_default=text("0"))
    help: Mapped[str | None]
    unit: Mapped[str | None] = mapped_column(comment="Of a number, e.g. `m²`; of money its usual currency (ISO 4217).")
    required: Mapped[bool] = mapped_column(server_default=text("false"))
    searchable: Mapped[bool] = mapped_column(server_default=text("false"))
    default: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True), comment="What new rows get.")
    choices: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB,
        server_default=text("'[]'::jsonb"),
        comment='[{"value": ..., "label": ..., "archived": bool}]; archived ones stay where they stand.',
    )
    minimum: Mapped[Decimal | None] = mapped_column(Numeric, comment="Of numbers and amounts.")
    maximum: Mapped[Decimal | None] = mapped_column(Numeric)
    pattern: Mapped[str | None] = mapped_column(comment="Regular expression that a text must match as a whole.")
    archived: Mapped[bool] = mapped_column(server_default=text("false"), comment="Not shown any more; values stay.")

    __table_args__ = (
        CheckConstraint("minimum <= maximum", name="range"),
        Index("uq_custom_field_key", "object", "key", unique=True, postgresql_where=text("deleted_at is null")),
    )


class Picklist(Record, Base):
    """The values that a field of a form offers."""

    __tablename__ = "picklist"

    name: Mapped[str] = mapped_column(unique=True)
    values: Mapped[list[dict[str, str]]] = mapped_column(JSONB, comment='[{"value": ..., "label": ...}]')


class VisitType(Record, Base):
    """A kind of visit: how long it usually takes, and what is asked there."""

    __tablename__ = "visit_type"

    name: Mapped[str]
    service_s: Mapped[int | None] = mapped_column(comment="Usual length; null: as planned for the site.")
    position: Mapped[int] = mapped_column(server_default=text("0"))
    archived: Mapped[bool] = mapped_column(server_default=text("false"), comment="Not offered any more.")

    __table_args__ = (
        CheckConstraint("service_s between 60 and 86400", name="service"),
        Index("uq_visit_type_name", text("lower(name)"), unique=True, postgresql_where=text("deleted_at is null")),
    )


class FormVersion(Base):
    """What is asked at visits of a type, as it stood from some moment on; never changed, because answers name it."""

    __tablename__ = "form_version"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_type.id"))
    version: Mapped[int]
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, comment="In order; see `fields.forms.Question`.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    created_by: Mapped[UUID | None]

    __table_args__ = (UniqueConstraint("visit_type_id", "version"),)
