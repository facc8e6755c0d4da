"""Contacts, leads, deals, orders, tickets and products can be found."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

HEAD = """ returns table (
    row_id uuid, account_id uuid, title text, detail text, words text, digits text, owner_id uuid, at timestamptz
) language sql stable as $$
"""
KINDS = {
    "contact": """
    select c.id, place.account_id, concat_ws(' ', c.first_name, c.last_name), place.name,
        search_text(concat_ws(' ', c.first_name, c.last_name, c.title, place.name,
            array_to_string(c.mail_addresses, ' '))),
        regexp_replace(array_to_string(c.phone_numbers, ' '), '[^0-9 ]', '', 'g'), c.owner_id, c.updated_at
    from contact c
    left join lateral (
        select ca.account_id, a.name from contact_account ca join account a on a.id = ca.account_id
        where ca.contact_id = c.id and ca.deleted_at is null order by ca.is_primary desc, ca.id limit 1
    ) place on true
    where c.id = any(ids) and c.deleted_at is null and c.merged_into is null
""",
    "lead": """
    select l.id, l.account_id, coalesce(l.company, l.person, l.number, ''),
        concat_ws(', ', case when l.company is not null then l.person end, l.street,
            concat_ws(' ', l.postcode, l.city)),
        search_text(concat_ws(' ', l.company, l.person, l.number, array_to_string(l.emails, ' '), l.street, l.postcode,
            l.city)),
        regexp_replace(array_to_string(l.phones_e164, ' '), '[^0-9 ]', '', 'g'), l.owner_id, l.updated_at
    from lead l where l.id = any(ids) and l.deleted_at is null
""",
    "opportunity": """
    select o.id, o.account_id, o.name, a.name, search_text(concat_ws(' ', o.name, o.number, a.name)), '', o.owner_id,
        o.updated_at
    from opportunity o join account a on a.id = o.account_id where o.id = any(ids) and o.deleted_at is null
""",
    "order": """
    select o.id, o.account_id, coalesce(o.number, o.reference, a.name), a.name,
        search_text(concat_ws(' ', o.number, o.reference, a.name)), '', o.owner_id, o.updated_at
    from sales_order o join account a on a.id = o.account_id where o.id = any(ids) and o.deleted_at is null
""",
    "ticket": """
    select t.id, t.account_id, t.subject, concat_ws(' · ', '#' || t.number, a.name),
        search_text(concat_ws(' ', t.subject, '#' || t.number, t.number, t.requester_name, t.requester_email, a.name)),
        regexp_replace(coalesce(t.requester_phone, ''), '[^0-9]', '', 'g'), t.assignee_id, t.updated_at
    from ticket t left join account a on a.id = t.account_id
    where t.id = any(ids) and t.deleted_at is null and t.merged_into is null
""",
    "product": """
    select p.id, null::uuid, p.name, p.number, search_text(concat_ws(' ', p.name, p.number, p.ean)), '', null::uuid,
        p.updated_at
    from product p where p.id = any(ids) and p.deleted_at is null
""",
}
TABLES = {"order": "sales_order"}


def upgrade() -> None:
    """Say what can be found of each kind, enter what is there, and keep it in step."""
    for kind, query in KINDS.items():
        table = TABLES.get(kind, kind)
        op.create_index(
            f"ix_search_{kind}_words",
            "search_entry",
            ["words"],
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
            postgresql_where=sa.text(f"kind = '{kind}'"),
        )
        op.execute(f"create function search_of_{kind}(ids uuid[]){HEAD}{query}$$")
        op.execute(f"select search_refresh('{kind}', (select array_agg(id) from {table}))")
        op.execute(f"select search_attach('{table}', '{kind}', 'id')")
    op.execute("select search_attach('contact_account', 'contact', 'contact_id')")
