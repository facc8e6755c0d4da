"""Profiles, undo, what stays, and what was mended, for imports; history by operation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

EMPTY = sa.text("'{}'::jsonb")


def upgrade() -> None:
    """Create the tables of profiles and of what an undo has kept; add what imports remember."""
    op.create_table(
        "import_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="What is imported, e.g. accounts."),
        sa.Column("name", sa.String(), nullable=True, comment="Null for what is remembered by itself."),
        sa.Column("header", sa.ARRAY(sa.Text()), nullable=False, comment="The titles, reduced to letters and digits."),
        sa.Column("mapping", postgresql.JSONB(), nullable=False, comment="Pairs of a reduced title and a field."),
        sa.Column("options", postgresql.JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_profile"),
    )
    op.create_index(
        "uq_import_profile_name",
        "import_profile",
        ["kind", "name"],
        unique=True,
        postgresql_where=sa.text("name is not null"),
    )
    op.create_index(
        "uq_import_profile_header",
        "import_profile",
        ["kind", "header"],
        unique=True,
        postgresql_where=sa.text("name is null"),
    )
    op.create_table(
        "import_kept",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column(
            "record_id", sa.Uuid(), nullable=False, comment="What people call it by, e.g. the account of a site."
        ),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False, comment="`*` for a record that the import has created."),
        sa.Column("value", postgresql.JSONB(), nullable=True, comment="What stays."),
        sa.Column("former", postgresql.JSONB(), nullable=True, comment="What stood there before the import."),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("other_run", sa.Uuid(), nullable=True, comment="The later import."),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name="fk_import_kept_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_import_kept"),
    )
    op.create_index("ix_import_kept_run_id", "import_kept", ["run_id"], unique=False)
    op.add_column(
        "import_run",
        sa.Column("profile_id", sa.Uuid(), nullable=True, comment="Where the columns' meaning comes from."),
    )
    op.create_foreign_key(
        "fk_import_run_profile_id", "import_run", "import_profile", ["profile_id"], ["id"], ondelete="SET NULL"
    )
    op.add_column("import_run", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("import_run", sa.Column("undone_by", sa.Uuid(), nullable=True))
    op.add_column(
        "import_run",
        sa.Column("undo_op", sa.Uuid(), nullable=True, comment="The undo in the history of the records."),
    )
    op.add_column(
        "import_run",
        sa.Column(
            "undo_counts",
            postgresql.JSONB(),
            server_default=EMPTY,
            nullable=False,
            comment="Records `removed` and `restored`, values `kept`.",
        ),
    )
    op.alter_column("import_run", "format", comment="csv, xlsx, geojson or gpkg.", existing_comment="csv or xlsx.")
    op.alter_column("import_run", "sheet", comment="Sheet of a workbook, layer of a GeoPackage.")
    op.add_column(
        "import_row", sa.Column("note", sa.String(), nullable=True, comment="What was mended while it was read.")
    )
    op.add_column(
        "import_outcome",
        sa.Column(
            "kept",
            postgresql.JSONB(),
            server_default=EMPTY,
            nullable=False,
            comment="Field -> [what a person wrote and stays, what the file says].",
        ),
    )
    op.create_index(
        "ix_field_history_op",
        "field_history",
        ["op_id"],
        unique=False,
        postgresql_where=sa.text("op_id is not null"),
    )
