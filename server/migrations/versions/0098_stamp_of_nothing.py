"""A stamp of no rows asks nothing: a new account stamped the rows of ten rooms that it cannot have yet."""

from alembic import op

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None

STAMP = """
create or replace function sync_stamp(code smallint, entity text, source text, ids uuid[])
returns void language plpgsql as $$
begin
    NOTHING
    execute format($q$
        with wanted as materialized (
            select distinct w.id, w.bucket_id from sync_buckets_%s($1) w where w.bucket_id is not null),
        alive as materialized (select r.id from %I r where r.id = any($1) and r.deleted_at is null),
        gone as (
            update sync_item i
            set op = case when exists (select from alive a where a.id = i.id) then 'R' else 'D' end,
                txid = pg_current_xact_id()
            where i.e = $2 and i.id = any($1) and i.op = 'P'
              and not exists (select from wanted w where w.id = i.id and w.bucket_id = i.bucket_id))
        insert into sync_item (e, id, bucket_id, op, txid)
        select $2, w.id, w.bucket_id, 'P', pg_current_xact_id() from wanted w order by w.id, w.bucket_id
        on conflict (e, id, bucket_id) do update set op = 'P', txid = excluded.txid
    $q$, entity, source) using ids, code;
end $$
"""


def upgrade() -> None:
    """Return at once where there is nothing to stamp."""
    op.execute(STAMP.replace("NOTHING", "if ids = '{}' then return; end if;"))


def downgrade() -> None:
    """Ask all the same."""
    op.execute(STAMP.replace("    NOTHING\n", ""))
