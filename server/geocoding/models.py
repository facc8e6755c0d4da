"""Tables of the address index. A source is a region's extract or an address file; its rows go when it goes.

Places, streets and businesses are numbered within their source by `position`; streets and businesses name the
places around them by these numbers, so that a source can be written and read in one piece.
"""

from datetime import datetime
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import ARRAY, DateTime, Float, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Source(Base):
    """Where addresses come from."""

    __tablename__ = "geocoding_source"
    __table_args__ = (
        Index("uq_geocoding_source_region", "region_id", unique=True),
        Index("uq_geocoding_source_name", "name", unique=True, postgresql_where=text("region_id is null")),
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
