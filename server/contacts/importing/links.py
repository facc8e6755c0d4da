"""Contacts that the files of other rooms name."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.contacts import queries
from server.contacts.models import Contact
from server.imports.declared import ids_by_cell
from server.imports.statements import Link

CONTACTS = """
    select w.cell, t.id, 0 as rank from unnest(cast(:cells as text[])) w(cell)
    join contact t on t.id = case when w.cell ~ '^[0-9a-f]{8}-[0-9a-f-]{27}$' then w.cell::uuid end
    union all
    select w.cell, t.id, 1 from unnest(cast(:cells as text[])) w(cell)
    join contact t on t.mail_addresses @> array[lower(w.cell)]
    where t.deleted_at is null and t.merged_into is null
    union all
    select w.cell, t.id, 2 from unnest(cast(:cells as text[])) w(cell)
    join contact t on search_text(concat_ws(' ', t.first_name, t.last_name)) = search_text(w.cell)
    where t.deleted_at is null and t.merged_into is null
"""


def find(session: Session, scope: Scope | None, cells: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    """Contacts by mail address, name or id, within somebody's reach."""
    found = ids_by_cell(session, CONTACTS, cells)
    if scope is None or not found:
        return found
    named = Contact.id == any_(literal([one for ids in found.values() for one in ids], ARRAY(Uuid)))
    seen = set(session.scalars(queries.visible_to(scope).where(named).with_only_columns(Contact.id)))
    return {cell: [one for one in ids if one in seen] for cell, ids in found.items()}


CONTACT = Link("contact", "contacts", "the mail address", find, "Import the contacts first, or correct the cell.")
