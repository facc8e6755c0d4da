"""Indexes for what filters ask most: a number, a town, a part of a name."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes."""
    op.create_index("ix_account_number_lower", "account", [sa.text("lower(number)")])
    op.create_index("ix_site_city_lower", "site", [sa.text("lower(city)"), "account_id"])
    op.create_index(
        "ix_account_name_part", "account", ["name"], postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
    )
