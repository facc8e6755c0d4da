"""Contraction of graphs, joined regions, road servers elsewhere, learned factors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.add_column("road_graph", sa.Column("contraction", sa.String(), server_default="waiting", nullable=False))
    op.add_column(
        "road_graph",
        sa.Column(
            "trouble",
            sa.String(),
            server_default="",
            nullable=False,
            comment="Why contraction or the last build failed.",
        ),
    )
    op.create_table(
        "road_join",
        sa.Column("key", sa.String(), nullable=False, comment="The regions' names in order, with `+` between them."),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("algorithm", sa.String(), nullable=True),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("build_s", sa.Float(), nullable=True),
        sa.Column("trouble", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_road_join"),
    )
    op.create_table(
        "road_server",
        sa.Column("kind", sa.String(), nullable=False, comment="`osrm` or `valhalla`."),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False, comment="`driving` of OSRM, `auto` of Valhalla."),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "goes_first",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Asked although own roads exist.",
        ),
        sa.Column("timeout_s", sa.Float(), server_default=sa.text("10"), nullable=False),
        sa.Column(
            "table_points",
            sa.Integer(),
            server_default=sa.text("100"),
            nullable=False,
            comment="Points that it takes in a table.",
        ),
        sa.Column("trouble", sa.String(), server_default="", nullable=False),
        sa.Column(
            "quiet_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Not asked before, because it did not answer.",
        ),
        sa.PrimaryKeyConstraint("kind", name="pk_road_server"),
    )
    op.create_index("uq_road_server_on", "road_server", ["is_on"], unique=True, postgresql_where=sa.text("is_on"))
    op.create_table(
        "road_factor",
        sa.Column("region", sa.String(), nullable=False, comment="The region's name: it outlives its extracts."),
        sa.Column("weekday", sa.SmallInteger(), nullable=False, comment="0 is Monday."),
        sa.Column("hour", sa.SmallInteger(), nullable=False, comment="On the driver's clock, at departure."),
        sa.Column("factor", sa.Float(), nullable=False),
        sa.Column("drives", sa.Integer(), nullable=False, comment="Recorded drives it was learned from."),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("weekday between 0 and 6 and hour between 0 and 23", name="ck_road_factor_hour"),
        sa.CheckConstraint("factor between 0.7 and 2", name="ck_road_factor_factor"),
        sa.PrimaryKeyConstraint("region", "weekday", "hour", name="pk_road_factor"),
    )
