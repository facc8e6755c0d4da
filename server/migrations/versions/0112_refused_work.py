"""What was refused of what phones sent is decided by somebody: taken after all, or put aside."""

import sqlalchemy as sa
from alembic import op

revision = "0112"
down_revision = "0111"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has decided anything yet."""
    who = sa.Column("decided_by", sa.Uuid(), nullable=True, comment="Who had it taken after all, or put it aside.")
    op.add_column("sync_receipt", who)
    op.add_column("sync_receipt", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        "fk_sync_receipt_decided_by_app_user",
        "sync_receipt",
        "app_user",
        ["decided_by"],
        ["id"],
        ondelete="SET NULL",
        postgresql_not_valid=True,
    )
    op.execute("alter table sync_receipt validate constraint fk_sync_receipt_decided_by_app_user")


def downgrade() -> None:
    """As it was."""
    op.drop_column("sync_receipt", "decided_at")
    op.drop_column("sync_receipt", "decided_by")
