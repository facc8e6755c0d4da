"""Tables of density."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of density."""
    op.create_table(
        "density_customer",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev",
            sa.BigInteger(),
            nullable=False,
            comment="Revisions of site and account together when it was counted.",
        ),
        sa.Column("cell", sa.BigInteger(), nullable=False, comment="H3 cell of resolution 10."),
        sa.Column(
            "prospect_id",
            sa.Uuid(),
            nullable=True,
            comment="The prospect that this customer is: same place, much the same name.",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_density_customer_site_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", name="pk_density_customer"),
    )
    op.create_index("ix_density_customer_prospect_id", "density_customer", ["prospect_id"])
    op.create_table(
        "density_cell",
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False, comment="H3 index."),
        sa.Column("resolution", sa.SmallInteger(), nullable=False, comment="H3 resolution."),
        sa.Column("prospects", sa.Integer(), nullable=False, comment="That are not customers yet."),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("penetration", sa.Float(), nullable=False, comment="Customers / (prospects + customers)."),
        sa.Column("low", sa.Float(), nullable=False, comment="Lower end of the 90 % Wilson interval."),
        sa.Column("high", sa.Float(), nullable=False, comment="Upper end of the 90 % Wilson interval."),
        sa.Column("geom", Geometry("POLYGON", srid=3857, spatial_index=False), nullable=False),
        sa.PrimaryKeyConstraint("cell", name="pk_density_cell"),
    )
    op.create_index("ix_density_cell_geom_resolution", "density_cell", ["geom", "resolution"], postgresql_using="gist")
    op.create_table(
        "density_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column("inputs", sa.String(), nullable=False, comment="Fingerprint of regions, accounts and sites."),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_density_state"),
    )
    op.execute(
        """
        -- An H3 index holds its resolution in bits 52 to 55 and a digit of three bits for each of 15 resolutions, the
        -- unused ones all ones: a parent is the cell with a lower resolution and the digits beyond it filled up.
        create function h3_parent(cell bigint, resolution int) returns bigint language sql immutable parallel safe
        return (cell & ~(15::bigint << 52)) | (resolution::bigint << 52) | ((1::bigint << (3 * (15 - resolution))) - 1)
        """
    )
