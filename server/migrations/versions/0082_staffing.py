"""A change of the people of a territory is a change of the territory: it has a revision, a history and an undo."""

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count how often somebody set the people, which moves the revision on."""
    op.add_column(
        "territory",
        sa.Column(
            "staffing",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often its people were set: that changes its revision too.",
        ),
    )
    op.alter_column(
        "territory_change", "kind", comment="create, reshape, split, merge, give, members, import, delete, balance, ..."
    )
    op.alter_column(
        "territory_change_part",
        "before",
        comment="Name, colour, parent, and people where they changed; null: it was not there.",
    )
