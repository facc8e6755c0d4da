"""Tables of regions."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _part(name: str, *columns: sa.Column[Any]) -> None:
    """Create a table whose rows belong to a region."""
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=f"fk_{name}_region_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_region_id", name, ["region_id"])


def _text(name: str, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=False, comment=comment)


def _shape(name: str, kind: str, srid: int = 4326, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Geometry(kind, srid=srid, spatial_index=False), nullable=nullable)


def upgrade() -> None:
    """Create the tables of regions."""
    op.create_table(
        "region",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("name"),
        _text("sha256", "Of the extract file."),
        sa.Column("version", sa.Integer(), nullable=False, comment="Counts the extracts of this name."),
        sa.Column("state", sa.String(), server_default=sa.text("'building'"), nullable=False),
        sa.Column("stage", sa.String(), server_default=sa.text("'registered'"), nullable=False),
        _text("source", "File name or address that the extract came from."),
        _text("licence"),
        sa.Column("attribution", ARRAY(sa.Text()), nullable=False, comment="To be printed wherever results leave."),
        sa.Column("data_date", sa.Date(), nullable=True),
        sa.Column("bbox", ARRAY(sa.Float()), nullable=True, comment="West, south, east, north in degrees."),
        sa.Column(
            "country",
            sa.String(),
            server_default=sa.text("''"),
            nullable=False,
            comment="The extract's one country, if it has one.",
        ),
        sa.Column("counts", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False, comment="Rows by kind."),
        sa.Column("pack_sha256", sa.String(), nullable=True, comment="Of the phone's map pack."),
        sa.Column("pack_size", sa.BigInteger(), nullable=True, comment="Bytes of the phone's map pack."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_region"),
    )
    op.create_index("uq_region_ready", "region", ["name"], unique=True, postgresql_where=sa.text("state = 'ready'"))
    op.create_index("uq_region_build", "region", ["name", "sha256"], unique=True)
    _part(
        "region_address",
        _text("source_id", "`n1`, `w1`, `r1`; several rows for a list of numbers."),
        *map(_text, ("number", "street", "postcode", "city", "country")),
        sa.Column("is_place", sa.Boolean(), nullable=False, comment="Whether `street` is the name of a place."),
        _shape("point", "POINT"),
    )
    names = sa.Column("names", JSONB(), nullable=False, comment="Other names by tag.")
    _part("region_street", _text("source_id"), _text("name"), names, _shape("line", "LINESTRING"))
    _part(
        "region_place",
        _text("source_id"),
        _text("kind", "`country`, `municipality`, `town`, `postcode`, ..."),
        _text("name"),
        sa.Column("names", JSONB(), nullable=False, comment="Other names by tag."),
        _text("country"),
        sa.Column("admin_level", sa.SmallInteger(), nullable=True),
        _text("postcode"),
        _shape("point", "POINT"),
        _shape("area", "MULTIPOLYGON", nullable=True),
    )
    op.create_index("ix_region_place_area", "region_place", ["area"], postgresql_using="gist")
    _part(
        "region_poi",
        _text("source_id"),
        _text("name"),
        sa.Column("names", JSONB(), nullable=False, comment="Other names by tag, brand and operator."),
        _text("kind", "`shop=bakery`"),
        *map(_text, ("street", "number", "postcode", "city")),
        _shape("point", "POINT"),
    )
    _prospect_and_basemap()


def _prospect_and_basemap() -> None:
    op.create_table(
        "prospect",
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv5 of the source id."),
        _text("source_id"),
        _text("name"),
        _text("kind", "`shop=bakery`"),
        sa.Column("tags", JSONB(), nullable=False, comment="All tags: address, phone, website, opening hours."),
        sa.Column("cell", sa.BigInteger(), nullable=False, comment="H3 cell of resolution 10."),
        _shape("pin", "POINT"),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_prospect_region_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("region_id", "id", name="pk_prospect"),
    )
    op.create_index("ix_prospect_pin", "prospect", ["pin"], postgresql_using="gist")
    _part(
        "basemap_feature",
        *map(_text, ("layer", "kind", "name")),
        sa.Column("min_zoom", sa.SmallInteger(), nullable=False, comment="Lowest zoom at which it is drawn."),
        _shape("geom", "GEOMETRY", srid=3857),
    )
    op.create_index(
        "ix_basemap_feature_geom_min_zoom", "basemap_feature", ["geom", "min_zoom"], postgresql_using="gist"
    )
