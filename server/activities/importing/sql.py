"""What an import of activities and notes writes in ways of its own: where they stand in calendar and timeline."""

# Every text below is put together from the constants of this module, never from what somebody sends.

UTC = "to_char({0} at time zone 'UTC', 'YYYY-MM-DD HH24MI')"
START = "(o.values ->> 'starts_at')::timestamptz"
ENDS = f"""{START} + case when o.values ->> 'kind' = 'call' then interval '15 minutes' else interval '30 minutes' end"""

# What lies in the past has taken place; a task is open until somebody says that it is done.
STATE = f"""case when o.values ? 'done_at' then 'done' when o.values ->> 'kind' = 'task' then 'open'
    when o.values ->> 'kind' = 'mail' or {START} < :now then 'done' else 'open' end"""
SAID_STATE = f"coalesce(o.values ->> 'state', {STATE})"
DONE = "(o.values ->> 'done_at')::timestamptz"
DUE = "((o.values ->> 'due_on')::date::timestamp at time zone :zone)"
MADE = {
    "at": f"coalesce({START}, {DUE}, {DONE}, :now)",
    "zone": "cast(:zone as text)",
    "done_at": f"case when {SAID_STATE} = 'done' then coalesce({DONE}, {START}, :now) end",
}
DONE_AT = """case when coalesce(o.values ->> 'state', t.state) = 'done'
    then to_jsonb(to_char(t.done_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) else o.values -> 'done_at' end"""

WHEN = f"""coalesce({UTC.format("(c.values ->> 'starts_at')::timestamptz")}, c.values ->> 'due_on', '')"""
WHEN_THERE = f"coalesce({UTC.format('t.starts_at')}, t.due_on::text, '')"
SAME = "concat_ws('|', {0}, {1}, md5({2}))"
ROW = SAME.format("c.values ->> 'kind'", WHEN, "c.values ->> 'subject'")
THERE = SAME.format("t.kind", WHEN_THERE, "t.subject")
WHOLE = "c.values ?& array['kind', 'subject'] and not c.values ? 'reference'"
AT_ACCOUNT_KEY = f"case when {WHOLE} and c.values ? 'account_id' then (c.values ->> 'account_id') || '|' || {ROW} end"
AT_ACCOUNT = f"t.account_id = left(k.key, 36)::uuid and {THERE} = substr(k.key, 38)"
ALONE_KEY = f"case when {WHOLE} and not c.values ? 'account_id' then {ROW} end"
ALONE = f"t.account_id is null and {THERE} = k.key"
TEXT_KEY = """case when c.values ?& array['account_id', 'text'] and not c.values ? 'reference'
    then (c.values ->> 'account_id') || '|' || md5(c.values ->> 'text') end"""
TEXT = "t.account_id = left(k.key, 36)::uuid and md5(t.text) = substr(k.key, 38)"

REFUSED = """
    select o.row_no, 'Start: is missing; a meeting needs its time.' as message from import_outcome o
    where o.run_id = :run and o.action = 'create' and o.values ->> 'kind' = 'meeting' and not o.values ? 'starts_at'
    union all
    select o.row_no, 'Owner: is missing; the command line imports for nobody.' from import_outcome o
    join import_run r on r.id = o.run_id and r.actor is null
    where o.run_id = :run and o.action = 'create' and not o.values ? 'owner_id'
    union all
    select o.row_no, 'It repeats; change its time in the calendar.' from import_outcome o
    join activity t on t.id = o.target_id and (t.rrule is not null or t.series_id is not null)
    where o.run_id = :run and o.action = 'update' and o.changes ?| array['starts_at', 'ends_at']
    union all
    select o.row_no, 'Start: lies after the end that is known; bring the end too.' from import_outcome o
    join activity t on t.id = o.target_id
    where o.run_id = :run and o.action = 'update' and o.changes ?| array['starts_at', 'ends_at']
      and coalesce((o.values ->> 'ends_at')::timestamptz, t.ends_at)
          < coalesce((o.values ->> 'starts_at')::timestamptz, t.starts_at)
"""

FOLLOW = (
    f"""
    update activity t set
        at = coalesce(t.starts_at, t.due_on::timestamp at time zone t.zone, t.done_at, t.created_at),
        done_at = case when t.state = 'done' then coalesce({DONE}, t.done_at, t.starts_at, :now) end
    from import_outcome o
    where o.run_id = :run and o.action = 'update' and t.id = o.target_id
      and o.changes ?| array['starts_at', 'due_on', 'state', 'done_at']
    """,  # noqa: S608
)
