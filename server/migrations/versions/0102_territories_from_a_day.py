"""A change of territories may wait for its day."""

import sqlalchemy as sa
from alembic import op

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The day, and a state for what waits for it."""
    op.add_column(
        "territory_change",
        sa.Column("apply_on", sa.Date(), nullable=True, comment="The day on whose morning one that waits is applied."),
    )
    op.drop_constraint(op.f("ck_territory_change_state"), "territory_change")
    op.create_check_constraint(
        op.f("ck_territory_change_state"), "territory_change", "state in ('applied', 'undone', 'kept', 'waiting')"
    )


def downgrade() -> None:
    """What waits is given up."""
    op.execute("delete from territory_change where state = 'waiting'")
    op.drop_constraint(op.f("ck_territory_change_state"), "territory_change")
    op.create_check_constraint(
        op.f("ck_territory_change_state"), "territory_change", "state in ('applied', 'undone', 'kept')"
    )
    op.drop_column("territory_change", "apply_on")
