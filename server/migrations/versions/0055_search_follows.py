"""What shows an account's name is found by the new one: contacts, deals, orders and tickets follow."""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

# One refresh for each kind and statement; an account that only changes otherwise touches nothing.
RENAMED = """
create function search_account_renamed() returns trigger language plpgsql as $$
declare
    renamed uuid[];
begin
    select array_agg(n.id) into renamed from after n join before o on o.id = n.id where o.name is distinct from n.name;
    if renamed is null then return null; end if;
    perform search_refresh('contact', (select array_agg(distinct contact_id) from contact_account
        where account_id = any(renamed) and deleted_at is null));
    perform search_refresh('opportunity', (select array_agg(id) from opportunity where account_id = any(renamed)));
    perform search_refresh('order', (select array_agg(id) from sales_order where account_id = any(renamed)));
    perform search_refresh('ticket', (select array_agg(id) from ticket where account_id = any(renamed)));
    return null;
end $$
"""
ATTACHED = """
create trigger search_account_rename after update on account referencing old table as before new table as after
    for each statement execute function search_account_renamed()
"""
# Entries that were left behind by a name that changed before.
BEHIND = """
select search_refresh('{kind}', (select array_agg(e.row_id) from search_entry e join account a on a.id = e.account_id
    where e.kind = '{kind}' and position(search_text(a.name) in e.words) = 0))
"""


def upgrade() -> None:
    """Keep them in step from now on, and mend what was left behind."""
    op.execute(RENAMED)
    op.execute(ATTACHED)
    for kind in ("contact", "opportunity", "order", "ticket"):
        op.execute(BEHIND.format(kind=kind))
