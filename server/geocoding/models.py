"""Tables of the address index. A source is a region's extract or an address file; its rows go when it goes.

Places, streets and businesses are numbered within their source by `position`; streets and businesses name the
places around them by these numbers, so that a source can be written and read in one piece.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Source(Base):
    """Where addresses come from."""

    __tablename__ = "geocoding_source"
    __table_args__ = (
        Index("uq_geocoding_source_region", "region_id", unique=True),
        Index(
            "uq_geocoding_source_name",
            "name",
            unique=True,
            postgresql_where=text("region_id is null and removed_at is null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    region_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("region.id", ondelete="CASCADE"), comment="Null for an address file."
    )
    name: Mapped[str]
    country: Mapped[str] = mapped_column(comment="Two-letter code of a file's addresses; empty for a region.")
    origin: Mapped[str] = mapped_column(comment="Who publishes it, or the file it came from.")
    licence: Mapped[str]
    attribution: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="To be printed wherever results leave.")
    fingerprint: Mapped[str] = mapped_column(comment="Changes with the content; part of the index's version.")
    streets: Mapped[int]
    addresses: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    replaces: Mapped[UUID | None] = mapped_column(comment="The source that this one took over from.")
    changes: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="What is new, changed and gone since then, by kind."
    )
    left_out: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Rows of the files that were left out, by reason."
    )
    removed_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Not asked any more; kept for a while so that it can be brought back."
    )


class PlaceEntry(Base):
    """A settlement, municipality or postal place."""

    __tablename__ = "geocoding_place"

    source_id: Mapped[UUID] = mapped_column(ForeignKey("geocoding_source.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str]
    other_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    kind: Mapped[str]
    country: Mapped[str]
    extent_m: Mapped[float] = mapped_column(Float)
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class StreetEntry(Base):
    """One street of one town."""

    __tablename__ = "geocoding_street"

    source_id: Mapped[UUID] = mapped_column(ForeignKey("geocoding_source.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str]
    other_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    city: Mapped[str]
    country: Mapped[str]
    postcodes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    places: Mapped[list[int]] = mapped_column(ARRAY(Integer), comment="Positions in `geocoding_place`.")
    extent_m: Mapped[float] = mapped_column(Float)
    is_place: Mapped[bool] = mapped_column(comment="A village that numbers its houses without streets.")
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class AddressEntry(Base):
    """A house number."""

    __tablename__ = "geocoding_address"
    __table_args__ = (
        Index("ix_geocoding_address_street", "source_id", "street"),
        Index("ix_geocoding_address_point", "point", postgresql_using="gist"),
    )

    source_id: Mapped[UUID] = mapped_column(ForeignKey("geocoding_source.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    street: Mapped[int] = mapped_column(Integer, comment="Position in `geocoding_street`.")
    number: Mapped[str] = mapped_column(comment="As written.")
    postcode: Mapped[str]
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class PoiEntry(Base):
    """A business or facility that is found by its name."""

    __tablename__ = "geocoding_poi"

    source_id: Mapped[UUID] = mapped_column(ForeignKey("geocoding_source.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str]
    other_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    street: Mapped[str]
    number: Mapped[str]
    postcode: Mapped[str]
    city: Mapped[str]
    places: Mapped[list[int]] = mapped_column(ARRAY(Integer), comment="Positions in `geocoding_place`.")
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class Change(Base):
    """A street, place or business that differs between two versions of a source."""

    __tablename__ = "geocoding_change"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    batch: Mapped[UUID] = mapped_column(index=True, comment="The source that brought it, or that went.")
    kind: Mapped[str] = mapped_column(comment="`street`, `place` or `poi`.")
    change: Mapped[str] = mapped_column(comment="`added`, `changed` or `removed`.")
    names: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="All its names, old and new.")
    city: Mapped[str]
    postcodes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    spots: Mapped[WKBElement] = mapped_column(
        Geometry("GEOMETRY", srid=4326, spatial_index=False), comment="Where it was and is."
    )


class Version(Base):
    """What the address index held from one moment on: the sources in service."""

    __tablename__ = "geocoding_version"

    number: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    version: Mapped[str] = mapped_column(index=True, comment="As answers carry it.")
    sources: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    batches: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), comment="Changes since the version before.")
    is_all_new: Mapped[bool] = mapped_column(comment="The changes are not known: everything may differ.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    checked_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When the last account that it concerns was looked at again."
    )


class AddressLoad(Base):
    """An address file that was uploaded and is read in the background."""

    __tablename__ = "geocoding_load"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    file_name: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Name, country, source and licence as given.")
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"), comment="waiting, reading, done or failed.")
    rows: Mapped[int] = mapped_column(server_default=text("0"), comment="Rows read so far.")
    message: Mapped[str] = mapped_column(server_default=text("''"), comment="What became of it, in words.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class RemoteProvider(Base):
    """A geocoder elsewhere, as an admin has set it up; at most one is switched on."""

    __tablename__ = "geocoding_remote"
    __table_args__ = (Index("uq_geocoding_remote_on", "is_on", unique=True, postgresql_where=text("is_on")),)

    provider: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    user_agent: Mapped[str]
    interval_s: Mapped[float] = mapped_column(Float, comment="Least seconds between two questions of all workers.")
    daily_cap: Mapped[int] = mapped_column(comment="Most questions a day (UTC).")
    is_on: Mapped[bool]
    terms_accepted_by: Mapped[UUID | None]
    terms_accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="Before that nobody asks it."
    )
    trouble: Mapped[str] = mapped_column(server_default=text("''"), comment="What went wrong last; empty when nothing.")


class RemoteAnswer(Base):
    """What a geocoder elsewhere said to a question; kept as long as its terms allow, so that it is not asked twice."""

    __tablename__ = "geocoding_remote_answer"

    provider: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True, comment="The question, folded; see `remote.key_of`.")
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Point, type and address; empty: it knew nothing.")
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class RemoteDay(Base):
    """How a geocoder elsewhere was used on a day."""

    __tablename__ = "geocoding_remote_day"

    provider: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True, comment="In UTC.")
    asked: Mapped[int] = mapped_column(server_default=text("0"))
    answered: Mapped[int] = mapped_column(server_default=text("0"))
    refused: Mapped[int] = mapped_column(server_default=text("0"), comment="Errors, time-outs, nonsense, too many.")
    remembered: Mapped[int] = mapped_column(server_default=text("0"), comment="Answered from memory.")
