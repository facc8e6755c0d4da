"""Lists of an owner, a class, a town, of people and of visits are counted from indexes alone."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

LIVING = sa.text("deleted_at is null and merged_into is null")


def upgrade() -> None:
    """Create the indexes; the one of towns holds the town and whether the site is deleted."""
    op.create_index("ix_account_living_owner", "account", ["owner_id", "id"], postgresql_where=LIVING)
    op.create_index(
        "ix_account_living_class",
        "account",
        ["account_class", "id"],
        postgresql_include=["owner_id", "territory_id"],
        postgresql_where=LIVING,
    )
    op.create_index(
        "ix_visit_counted",
        "visit",
        ["state", "day", "account_id"],
        postgresql_include=["outcome"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_contact_account_living",
        "contact_account",
        ["account_id", "contact_id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.drop_index("ix_site_city_lower", "site")
    op.create_index(
        "ix_site_city_lower",
        "site",
        [sa.text("lower(city)"), "account_id"],
        postgresql_include=["city", "deleted_at"],
    )
    op.execute("analyze site")  # how common each town is belongs to the index
