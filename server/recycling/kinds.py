"""What the bin holds: a room whose rows can be deleted adds its line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.accounts import binned as accounts
from server.accounts import service as account_rules
from server.accounts.duplicates import merging
from server.activities.notes import queries as notes
from server.activities.notes import service as note_rules
from server.attachments import queries as attachments
from server.attachments import service as attachment_rules
from server.auth.access import Scope
from server.contacts import joining as contact_joining
from server.contacts import queries as contacts
from server.contacts import service as contact_rules
from server.leads import joining as lead_joining
from server.leads import service as lead_rules
from server.opportunities import queries as opportunities
from server.opportunities import service as deal_rules
from server.orders import service as order_rules
from server.products import joining as product_joining
from server.products import queries as products
from server.recycling import purging, rooms
from server.segments import queries as segments
from server.segments import service as segment_rules
from server.tickets import queries as tickets
from server.tickets import service as ticket_rules


@dataclass(frozen=True)
class Kind:
    """One kind of thing in the bin."""

    label: str
    plural: str
    icon: str
    permission: str
    """Who may not do this has none of it in the bin."""
    rows: Callable[[Scope], Select[Any]]
    """What the person may bring back, see `server.records.binned`."""
    restore: Callable[[Session, Scope, UUID], object]
    purge: Callable[[Session, datetime], int] | None
    """Removes what was deleted before a moment; None: time alone takes it out."""
    link: str
    """Where it stands after it was brought back."""


KINDS: Mapping[str, Kind] = {
    "account": Kind(
        "Account",
        "Accounts",
        "building-2",
        "accounts:delete",
        accounts.accounts,
        account_rules.restore,
        accounts.purge_accounts,
        "/accounts/{id}",
    ),
    "site": Kind(
        "Site",
        "Sites",
        "map-pin",
        "accounts:write",
        accounts.sites,
        accounts.restore_site,
        accounts.purge_sites,
        "/accounts/{account_id}",
    ),
    "note": Kind(
        "Note",
        "Notes",
        "sticky-note",
        "activities:write",
        notes.in_bin,
        note_rules.restore,
        note_rules.purge,
        "/accounts/{account_id}#note-{id}",
    ),
    "attachment": Kind(
        "File",
        "Files",
        "paperclip",
        "activities:write",
        attachments.in_bin,
        attachment_rules.restore,
        attachment_rules.purge,
        "/accounts/{account_id}#files",
    ),
    "lead": Kind(
        "Lead", "Leads", "user-plus", "leads:write", rooms.leads_gone, lead_rules.restore, purging.leads, "/leads/{id}"
    ),
    "order": Kind(
        "Order",
        "Orders",
        "shopping-cart",
        "orders:write",
        rooms.orders_gone,
        order_rules.restore,
        purging.orders,
        "/orders/{id}",
    ),
    "activity": Kind(
        "Activity",
        "Activities",
        "list-todo",
        "activities:write",
        rooms.activities_gone,
        rooms.restore_activity,
        purging.activities,
        "/calendar/activities/{id}",
    ),
    "contact": Kind(
        "Contact",
        "Contacts",
        "contact-round",
        "contacts:write",
        contacts.deleted,
        contact_rules.restore,
        contact_rules.purge,
        "/contacts/{id}",
    ),
    "opportunity": Kind(
        "Deal",
        "Deals",
        "handshake",
        "opportunities:write",
        opportunities.in_bin,
        deal_rules.restore,
        purging.deals,
        "/pipeline/deals/{id}",
    ),
    "ticket": Kind(
        "Ticket",
        "Tickets",
        "ticket",
        "tickets:assign",
        tickets.in_bin,
        ticket_rules.restore,
        purging.tickets,
        "/tickets/{id}",
    ),
    "product": Kind(
        "Product",
        "Products",
        "package",
        "products:write",
        products.in_bin,
        rooms.restore_product,
        purging.products,
        "/products/{id}",
    ),
    "price_list": Kind(
        "Price list",
        "Price lists",
        "receipt",
        "products:write",
        products.lists_in_bin,
        rooms.restore_list,
        purging.price_lists,
        "/price-lists/{id}",
    ),
    "segment": Kind(
        "Segment",
        "Segments",
        "list-filter",
        "segments:write",
        segments.in_bin,
        segment_rules.restore,
        purging.segments,
        "/segments/{id}",
    ),
    "merge": Kind(
        "Merge", "Merges", "copy-check", "accounts:merge", accounts.merges, merging.undo, None, "/accounts/{account_id}"
    ),
    "lead_merge": Kind(
        "Merge of leads",
        "Merges of leads",
        "copy-check",
        "leads:write",
        rooms.merged_leads,
        lead_joining.undo,
        None,
        "/leads",
    ),
    "contact_merge": Kind(
        "Merge of contacts",
        "Merges of contacts",
        "copy-check",
        "contacts:write",
        rooms.merged_contacts,
        contact_joining.undo,
        None,
        "/contacts",
    ),
    "product_merge": Kind(
        "Merge of products",
        "Merges of products",
        "copy-check",
        "products:write",
        rooms.merged_products,
        product_joining.undo,
        None,
        "/products",
    ),
}
"""By the name of the table; a merge is in the bin as long as it can be undone."""
