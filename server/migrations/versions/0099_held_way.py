"""What a pause that came late has taken out of a way is held for a day: its end may come after it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.create_table(
        "held_way",
        sa.Column("id", sa.Uuid(), nullable=False, comment="That of the track."),
        sa.Column("rep_id", sa.Uuid(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False, comment="Of the last fix."),
        sa.Column("fixes", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="As those of the track."),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["rep_id"], ["app_user.id"], name="fk_held_way_rep_id"),
        sa.PrimaryKeyConstraint("id", name="pk_held_way"),
    )
    op.create_index("ix_held_way_rep_id", "held_way", ["rep_id"])


def downgrade() -> None:
    """Forget it."""
    op.drop_table("held_way")
