"""What follows a statement costs in proportion to its rows: old and new ones are joined by hash."""

from alembic import op

revision = "0080"
down_revision = "0077"
branch_labels = None
depends_on = None

# The planner thinks that the rows of a statement are as many as when it first planned the trigger: often one. It then
# compares each new row with each old one, four hundred million pairs for an undo of twenty thousand rows. A full join
# is never done that way, and finds the same here: every row of an update is among both.
JOINED = """
do $$
declare
    function_ oid;
begin
    for function_ in
        select p.oid from pg_proc p
        where p.pronamespace = current_schema()::regnamespace
          and (p.prosrc like '%new_rows n join old_rows o%' or p.prosrc like '%after n join before o%')
    loop
        execute replace(replace(pg_get_functiondef(function_),
            'new_rows n join old_rows o', 'new_rows n full join old_rows o'),
            'after n join before o', 'after n full join before o');
    end loop;
end $$
"""

# What can be found of all rows is asked once, not once for each entry.
REFRESH = """
create or replace function search_refresh(kind_ text, ids uuid[]) returns void language plpgsql as $$
begin
    if ids is null or current_setting('search.suppress', true) = 'on' then return; end if;
    execute format(
        'insert into search_entry as e (kind, row_id, account_id, title, detail, words, digits, owner_id, at)
         select %L, f.* from search_of_%s($1) f
         on conflict (kind, row_id) do update set account_id = excluded.account_id, title = excluded.title,
            detail = excluded.detail, words = excluded.words, digits = excluded.digits, owner_id = excluded.owner_id,
            at = excluded.at
         where (e.title, e.detail, e.words, e.digits, e.owner_id, e.account_id) is distinct from
            (excluded.title, excluded.detail, excluded.words, excluded.digits, excluded.owner_id, excluded.account_id)',
        kind_, kind_) using ids;
    execute format(
        'delete from search_entry e where e.kind = %L and e.row_id = any($1)
         and e.row_id not in (select f.row_id from search_of_%s($1) f)', kind_, kind_) using ids;
end $$
"""


def upgrade() -> None:
    """Write the functions anew."""
    op.execute(JOINED)
    op.execute(REFRESH)
