"""The statements by which an import compares and writes all its rows at once."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts.pins import ALIGN_ACCOUNTS, ALIGN_SITES
from server.records.currencies import digits_sql

BY_NAME = "search_words({values} ->> 'name', {values} ->> 'street', {values} ->> 'postcode', {values} ->> 'city')"
KEY_BY_NAME = "case when c.values ? 'name' then 'name:' || " + BY_NAME.format(values="c.values") + " end"
KEY_BY_NUMBER = f"coalesce('number:' || (c.values ->> 'number'), {KEY_BY_NAME})"


def present_amount(name: str) -> str:
    """An amount of an account as a row is compared with it: as the row says it, where that is the same in whole units
    of the account's money.
    """
    digits = digits_sql("coalesce(m.values ->> 'currency', a.currency)")
    is_same = f"a.{name} = round((m.values ->> '{name}')::numeric, {digits})"
    return f"case when {is_same} then m.values -> '{name}' else to_jsonb(a.{name}) end"


# A row that means an account which was merged away is about the one that lives on; a visit that reps have reported is
# not taken back by an older list; a pin that a person has set counts as what the file says.
CURRENT = f"""
    select m.row_no, a.id, custom_flat(a.custom) || jsonb_strip_nulls(jsonb_build_object(
        'number', case when m.is_merged then m.values ->> 'number' else a.number end,
        'name', a.name, 'account_class', a.account_class, 'status', a.status, 'kind', a.kind,
        'owner_id', a.owner_id, 'interval_days', a.interval_days, 'yearly_value', {present_amount("yearly_value")},
        'yearly_potential', {present_amount("yearly_potential")}, 'currency', a.currency,
        'phone', a.phone, 'phone_e164', a.phone_e164,
        'email', a.email, 'website', a.website, 'tags', a.tags, 'note', a.note,
        'preferred_rep_id', a.preferred_rep_id,
        'last_visit_on', case when a.last_visit_on > (m.values ->> 'last_visit_on')::date
                         then m.values -> 'last_visit_on' else to_jsonb(a.last_visit_on) end,
        'street', s.street, 'postcode', s.postcode, 'city', s.city, 'country', s.country,
        'opening_hours', s.opening_hours, 'service_s', s.service_s,
        'lon', case when s.grade in ('manual', 'gps_confirmed') then m.values -> 'lon'
               else to_jsonb(round(st_x(s.pin)::numeric, 6)) end,
        'lat', case when s.grade in ('manual', 'gps_confirmed') then m.values -> 'lat'
               else to_jsonb(round(st_y(s.pin)::numeric, 6)) end
    )) as doc
    from (
        select o.row_no, o.values, a.merged_into is not null as is_merged,
               case when a.merged_into is null then a.id else account_surviving(a.id) end as id
        from import_outcome o join account a on o.key = 'number:' || a.number and a.deleted_at is null
        where o.run_id = :run
        union all
        (select distinct on (o.row_no) o.row_no, o.values, false, a.id
        from import_outcome o
        join (
            select a.id, 'name:' || search_words(a.name, s.street, s.postcode, s.city) as key
            from account a left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
            where a.deleted_at is null and a.merged_into is null
            union all
            select account_surviving(a.id), 'name:' || search_words(a.name, s.street, s.postcode, s.city)
            from account_merge m join account a on a.id = m.loser_id
            left join lateral (
                select (e ->> 'id')::uuid as id from jsonb_array_elements(m.sites) e
                where e ->> 'from' = m.loser_id::text and (e ->> 'was_main')::bool limit 1
            ) main on true
            left join site s on s.id = main.id
            where m.undone_at is null and a.deleted_at is null
        ) a on a.key = o.key
        where o.run_id = :run and o.key like 'name:%'
        order by o.row_no, a.id)
    ) m
    join account a on a.id = m.id
    left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
"""  # noqa: S608

TYPES = {
    "number": "text",
    "name": "text",
    "account_class": "text",
    "status": "text",
    "kind": "text",
    "owner_id": "uuid",
    "interval_days": "int",
    "yearly_value": "money",
    "yearly_potential": "money",
    "currency": "text",
    "phone": "text",
    "phone_e164": "text",
    "email": "text",
    "website": "text",
    "note": "text",
    "last_visit_on": "date",
    "preferred_rep_id": "uuid",
}
"""Fields of an account that an import writes as they are, with their types."""

SITE_TYPES = {
    "street": "text",
    "postcode": "text",
    "city": "text",
    "country": "text",
    "opening_hours": "text",
    "service_s": "int",
}

PIN = "st_setsrid(st_makepoint((o.values ->> 'lon')::float, (o.values ->> 'lat')::float), 4326)"
# Coordinates say nothing about how they were found: 50 m at least, and half of what their decimals leave open.
DECIMALS = "greatest(scale((o.values ->> 'lon')::numeric), scale((o.values ->> 'lat')::numeric))"
GIVEN_M = f"round(greatest(50, 78700 * 10.0 ^ -{DECIMALS}))::float"
HAS_ADDRESS = "o.values ?| array['street', 'postcode', 'city']"
TAGS = "array(select jsonb_array_elements_text(o.values -> 'tags'))"


def value(name: str, kind: str) -> str:
    """One value of a row in its type; an amount is stored with two decimals, and more where it has more."""
    if kind == "money":
        exact = f"(o.values ->> '{name}')::numeric"
        return f"round({exact}, greatest(2, scale({exact})))"
    return f"(o.values ->> '{name}')::{kind}"


def assigned(name: str, kind: str, table: str) -> str:
    """The new value of a column of a row that is there; an amount in whole units of the money that the row is in."""
    if kind != "money":
        return value(name, kind)
    return f"round({value(name, kind)}, {digits_sql(f"coalesce(o.values ->> 'currency', {table}.currency)")})"


def assignments(types: dict[str, str], table: str) -> str:
    """`name = its new value where it changes` for each column."""
    each = (
        f"{name} = case when o.changes ? '{name}' then {assigned(name, kind, table)} else {table}.{name} end"
        for name, kind in types.items()
    )
    return ",\n        ".join(each)


def quoted(names: Iterable[str]) -> str:
    """Names as SQL texts."""
    return ", ".join(f"'{name}'" for name in names)


OWN = "k like 'custom.%'"
CHANGES_OWN = f"exists (select from jsonb_object_keys(o.changes) k where {OWN})"
CHANGED_OWN = (
    "(select coalesce(jsonb_object_agg(substr(k, 8), o.values -> k), '{}')"  # noqa: S608
    f" from jsonb_object_keys(o.changes) k where {OWN})"
)
"""The company's own fields: they lie together in one column, by their keys."""

PLAIN = {name: kind for name, kind in TYPES.items() if name not in ("status", "currency")}

# Every text below is put together from the constants of this module, never from what somebody sends.

INSERT_ACCOUNTS = f"""
    insert into account (id, {", ".join(PLAIN)}, status, currency, tags, custom)
    select o.new_ids[1], {", ".join(value(name, kind) for name, kind in PLAIN.items())},
           coalesce(o.values ->> 'status', 'prospect'), coalesce(o.values ->> 'currency', :currency), {TAGS},
           custom_inner(o.values)
    from import_outcome o where o.run_id = :run and o.row_no between :low and :high and o.action = 'create'
    order by o.row_no
"""  # noqa: S608

INSERT_SITES = f"""
    insert into site (id, account_id, is_main, street, postcode, city, country, opening_hours, service_s,
                      pin, pin_state, grade, uncertainty_m, provider, geocode_reason)
    select o.new_ids[2], coalesce(o.target_id, o.new_ids[1]), true,
           {", ".join(value(name, "text") for name in SITE_TYPES if name != "service_s")},
           coalesce({value("service_s", "int")}, 1800),
           case when o.values ? 'lon' then {PIN} end,
           case when o.values ? 'lon' then 'placed' when {HAS_ADDRESS} then 'pending' else 'failed' end,
           case when o.values ? 'lon' then 'given' end,
           case when o.values ? 'lon' then {GIVEN_M} end,
           case when o.values ? 'lon' then 'import' end,
           case when o.values ? 'lon' then 'coordinates_given' when {HAS_ADDRESS} then null else 'no_address' end
    from import_outcome o
    where o.run_id = :run and o.row_no between :low and :high and (o.action = 'create' or (
        o.action = 'update' and (o.values ? 'lon' or {HAS_ADDRESS})
        and not exists (select from site s where s.account_id = o.target_id and s.is_main and s.deleted_at is null)))
    order by o.row_no
"""  # noqa: S608

UPDATE_ACCOUNTS = f"""
    update account a set
        {assignments(TYPES, "a")},
        tags = case when o.changes ? 'tags' then {TAGS} else a.tags end,
        custom = a.custom || {CHANGED_OWN}
    from import_outcome o
    where o.run_id = :run and o.row_no between :low and :high and o.action = 'update' and a.id = o.target_id
      and (o.changes ?| array[{quoted((*TYPES, "tags"))}] or {CHANGES_OWN})
"""  # noqa: S608

UPDATE_SITES = f"""
    update site s set
        {assignments(SITE_TYPES, "s")}
    from import_outcome o
    where o.run_id = :run and o.row_no between :low and :high and o.action = 'update'
      and s.account_id = o.target_id and s.is_main and s.deleted_at is null
      and o.changes ?| array[{quoted(SITE_TYPES)}]
"""  # noqa: S608

# Two accounts cannot share a number: neither with one that is there nor within the file.
REFUSED = """
    select o.row_no, format('“%s” has the number %s already.', a.name, a.number) as message
    from import_outcome o
    join account a on a.number = o.values ->> 'number' and a.deleted_at is null
    where o.run_id = :run and a.id is distinct from o.target_id
      and (o.action = 'create' or o.action = 'update' and o.changes ? 'number')
    union all
    select row_no, format('Row %s of the file brings the same number.', first_row) from (
        select o.row_no, min(o.row_no) over (partition by o.values ->> 'number') as first_row
        from import_outcome o
        where o.run_id = :run and o.values ? 'number'
          and (o.action = 'create' or o.action = 'update' and o.changes ? 'number')
    ) n where row_no > first_row
"""

PLACES = f"""
    select o.row_no, c.field, 'account' as entity, o.target_id as row_id, c.field as col
    from import_outcome o cross join lateral jsonb_object_keys(o.changes) c(field)
    where o.run_id = :run and o.action = 'update'
      and (c.field in ({quoted((*TYPES, "tags"))}) or c.field like 'custom.%')
    union all
    select o.row_no, c.field, 'site', s.id, case when c.field in ('lon', 'lat') then 'pin' else c.field end
    from import_outcome o
    join site s on s.account_id = o.target_id and s.is_main and s.deleted_at is null
    cross join lateral jsonb_object_keys(o.changes) c(field)
    where o.run_id = :run and o.action = 'update' and c.field in ({quoted((*SITE_TYPES, "lon", "lat"))})
"""  # noqa: S608

RECORDS = """
    select 'account' as entity, a.id as row_id, a.id as record_id, a.name as label from account a
    union all
    select 'site', s.id, s.account_id, a.name from site s join account a on a.id = s.account_id
"""
IN_USE = """
    select unnest(array[id, merged_into]) as row_id from account where merged_into is not null and deleted_at is null
"""

# A pin that a person has set stays; given coordinates win over the geocoder; a new address sends the pin back to it.
UPDATE_PINS = f"""
    update site s set
        pin = case when o.changes ?| array['lon', 'lat'] then {PIN} end,
        pin_state = case when o.changes ?| array['lon', 'lat'] then 'placed' else 'pending' end,
        grade = case when o.changes ?| array['lon', 'lat'] then 'given' end,
        uncertainty_m = case when o.changes ?| array['lon', 'lat'] then {GIVEN_M} end,
        provider = case when o.changes ?| array['lon', 'lat'] then 'import' end,
        geocode_reason = case when o.changes ?| array['lon', 'lat'] then 'coordinates_given' end,
        confidence = null, region_version = null
    from import_outcome o
    where o.run_id = :run and o.row_no between :low and :high and o.action = 'update'
      and s.account_id = o.target_id and s.is_main and s.deleted_at is null
      and s.grade is distinct from 'manual' and s.grade is distinct from 'gps_confirmed'
      and (o.changes ?| array['lon', 'lat']
           or (not o.values ? 'lon' and o.changes ?| array['street', 'postcode', 'city', 'country']))
"""  # noqa: S608

TOUCHED = """in (
    select coalesce(o.target_id, o.new_ids[1]) from import_outcome o
    where o.run_id = :run and (o.action = 'create' or o.action = 'update' and o.changes ?| array['lon', 'lat'])
)"""


CHUNK = 5000
"""Row numbers that are written between two words of progress."""

COUNTS = text(
    """
    select count(*), count(*) filter (where action = 'create'), count(*) filter (where action = 'update')
    from import_outcome where run_id = :run and row_no <= :high
    """
)


GROWN = text("analyze account, site, sync_item")
"""Tables that grow within one transaction: without it the triggers go on with the plans of empty tables."""


def write(session: Session, run_id: UUID, currency: str, tell: Callable[[int, Mapping[str, int]], None]) -> None:
    """Write all rows of an import that create or update, and put what they place into its territory."""
    last = session.scalar(text("select max(row_no) from import_outcome where run_id = :run"), {"run": run_id}) or 0
    statements = (UPDATE_ACCOUNTS, UPDATE_SITES, UPDATE_PINS, INSERT_ACCOUNTS, INSERT_SITES)
    analysed = CHUNK // 4
    for low in range(0, last + 1, CHUNK):
        part = {"run": run_id, "low": low, "high": low + CHUNK - 1}
        for statement in statements:
            session.execute(text(statement), part | {"currency": currency} if ":currency" in statement else part)
        done, created, updated = session.execute(COUNTS, {"run": run_id, "high": low + CHUNK - 1}).one()
        if created >= 2 * analysed:
            session.execute(GROWN)
            analysed = created
        tell(done, {"create": created, "update": updated})
    session.execute(text(ALIGN_SITES.format(which="s.account_id " + TOUCHED)), {"run": run_id})
    session.execute(text(ALIGN_ACCOUNTS.format(which="a.id " + TOUCHED)), {"run": run_id})
    session.expire_all()
