"""Repairs of places: decisions of the review desk and bulk repairs, with what is needed to undo them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of repairs, and the index of sites whose pin a person should look at."""
    op.create_table(
        "repair_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("detector", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="looking", nullable=False),
        sa.Column("found", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor"], ["app_user.id"], name="fk_repair_run_actor"),
        sa.PrimaryKeyConstraint("id", name="pk_repair_run"),
    )
    op.create_index("ix_repair_run_created_at", "repair_run", ["created_at"])
    op.create_table(
        "site_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True, comment="Null for a decision at the desk."),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column(
            "verb", sa.String(), nullable=False, comment="What is done: place, take, address, move, locate, ask, ..."
        ),
        sa.Column(
            "why",
            postgresql.JSONB(),
            nullable=True,
            comment="What the detector saw: `text` with gaps, and what stands in them.",
        ),
        sa.Column(
            "before", postgresql.JSONB(), nullable=False, comment="Address and pin; the pin as hexadecimal EWKB."
        ),
        sa.Column("after", postgresql.JSONB(), nullable=False, comment="The fields that change; the pin likewise."),
        sa.Column("is_chosen", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("state", sa.String(), server_default="proposed", nullable=False),
        sa.Column("base_rev", sa.BigInteger(), nullable=False, comment="The site's revision when it was looked at."),
        sa.Column("done_rev", sa.BigInteger(), nullable=True, comment="The site's revision right after the change."),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor"], ["app_user.id"], name="fk_site_change_actor"),
        sa.ForeignKeyConstraint(["run_id"], ["repair_run.id"], name="fk_site_change_run_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_site_change_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_site_change"),
    )
    op.create_index("ix_site_change_site_id", "site_change", ["site_id"])
    op.create_index("ix_site_change_run_id_id", "site_change", ["run_id", "id"])
    op.create_index(
        "ix_site_change_actor_done_at", "site_change", ["actor", "done_at"], postgresql_where=sa.text("run_id is null")
    )
    op.create_index(
        "ix_site_review",
        "site",
        ["id"],
        postgresql_where=sa.text("pin_state in ('review', 'failed') and deleted_at is null"),
    )
