"""Tables of territories."""

from datetime import date
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index
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
