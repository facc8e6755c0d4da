"""Every pair of accounts is compared anew: what tells two apart is known better."""

from alembic import op

revision = "0116"
down_revision = "0115"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have the next search look at every account; what people have decided stays."""
    op.execute("update account_trait set stamp = ''")


def downgrade() -> None:
    """As it was: the next search looks at every account either way."""
