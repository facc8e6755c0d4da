"""Tables of territories."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class Territory(Record, Base):
    """An area that somebody works; a sales region is a territory with children."""

    __tablename__ = "territory"

    name: Mapped[str]
    colour: Mapped[str] = mapped_column(comment="#RRGGBB, from the colour-blind safe palette by default.")
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("territory.id"))
    staffing: Mapped[int] = mapped_column(
        server_default=text("0"), comment="How often its people were set: that changes its revision too."
    )
    area: Mapped[WKBElement] = mapped_column(Geometry("MULTIPOLYGON", srid=4326, spatial_index=False))

    __table_args__ = (
        Index("ix_territory_area", "area", postgresql_using="gist"),
        Index("uq_territory_name", "name", unique=True, postgresql_where="deleted_at is null"),
    )


class TerritoryMember(Base):
    """Who works a territory, from when to when. History is kept."""

    __tablename__ = "territory_member"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    territory_id: Mapped[UUID] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None] = mapped_column(comment="The first day that is not covered any more; null: open.")

    __table_args__ = (CheckConstraint("valid_to is null or valid_to > valid_from", name="ends_after_start"),)


class ChangeState(StrEnum):
    """What became of a change of territories."""

    APPLIED = "applied"
    UNDONE = "undone"
    KEPT = "kept"
    """Refused, because somebody else was first; its outlines are kept and can be applied later."""
    WAITING = "waiting"
    """Is applied on the morning of a day to come."""


class TerritoryChange(Base):
    """One change of territories: who, when, why, and what it moved."""

    __tablename__ = "territory_change"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(
        comment="create, reshape, split, merge, give, members, import, delete, balance, ..."
    )
    why: Mapped[str] = mapped_column(server_default=text("''"), comment="In the words of who changed it.")
    state: Mapped[str] = mapped_column(server_default=ChangeState.APPLIED.value)
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    source: Mapped[str] = mapped_column(server_default=text("'api'"), comment="web, api, import, job, cli or demo.")
    effects: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="What it moved, as it was said before it was saved."
    )
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    apply_on: Mapped[date | None] = mapped_column(comment="The day on whose morning one that waits is applied.")

    __table_args__ = (
        CheckConstraint("state in ('applied', 'undone', 'kept', 'waiting')", name="state"),
        Index("ix_territory_change_at", "at", "id"),
    )


class TerritoryChangePart(Base):
    """A territory before and after a change; undo puts the one before back, bit by bit."""

    __tablename__ = "territory_change_part"

    change_id: Mapped[UUID] = mapped_column(ForeignKey("territory_change.id", ondelete="CASCADE"), primary_key=True)
    territory_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="Name, colour, parent, and people where they changed; null: it was not there."
    )
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="The same; null: it was taken away.")
    area_before: Mapped[WKBElement | None] = mapped_column(Geometry("MULTIPOLYGON", srid=4326, spatial_index=False))
    area_after: Mapped[WKBElement | None] = mapped_column(Geometry("MULTIPOLYGON", srid=4326, spatial_index=False))
    rev: Mapped[int | None] = mapped_column(
        BigInteger, comment="Revision of the territory after the change; of a kept one, before."
    )
