"""What an import of tickets writes in ways of its own: their numbers and their first message."""

from server.tickets.opening import FIRST_NUMBER

QUEUES = """
    select w.cell, q.id, 0 as rank from unnest(cast(:cells as text[])) w(cell)
    join ticket_queue q on search_text(q.name) = search_text(w.cell) and q.deleted_at is null
"""
FIRST_QUEUE = "(select id from ticket_queue where deleted_at is null order by created_at, id limit 1)"
STATE = """case when o.values ? 'solved_at' then 'solved' when o.values ? 'assignee_id' then 'open' else 'new' end"""
DAY = "to_char({0} at time zone 'UTC', 'YYYY-MM-DD')"
SUBJECT_KEY = f"""case when c.values ? 'subject' and not c.values ?| array['key', 'number'] then concat_ws('|',
    {DAY.format("(c.values ->> 'opened_at')::timestamptz")}, coalesce(c.values ->> 'account_id', ''),
    md5(c.values ->> 'subject')) end"""
SUBJECT = f"""md5(t.subject) = split_part(k.key, '|', 3) and
    coalesce(t.account_id::text, '') = split_part(k.key, '|', 2)
    and {DAY.format("t.opened_at")} = split_part(k.key, '|', 1)"""

# Numbers are given without gaps: whoever wants one waits for whoever has taken the last one.
FIRST = (
    f"insert into ticket_counter (id, last) values (1, {FIRST_NUMBER - 1}) on conflict (id) do nothing",  # noqa: S608
    "select last from ticket_counter where id = 1 for update",
    """
    update ticket t set key = null from import_outcome o
    where o.run_id = :run and o.action = 'create' and t.key = o.values ->> 'key' and t.deleted_at is not null
    """,
)
MADE = {
    "number": "(select last from ticket_counter where id = 1) + row_number() over (order by o.row_no)",
    "source": "'import'",
}

REFUSED = """
    select o.row_no, 'There is no ticket with this number; put the numbers of another system into “Reference”.' as message
    from import_outcome o where o.run_id = :run and o.action = 'create' and o.values ? 'number'
    union all
    select o.row_no, 'There is no queue yet; make one in Tickets first.'
    from import_outcome o where o.run_id = :run and o.action = 'create'
      and not exists (select from ticket_queue where deleted_at is null)
"""  # noqa: E501

FOLLOW = (
    """
    update ticket_counter set last = last + (
        select count(*) from import_outcome o where o.run_id = :run and o.action = 'create') where id = 1
    """,
    """
    insert into ticket_message (id, ticket_id, at, kind, author_name, body)
    select gen_random_uuid(), o.new_ids[1], coalesce((o.values ->> 'opened_at')::timestamptz, :now), 'incoming',
           o.values ->> 'requester_name', coalesce(o.values ->> 'body', o.values ->> 'subject')
    from import_outcome o where o.run_id = :run and o.action = 'create' order by o.row_no
    """,
    """
    update ticket t set solved_at = case when t.state in ('solved', 'closed') then coalesce(t.solved_at, :now) end
    from import_outcome o
    where o.run_id = :run and (o.action = 'create' or o.action = 'update' and o.changes ?| array['state', 'solved_at'])
      and t.id = coalesce(o.target_id, o.new_ids[1])
      and (t.solved_at is null) = (t.state in ('solved', 'closed'))
    """,
)
TOUCHED = """
    select coalesce(target_id, new_ids[1]) from import_outcome o
    where o.run_id = :run and (o.action = 'create'
          or o.action = 'update' and o.changes ?| array['state', 'priority', 'queue_id', 'answered_at'])
"""
