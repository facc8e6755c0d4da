"""The day on which somebody was switched off: their working hours count up to it."""

import sqlalchemy as sa
from alembic import op

from server.kit.settings import settings

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those who are switched off left when it was last written down that their switch changed."""
    op.add_column(
        "app_user",
        sa.Column("left_on", sa.Date(), comment="Switched off on this day of the company's zone; null: they are here."),
    )
    known = sa.text(
        "update app_user set left_on = (select (max(at) at time zone :zone)::date from auth_event"
        " where auth_event.user_id = app_user.id and kind = 'user_changed' and details->'f' ? 'active')"
        " where not active"
    )
    op.get_bind().execute(known, {"zone": settings().zone})


def downgrade() -> None:
    """Nobody knows the day any more."""
    op.drop_column("app_user", "left_on")
