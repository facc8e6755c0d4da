"""Accounts that have tags, in the order of their names: a list of those with a tag walked past all that have none."""

from alembic import op

revision = "0123"
down_revision = "0122"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put them in order."""
    op.execute(
        "create index ix_account_tagged on account (search_text(name), id)"
        " where deleted_at is null and merged_into is null and tags != '{}'"
    )


def downgrade() -> None:
    """Walk past the others again."""
    op.execute("drop index ix_account_tagged")
