"""Whoever changes a person, or their place at an account, waits for moves of those accounts, and they for that.

A person who was brought back while an account moved in a transaction that was still open stayed where the account had
been: neither saw the other.
"""

from alembic import op

from server.migrations import sales_feed
from server.migrations.feed import CHANGED

revision = "0121"
down_revision = "0120"
branch_labels = None
depends_on = None

ONCE = CHANGED.replace("new_rows n join", "new_rows n full join")
"""As in migration 0080: the planner takes the rows of a statement for one each, and would join them by a loop."""

HOLD = """
    perform 1 from account a
    where a.id in (select l.account_id from contact_account l where l.contact_id = any(people))
    order by a.id for key share;
"""

TOUCH_CONTACT = f"""
create function sync_touch_contact() returns trigger language plpgsql as $$
declare
    ids uuid[];
    people uuid[];
begin
    {ONCE}
    people := ids;
    {HOLD}
    perform sync_stamp(14::smallint, 'contact', 'contact', people);
    return null;
end $$
"""

TOUCH_CONTACT_ACCOUNT = f"""
create or replace function sync_touch_contact_account() returns trigger language plpgsql as $$
declare
    ids uuid[];
    people uuid[];
begin
    {ONCE}
    if tg_op = 'DELETE' then
        people := array(select distinct o.contact_id from old_rows o);
    else
        people := array(select distinct n.contact_id from new_rows n);
    end if;
    {HOLD}
    perform sync_stamp(15::smallint, 'contact_account', 'contact_account', ids);
    perform sync_stamp(14::smallint, 'contact', 'contact', people);
    return null;
end $$
"""

MISPLACED = """
select sync_stamp({code}::smallint, '{table}', '{table}',
                  sync_moved({code}::smallint, '{table}', array(select id from {table})))
"""


def attach(function: str) -> None:
    """Let a function follow the changes of people."""
    for what in ("insert", "update", "delete"):
        op.execute(f"drop trigger sync_{what} on contact")
    op.execute(f"select sync_attach('contact', {function})")


def upgrade() -> None:
    """Hold the accounts of a person, and put whoever was left behind where they belong."""
    op.execute(TOUCH_CONTACT)
    op.execute(TOUCH_CONTACT_ACCOUNT)
    attach("'sync_touch_contact'")
    for code, table in ((14, "contact"), (15, "contact_account")):
        op.execute(MISPLACED.format(code=code, table=table))


def downgrade() -> None:
    """Neither waits for the other."""
    attach("'sync_touch', '14, contact'")
    op.execute("drop function sync_touch_contact()")
    op.execute(sales_feed.TOUCH_CONTACT_ACCOUNT.replace("create function", "create or replace function"))
