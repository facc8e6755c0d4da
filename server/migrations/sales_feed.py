"""What phones see beside accounts and visits: people, tickets, deals, the agenda, orders, leads, and the catalogue
(used by migration 0059).

What belongs to an account is wherever the account is, and with the person whose it is. What has ended
leaves the phones.
"""

from server.migrations.feed import CHANGED, SUPPRESSED

ENTITIES = (
    (4, "custom_field", "custom_field"),
    (5, "visit_type", "visit_type"),
    (6, "product", "product"),
    (7, "price_list", "price_list"),
    (8, "price_list_use", "price_list_use"),
    (14, "contact", "contact"),
    (15, "contact_account", "contact_account"),
    (16, "ticket", "ticket"),
    (17, "opportunity", "opportunity"),
    (18, "activity", "activity"),
    (19, "order", "sales_order"),
    (22, "lead", "lead"),
)
"""Code, name and table."""


def buckets(name: str, query: str) -> str:
    """The function that says in which buckets rows of an entity belong."""
    return f"""
create function sync_buckets_{name}(ids uuid[]) returns table (id uuid, bucket_id int) language plpgsql as $$
begin
    return query {query};
end $$
"""


def of_company(name: str) -> str:
    """Everybody has every row."""
    query = f"select r.id, sync_bucket('company', '') from {name} r where r.id = any(ids) and r.deleted_at is null"
    return buckets(name, query)


def at_account(name: str, table: str, people: str, held: str = "true") -> str:
    """Wherever its account is, and with its people, as long as the phones hold it."""
    return buckets(
        name,
        f"""
    select r.id, sync_bucket('user', p.id::text) from {table} r cross join lateral ({people}) p(id)
    where r.id = any(ids) and r.deleted_at is null and ({held})
    union
    select r.id, i.bucket_id from {table} r
    join sync_item i on i.e = 10 and i.id = account_surviving(r.account_id) and i.op = 'P'
    where r.id = any(ids) and r.deleted_at is null and ({held})""",
    )


BUCKETS = (
    of_company("custom_field"),
    of_company("visit_type"),
    of_company("product"),
    of_company("price_list"),
    buckets(
        "price_list_use",
        """
    select r.id, sync_bucket('company', '') from price_list_use r
    where r.id = any(ids) and r.deleted_at is null and r.account_id is null
    union
    select r.id, i.bucket_id from price_list_use r
    join sync_item i on i.e = 10 and i.id = account_surviving(r.account_id) and i.op = 'P'
    where r.id = any(ids) and r.deleted_at is null""",
    ),
    buckets(
        "contact",
        """
    select c.id, sync_bucket('user', c.owner_id::text) from contact c
    where c.id = any(ids) and c.deleted_at is null and c.merged_into is null
    union
    select c.id, i.bucket_id from contact c
    join contact_account l on l.contact_id = c.id and l.deleted_at is null
    join sync_item i on i.e = 10 and i.id = account_surviving(l.account_id) and i.op = 'P'
    where c.id = any(ids) and c.deleted_at is null and c.merged_into is null""",
    ),
    buckets(
        "contact_account",
        """
    select l.id, i.bucket_id from contact_account l
    join sync_item i on i.e = 10 and i.id = account_surviving(l.account_id) and i.op = 'P'
    where l.id = any(ids) and l.deleted_at is null""",
    ),
    at_account(
        "ticket",
        "ticket",
        "select r.assignee_id",
        "r.merged_into is null and r.state in ('new', 'open', 'waiting_customer', 'waiting_us')",
    ),
    at_account("opportunity", "opportunity", "select r.owner_id", "r.state = 'open'"),
    at_account(
        "activity",
        "activity",
        "select r.owner_id union select unnest(r.participant_ids)",
        "r.kind <> 'mail' and (r.state = 'open' or r.at >= current_date - interval '90 days')",
    ),
    at_account("order", "sales_order", "select r.owner_id", "r.day >= current_date - interval '13 months'"),
    buckets(
        "lead",
        """
    select l.id, sync_bucket('user', coalesce(l.owner_id, l.created_by)::text) from lead l
    where l.id = any(ids) and l.deleted_at is null and l.decided_at is null
    union
    select l.id, sync_bucket('territory', l.territory_id::text) from lead l
    where l.id = any(ids) and l.deleted_at is null and l.decided_at is null""",
    ),
)

BELOW = ("price_list_use", "contact_account", "ticket", "opportunity", "activity", "order")
"""What lies below an account and goes with it; contacts go with their places at accounts."""


def _stamp(code: int, name: str, table: str) -> str:
    return (
        f"perform sync_stamp({code}::smallint, '{name}', '{table}',\n"
        f"                       array(select r.id from {table} r where r.account_id = any(families)));"
    )


CHILDREN = f"""
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
    {"    ".join(_stamp(*one) + chr(10) for one in ENTITIES if one[1] in BELOW)}
    perform sync_stamp(14::smallint, 'contact', 'contact',
                       array(select l.contact_id from contact_account l where l.account_id = any(families)));
end $$
"""

# A row that a phone sees as a part of another one; arguments: code, entity and table of that one, and how this one
# names it.
TOUCH_WHOLE = f"""
create function sync_touch_whole() returns trigger language plpgsql as $$
declare
    rows_ jsonb := '[]';
    more jsonb := '[]';
    ids uuid[];
begin
    if {SUPPRESSED} then return null; end if;
    if tg_op <> 'INSERT' then
        execute format('select jsonb_agg(distinct o.%I) from old_rows o', tg_argv[3]) into rows_;
    end if;
    if tg_op <> 'DELETE' then
        execute format('select jsonb_agg(distinct n.%I) from new_rows n', tg_argv[3]) into more;
    end if;
    ids := array(select distinct one::uuid from jsonb_array_elements_text(
        coalesce(rows_, '[]') || coalesce(more, '[]')) one where one is not null);
    if ids = '{{}}' then return null; end if;
    perform sync_stamp(tg_argv[0]::smallint, tg_argv[1], tg_argv[2], ids);
    return null;
end $$
"""

# A row whose name stands in others; arguments: code, entity and table of those, and how they name this one.
TOUCH_NAME = f"""
create function sync_touch_name() returns trigger language plpgsql as $$
declare
    ids uuid[];
begin
    {CHANGED}
    execute format('select array(select r.id from %I r where r.%I = any($1) and r.deleted_at is null)',
                   tg_argv[2], tg_argv[3]) into ids using ids;
    if ids <> '{{}}' then perform sync_stamp(tg_argv[0]::smallint, tg_argv[1], tg_argv[2], ids); end if;
    return null;
end $$
"""

# Someone's place at an account: the place, and the person with it.
TOUCH_CONTACT_ACCOUNT = f"""
create function sync_touch_contact_account() returns trigger language plpgsql as $$
declare
    ids uuid[];
    people uuid[];
begin
    {CHANGED}
    perform sync_stamp(15::smallint, 'contact_account', 'contact_account', ids);
    if tg_op = 'DELETE' then
        people := array(select distinct o.contact_id from old_rows o);
    else
        people := array(select distinct n.contact_id from new_rows n);
    end if;
    perform sync_stamp(14::smallint, 'contact', 'contact', people);
    return null;
end $$
"""

FUNCTIONS = (*BUCKETS, CHILDREN, TOUCH_WHOLE, TOUCH_NAME, TOUCH_CONTACT_ACCOUNT)

ATTACHED = """
select sync_attach('custom_field', 'sync_touch', '4, custom_field'),
       sync_attach('visit_type', 'sync_touch', '5, visit_type'),
       sync_attach('product', 'sync_touch', '6, product'),
       sync_attach('price_list', 'sync_touch', '7, price_list'),
       sync_attach('price_list_use', 'sync_touch', '8, price_list_use, account'),
       sync_attach('contact', 'sync_touch', '14, contact'),
       sync_attach('contact_account', 'sync_touch_contact_account'),
       sync_attach('ticket', 'sync_touch', '16, ticket, account'),
       sync_attach('opportunity', 'sync_touch', '17, opportunity, account'),
       sync_attach('activity', 'sync_touch', '18, activity, account'),
       sync_attach('sales_order', 'sync_touch', '19, order, account'),
       sync_attach('lead', 'sync_touch', '22, lead'),
       sync_attach('form_version', 'sync_touch_whole', '5, visit_type, visit_type, visit_type_id'),
       sync_attach('price', 'sync_touch_whole', '6, product, product, product_id'),
       sync_attach('order_line', 'sync_touch_whole', '19, order, sales_order, order_id'),
       sync_attach('product_category', 'sync_touch_name', '6, product, product, category_id'),
       sync_attach('stage', 'sync_touch_name', '17, opportunity, opportunity, stage_id'),
       sync_attach('ticket_queue', 'sync_touch_name', '16, ticket, ticket, queue_id')
"""

ROWS_OF_BEFORE = tuple(
    f"select sync_stamp({code}::smallint, '{name}', '{table}', array(select id from {table}))"
    for code, name, table in ENTITIES
)
