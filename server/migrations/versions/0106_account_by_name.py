"""What an account of a name has is looked up by the name, with capitals or without."""

import sqlalchemy as sa
from alembic import op

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The search asks it at every key, of a million accounts."""
    op.create_index("ix_account_name_lower", "account", [sa.text("lower(name)")])


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_account_name_lower", "account")
