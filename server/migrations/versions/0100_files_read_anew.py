"""A text file is kept until it is imported, to be read in another way; amounts have any decimals."""

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = "0099"
branch_labels = None
depends_on = None

AMOUNTS = (("account", "yearly_value"), ("account", "yearly_potential"), ("lead", "expected_value"))
"""With the decimals of their currency: KWD has three. To leave the limit out rewrites no row."""


def upgrade() -> None:
    """Add the pieces of files and the encoding of rows."""
    op.add_column(
        "import_row",
        sa.Column("encoding", sa.String(), comment="In what it is written, when most of the file is otherwise."),
    )
    op.create_table(
        "import_piece",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False, comment="Packed by zlib."),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], "fk_import_piece_run_id_import_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "place", name="pk_import_piece"),
    )
    for table, column in AMOUNTS:
        op.alter_column(table, column, type_=sa.Numeric(), existing_type=sa.Numeric(14, 2))


def downgrade() -> None:
    """Take them away."""
    for table, column in AMOUNTS:
        op.alter_column(table, column, type_=sa.Numeric(14, 2), existing_type=sa.Numeric())
    op.drop_table("import_piece")
    op.drop_column("import_row", "encoding")
