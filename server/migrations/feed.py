"""The triggers that keep what reaches phones in step with every change, whoever makes it (used by migration 0014).

`sync_item` holds the current membership of each row in each bucket, stamped with the transaction that last touched it.
The triggers compare what it says with where the rows belong (`sync_buckets_<entity>`), for all rows of a statement at
once. Work that no phone has to hear of says `set local sync.suppress = 'on'`.
"""

VALUES = """
create function sync_time(moment timestamptz) returns text language sql immutable parallel safe
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

create function sync_degrees(degrees double precision) returns double precision language sql immutable parallel safe
return round(degrees::numeric, 7)::double precision;
"""

# A bucket by its meaning; made when it is first needed.
BUCKET = """
create function sync_bucket(kind_ text, key_ text) returns int language plpgsql as $$
declare
    found_ int;
begin
    if key_ is null then return null; end if;
    select b.id into found_ from bucket b where b.kind = kind_ and b.key = key_;
    if found_ is null then
        insert into bucket (kind, key, priority)
        values (kind_, key_, case kind_ when 'user' then 0 when 'territory' then 1 else 2 end)
        on conflict do nothing returning id into found_;
    end if;
    if found_ is null then
        select b.id into found_ from bucket b where b.kind = kind_ and b.key = key_;
    end if;
    return found_;
end $$
"""

# In which buckets the living rows among some ids belong. Rows below an account are wherever the account is.
BUCKETS_OF = (
    """
create function sync_buckets_user_public(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    perform sync_bucket('user', u.id::text) from app_user u where u.id = any(ids);
    return query select u.id, sync_bucket('company', '') from app_user u where u.id = any(ids) and u.deleted_at is null;
end $$
""",
    """
create function sync_buckets_picklist(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query select p.id, sync_bucket('company', '') from picklist p where p.id = any(ids) and p.deleted_at is null;
end $$
""",
    """
create function sync_buckets_territory(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    perform sync_bucket('territory', t.id::text) from territory t where t.id = any(ids);
    return query
    select t.id, sync_bucket('company', '') from territory t where t.id = any(ids) and t.deleted_at is null;
end $$
""",
    """
create function sync_buckets_account(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query
    select a.id, sync_bucket('user', a.owner_id::text) from account a
    where a.id = any(ids) and a.deleted_at is null
    union
    select a.id, sync_bucket('user', r.user_id::text) from account a join account_rep r on r.account_id = a.id
    where a.id = any(ids) and a.deleted_at is null
    union
    select a.id, sync_bucket('territory', a.territory_id::text) from account a
    where a.id = any(ids) and a.deleted_at is null
    union
    select a.id, sync_bucket('territory', s.territory_id::text) from account a join site s on s.account_id = a.id
    where a.id = any(ids) and a.deleted_at is null and s.deleted_at is null;
end $$
""",
    """
create function sync_buckets_site(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query
    select s.id, i.bucket_id from site s join sync_item i on i.e = 10 and i.id = s.account_id and i.op = 'P'
    where s.id = any(ids) and s.deleted_at is null;
end $$
""",
    """
create function sync_buckets_visit(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
declare
    oldest date := current_date - interval '13 months';
begin
    return query
    select v.id, sync_bucket('user', v.rep_id::text) from visit v
    where v.id = any(ids) and v.deleted_at is null and v.day >= oldest
    union
    select v.id, i.bucket_id from visit v join sync_item i on i.e = 10 and i.id = v.account_id and i.op = 'P'
    where v.id = any(ids) and v.deleted_at is null and v.day >= oldest;
end $$
""",
    """
create function sync_buckets_route(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query
    select r.id, sync_bucket('user', r.rep_id::text) from route r
    where r.id = any(ids) and r.deleted_at is null and r.published_at is not null
      and r.day >= current_date - interval '31 days';
end $$
""",
    """
create function sync_buckets_stop(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query
    select s.id, i.bucket_id from stop s join sync_item i on i.e = 20 and i.id = s.route_id and i.op = 'P'
    where s.id = any(ids) and s.deleted_at is null;
end $$
""",
)

# The rows among some ids that are not in the buckets where they belong.
MOVED = """
create function sync_moved(code smallint, entity text, ids uuid[]) returns uuid[] language plpgsql as $$
declare
    moved uuid[];
begin
    execute format($q$
        with wanted as materialized (
            select w.id, w.bucket_id from sync_buckets_%s($1) w where w.bucket_id is not null),
        present as materialized (
            select i.id, i.bucket_id from sync_item i where i.e = $2 and i.id = any($1) and i.op = 'P')
        select array(select distinct d.id from (
            (table wanted except table present) union all (table present except table wanted)) d)
    $q$, entity) into moved using ids, code;
    return moved;
end $$
"""

# Enter rows into their buckets, and out of those that they have left, under the number of this transaction.
STAMP = """
create function sync_stamp(code smallint, entity text, source text, ids uuid[]) returns void language plpgsql as $$
begin
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

# What lies below accounts whose buckets changed goes with them. Whoever adds a row below an account holds it for key
# share; taking it for update here means that neither misses the other.
CHILDREN = """
create function sync_children(accounts uuid[]) returns void language plpgsql as $$
begin
    perform 1 from account a where a.id = any(accounts) order by a.id for update;
    perform sync_stamp(11::smallint, 'site', 'site', array(select s.id from site s where s.account_id = any(accounts)));
    perform sync_stamp(12::smallint, 'visit', 'visit',
                       array(select v.id from visit v where v.account_id = any(accounts)));
end $$;

create function sync_regroup(accounts uuid[]) returns void language plpgsql as $$
declare
    moved uuid[];
begin
    if accounts is null or accounts = '{}' then return; end if;
    perform 1 from account a where a.id = any(accounts) order by a.id for update;
    moved := sync_moved(10::smallint, 'account', accounts);
    if moved <> '{}' then
        perform sync_stamp(10::smallint, 'account', 'account', moved);
        perform sync_children(moved);
    end if;
end $$
"""

SUPPRESSED = "current_setting('sync.suppress', true) = 'on'"

# The rows that a statement changed, into `ids`; nothing to do when there are none.
CHANGED = f"""
    if {SUPPRESSED} then return null; end if;
    if tg_op = 'INSERT' then
        ids := array(select n.id from new_rows n);
    elsif tg_op = 'DELETE' then
        ids := array(select o.id from old_rows o);
    else
        ids := array(select n.id from new_rows n join old_rows o on o.id = n.id where n.rev is distinct from o.rev);
    end if;
    if ids = '{{}}' then return null; end if;
"""

# For every entity that has nothing below it; arguments: code, entity, `account` when it lies below an account.
TOUCH = f"""
create function sync_touch() returns trigger language plpgsql as $$
declare
    ids uuid[];
begin
    {CHANGED}
    if tg_op <> 'DELETE' and tg_nargs > 2 then
        perform 1 from account a where a.id in (select n.account_id from new_rows n) order by a.id for key share;
    end if;
    perform sync_stamp(tg_argv[0]::smallint, tg_argv[1], tg_table_name, ids);
    return null;
end $$
"""

TOUCH_ACCOUNT = f"""
create function sync_touch_account() returns trigger language plpgsql as $$
declare
    ids uuid[];
    moved uuid[];
begin
    {CHANGED}
    moved := sync_moved(10::smallint, 'account', ids);
    perform sync_stamp(10::smallint, 'account', 'account', ids);
    if moved <> '{{}}' then perform sync_children(moved); end if;
    return null;
end $$
"""

TOUCH_SITE = f"""
create function sync_touch_site() returns trigger language plpgsql as $$
declare
    ids uuid[];
    accounts uuid[];
begin
    {CHANGED}
    if tg_op = 'INSERT' then
        accounts := array(select distinct n.account_id from new_rows n);
    elsif tg_op = 'DELETE' then
        accounts := array(select distinct o.account_id from old_rows o);
    else
        accounts := array(
            select distinct a.id from new_rows n join old_rows o on o.id = n.id
            cross join lateral (values (n.account_id), (o.account_id)) a(id)
            where (n.territory_id, n.account_id, n.deleted_at is null)
                is distinct from (o.territory_id, o.account_id, o.deleted_at is null));
    end if;
    perform sync_regroup(accounts);
    if tg_op <> 'DELETE' then
        perform 1 from account a where a.id in (select n.account_id from new_rows n) order by a.id for key share;
    end if;
    perform sync_stamp(11::smallint, 'site', 'site', ids);
    return null;
end $$
"""

TOUCH_ROUTE = f"""
create function sync_touch_route() returns trigger language plpgsql as $$
declare
    ids uuid[];
    moved uuid[];
begin
    {CHANGED}
    moved := sync_moved(20::smallint, 'route', ids);
    perform sync_stamp(20::smallint, 'route', 'route', ids);
    if moved <> '{{}}' then
        perform sync_stamp(21::smallint, 'stop', 'stop',
                           array(select s.id from stop s where s.route_id = any(moved)));
    end if;
    return null;
end $$
"""

TOUCH_ACCOUNT_REP = f"""
create function sync_touch_account_rep() returns trigger language plpgsql as $$
begin
    if {SUPPRESSED} then return null; end if;
    if tg_op <> 'INSERT' then
        perform sync_regroup(array(select distinct o.account_id from old_rows o));
    end if;
    if tg_op <> 'DELETE' then
        perform sync_regroup(array(select distinct n.account_id from new_rows n));
    end if;
    return null;
end $$
"""

ATTACH = """
create function sync_attach(target regclass, handler text, arguments text default '') returns void
language plpgsql as $$
begin
    execute format('create trigger sync_insert after insert on %s referencing new table as new_rows
                    for each statement execute function %I(%s)', target, handler, arguments);
    execute format('create trigger sync_update after update on %s referencing old table as old_rows
                    new table as new_rows for each statement execute function %I(%s)', target, handler, arguments);
    execute format('create trigger sync_delete after delete on %s referencing old table as old_rows
                    for each statement execute function %I(%s)', target, handler, arguments);
end $$
"""

ATTACHED = """
select sync_attach('app_user', 'sync_touch', '1, user_public'),
       sync_attach('picklist', 'sync_touch', '2, picklist'),
       sync_attach('territory', 'sync_touch', '3, territory'),
       sync_attach('account', 'sync_touch_account'),
       sync_attach('account_rep', 'sync_touch_account_rep'),
       sync_attach('site', 'sync_touch_site'),
       sync_attach('visit', 'sync_touch', '12, visit, account'),
       sync_attach('route', 'sync_touch_route'),
       sync_attach('stop', 'sync_touch', '21, stop')
"""

ROWS_OF_BEFORE = """
select sync_stamp(1::smallint, 'user_public', 'app_user', array(select id from app_user)),
       sync_stamp(3::smallint, 'territory', 'territory', array(select id from territory)),
       sync_stamp(10::smallint, 'account', 'account', array(select id from account)),
       sync_stamp(11::smallint, 'site', 'site', array(select id from site)),
       sync_stamp(12::smallint, 'visit', 'visit', array(select id from visit)),
       sync_stamp(20::smallint, 'route', 'route', array(select id from route)),
       sync_stamp(21::smallint, 'stop', 'stop', array(select id from stop))
"""

OUTCOMES = """
insert into picklist (id, name, values) values (gen_random_uuid(), 'visit_outcome', '[
    {"value": "order", "label": "Order"},
    {"value": "follow_up", "label": "Follow up"},
    {"value": "information", "label": "Information"},
    {"value": "not_interested", "label": "Not interested"},
    {"value": "nobody_there", "label": "Nobody there"}]')
"""

IDENTITY = """
insert into sync_meta (secret)
values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'))
"""

FUNCTIONS = (
    VALUES,
    BUCKET,
    *BUCKETS_OF,
    MOVED,
    STAMP,
    CHILDREN,
    TOUCH,
    TOUCH_ACCOUNT,
    TOUCH_SITE,
    TOUCH_ACCOUNT_REP,
    TOUCH_ROUTE,
)
