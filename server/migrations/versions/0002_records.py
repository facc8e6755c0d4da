"""Tables of records, and the trigger that keeps revisions and history of every record."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


TOUCH = """
create function records_touch() returns trigger language plpgsql as $$
declare
    before jsonb;
    after jsonb;
    field text;
    changed jsonb := '{}';
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
    for field in select key from jsonb_each(after) where value is distinct from before -> key loop
        changed := changed || jsonb_build_object(field, old.rev + 1);
        insert into field_history (entity, row_id, rev, field, old, new, actor, source, op_id)
        values (tg_table_name, new.id, old.rev + 1, field,
                nullif(before -> field, 'null'), nullif(after -> field, 'null'), who, door, op);
    end loop;
    if changed = '{}' then
        new.rev := old.rev;
        new.frev := old.frev;
        new.updated_at := old.updated_at;
        return new;
    end if;
    new.rev := old.rev + 1;
    new.frev := old.frev || changed;
    new.updated_at := clock_timestamp();
    return new;
end $$
"""

ATTACH = """
create function records_attach(target regclass) returns void language plpgsql as $$
begin
    execute format('create trigger records_touch before insert or update on %s
                    for each row execute function records_touch()', target);
end $$
"""


def upgrade() -> None:
    """Create the tables of records."""
    op.create_table(
        "field_conflict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("base", postgresql.JSONB(), nullable=True),
        sa.Column("mine", postgresql.JSONB(), nullable=True),
        sa.Column("server", postgresql.JSONB(), nullable=True),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("op_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_field_conflict"),
    )
    op.create_index("ix_field_conflict_open", "field_conflict", ["state", "created_at"], unique=False)
    op.create_index("ix_field_conflict_row", "field_conflict", ["entity", "row_id"], unique=False)
    op.create_table(
        "field_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("old", postgresql.JSONB(), nullable=True),
        sa.Column("new", postgresql.JSONB(), nullable=True),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("op_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_field_history"),
    )
    op.create_index("ix_field_history_row", "field_history", ["entity", "row_id", "rev"], unique=False)
    op.execute(TOUCH)
    op.execute(ATTACH)
