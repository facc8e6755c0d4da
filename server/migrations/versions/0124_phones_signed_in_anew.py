"""What a phone became when its person signed in on it anew, so that it stands once in the list of phones."""

import sqlalchemy as sa
from alembic import op

revision = "0124"
down_revision = "0123"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep it beside what the phone was."""
    op.add_column(
        "device",
        sa.Column(
            "replaced_by",
            sa.Uuid(),
            sa.ForeignKey("device.id", name="fk_device_replaced_by_device", ondelete="SET NULL"),
            nullable=True,
            comment="What this phone became when its person signed in on it anew.",
        ),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_column("device", "replaced_by")
