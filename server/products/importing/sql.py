"""The statements by which an import of products compares and writes all its rows at once."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

KEY = "'number:' || (c.values ->> 'number')"

TYPES = {
    "number": "text", "name": "text", "description": "text", "category_id": "uuid", "unit": "text",
    "pack_size": "numeric", "min_quantity": "numeric", "quantity_step": "numeric", "tax_class_id": "uuid",
    "is_active": "bool", "ean": "text",
}  # fmt: skip
"""Fields of a product that an import writes as they are, with their types."""

DEFAULTS = {"unit": "'pc'", "min_quantity": "1", "quantity_step": "1", "is_active": "true"}

PRICE = """
    left join price r on r.product_id = p.id and r.deleted_at is null and r.min_quantity = 1
         and r.price_list_id = (o.values ->> 'price_list')::uuid
    left join stock_level s on s.product_id = p.id and s.deleted_at is null
         and s.warehouse = coalesce(o.values ->> 'warehouse', '')
"""

# The number of a product that was merged still means the one that stands for it.
CURRENT = f"""
    select distinct on (o.row_no) o.row_no, p.id, jsonb_strip_nulls(jsonb_build_object(
        'number', k.number, 'name', p.name, 'description', p.description, 'category_id', p.category_id,
        'unit', p.unit, 'pack_size', trim_scale(p.pack_size)::text, 'min_quantity', trim_scale(p.min_quantity)::text,
        'quantity_step', trim_scale(p.quantity_step)::text, 'tax_class_id', p.tax_class_id, 'is_active', p.is_active,
        'ean', p.ean, 'price', trim_scale(r.unit_price)::text, 'price_list', o.values -> 'price_list',
        'stock', trim_scale(s.quantity)::text, 'warehouse', o.values -> 'warehouse')) as doc
    from import_outcome o
    join product k on o.key = 'number:' || k.number and (k.deleted_at is null or k.merged_into is not null)
    join product p on p.id = coalesce(k.merged_into, k.id) and p.deleted_at is null
    {PRICE}
    where o.run_id = :run order by o.row_no, k.merged_into is not null
"""  # noqa: S608 (constants of this module)

# A new product needs a name; no two products share a barcode, in the catalogue or within the file.
REFUSED = """
    select row_no, 'The name of a new product is missing.' as message from import_outcome
    where run_id = :run and action = 'create' and not values ? 'name'
    union all
    select o.row_no, format('“%s” has the barcode %s already.', p.name, p.ean)
    from import_outcome o join product p on p.ean = o.values ->> 'ean' and p.deleted_at is null
    where o.run_id = :run and p.id is distinct from o.target_id
      and (o.action = 'create' or o.action = 'update' and o.changes ? 'ean')
    union all
    select row_no, format('Row %s of the file brings the same barcode.', first_row) from (
        select row_no, min(row_no) over (partition by values ->> 'ean') as first_row from import_outcome
        where run_id = :run and values ? 'ean' and action in ('create', 'update')
    ) n where row_no > first_row
"""

PLACES = f"""
    select o.row_no, c.field,
           case c.field when 'price' then 'price' when 'stock' then 'stock_level' else 'product' end as entity,
           case c.field when 'price' then r.id when 'stock' then s.id else p.id end as row_id,
           case c.field when 'price' then 'unit_price' when 'stock' then 'quantity' else c.field end as col
    from import_outcome o join product p on p.id = o.target_id
    {PRICE}
    cross join lateral jsonb_object_keys(o.changes) c(field)
    where o.run_id = :run and o.action = 'update'
"""  # noqa: S608 (constants of this module)

RECORDS = """
    select 'product' as entity, id as row_id, id as record_id, name as label from product
    union all select 'price', r.id, r.product_id, p.name from price r join product p on p.id = r.product_id
    union all select 'stock_level', s.id, s.product_id, p.name from stock_level s join product p on p.id = s.product_id
"""


def value(name: str) -> str:
    """One value of a row in its type."""
    return f"(o.values ->> '{name}')::{TYPES[name]}"


def inserted(name: str) -> str:
    """One value of a new row, with what it is when the file says nothing."""
    return f"coalesce({value(name)}, {DEFAULTS[name]})" if name in DEFAULTS else value(name)


# Every text below is put together from the constants of this module, never from what somebody sends.

STATEMENTS = (
    f"""
    insert into product (id, {", ".join(TYPES)})
    select o.new_ids[1], {", ".join(inserted(name) for name in TYPES)}
    from import_outcome o where o.run_id = :run and o.action = 'create' order by o.row_no
    """,  # noqa: S608
    f"""
    update product p set
        {", ".join(f"{name} = case when o.changes ? '{name}' then {value(name)} else p.{name} end" for name in TYPES)}
    from import_outcome o where o.run_id = :run and o.action = 'update' and p.id = o.target_id
    """,  # noqa: S608
    """
    update price r set unit_price = (o.values ->> 'price')::numeric
    from import_outcome o where o.run_id = :run and o.action = 'update' and o.changes ? 'price'
      and r.product_id = o.target_id and r.deleted_at is null and r.min_quantity = 1
      and r.price_list_id = (o.values ->> 'price_list')::uuid
    """,
    """
    insert into price (id, price_list_id, product_id, min_quantity, unit_price)
    select o.new_ids[2], (o.values ->> 'price_list')::uuid, coalesce(o.target_id, o.new_ids[1]), 1,
           (o.values ->> 'price')::numeric
    from import_outcome o where o.run_id = :run and o.values ? 'price'
      and (o.action = 'create' or o.action = 'update' and o.changes ? 'price')
      and not exists (select from price r where r.product_id = o.target_id and r.deleted_at is null
                      and r.min_quantity = 1 and r.price_list_id = (o.values ->> 'price_list')::uuid)
    order by o.row_no
    """,
    """
    update stock_level s set quantity = (o.values ->> 'stock')::numeric, as_of = now()
    from import_outcome o where o.run_id = :run and o.action = 'update' and o.changes ? 'stock'
      and s.product_id = o.target_id and s.deleted_at is null and s.warehouse = coalesce(o.values ->> 'warehouse', '')
    """,
    """
    insert into stock_level (id, product_id, warehouse, quantity, as_of)
    select o.new_ids[3], coalesce(o.target_id, o.new_ids[1]), coalesce(o.values ->> 'warehouse', ''),
           (o.values ->> 'stock')::numeric, now()
    from import_outcome o where o.run_id = :run and o.values ? 'stock'
      and (o.action = 'create' or o.action = 'update' and o.changes ? 'stock')
      and not exists (select from stock_level s where s.product_id = o.target_id and s.deleted_at is null
                      and s.warehouse = coalesce(o.values ->> 'warehouse', ''))
    order by o.row_no
    """,
)


def write(session: Session, run_id: UUID) -> None:
    """Write all rows of an import that create or update."""
    for statement in STATEMENTS:
        session.execute(text(statement), {"run": run_id})
    session.expire_all()
