"""Accounts that nobody is responsible for reach the phones of those who see them on the pages."""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

BUCKETS = """
create or replace function sync_buckets_account(ids uuid[]) returns table (id uuid, bucket_id int)
language plpgsql as $$
begin
    return query
    select a.id, sync_bucket('user', a.owner_id::text) from account a
    where a.id = any(ids) and a.deleted_at is null and a.merged_into is null
    union
    select a.id, sync_bucket('user', r.user_id::text) from account a join account_rep r on r.account_id = a.id
    where a.id = any(ids) and a.deleted_at is null and a.merged_into is null
    union
    select a.id, sync_bucket('territory', coalesce(a.territory_id::text, 'nobody')) from account a
    where a.id = any(ids) and a.deleted_at is null and a.merged_into is null
      and (a.territory_id is not null or a.owner_id is null)
    union
    select a.id, sync_bucket('territory', s.territory_id::text) from account a join site s on s.account_id = a.id
    where a.id = any(ids) and a.deleted_at is null and a.merged_into is null and s.deleted_at is null;
end $$
"""

MADE = "select sync_bucket('territory', 'nobody')"

ROWS_OF_BEFORE = """
select sync_regroup(array(select id from account where owner_id is null and territory_id is null))
"""


def upgrade() -> None:
    """Give them a bucket, and enter those that are there."""
    for statement in (BUCKETS, MADE, ROWS_OF_BEFORE):
        op.execute(statement)
