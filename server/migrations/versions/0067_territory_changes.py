"""The history of territories."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for who changed which territory when, why, and how it was before."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "territory_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.String(),
            nullable=False,
            comment="create, reshape, split, merge, give, import, delete, balance, ...",
        ),
        sa.Column(
            "why", sa.String(), server_default=sa.text("''"), nullable=False, comment="In the words of who changed it."
        ),
        sa.Column("state", sa.String(), server_default="applied", nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "source",
            sa.String(),
            server_default=sa.text("'api'"),
            nullable=False,
            comment="web, api, import, job, cli or demo.",
        ),
        sa.Column(
            "effects",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="What it moved, as it was said before it was saved.",
        ),
        sa.Column("at", moment, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", moment, nullable=True),
        sa.CheckConstraint("state in ('applied', 'undone', 'kept')", name=op.f("ck_territory_change_state")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["app_user.id"], name=op.f("fk_territory_change_actor_id_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["app_user.id"], name=op.f("fk_territory_change_undone_by_app_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory_change")),
    )
    op.create_index("ix_territory_change_at", "territory_change", ["at", "id"])
    parts()


def parts() -> None:
    """Each territory before and after."""
    area = Geometry("MULTIPOLYGON", srid=4326, spatial_index=False)
    op.create_table(
        "territory_change_part",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column(
            "before", postgresql.JSONB(), nullable=True, comment="Name, colour and parent; null: it was not there."
        ),
        sa.Column("after", postgresql.JSONB(), nullable=True, comment="The same; null: it was taken away."),
        sa.Column("area_before", area, nullable=True),
        sa.Column("area_after", area, nullable=True),
        sa.Column(
            "rev",
            sa.BigInteger(),
            nullable=True,
            comment="Revision of the territory after the change; of a kept one, before.",
        ),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["territory_change.id"],
            name=op.f("fk_territory_change_part_change_id_territory_change"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("change_id", "territory_id", name=op.f("pk_territory_change_part")),
    )
    op.create_index(op.f("ix_territory_change_part_territory_id"), "territory_change_part", ["territory_id"])
