"""Mails and the steps of deals of the last thirteen months reach phones with their account: its whole story is read
before a visit. A private mail is its people's alone."""

from alembic import op

from server.migrations import file_feed
from server.migrations.feed import CHANGED, SUPPRESSED
from server.migrations.sales_feed import buckets

revision = "0114"
down_revision = "0113"
branch_labels = None
depends_on = None

YOUNG = "r.at >= current_date - interval '13 months'"
HELD = "i.e = 10 and i.id = account_surviving(r.account_id) and i.op = 'P'"

STEPS = """
create view deal_step as
select c.id, c.opportunity_id, c.account_id, o.name, f.name as from_stage, t.name as to_stage,
       case when t.is_won then 'won' when t.is_lost then 'lost' else 'open' end as state,
       c.at, c.by, o.rev, o.deleted_at
from stage_change c
join opportunity o on o.id = c.opportunity_id
join stage t on t.id = c.to_stage_id
left join stage f on f.id = c.from_stage_id
"""
BUCKETS = (
    buckets(
        "mail",
        f"""
    select r.id, i.bucket_id from activity r join sync_item i on {HELD}
    where r.id = any(ids) and r.kind = 'mail' and r.deleted_at is null and {YOUNG} and not r.is_private
    union
    select r.id, sync_bucket('user', p.id::text) from activity r
    cross join lateral (select r.owner_id union select unnest(r.participant_ids)) p(id)
    where r.id = any(ids) and r.kind = 'mail' and r.deleted_at is null and {YOUNG} and r.is_private
      and exists (select from sync_item i where {HELD})""",
    ),
    buckets(
        "stage_change",
        f"""
    select r.id, i.bucket_id from deal_step r join sync_item i on {HELD}
    where r.id = any(ids) and r.deleted_at is null and {YOUNG}""",
    ),
)

TOUCH_MAIL = f"""
create function sync_touch_mail() returns trigger language plpgsql as $$
declare
    ids uuid[];
begin
    {CHANGED.replace("new_rows n join", "new_rows n full join")}
    if tg_op <> 'DELETE' then
        ids := array(select n.id from new_rows n where n.id = any(ids) and n.kind = 'mail');
    end if;
    if ids = '{{}}' then return null; end if;
    if tg_op <> 'DELETE' then
        perform 1 from account a where a.id in (select n.account_id from new_rows n) order by a.id for key share;
    end if;
    perform sync_stamp(27::smallint, 'mail', 'activity', ids);
    return null;
end $$
"""

# A step of a deal is added once; its deal and its stages are called otherwise later.
TOUCH_STEP = f"""
create function sync_touch_step() returns trigger language plpgsql as $$
declare
    ids uuid[];
begin
    if {SUPPRESSED} then return null; end if;
    if tg_op = 'DELETE' then
        ids := array(select o.id from old_rows o);
    elsif tg_table_name = 'stage_change' then
        perform 1 from account a where a.id in (select n.account_id from new_rows n) order by a.id for key share;
        ids := array(select n.id from new_rows n);
    elsif tg_table_name = 'opportunity' then
        ids := array(
            select c.id from new_rows n full join old_rows o on o.id = n.id
            join stage_change c on c.opportunity_id = n.id where n.rev is distinct from o.rev);
    else
        ids := array(
            select c.id from new_rows n full join old_rows o on o.id = n.id
            join stage_change c on n.id in (c.from_stage_id, c.to_stage_id)
            where (n.name, n.is_won, n.is_lost) is distinct from (o.name, o.is_won, o.is_lost));
    end if;
    if ids <> '{{}}' then perform sync_stamp(28::smallint, 'stage_change', 'deal_step', ids); end if;
    return null;
end $$
"""

NOTES = """    perform sync_stamp(26::smallint, 'note', 'note',
                       array(select r.id from note r where r.account_id = any(families)));
"""
STORY = """    perform sync_stamp(27::smallint, 'mail', 'activity',
                       array(select r.id from activity r where r.account_id = any(families) and r.kind = 'mail'));
    perform sync_stamp(28::smallint, 'stage_change', 'deal_step',
                       array(select r.id from stage_change r where r.account_id = any(families)));
"""
CHILDREN = file_feed.CHILDREN.replace(file_feed.MARK, NOTES + STORY + file_feed.MARK)
CHILDREN_BEFORE = file_feed.CHILDREN.replace(file_feed.MARK, NOTES + file_feed.MARK)

ROWS = {"insert": "new table as new_rows", "delete": "old table as old_rows"}
ROWS["update"] = f"{ROWS['delete']} {ROWS['insert']}"
TRIGGERS = (
    *(("sync_mail", "activity", what, "sync_touch_mail") for what in ("insert", "update", "delete")),
    *(("sync_step", "stage_change", what, "sync_touch_step") for what in ("insert", "delete")),
    ("sync_step", "opportunity", "update", "sync_touch_step"),
    ("sync_step", "stage", "update", "sync_touch_step"),
)


def upgrade() -> None:
    """Enter mails and steps into the buckets of their accounts, and keep them there."""
    for statement in (STEPS, *BUCKETS, TOUCH_MAIL, TOUCH_STEP, CHILDREN):
        op.execute(statement)
    for name, table, what, handler in TRIGGERS:
        op.execute(
            f"create trigger {name}_{what} after {what} on {table} referencing {ROWS[what]}"
            f" for each statement execute function {handler}()"
        )
    op.execute(
        f"select sync_stamp(27::smallint, 'mail', 'activity',"
        f" array(select r.id from activity r where r.kind = 'mail' and {YOUNG})),"
        f" sync_stamp(28::smallint, 'stage_change', 'deal_step', array(select r.id from stage_change r where {YOUNG}))"
    )


def downgrade() -> None:
    """Mails and steps are in the office alone."""
    op.execute("delete from sync_item where e in (27, 28)")
    for name, table, what, _ in TRIGGERS:
        op.execute(f"drop trigger {name}_{what} on {table}")
    op.execute(CHILDREN_BEFORE)
    for name in ("sync_touch_mail()", "sync_touch_step()", "sync_buckets_mail(uuid[])"):
        op.execute(f"drop function {name}")
    op.execute("drop function sync_buckets_stage_change(uuid[])")
    op.execute("drop view deal_step")
