"""Tables of imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of imports."""
    op.create_table(
        "import_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="What is imported, e.g. accounts."),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Bytes."),
        sa.Column("format", sa.String(), nullable=False, comment="csv or xlsx."),
        sa.Column("encoding", sa.String(), nullable=True),
        sa.Column("delimiter", sa.String(), nullable=True),
        sa.Column("sheet", sa.String(), nullable=True),
        sa.Column("header", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "row_count",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Rows that are not empty, without header.",
        ),
        sa.Column(
            "mapping",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Position of a column -> field.",
        ),
        sa.Column("options", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("state", sa.String(), server_default="received", nullable=False),
        sa.Column(
            "done_rows",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Progress of the present step.",
        ),
        sa.Column(
            "counts",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Rows by action, and `warnings`.",
        ),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
    )
    op.create_table(
        "import_outcome",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False, comment="Field -> value; only what the row says."),
        sa.Column("problems", postgresql.JSONB(), nullable=False, comment="Each with level, field, code, message."),
        sa.Column("key", sa.String(), nullable=True, comment="What the record is recognised by."),
        sa.Column("new_ids", sa.ARRAY(sa.Uuid()), nullable=False, comment="Ids for the rows that a creation writes."),
        sa.Column("target_id", sa.Uuid(), nullable=True, comment="The record that is there."),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column(
            "changes",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Field -> [before, after].",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name="fk_import_outcome_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "row_no", name="pk_import_outcome"),
    )
    op.create_index("ix_import_outcome_action", "import_outcome", ["run_id", "action", "row_no"], unique=False)
    op.create_table(
        "import_row",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False, comment="As a spreadsheet counts, the header included."),
        sa.Column("cells", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("problem", sa.String(), nullable=True, comment="Why the row could not be read."),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name="fk_import_row_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "row_no", name="pk_import_row"),
    )
