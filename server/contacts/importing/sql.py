"""What an import of contacts writes in ways of its own: labelled phones and addresses, the place at an account."""

# Every text below is put together from the constants of this module, never from what somebody sends.

WRITTEN = "jsonb_array_elements_text(o.values -> '{name}')"


def held(name: str) -> str:
    """Whether a contact has all phones, or addresses, that the row brings; written as the row writes them."""
    same = "regexp_replace(e ->> 'value', '[^0-9]', '', 'g') = regexp_replace(w, '[^0-9]', '', 'g')"
    if name == "mails":
        same = "lower(e ->> 'value') = lower(w)"
    return f"""case when not exists (
            select from {WRITTEN.format(name=name)} w
            where not exists (select from jsonb_array_elements(t.{name}) e where {same}))
        then o.values -> '{name}'
        else (select jsonb_agg(e -> 'value') from jsonb_array_elements(t.{name}) e) end"""  # noqa: S608


def more(name: str) -> str:
    """What the row brings in front, each with the label that it has; then what is there already."""
    return f"""(
        select coalesce(jsonb_agg(one order by rank, place), '[]') from (
            select distinct on (lower(one ->> 'value')) one, rank, place from (
                select coalesce(e, jsonb_build_object('label', '', 'value', w.value)) as one, 0 as rank, w.place
                from {WRITTEN.format(name=name)} with ordinality w(value, place)
                left join lateral (
                    select e from jsonb_array_elements(t.{name}) e where lower(e ->> 'value') = lower(w.value) limit 1
                ) h on true
                union all
                select e.value, 1, e.place from jsonb_array_elements(t.{name}) with ordinality e(value, place)
            ) every order by lower(one ->> 'value'), rank, place
        ) each_once)"""  # noqa: S608


def listed(name: str) -> str:
    """The normalised ones: as the row has them when all are there, else what is there."""
    return f"""case when t.{name} @> array(select {WRITTEN.format(name=name)})
        then o.values -> '{name}' else to_jsonb(t.{name}) end"""


def more_of(name: str) -> str:
    """The normalised ones of the row and those that are there."""
    return f"array(select {WRITTEN.format(name=name)} union select unnest(t.{name}))"


def unlabelled(name: str) -> str:
    """Phones, or addresses, of a new contact: without labels."""
    each = f"select jsonb_agg(jsonb_build_object('label', '', 'value', w)) from {WRITTEN.format(name=name)} w"  # noqa: S608
    return f"coalesce(({each}), '[]')"


PHONES, MAILS = held("phones"), held("mails")
MORE_PHONES, MORE_MAILS = more("phones"), more("mails")
NEW_PHONES, NEW_MAILS = unlabelled("phones"), unlabelled("mails")
NUMBERS, ADDRESSES = listed("phone_numbers"), listed("mail_addresses")
MORE_NUMBERS, MORE_ADDRESSES = more_of("phone_numbers"), more_of("mail_addresses")

LIVING = """
    contact_account p where p.contact_id = t.id and p.deleted_at is null
      and account_surviving(p.account_id) = (o.values ->> 'account_id')::uuid
"""
AT_ACCOUNT = f"case when exists (select from {LIVING}) then o.values -> 'account_id' end"
ROLES = f"""(select case when p.roles @> array(select {WRITTEN.format(name="roles")})
        then o.values -> 'roles' else to_jsonb(p.roles) end from {LIVING} limit 1)"""  # noqa: S608

SAID = "search_words(c.values ->> 'first_name', c.values ->> 'last_name', null, null)"
NAME_KEY = f"""case when c.values ?| array['first_name', 'last_name']
    then {SAID} || '@' || coalesce(c.values ->> 'account_id', '') end"""
NAMED = """search_words(t.first_name, t.last_name, null, null) = split_part(k.key, '@', 1)
    and case when split_part(k.key, '@', 2) = ''
        then not exists (select from contact_account p where p.contact_id = t.id and p.deleted_at is null)
        else exists (select from contact_account p where p.contact_id = t.id and p.deleted_at is null
                     and account_surviving(p.account_id) = split_part(k.key, '@', 2)::uuid) end"""

NAMELESS = """
    select row_no, 'First and last name: both are missing.' as message from import_outcome
    where run_id = :run and action = 'create' and not values ?| array['first_name', 'last_name']
"""
PLACES = """
    select o.row_no, c.field, 'contact_account', p.id, c.field
    from import_outcome o cross join lateral jsonb_object_keys(o.changes) c(field)
    join contact_account p on p.contact_id = o.target_id and p.deleted_at is null
         and account_surviving(p.account_id) = (o.values ->> 'account_id')::uuid
    where o.run_id = :run and o.action = 'update' and c.field = 'roles'
"""
PLACED = """
    select 'contact_account', p.id, p.contact_id, concat_ws(' ', t.first_name, t.last_name)
    from contact_account p join contact t on t.id = p.contact_id
"""

FOLLOW = (
    """
    update contact_account p set roles = array(select jsonb_array_elements_text(o.values -> 'roles'))
    from import_outcome o
    where o.run_id = :run and o.action = 'update' and o.changes ? 'roles' and p.contact_id = o.target_id
      and p.deleted_at is null and account_surviving(p.account_id) = (o.values ->> 'account_id')::uuid
    """,
    """
    insert into contact_account (id, contact_id, account_id, roles)
    select o.new_ids[2], coalesce(o.target_id, o.new_ids[1]), (o.values ->> 'account_id')::uuid,
           array(select jsonb_array_elements_text(o.values -> 'roles'))
    from import_outcome o
    where o.run_id = :run and o.values ? 'account_id'
      and (o.action = 'create' or o.action = 'update' and o.changes ? 'account_id')
    order by o.row_no
    """,
)
