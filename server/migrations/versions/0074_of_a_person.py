"""The activities of a person are found by the person: their timeline across accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the few activities that name a person."""
    op.create_index(
        "ix_activity_contact", "activity", ["contact_id", "at"], postgresql_where=sa.text("contact_id is not null")
    )
