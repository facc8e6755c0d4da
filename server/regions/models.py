"""Tables of regions. Everything below `region` belongs to one version of one extract and goes when that goes."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.kit.settings import settings


class State(StrEnum):
    """Where a region stands."""

    BUILDING = "building"
    """Not served yet; the stage says how far it is."""
    READY = "ready"
    """Served. At most one region of a name is."""


class Stage(StrEnum):
    """What is finished of a region that is being built; each stage is one transaction."""

    REGISTERED = "registered"
    LOADED = "loaded"
    """All rows of the extract are in the tables."""
    PACKED = "packed"
    """The phone's map pack is written."""


class Region(Base):
    """One version of one extract. A newer extract of the same name is a new row that takes over when it is ready."""

    __tablename__ = "region"
    __table_args__ = (
        Index("uq_region_ready", "name", unique=True, postgresql_where=text("state = 'ready'")),
        Index("uq_region_build", "name", "sha256", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(comment="Of the extract file.")
    version: Mapped[int] = mapped_column(comment="Counts the extracts of this name.")
    state: Mapped[str] = mapped_column(server_default=text("'building'"))
    stage: Mapped[str] = mapped_column(server_default=text("'registered'"))
    source: Mapped[str] = mapped_column(comment="File name or address that the extract came from.")
    licence: Mapped[str]
    attribution: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="To be printed wherever results leave.")
    data_date: Mapped[date | None]
    bbox: Mapped[list[float] | None] = mapped_column(ARRAY(Float), comment="West, south, east, north in degrees.")
    country: Mapped[str] = mapped_column(server_default=text("''"), comment="The extract's one country, if it has one.")
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"), comment="Rows by kind.")
    pack_sha256: Mapped[str | None] = mapped_column(comment="Of the phone's map pack.")
    pack_size: Mapped[int | None] = mapped_column(BigInteger, comment="Bytes of the phone's map pack.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    replaced: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid),
        server_default=text("'{}'::uuid[]"),
        comment="Older versions in whose place it came; what that changed is in prospect_changed.",
    )

    @property
    def sha12(self) -> str:
        """The short hash that names the region's files."""
        return self.sha256[:12]

    @property
    def extract(self) -> Path:
        """Our own copy of the extract."""
        return settings().home / "regions" / self.sha12 / "extract.osm.pbf"

    @property
    def map_pack(self) -> Path:
        """The phone's map pack."""
        return settings().home / "packs" / f"{self.sha12}.wmap"


class RegionAddress(Base):
    """A house number as it was mapped: raw material of the geocoding index."""

    __tablename__ = "region_address"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), index=True)
    source_id: Mapped[str] = mapped_column(comment="`n1`, `w1`, `r1`; several rows for a list of numbers.")
    number: Mapped[str]
    street: Mapped[str]
    postcode: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    is_place: Mapped[bool] = mapped_column(comment="Whether `street` is the name of a place.")
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class RegionStreet(Base):
    """A named way of the road network."""

    __tablename__ = "region_street"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), index=True)
    source_id: Mapped[str]
    name: Mapped[str]
    names: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Other names by tag.")
    line: Mapped[WKBElement] = mapped_column(Geometry("LINESTRING", srid=4326, spatial_index=False))


class RegionPlace(Base):
    """A settlement, an administrative or a postal area."""

    __tablename__ = "region_place"
    __table_args__ = (Index("ix_region_place_area", "area", postgresql_using="gist"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), index=True)
    source_id: Mapped[str]
    kind: Mapped[str] = mapped_column(comment="`country`, `municipality`, `town`, `postcode`, ...")
    name: Mapped[str]
    names: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Other names by tag.")
    country: Mapped[str]
    admin_level: Mapped[int | None] = mapped_column(SmallInteger)
    postcode: Mapped[str]
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    area: Mapped[WKBElement | None] = mapped_column(Geometry("MULTIPOLYGON", srid=4326, spatial_index=False))


class RegionPoi(Base):
    """Any named thing that somebody may look for, prospect or not."""

    __tablename__ = "region_poi"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), index=True)
    source_id: Mapped[str]
    name: Mapped[str]
    names: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Other names by tag, brand and operator.")
    kind: Mapped[str] = mapped_column(comment="`shop=bakery`")
    street: Mapped[str]
    number: Mapped[str]
    postcode: Mapped[str]
    city: Mapped[str]
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class Prospect(Base):
    """A firm of the extract that might become a customer. Its id stays the same from version to version."""

    __tablename__ = "prospect"
    __table_args__ = (Index("ix_prospect_pin", "pin", postgresql_using="gist"),)

    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, comment="UUIDv5 of the source id.")
    source_id: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(comment="`shop=bakery`")
    tags: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="All tags: address, phone, website, opening hours.")
    cell: Mapped[int] = mapped_column(BigInteger, comment="H3 cell of resolution 10.")
    pin: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class ProspectChanged(Base):
    """A prospect that a newer extract brought, changed or took away; who counts prospects takes the note away."""

    __tablename__ = "prospect_changed"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    region: Mapped[str] = mapped_column(comment="Name of the region.")
    prospect_id: Mapped[UUID]
    was_kind: Mapped[str | None] = mapped_column(comment="Null: it is new.")
    was_cell: Mapped[int | None] = mapped_column(BigInteger, comment="H3 cell of resolution 10.")
    name: Mapped[str | None] = mapped_column(comment="As it is now; null: it is gone.")
    kind: Mapped[str | None]
    cell: Mapped[int | None] = mapped_column(BigInteger)
    pin: Mapped[WKBElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))


class BasemapFeature(Base):
    """A thing that the base map draws, in Web Mercator so that a tile needs no projection."""

    __tablename__ = "basemap_feature"
    __table_args__ = (Index("ix_basemap_feature_geom_min_zoom", "geom", "min_zoom", postgresql_using="gist"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), index=True)
    layer: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    min_zoom: Mapped[int] = mapped_column(SmallInteger, comment="Lowest zoom at which it is drawn.")
    geom: Mapped[WKBElement] = mapped_column(Geometry("GEOMETRY", srid=3857, spatial_index=False))
