"""One narrow table that the global search looks through, kept in step by triggers; words for forgiving typos."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

# What of an account and its sites can be found; the main site comes first in `detail`.
ACCOUNT_ENTRIES = """
create function search_of_account(ids uuid[]) returns table (
    row_id uuid, account_id uuid, title text, detail text, words text, digits text, owner_id uuid, at timestamptz
) language sql stable as $$
    select a.id, a.id, a.name,
        concat_ws(', ', main.street, concat_ws(' ', main.postcode, main.city)),
        search_text(concat_ws(' ', a.name, a.number, a.email, sites.words)),
        concat_ws(' ', regexp_replace(coalesce(a.phone_e164, a.phone), '\\D', '', 'g')), a.owner_id, a.updated_at
    from account a
    left join lateral (
        select s.street, s.postcode, s.city from site s
        where s.account_id = a.id and s.is_main and s.deleted_at is null limit 1
    ) main on true
    left join lateral (
        select string_agg(distinct concat_ws(' ', s.name, s.street, s.postcode, s.city), ' ') as words
        from site s where s.account_id = a.id and s.deleted_at is null
    ) sites on true
    where a.id = any(ids) and a.deleted_at is null and a.merged_into is null
$$
"""

# Brings the entries of some rows of one kind in step; `kind` names the function that says what can be found.
REFRESH = """
create function search_refresh(kind_ text, ids uuid[]) returns void language plpgsql as $$
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
         and not exists (select 1 from search_of_%s(array[e.row_id]))', kind_, kind_) using ids;
end $$
"""

# Statement triggers: one refresh for all rows of a statement. Arguments: kind, and the column that names the row.
CHANGED = """
create function search_changed() returns trigger language plpgsql as $$
declare
    ids_ uuid[];
begin
    execute format('select array_agg(distinct %I) from changed', tg_argv[1]) into ids_;
    perform search_refresh(tg_argv[0], ids_);
    return null;
end $$
"""

ATTACH = """
create function search_attach(table_ text, kind_ text, column_ text) returns void language plpgsql as $$
begin
    execute format('create trigger %I after insert on %I referencing new table as changed
        for each statement execute function search_changed(%L, %L)',
        'search_' || table_ || '_insert', table_, kind_, column_);
    execute format('create trigger %I after update on %I referencing new table as changed
        for each statement execute function search_changed(%L, %L)',
        'search_' || table_ || '_update', table_, kind_, column_);
end $$
"""

FILL = """
insert into search_entry (kind, row_id, account_id, title, detail, words, digits, owner_id, at)
select 'account', f.* from search_of_account((select coalesce(array_agg(id), '{}') from account)) f
"""


def upgrade() -> None:
    """Create the table, its functions and triggers, and enter what is there."""
    op.create_table(
        "search_entry",
        sa.Column("kind", sa.String(), nullable=False, comment="account, contact, ticket, ..."),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True, comment="Decides who sees it; null: the kind's own rule."),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("words", sa.String(), nullable=False, comment="Folded; what is searched."),
        sa.Column("digits", sa.String(), nullable=False, comment="Of phone numbers."),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When it was last changed."),
        sa.PrimaryKeyConstraint("kind", "row_id", name=op.f("pk_search_entry")),
    )
    op.create_table(
        "search_visit",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_search_visit_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "kind", "row_id", name=op.f("pk_search_visit")),
    )
    for statement in (ACCOUNT_ENTRIES, REFRESH, CHANGED, ATTACH, FILL):
        op.execute(statement)
    op.create_index(
        "ix_search_account_words",
        "search_entry",
        ["words"],
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
        postgresql_where=sa.text("kind = 'account'"),
    )
    op.create_index(
        "ix_search_entry_digits", "search_entry", ["digits"], postgresql_using="gin",
        postgresql_ops={"digits": "gin_trgm_ops"}, postgresql_where=sa.text("digits <> ''"),
    )  # fmt: skip
    op.execute("select search_attach('account', 'account', 'id')")
    op.execute("select search_attach('site', 'account', 'account_id')")
