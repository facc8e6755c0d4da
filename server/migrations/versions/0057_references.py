"""Activities and notes know what another system calls them; the end of the bin takes what is only ever added."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

TABLES = ("activity", "note")

# Only the job that empties the bin sets this, for its own transaction; nobody else takes such rows away.
PURGES = """
    if tg_op = 'DELETE' and current_setting('waymark.purging', true) = 'on' then
        return old;
    end if;
"""
STAGES = """
create or replace function stage_change_only_added() returns trigger language plpgsql as $$
begin{purges}
    raise exception 'rows of stage_change are only added' using errcode = 'restrict_violation';
end $$
"""
TICKETS = """
create or replace function only_appended() returns trigger language plpgsql as $$
begin{purges}
    if tg_op = 'UPDATE' and tg_nargs > 0 and (to_jsonb(new) - tg_argv[0]) = (to_jsonb(old) - tg_argv[0]) then
        return new;
    end if;
    raise exception 'rows of % are only ever appended', tg_table_name;
end $$
"""


def upgrade() -> None:
    """Add the column; no two living rows are called alike."""
    comment = "What another system calls it; imports recognise it by that."
    for table in TABLES:
        op.add_column(table, sa.Column("reference", sa.String(), nullable=True, comment=comment))
        op.create_index(
            f"uq_{table}_reference",
            table,
            ["reference"],
            unique=True,
            postgresql_where=sa.text("deleted_at is null"),
        )
    for function in (STAGES, TICKETS):
        op.execute(function.format(purges=PURGES))


def downgrade() -> None:
    """Forget the names, and let nothing go."""
    for function in (STAGES, TICKETS):
        op.execute(function.format(purges=""))
    for table in TABLES:
        op.drop_index(f"uq_{table}_reference", table)
        op.drop_column(table, "reference")
