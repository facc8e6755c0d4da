"""Counted customers carry their name and roughly where they are, so that those around a changed firm are found without
reading sites and accounts."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0118"
down_revision = "0117"
branch_labels = None
depends_on = None

# Who changed since is counted anew by the next refresh; a row without its site or account goes away there.
FILLED = """
    update density_customer counted set plain_name = search_text(a.name), near = ST_SnapToGrid(s.pin, 0.001)
    from site s join account a on a.id = s.account_id where s.id = counted.site_id
"""
LOST = """
    update density_customer set plain_name = coalesce(plain_name, ''), near = coalesce(near, ST_Point(0, 0, 4326))
    where plain_name is null or near is null
"""


def upgrade() -> None:
    """Tell them of the customers as they are: some ten seconds for half a million."""
    op.add_column(
        "density_customer",
        sa.Column("plain_name", sa.String(), nullable=True, comment="Of its account, as `search_text` has it."),
    )
    op.add_column(
        "density_customer",
        sa.Column(
            "near", Geometry("POINT", srid=4326, spatial_index=False), nullable=True,
            comment="Its pin on a grid of 0.001 degrees: finds the customers around a firm.",
        ),
    )  # fmt: skip
    op.execute(FILLED)
    op.execute(LOST)
    for column in ("plain_name", "near"):
        op.alter_column("density_customer", column, nullable=False)
    op.create_index("ix_density_customer_near", "density_customer", ["near"], postgresql_using="gist")


def downgrade() -> None:
    """Sites and accounts are read again."""
    op.drop_index("ix_density_customer_near", table_name="density_customer")
    for column in ("near", "plain_name"):
        op.drop_column("density_customer", column)
