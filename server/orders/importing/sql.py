"""What an import of orders writes in ways of its own: the head of each order once, amounts and sums to the cent."""

from server.records.currencies import digits_sql
from server.records.values import currency

__all__ = ["currency"]

# Every text below is put together from the constants of this module, never from what somebody sends.

PRODUCTS = """
    select w.cell, p.id, 0 as rank from unnest(cast(:cells as text[])) w(cell)
    join product p on w.cell in (p.number, p.ean) and p.deleted_at is null
    union all
    select w.cell, p.id, 1 from unnest(cast(:cells as text[])) w(cell)
    join product p on search_text(p.name) = search_text(w.cell) and p.deleted_at is null
"""

HEAD = {
    "order_number": ("number", "text"), "kind": ("kind", "text"), "state": ("state", "text"), "day": ("day", "date"),
    "account_id": ("account_id", "uuid"), "owner_id": ("owner_id", "uuid"), "reference": ("reference", "text"),
    "currency": ("currency", "text"), "note": ("note", "text"), "internal_note": ("internal_note", "text"),
}  # fmt: skip
"""Values of a row that belong to its order: column and type."""
OF_HEAD = "(select to_jsonb(h.{column}) from sales_order h where h.id = t.order_id)"
NAMES = ", ".join(f"'{name}'" for name in HEAD)

HELD = "(select h.id from sales_order h where h.number = {number} and h.deleted_at is null)"
KEY_NUMBER, KEY_POSITION = "regexp_replace(k.key, '[|][0-9]+$', '')", "substring(k.key from '[0-9]+$')::int"
LINE_KEY = """case when c.values ? 'order_number' then (c.values ->> 'order_number') || '|' || coalesce(
    c.values ->> 'position',
    (row_number() over (partition by c.values ->> 'order_number' order by c.row_no))::text) end"""
LINE = f"t.order_id = {HELD.format(number=KEY_NUMBER)} and t.position = {KEY_POSITION}"
POSITION = "substring(o.key from '[0-9]+$')::int"

PRODUCT = "(select {column} from product p where p.id = (o.values ->> 'product_id')::uuid)"
PRODUCT_NAME = PRODUCT.format(column="p.name")
PRODUCT_UNIT = f"coalesce({PRODUCT.format(column='p.unit')}, 'pc')"
STATE = "coalesce(o.values ->> 'state', case o.values ->> 'kind' when 'quote' then 'sent' else 'placed' end)"
DELIVERED = f"case when {STATE} = 'delivered' then (o.values ->> 'quantity')::numeric else 0 end"

OWN = HELD.format(number="o.values ->> 'order_number'")
MADE = {
    "order_id": OWN,
    "by_hand": "true",
    "amount": "0",
}

CLOSED = "case when {state} in ('delivered', 'cancelled', 'accepted', 'declined', 'expired') then {at} end"
NOON = "(((o.values ->> 'day')::date + time '12:00') at time zone cast(:zone as text))"

# The number of an order that an undone import has left in the bin is free again.
HEADS = (
    """
    update sales_order h set number = h.number || ' · ' || left(h.id::text, 8)
    from import_outcome o
    where o.run_id = :run and o.action = 'create' and h.number = o.values ->> 'order_number'
      and h.deleted_at is not null
    """,
    f"""
    insert into sales_order (id, kind, state, number, account_id, owner_id, currency, country, day, zone, reference,
                             note, internal_note, placed_at, closed_at)
    select distinct on (o.values ->> 'order_number')
           o.new_ids[2], coalesce(o.values ->> 'kind', 'order'), {STATE}, o.values ->> 'order_number',
           (o.values ->> 'account_id')::uuid,
           coalesce((o.values ->> 'owner_id')::uuid,
                    (select owner_id from account where id = (o.values ->> 'account_id')::uuid), cast(:actor as uuid)),
           coalesce(o.values ->> 'currency', cast(:currency as text)),
           coalesce((select country from site s where s.account_id = (o.values ->> 'account_id')::uuid and s.is_main
                     and s.deleted_at is null and length(s.country) = 2 limit 1), ''),
           (o.values ->> 'day')::date, cast(:zone as text), o.values ->> 'reference', o.values ->> 'note',
           o.values ->> 'internal_note', {NOON}, {CLOSED.format(state=STATE, at=NOON)}
    from import_outcome o
    where o.run_id = :run and o.action = 'create'
      and not exists (select from sales_order h where h.number = o.values ->> 'order_number')
    order by o.values ->> 'order_number', o.row_no
    """,  # noqa: S608
)


def changed(name: str) -> str:
    """`column = what the first row of the order says, where it changes`."""
    column, kind = HEAD[name]
    return f"{column} = case when o.changes ? '{name}' then (o.values ->> '{name}')::{kind} else h.{column} end"


TOUCHED = """in (
    select l.order_id from import_outcome o join order_line l on l.id = coalesce(o.target_id, o.new_ids[1])
    where o.run_id = :run and o.action in ('create', 'update'))"""
UNDONE = """in (
    select record_id from import_made where why is null union select record_id from import_back where why is null)"""

# Each line rounded once, each tax rate once, half of a cent up: as every document is counted.
DIGITS_OF_ORDER = digits_sql("h.currency")
SUMS = f"""
    with rated as (
        select l.order_id, l.tax_percent, sum(l.amount) as net, {DIGITS_OF_ORDER} as digits
        from order_line l join sales_order h on h.id = l.order_id
        where l.deleted_at is null and l.order_id {{which}} group by l.order_id, l.tax_percent, h.currency),
    summed as (
        select order_id, sum(net) as net, sum(round(net * coalesce(tax_percent, 0) / 100, digits)) as tax
        from rated group by order_id)
    update sales_order h set net = s.net, tax = s.tax, gross = s.net + s.tax from summed s
    where h.id = s.order_id and (h.net, h.tax) is distinct from (s.net, s.tax)
"""  # noqa: S608
FOLLOW = (
    f"""
    update sales_order h set {", ".join(changed(name) for name in HEAD if name != "order_number")},
        closed_at = case when o.changes ? 'state'
                    then {CLOSED.format(state="o.values ->> 'state'", at="coalesce(h.closed_at, :now)")}
                    else h.closed_at end
    from (
        select distinct on (l.order_id) l.order_id, o.values, o.changes
        from import_outcome o join order_line l on l.id = o.target_id
        where o.run_id = :run and o.action = 'update' and o.changes ?| array[{NAMES}]
        order by l.order_id, o.row_no
    ) o where h.id = o.order_id
    """,  # noqa: S608
    "analyze sales_order, order_line",
    f"""
    update order_line l set amount = round(l.quantity * l.unit_price * (1 - l.discount_percent / 100),
        {DIGITS_OF_ORDER})
    from sales_order h, import_outcome o
    where o.run_id = :run and o.action in ('create', 'update') and l.id = coalesce(o.target_id, o.new_ids[1])
      and h.id = l.order_id
    """,  # noqa: S608
    SUMS.format(which=TOUCHED),
)

REFUSED = """
    select o.row_no, format('Number: %s was written here; a file changes nothing of it.', h.number) as message
    from import_outcome o
    join sales_order h on h.number = o.values ->> 'order_number' and h.deleted_at is null
    where o.run_id = :run and o.action in ('create', 'update') and not exists (
        select from field_history f
        where f.entity = 'sales_order' and f.row_id = h.id and f.field = '*' and f.source = 'import')
    union all
    select o.row_no, format('Account: %s is an order of another account.', h.number)
    from import_outcome o
    join sales_order h on h.number = o.values ->> 'order_number' and h.deleted_at is null
    where o.run_id = :run and o.action = 'create'
      and account_surviving(h.account_id) <> (o.values ->> 'account_id')::uuid
    union all
    select o.row_no, format('Number: %s looks like a number that Waymark gives; put another one.',
                            o.values ->> 'order_number')
    from import_outcome o
    where o.run_id = :run and o.action = 'create' and o.values ->> 'order_number' ~ '^[QOC]-[0-9]{4}-[0-9]{5}$'
      and not exists (select from sales_order h where h.number = o.values ->> 'order_number')
    union all
    select n.row_no, format('Row %s says otherwise of the same order: one order has one account, day, kind, state and'
                            ' currency.', n.first_row)
    from (
        select o.row_no, first_value(o.row_no) over w as first_row, first_value(k.said) over w as said, k.said as mine
        from import_outcome o
        cross join lateral (
            select concat_ws('|', o.values ->> 'account_id', o.values ->> 'day', o.values ->> 'kind',
                             o.values ->> 'state', o.values ->> 'currency') as said) k
        where o.run_id = :run and o.action <> 'error'
        window w as (partition by o.values ->> 'order_number' order by o.row_no)
    ) n where n.mine <> n.said
"""

PLACES = f"""
    select o.row_no, c.field, 'sales_order', l.order_id, case c.field when 'order_number' then 'number' else c.field end
    from import_outcome o cross join lateral jsonb_object_keys(o.changes) c(field)
    join order_line l on l.id = o.target_id
    where o.run_id = :run and o.action = 'update' and c.field in ({NAMES})
"""  # noqa: S608
RECORDS = """
    select 'sales_order' as entity, h.id as row_id, h.id as record_id, h.number as label from sales_order h
    union all
    select 'order_line', l.id, l.order_id, h.number from order_line l join sales_order h on h.id = l.order_id
"""
