"""Which account stands for a merged one after all merges is kept, instead of asked step by step for every row."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

# Whatever was merged into the account before comes along; one whose merge is taken back stands for itself again.
FOLD = """
create function account_fold() returns trigger language plpgsql as $$
begin
    if new.merged_into is null then
        delete from account_folded where id = new.id;
    end if;
    insert into account_folded (id, survivor_id)
    with recursive family as (
        select new.id as id
        union
        select a.id from account a join family f on a.merged_into = f.id
    ), above as (
        select new.id as id, new.merged_into, 0 as step
        union all
        select a.id, a.merged_into, u.step + 1 from account a join above u on a.id = u.merged_into where u.step < 100
    ), top as (select id from above order by step desc limit 1)
    select f.id, t.id from family f, top t where f.id <> t.id
    on conflict (id) do update set survivor_id = excluded.survivor_id;
    return null;
end $$
"""
ATTACHED = (
    "create trigger account_fold_changed after update of merged_into on account for each row"
    " when (old.merged_into is distinct from new.merged_into) execute function account_fold()",
    "create trigger account_fold_written after insert on account for each row"
    " when (new.merged_into is not null) execute function account_fold()",
)
BEFORE = """
insert into account_folded (id, survivor_id)
select id, account_surviving(id) from account where merged_into is not null
"""
SURVIVING = """
create or replace function account_surviving(account uuid) returns uuid language sql stable parallel safe as $$
    select coalesce((select f.survivor_id from account_folded f where f.id = account), account)
$$
"""


def upgrade() -> None:
    """Create the table, fill it, keep it from now on, and ask it."""
    op.create_table(
        "account_folded",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survivor_id", sa.Uuid(), nullable=False, comment="The account that lives on after all merges."),
        sa.ForeignKeyConstraint(["id"], ["account.id"], name="fk_account_folded_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["survivor_id"], ["account.id"], name="fk_account_folded_survivor_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_folded"),
    )
    op.create_index("ix_account_folded_survivor_id", "account_folded", ["survivor_id"])
    for statement in (BEFORE, FOLD, *ATTACHED, SURVIVING):
        op.execute(statement)
