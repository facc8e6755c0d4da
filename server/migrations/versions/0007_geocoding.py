"""Tables of geocoding."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text(name: str, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=False, comment=comment)


def _texts(name: str, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, ARRAY(sa.Text()), nullable=False, comment=comment)


def _places() -> sa.Column[Any]:
    return sa.Column("places", ARRAY(sa.Integer()), nullable=False, comment="Positions in `geocoding_place`.")


def _extent() -> sa.Column[Any]:
    return sa.Column("extent_m", sa.Float(), nullable=False)


def _entries(name: str, *columns: sa.Column[Any]) -> None:
    """Create a table whose rows are numbered within their source."""
    op.create_table(
        name,
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        *columns,
        sa.Column("point", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["geocoding_source.id"], name=f"fk_{name}_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "position", name=f"pk_{name}"),
    )


def upgrade() -> None:
    """Create the tables of geocoding."""
    op.create_table(
        "geocoding_source",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=True, comment="Null for an address file."),
        _text("name"),
        _text("country", "Two-letter code of a file's addresses; empty for a region."),
        _text("origin", "Who publishes it, or the file it came from."),
        _text("licence"),
        _texts("attribution", "To be printed wherever results leave."),
        _text("fingerprint", "Changes with the content; part of the index's version."),
        sa.Column("streets", sa.Integer(), nullable=False),
        sa.Column("addresses", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_geocoding_source_region_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_geocoding_source"),
    )
    op.create_index("uq_geocoding_source_region", "geocoding_source", ["region_id"], unique=True)
    op.create_index(
        "uq_geocoding_source_name",
        "geocoding_source",
        ["name"],
        unique=True,
        postgresql_where=sa.text("region_id is null"),
    )
    _entries("geocoding_place", _text("name"), _texts("other_names"), _text("kind"), _text("country"), _extent())
    _entries(
        "geocoding_street",
        _text("name"),
        _texts("other_names"),
        _text("city"),
        _text("country"),
        _texts("postcodes"),
        _places(),
        _extent(),
        sa.Column(
            "is_place", sa.Boolean(), nullable=False, comment="A village that numbers its houses without streets."
        ),
    )
    _entries(
        "geocoding_address",
        sa.Column("street", sa.Integer(), nullable=False, comment="Position in `geocoding_street`."),
        _text("number", "As written."),
        _text("postcode"),
    )
    op.create_index("ix_geocoding_address_street", "geocoding_address", ["source_id", "street"])
    op.create_index("ix_geocoding_address_point", "geocoding_address", ["point"], postgresql_using="gist")
    _entries(
        "geocoding_poi",
        _text("name"),
        _texts("other_names"),
        *map(_text, ("street", "number", "postcode", "city")),
        _places(),
    )
