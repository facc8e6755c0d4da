"""What kind of firm an account is: as people say it, and as the map or its name lets guess.

The next refresh of the counts, within five minutes, guesses all kinds and counts by them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0089"
down_revision = "0087"
branch_labels = None
depends_on = None

OF_CUSTOMER = "Kind that the account says, else that of the prospect, else what its name tells; 0: not known."


def upgrade() -> None:
    """Make room, and let everything be counted again."""
    op.add_column(
        "account",
        sa.Column(
            "kind",
            sa.String(),
            nullable=True,
            comment="Kind of firm as people said it, `shop=bakery`; null: what `account_guess` says.",
        ),
    )
    op.create_table(
        "account_guess",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="`shop=bakery`"),
        sa.Column(
            "source",
            sa.String(),
            nullable=False,
            comment="map: of the same firm in the open data; name: by a word in its name.",
        ),
        sa.CheckConstraint("source in ('map', 'name')", name=op.f("ck_account_guess_source")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_account_guess_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_guess")),
    )
    op.add_column(
        "density_customer",
        sa.Column("prospect_trade_id", sa.SmallInteger(), nullable=True, comment="Kind of that prospect."),
    )
    op.alter_column("density_customer", "trade_id", comment=OF_CUSTOMER)
    op.execute("update density_state set inputs = ''")
