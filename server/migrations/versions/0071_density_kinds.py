"""Density by kind: rates and values of kinds, counts by kind, what was to be expected, the territory of a cell.

Everything is counted anew by the next refresh, which the worker does within five minutes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

ZERO = sa.text("0")


def upgrade() -> None:
    """Make room, and forget what was counted without kinds."""
    for table in ("density_state", "density_cell", "density_customer"):
        op.execute(f"delete from {table}")
    kinds()
    cells()
    for table in ("density_count", "density_cell"):
        op.execute(f"alter table {table} set (fillfactor = 80)")  # updates stay in their page
    op.add_column(
        "density_customer",
        sa.Column(
            "prospect_cell",
            sa.BigInteger(),
            nullable=True,
            comment="H3 cell of that prospect in the finest resolution, where it is counted no longer.",
        ),
    )
    op.add_column(
        "density_customer",
        sa.Column(
            "trade_id",
            sa.SmallInteger(),
            server_default=ZERO,
            nullable=False,
            comment="Kind of that prospect; 0: not known.",
        ),
    )
    state()


def kinds() -> None:
    """Kinds, and firms by kind."""
    op.create_table(
        "density_trade",
        sa.Column("id", sa.SmallInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="`shop=bakery`"),
        sa.Column(
            "firms",
            sa.Float(),
            server_default=ZERO,
            nullable=False,
            comment="Prospects and customers when it was learned.",
        ),
        sa.Column(
            "customers",
            sa.Float(),
            server_default=ZERO,
            nullable=False,
            comment="Those of them that were customers.",
        ),
        sa.Column(
            "rate",
            sa.Float(),
            server_default=ZERO,
            nullable=False,
            comment="Share that become customers, drawn towards that of all kinds.",
        ),
        sa.Column(
            "value",
            sa.Float(),
            server_default=ZERO,
            nullable=False,
            comment="Mean yearly value of such customers, drawn towards that of all kinds.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_density_trade")),
        sa.UniqueConstraint("kind", name=op.f("uq_density_trade_kind")),
    )
    op.create_table(
        "density_count",
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False, comment="H3 index."),
        sa.Column(
            "trade_id",
            sa.SmallInteger(),
            autoincrement=False,
            nullable=False,
            comment="Kind; 0: customers of no known kind.",
        ),
        sa.Column("prospects", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Numeric(12, 2), nullable=False),
        sa.PrimaryKeyConstraint("cell", "trade_id", name=op.f("pk_density_count")),
    )


def cells() -> None:
    """What a hexagon lets expect, and whose it is."""
    for name, comment in (
        ("expected", "Customers by the rates of the kinds."),
        ("variance", "Of expected: sum of rate (1 - rate)."),
        ("value", "Prospects x rate x value of their kind, a year."),
    ):
        column = sa.Column(name, sa.Float(), server_default=ZERO, nullable=False, comment=comment)
        op.add_column("density_cell", column)
    op.add_column(
        "density_cell",
        sa.Column(
            "territory_id",
            sa.Uuid(),
            nullable=True,
            comment="The territory that covers its middle, the smallest of several.",
        ),
    )
    op.create_index(op.f("ix_density_cell_territory_id"), "density_cell", ["territory_id"])


def state() -> None:
    """What else decides the counts, and the legends."""
    op.add_column(
        "density_state",
        sa.Column(
            "territories",
            sa.String(),
            server_default=sa.text("''"),
            nullable=False,
            comment="Fingerprint of the territories to which cells were given.",
        ),
    )
    op.add_column(
        "density_state",
        sa.Column(
            "learned_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the rates and values of kinds were learned.",
        ),
    )
    for name, comment in (
        ("usual_rate", "Customers / firms of all kinds."),
        ("usual_value", "Mean yearly value of the customers that have one."),
    ):
        column = sa.Column(name, sa.Float(), server_default=ZERO, nullable=False, comment=comment)
        op.add_column("density_state", column)
    op.add_column(
        "density_state",
        sa.Column(
            "breaks",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Bounds of the legends' classes by layer and resolution.",
        ),
    )
