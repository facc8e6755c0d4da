"""What an import of deals writes in ways of its own: what a stage says of a deal, and the deal's way through stages."""

from server.records.currencies import digits_sql

# Every text below is put together from the constants of this module, never from what somebody sends.

STAGES = """
    select w.cell, s.id, case when search_text(p.name || ' / ' || s.name) = search_text(w.cell) then 0 else 1 end as rank
    from unnest(cast(:cells as text[])) w(cell)
    join stage s on s.deleted_at is null
    join pipeline p on p.id = s.pipeline_id and p.deleted_at is null
    where search_text(w.cell) in (search_text(s.name), search_text(p.name || ' / ' || s.name))
"""  # noqa: E501
FIRST_STAGE = """(
    select s.id from stage s join pipeline p on p.id = s.pipeline_id and p.deleted_at is null
    where s.deleted_at is null and not s.is_won and not s.is_lost
    order by p.position, p.id, s.position, s.id limit 1)"""
OWNER = "coalesce((select owner_id from account where id = (o.values ->> 'account_id')::uuid), cast(:actor as uuid))"
SAID = f"coalesce((o.values ->> 'stage_id')::uuid, {FIRST_STAGE})"
STATE = "case when s.is_won then 'won' when s.is_lost then 'lost' else 'open' end"
IS_CLOSED = "exists (select from stage s where s.id = {stage} and (s.is_won or s.is_lost))"
ENDS = IS_CLOSED.format(stage=SAID)

# An open deal goes on: without a next step of its own it says that it came in by a file.
NEXT_STEP = f"case when not {ENDS} then 'Look at the imported deal' end"
NEXT_STEP_ON = (
    f"case when not {ENDS} then greatest((o.values ->> 'close_on')::date, cast(:now as timestamptz)::date) end"
)
MADE = {
    "pipeline_id": f"(select pipeline_id from stage s where s.id = {SAID})",  # noqa: S608
    "state": f"(select {STATE} from stage s where s.id = {SAID})",  # noqa: S608
    "closed_at": f"case when {ENDS} then coalesce((o.values ->> 'closed_at')::timestamptz, :now) end",
    "stage_since": "coalesce((o.values ->> 'closed_at')::timestamptz, :now)",
}
CLOSED_AT = f"""case when {IS_CLOSED.format(stage="coalesce((o.values ->> 'stage_id')::uuid, t.stage_id)")}
    then to_jsonb(to_char(t.closed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    else o.values -> 'closed_at' end"""

DIGITS = digits_sql("coalesce(o.values ->> 'currency', t.currency)")
NEW_AMOUNT = f"round((o.values ->> 'amount')::numeric, {DIGITS})"
AMOUNT = f"case when t.amount = {NEW_AMOUNT} then o.values -> 'amount' else to_jsonb(t.amount) end"
"""A row that names no currency is about the deal's, whatever that of the import is."""

NAME_KEY = "case when c.values ? 'name' then (c.values ->> 'account_id') || '|' || search_text(c.values ->> 'name') end"
NAMED = "t.account_id = split_part(k.key, '|', 1)::uuid and search_text(t.name) = substr(k.key, 38)"

REFUSED = """
    select o.row_no, 'Amount: the lines of the deal add up to it; leave the column out.' as message
    from import_outcome o
    where o.run_id = :run and o.action = 'update' and o.changes ?| array['amount', 'currency']
      and exists (select from opportunity_line l where l.opportunity_id = o.target_id and l.deleted_at is null)
    union all
    select o.row_no, format('Currency: %s %s would become %s; bring the amount too.', trim_scale(t.amount), t.currency,
                            o.values ->> 'currency')
    from import_outcome o join opportunity t on t.id = o.target_id and t.amount is not null
    where o.run_id = :run and o.action = 'update' and o.changes ? 'currency' and not o.values ? 'amount'
    union all
    select o.row_no, 'Contact: nobody of that name or address is at the account.'
    from import_outcome o
    where o.run_id = :run and (o.action = 'create' or o.action = 'update' and o.changes ? 'contact_id')
      and o.values ? 'contact_id' and not exists (
        select from contact_account p
        where p.contact_id = (o.values ->> 'contact_id')::uuid and p.deleted_at is null
          and account_surviving(p.account_id) = coalesce((o.values ->> 'account_id')::uuid,
              (select account_surviving(t.account_id) from opportunity t where t.id = o.target_id)))
    union all
    select o.row_no, 'There is no stage for deals to begin in; add a pipeline first.'
    from import_outcome o
    where o.run_id = :run and o.action = 'create' and not o.values ? 'stage_id'
      and not exists (select from stage s join pipeline p on p.id = s.pipeline_id and p.deleted_at is null
                      where s.deleted_at is null and not s.is_won and not s.is_lost)
"""

FOLLOW = (
    f"""
    update opportunity t set
        pipeline_id = s.pipeline_id, state = {STATE},
        stage_since = case when o.changes ? 'stage_id' then :now else t.stage_since end,
        closed_at = case when s.is_won or s.is_lost
                    then coalesce((o.values ->> 'closed_at')::timestamptz, t.closed_at, :now) end
    from import_outcome o join stage s on true
    where o.run_id = :run and o.action = 'update' and o.changes ?| array['stage_id', 'closed_at']
      and t.id = o.target_id and s.id = t.stage_id
    """,  # noqa: S608
    """
    insert into stage_change (id, opportunity_id, account_id, from_stage_id, to_stage_id, at, by, amount, currency)
    select gen_random_uuid(), t.id, t.account_id, (o.changes -> 'stage_id' ->> 0)::uuid, t.stage_id,
           case when o.action = 'create' then t.stage_since else :now end,
           cast(:actor as uuid), t.amount, t.currency
    from import_outcome o join opportunity t on t.id = coalesce(o.target_id, o.new_ids[1])
    where o.run_id = :run and (o.action = 'create' or o.action = 'update' and o.changes ? 'stage_id')
    """,
)

STEPS_BACK = """
    insert into stage_change (id, opportunity_id, account_id, from_stage_id, to_stage_id, amount, currency)
    select gen_random_uuid(), t.id, t.account_id, c.to_stage_id, t.stage_id, t.amount, t.currency
    from opportunity t
    cross join lateral (
        select to_stage_id from stage_change c where c.opportunity_id = t.id order by c.at desc, c.id desc limit 1) c
    where t.id = any(cast(:ids as uuid[])) and c.to_stage_id <> t.stage_id
"""
