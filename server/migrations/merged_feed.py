"""What phones see of merged accounts (used by migration 0019): the loser leaves, its visits belong to the winner.

Replaces four functions of `feed`: an account that was merged is in no bucket, a visit is wherever the account is that
stands for its own after all merges, and what lies below an account includes what lies below those merged into it.
"""

from server.migrations.feed import CHANGED

SURVIVING = """
create function account_surviving(account uuid) returns uuid language sql stable parallel safe as $$
    with recursive chain as (
        select a.id, a.merged_into, 0 as step from account a where a.id = account
        union all
        select a.id, a.merged_into, c.step + 1 from account a join chain c on a.id = c.merged_into where c.step < 100
    )
    select id from chain order by step desc limit 1
$$
"""

# A site that a merge has folded away stands for the main site of the account that lives on; any other for itself.
SITE_STANDING = """
create function site_standing(site_ uuid) returns uuid language sql stable parallel safe as $$
    select coalesce((
        select main.id from site s
        join account_merge m on s.account_id in (m.winner_id, m.loser_id)
            and m.merged_at = s.deleted_at and m.undone_at is null
        join site main on main.account_id = account_surviving(s.account_id) and main.is_main and main.deleted_at is null
        where s.id = site_ limit 1
    ), site_)
$$
"""

BUCKETS_ACCOUNT = """
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
    select a.id, sync_bucket('territory', a.territory_id::text) from account a
    where a.id = any(ids) and a.deleted_at is null and a.merged_into is null
    union
    select a.id, sync_bucket('territory', s.territory_id::text) from account a join site s on s.account_id = a.id
    where a.id = any(ids) and a.deleted_at is null and a.merged_into is null and s.deleted_at is null;
end $$
"""

BUCKETS_VISIT = """
create or replace function sync_buckets_visit(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
declare
    oldest date := current_date - interval '13 months';
begin
    return query
    select v.id, sync_bucket('user', v.rep_id::text) from visit v
    where v.id = any(ids) and v.deleted_at is null and v.day >= oldest
    union
    select v.id, i.bucket_id from visit v
    join sync_item i on i.e = 10 and i.id = account_surviving(v.account_id) and i.op = 'P'
    where v.id = any(ids) and v.deleted_at is null and v.day >= oldest;
end $$
"""

# Stops carry their account's id too, but lie below a route: they are sent again where they are.
CHILDREN = """
create or replace function sync_children(accounts uuid[]) returns void language plpgsql as $$
declare
    families uuid[];
begin
    families := array(
        with recursive family as (
            select a.id from account a where a.id = any(accounts)
            union
            select a.id from account a join family f on a.merged_into = f.id
        ) select f.id from family f);
    perform 1 from account a where a.id = any(families) order by a.id for update;
    perform sync_stamp(11::smallint, 'site', 'site', array(select s.id from site s where s.account_id = any(families)));
    perform sync_stamp(12::smallint, 'visit', 'visit',
                       array(select v.id from visit v where v.account_id = any(families)));
end $$
"""

TOUCH_ACCOUNT = f"""
create or replace function sync_touch_account() returns trigger language plpgsql as $$
declare
    ids uuid[];
    moved uuid[];
    merged uuid[];
begin
    {CHANGED}
    moved := sync_moved(10::smallint, 'account', ids);
    perform sync_stamp(10::smallint, 'account', 'account', ids);
    if tg_op = 'UPDATE' then
        merged := array(select n.id from new_rows n join old_rows o on o.id = n.id
                        where n.merged_into is distinct from o.merged_into);
        moved := moved || merged;
        if merged <> '{{}}' then
            perform sync_stamp(21::smallint, 'stop', 'stop',
                               array(select s.id from stop s where s.account_id = any(merged)));
        end if;
    end if;
    if moved <> '{{}}' then perform sync_children(moved); end if;
    return null;
end $$
"""

FUNCTIONS = (SITE_STANDING, BUCKETS_ACCOUNT, BUCKETS_VISIT, CHILDREN, TOUCH_ACCOUNT)
