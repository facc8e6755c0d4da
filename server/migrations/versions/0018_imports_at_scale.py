"""Profiles, undo, what stays, and what was mended, for imports; history by operation, written faster."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# As before, but with one statement for all changed fields of a row: a third less time for a bulk change.
TOUCH = """
create or replace function records_touch() returns trigger language plpgsql as $$
declare
    before jsonb;
    after jsonb;
    changed jsonb;
    kept constant text[] := array['id', 'rev', 'frev', 'created_at', 'updated_at'];
    who uuid := nullif(current_setting('waymark.actor', true), '')::uuid;
    door text := coalesce(nullif(current_setting('waymark.source', true), ''), 'sql');
    op uuid := nullif(current_setting('waymark.op_id', true), '')::uuid;
begin
    if tg_op = 'INSERT' then
        new.rev := 1;
        new.frev := '{}';
        insert into field_history (entity, row_id, rev, field, actor, source, op_id)
        values (tg_table_name, new.id, 1, '*', who, door, op);
        return new;
    end if;
    before := to_jsonb(old) - kept;
    after := to_jsonb(new) - kept;
    changed := (
        select jsonb_object_agg(key, old.rev + 1) from jsonb_each(after) where value is distinct from before -> key
    );
    if changed is null then
        new.rev := old.rev;
        new.frev := old.frev;
        new.updated_at := old.updated_at;
        return new;
    end if;
    insert into field_history (entity, row_id, rev, field, old, new, actor, source, op_id)
    select tg_table_name, new.id, old.rev + 1, field,
           nullif(before -> field, 'null'), nullif(after -> field, 'null'), who, door, op
    from jsonb_object_keys(changed) field;
    new.rev := old.rev + 1;
    new.frev := old.frev || changed;
    new.updated_at := clock_timestamp();
    return new;
end $$
"""

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
    op.execute(TOUCH)
