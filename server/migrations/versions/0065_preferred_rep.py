"""The rep whom a customer asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for a name that wins over the rep who came most."""
    op.add_column(
        "account",
        sa.Column(
            "preferred_rep_id",
            sa.Uuid(),
            nullable=True,
            comment="Whom the customer asked for; null: its owner, else whoever came most.",
        ),
    )
    op.create_foreign_key(
        op.f("fk_account_preferred_rep_id_app_user"), "account", "app_user", ["preferred_rep_id"], ["id"]
    )
    op.create_index(op.f("ix_account_preferred_rep_id"), "account", ["preferred_rep_id"])
