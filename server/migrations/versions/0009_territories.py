"""Tables of territories."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of territories."""
    op.create_table(
        "territory",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "colour", sa.String(), nullable=False, comment="#RRGGBB, from the colour-blind safe palette by default."
        ),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column(
            "area",
            geoalchemy2.types.Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["territory.id"], name="fk_territory_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_territory"),
    )
    op.create_index("ix_territory_area", "territory", ["area"], unique=False, postgresql_using="gist")
    op.create_index("uq_territory_name", "territory", ["name"], unique=True, postgresql_where="deleted_at is null")
    op.create_table(
        "territory_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to", sa.Date(), nullable=True, comment="The first day that is not covered any more; null: open."
        ),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name="ends_after_start"),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name="fk_territory_member_territory_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_territory_member_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_territory_member"),
    )
    op.create_index("ix_territory_member_territory_id", "territory_member", ["territory_id"], unique=False)
    op.create_index("ix_territory_member_user_id", "territory_member", ["user_id"], unique=False)
    op.execute("select records_attach('territory')")
