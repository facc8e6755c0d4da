"""The statements by which an import of leads compares and writes all its rows at once."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts.importing.sql import value
from server.records.currencies import digits_sql

PLAIN = {
    "number": "text", "company": "text", "person": "text", "website": "text", "street": "text", "postcode": "text",
    "city": "text", "country": "text", "campaign": "text", "message": "text", "expected_value": "money",
    "note": "text",
}  # fmt: skip
"""Fields that an import writes as they are, with their types."""
LISTS = {"phone": "phones", "phone_e164": "phones_e164", "email": "emails"}
"""Fields that become the first entry of a list."""
WRITTEN = (*PLAIN, *LISTS.values(), "pin")

NAME = "search_words({0} 'company', {0} 'person', {0} 'street', {0} 'city')"
KEY_BY_NAME = f"case when c.values ?| array['company', 'person'] then 'name:' || {NAME.format('c.values ->>')} end"
KEYS = {
    "number": f"coalesce('number:' || (c.values ->> 'number'), {KEY_BY_NAME})",
    "email": f"coalesce('email:' || (c.values ->> 'email'), {KEY_BY_NAME})",
    "name": KEY_BY_NAME,
}


def present(name: str, kind: str) -> str:
    """A value of a lead as a row is compared with it; an amount as the row says it, where it is the same in whole units
    of the lead's money. A lead that was joined to another is still known by its number.
    """
    if kind == "money":
        same = f"l.{name} = round((o.values ->> '{name}')::numeric, {digits_sql('l.currency')})"
        return f"case when {same} then o.values -> '{name}' else to_jsonb(l.{name}) end"
    return f"{'k' if name == 'number' else 'l'}.{name}"


# Every text below is put together from the constants of this module, never from what somebody sends.

CURRENT = f"""
    select distinct on (o.row_no) o.row_no, l.id, jsonb_strip_nulls(jsonb_build_object(
        {", ".join(f"'{name}', {present(name, kind)}" for name, kind in PLAIN.items())},
        'phone', l.phones[1], 'phone_e164', l.phones_e164[1], 'email', l.emails[1],
        'lon', case when l.grade in ('manual', 'gps_confirmed') then o.values -> 'lon'
               else to_jsonb(round(st_x(l.pin)::numeric, 6)) end,
        'lat', case when l.grade in ('manual', 'gps_confirmed') then o.values -> 'lat'
               else to_jsonb(round(st_y(l.pin)::numeric, 6)) end
    )) as doc
    from import_outcome o join lead k on (k.deleted_at is null or k.merged_into is not null) and (
        o.key = 'number:' || k.number
        or (o.key like 'email:%' and k.emails @> array[substr(o.key, 7)])
        or (o.key like 'name:%' and o.key = 'name:' || search_words(k.company, k.person, k.street, k.city)))
    join lead l on l.id = coalesce(k.merged_into, k.id) and l.deleted_at is null
    where o.run_id = :run
    order by o.row_no, k.merged_into is not null, l.created_at desc, l.id
"""  # noqa: S608

REFUSED = """
    select o.row_no, format('“%s” has the number %s already.', coalesce(l.company, l.person), l.number) as message
    from import_outcome o join lead l on l.number = o.values ->> 'number' and l.deleted_at is null
    where o.run_id = :run and l.id is distinct from o.target_id
      and (o.action = 'create' or o.action = 'update' and o.changes ? 'number')
    union all
    select row_no, format('Row %s of the file brings the same number.', first_row) from (
        select o.row_no, min(o.row_no) over (partition by o.values ->> 'number') as first_row
        from import_outcome o
        where o.run_id = :run and o.values ? 'number'
          and (o.action = 'create' or o.action = 'update' and o.changes ? 'number')
    ) n where row_no > first_row
"""

PLACES = """
    select o.row_no, c.field, 'lead' as entity, o.target_id as row_id,
           case c.field when 'phone' then 'phones' when 'phone_e164' then 'phones_e164' when 'email' then 'emails'
                when 'lon' then 'pin' when 'lat' then 'pin' else c.field end as col
    from import_outcome o cross join lateral jsonb_object_keys(o.changes) c(field)
    where o.run_id = :run and o.action = 'update'
"""

RECORDS = (
    "select 'lead' as entity, l.id as row_id, l.id as record_id, coalesce(l.company, l.person) as label from lead l"
)
IN_USE = """
    select id as row_id from lead where account_id is not null
    union all select lead_id from lead_signal where kind <> 'import'
"""

PIN = "st_setsrid(st_makepoint((o.values ->> 'lon')::float, (o.values ->> 'lat')::float), 4326)"
HAS_ADDRESS = "o.values ?| array['street', 'postcode', 'city']"
FIRST = {field: f"array_remove(array[o.values ->> '{field}'], null)" for field in LISTS}

INSERT = f"""
    insert into lead (id, {", ".join(PLAIN)}, {", ".join(LISTS.values())}, source, currency, created_by,
                      pin, pin_state, grade, uncertainty_m, provider, geocode_reason)
    select o.new_ids[1], {", ".join(value(name, kind) for name, kind in PLAIN.items())},
           {", ".join(FIRST.values())}, 'import', :currency, cast(:actor as uuid),
           case when o.values ? 'lon' then {PIN} end,
           case when o.values ? 'lon' then 'placed' when {HAS_ADDRESS} then 'pending' else 'failed' end,
           case when o.values ? 'lon' then 'given' end, case when o.values ? 'lon' then 50 end,
           case when o.values ? 'lon' then 'import' end,
           case when o.values ? 'lon' then 'coordinates_given' when {HAS_ADDRESS} then null else 'no_address' end
    from import_outcome o where o.run_id = :run and o.action = 'create' order by o.row_no
"""  # noqa: S608

SIGNALS = """
    insert into lead_signal (lead_id, kind, key, body, actor_id)
    select o.new_ids[1], 'import', o.run_id::text, o.values ->> 'message', cast(:actor as uuid)
    from import_outcome o where o.run_id = :run and o.action = 'create' order by o.row_no
    on conflict do nothing
"""


def changed(field: str, column: str, value: str) -> str:
    """`column = its new value where it changes`."""
    return f"{column} = case when o.changes ? '{field}' then {value} else l.{column} end"


UPDATE = f"""
    update lead l set
        {", ".join(changed(name, name, value(name, kind)) for name, kind in PLAIN.items())},
        {", ".join(changed(field, column, f"{FIRST[field]} || l.{column}[2:]") for field, column in LISTS.items())}
    from import_outcome o where o.run_id = :run and o.action = 'update' and l.id = o.target_id
"""  # noqa: S608

UPDATE_PINS = f"""
    update lead l set
        pin = case when o.changes ?| array['lon', 'lat'] then {PIN} end,
        pin_state = case when o.changes ?| array['lon', 'lat'] then 'placed' else 'pending' end,
        grade = case when o.changes ?| array['lon', 'lat'] then 'given' end,
        uncertainty_m = case when o.changes ?| array['lon', 'lat'] then 50 end,
        provider = case when o.changes ?| array['lon', 'lat'] then 'import' end,
        geocode_reason = case when o.changes ?| array['lon', 'lat'] then 'coordinates_given' end,
        confidence = null, region_version = null
    from import_outcome o
    where o.run_id = :run and o.action = 'update' and l.id = o.target_id
      and l.grade is distinct from 'manual' and l.grade is distinct from 'gps_confirmed'
      and (o.changes ?| array['lon', 'lat']
           or (not o.values ? 'lon' and o.changes ?| array['street', 'postcode', 'city', 'country']))
"""  # noqa: S608


def write(session: Session, run_id: object, currency: str, actor: object) -> None:
    """Write all rows of an import that create or update."""
    given = {"run": run_id, "currency": currency, "actor": actor}
    for statement in (UPDATE, UPDATE_PINS, INSERT, SIGNALS):
        session.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
    session.expire_all()
