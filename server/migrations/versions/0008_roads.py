"""Tables of roads."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of roads."""
    op.create_table(
        "road_graph",
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.Column(
            "folder",
            sa.String(),
            nullable=False,
            comment="Under the graphs' folder: region's name, then hash and profile.",
        ),
        sa.Column("algorithm", sa.String(), nullable=False, comment="`MLD` or `CH`."),
        sa.Column("profile", sa.String(), nullable=False, comment="`car`"),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("build_s", sa.Float(), nullable=False, comment="Seconds that building took."),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_road_graph_region_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("region_id", name=op.f("pk_road_graph")),
    )
