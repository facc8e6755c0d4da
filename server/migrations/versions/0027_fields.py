"""Custom fields of accounts, sites and visits; visit types with their forms."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# A row's own fields lie together in `custom`; history and revisions tell of each by itself, as `custom.<key>`.
FUNCTIONS = (
    """
create function custom_flat(custom jsonb) returns jsonb language sql immutable parallel safe
return (select coalesce(jsonb_object_agg('custom.' || key, value), '{}') from jsonb_each(custom))
""",
    """
create function custom_inner(doc jsonb) returns jsonb language sql immutable parallel safe
return (select coalesce(jsonb_object_agg(substr(key, 8), value), '{}') from jsonb_each(doc) where key like 'custom.%')
""",
    """
create function custom_words(custom jsonb) returns text language sql immutable parallel safe
return (select search_text(coalesce(string_agg(value #>> '{}', ' '), '')) from jsonb_each(custom))
""",
)

TOUCH = """
create or replace function records_touch() returns trigger language plpgsql as $$
declare
    before jsonb;
    after jsonb;
    field text;
    changed jsonb := '{}';
    gone jsonb;
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
    if jsonb_typeof(after -> 'custom') = 'object' then
        if before -> 'custom' is distinct from after -> 'custom' then
            gone := (select coalesce(jsonb_object_agg(key, null), '{}') from jsonb_object_keys(before -> 'custom') key);
            before := before || custom_flat(before -> 'custom');
            after := after || custom_flat(gone) || custom_flat(after -> 'custom');
        end if;
        before := before - 'custom';
        after := after - 'custom';
    end if;
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


def upgrade() -> None:
    """Create the tables, and let the history tell of each custom field by itself."""
    for statement in (*FUNCTIONS, TOUCH):
        op.execute(statement)
    tables()
    columns()


def tables() -> None:
    """Fields, visit types and forms."""
    op.create_table(
        "custom_field",
        sa.Column("object", sa.String(), nullable=False, comment="See `fields.models.OBJECTS`."),
        sa.Column(
            "key",
            sa.String(),
            nullable=False,
            comment="Under which values are stored, filtered and imported; never changes.",
        ),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="See `FieldKind`."),
        sa.Column("section", sa.String(), nullable=True, comment="Heading under which it is shown."),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("help", sa.String(), nullable=True),
        sa.Column(
            "unit",
            sa.String(),
            nullable=True,
            comment="Of a number, e.g. `m²`; of money its usual currency (ISO 4217).",
        ),
        sa.Column("required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("searchable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("default", postgresql.JSONB(), nullable=True, comment="What new rows get."),
        sa.Column(
            "choices",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment='[{"value": ..., "label": ..., "archived": bool}]; archived ones stay where they stand.',
        ),
        sa.Column("minimum", sa.Numeric(), nullable=True, comment="Of numbers and amounts."),
        sa.Column("maximum", sa.Numeric(), nullable=True),
        sa.Column(
            "pattern", sa.String(), nullable=True, comment="Regular expression that a text must match as a whole."
        ),
        sa.Column(
            "archived",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Not shown any more; values stay.",
        ),
        *record(),
        sa.CheckConstraint("minimum <= maximum", name=op.f("ck_custom_field_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
    )
    op.create_index(
        "uq_custom_field_key",
        "custom_field",
        ["object", "key"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "visit_type",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("service_s", sa.Integer(), nullable=True, comment="Usual length; null: as planned for the site."),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "archived", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Not offered any more."
        ),
        *record(),
        sa.CheckConstraint("service_s between 60 and 86400", name=op.f("ck_visit_type_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_type")),
    )
    op.create_index(
        "uq_visit_type_name",
        "visit_type",
        [sa.literal_column("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "form_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_type_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("questions", postgresql.JSONB(), nullable=False, comment="In order; see `fields.forms.Question`."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["visit_type_id"], ["visit_type.id"], name=op.f("fk_form_version_visit_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_version")),
        sa.UniqueConstraint("visit_type_id", "version", name=op.f("uq_form_version_visit_type_id_version")),
    )
    for table in ("custom_field", "visit_type"):
        op.execute(f"select records_attach('{table}')")


def columns() -> None:
    """Where the values lie."""
    op.add_column(
        "account",
        sa.Column(
            "custom",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Values of the company's own fields by key.",
        ),
    )
    op.create_index(
        "ix_account_custom",
        "account",
        [sa.literal_column("custom_words(custom)").label("words")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )
    op.add_column(
        "site",
        sa.Column(
            "custom",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Values of the company's own fields by key.",
        ),
    )
    op.create_index(
        "ix_site_custom",
        "site",
        [sa.literal_column("custom_words(custom)").label("words")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )
    op.add_column("visit", sa.Column("visit_type_id", sa.Uuid(), nullable=True))
    op.add_column(
        "visit", sa.Column("form_version_id", sa.Uuid(), nullable=True, comment="What was asked; the answers go by it.")
    )
    op.add_column(
        "visit",
        sa.Column(
            "answers",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="By the keys of the form's questions.",
        ),
    )
    op.add_column(
        "visit",
        sa.Column(
            "custom",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Values of the company's own fields by key.",
        ),
    )
    op.create_foreign_key(op.f("fk_visit_visit_type_id"), "visit", "visit_type", ["visit_type_id"], ["id"])
    op.create_foreign_key(op.f("fk_visit_form_version_id"), "visit", "form_version", ["form_version_id"], ["id"])


def record() -> list[sa.Column[Any]]:
    """The columns that every record carries."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
    ]
