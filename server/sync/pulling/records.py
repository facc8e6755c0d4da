"""The entities beside accounts and visits: their documents in SQL, and the right that each takes.

A row is sent to whoever the right reaches; whoever it reaches less far than accounts is asked row by row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from server.activities.agenda import queries as agenda
from server.activities.notes import queries as notes
from server.attachments import queries as attachments
from server.auth.access import Scope
from server.contacts import queries as contacts
from server.contacts.models import Contact, ContactAccount
from server.leads import queries as leads
from server.opportunities import queries as opportunities
from server.opportunities.models import Opportunity, StageChange
from server.orders import queries as orders
from server.tickets import queries as tickets

CUSTOM_FIELD = """'id', r.id, 'object', r.object, 'key', r.key, 'label', r.label, 'kind', r.kind,
    'section', r.section, 'position', r.position, 'help', r.help, 'unit', r.unit, 'choices', r.choices,
    'archived', r.archived, 'required', r.required, 'minimum', r.minimum::text, 'maximum', r.maximum::text,
    'pattern', r.pattern"""
VISIT_TYPE = """'id', r.id, 'name', r.name, 'service_s', r.service_s, 'position', r.position, 'archived', r.archived,
    'form_version_id', (select f.id from form_version f where f.visit_type_id = r.id order by f.version desc limit 1),
    'questions', coalesce((select f.questions from form_version f where f.visit_type_id = r.id
        order by f.version desc limit 1), '[]')"""
PRODUCT = """'id', r.id, 'number', r.number, 'name', r.name, 'description', r.description,
    'category', (select c.name from product_category c where c.id = r.category_id), 'unit', r.unit,
    'pack_size', r.pack_size::text, 'min_quantity', r.min_quantity::text, 'quantity_step', r.quantity_step::text,
    'is_active', r.is_active, 'successor_id', r.successor_id, 'ean', r.ean,
    'prices', coalesce((select json_agg(json_build_object('price_list_id', p.price_list_id,
        'min_quantity', p.min_quantity::text, 'unit_price', p.unit_price::text) order by p.price_list_id,
        p.min_quantity) from price p where p.product_id = r.id and p.deleted_at is null), '[]')"""
PRICE_LIST = """'id', r.id, 'name', r.name, 'currency', r.currency, 'is_gross', r.is_gross,
    'valid_from', r.valid_from, 'valid_to', r.valid_to, 'base_id', r.base_id, 'percent', r.percent::text"""
PRICE_LIST_USE = """'id', r.id, 'price_list_id', r.price_list_id, 'account_id', account_surviving(r.account_id),
    'account_class', r.account_class, 'territory_id', r.territory_id"""
CONTACT = """'id', r.id, 'prefix', r.prefix, 'first_name', r.first_name, 'last_name', r.last_name,
    'title', r.title, 'languages', r.languages, 'phones', r.phones, 'mails', r.mails, 'birthday', r.birthday,
    'note', r.note, 'do_not_contact', r.do_not_contact, 'custom', r.custom"""
CONTACT_ACCOUNT = """'id', r.id, 'contact_id', r.contact_id, 'account_id', account_surviving(r.account_id),
    'site_id', site_standing(r.site_id), 'roles', r.roles, 'is_primary', r.is_primary, 'until', r.until"""
TICKET = """'id', r.id, 'number', r.number, 'account_id', account_surviving(r.account_id),
    'site_id', site_standing(r.site_id), 'contact_id', r.contact_id, 'subject', r.subject, 'state', r.state,
    'priority', r.priority, 'queue', (select q.name from ticket_queue q where q.id = r.queue_id),
    'assignee_id', r.assignee_id, 'requester_name', r.requester_name, 'opened_at', sync_time(r.opened_at),
    'solve_due_at', sync_time(r.solve_due_at)"""
OPPORTUNITY = """'id', r.id, 'account_id', account_surviving(r.account_id), 'site_id', site_standing(r.site_id),
    'contact_id', r.contact_id, 'owner_id', r.owner_id, 'name', r.name,
    'stage', (select s.name from stage s where s.id = r.stage_id), 'amount', r.amount::text, 'currency', r.currency,
    'close_on', r.close_on, 'next_step', r.next_step, 'next_step_on', r.next_step_on, 'note', r.note"""
TOLD = """(:me = r.owner_id or :me = any(r.participant_ids)
    or not (r.is_private or (r.uid is not null and r.account_id is null)))"""
ACTIVITY = f"""'id', r.id, 'kind', r.kind, 'account_id', account_surviving(r.account_id),
    'site_id', site_standing(r.site_id), 'contact_id', case when {TOLD} then r.contact_id end,
    'owner_id', r.owner_id, 'participant_ids', r.participant_ids, 'subject', case when {TOLD} then r.subject end,
    'note', case when {TOLD} then r.note end, 'starts_at', sync_time(r.starts_at), 'ends_at', sync_time(r.ends_at),
    'is_all_day', r.is_all_day, 'zone', r.zone, 'due_on', r.due_on, 'effort_s', r.effort_s,
    'place', case when {TOLD} then r.place end, 'state', r.state, 'priority', r.priority, 'outcome', r.outcome,
    'rrule', r.rrule, 'done_at', sync_time(r.done_at)"""
ORDER = """'id', r.id, 'account_id', account_surviving(r.account_id), 'site_id', site_standing(r.site_id),
    'kind', r.kind, 'state', r.state, 'number', r.number, 'owner_id', r.owner_id, 'day', r.day,
    'currency', r.currency, 'net', r.net::text, 'tax', r.tax::text, 'gross', r.gross::text,
    'wanted_on', r.wanted_on, 'reference', r.reference, 'note', r.note,
    'lines', coalesce((select json_agg(json_build_object('id', l.id, 'product_id', l.product_id, 'text', l.text,
        'quantity', l.quantity::text, 'unit', l.unit, 'unit_price', l.unit_price::text, 'is_gross', l.is_gross,
        'discount_percent', l.discount_percent::text, 'amount', l.amount::text) order by l.position, l.id)
        from order_line l where l.order_id = r.id and l.deleted_at is null), '[]')"""
ATTACHMENT = """'id', r.id, 'account_id', account_surviving(r.account_id), 'owner', r.entity, 'owner_id', r.row_id,
    'kind', r.kind, 'name', r.name, 'mime', r.media_type, 'size', r.size, 'sha256', r.sha256,
    'thumbnail_sha256', r.thumbnail_sha256, 'width', r.width, 'height', r.height,
    'taken_at', sync_time(r.taken_at), 'made_by', r.made_by, 'is_here', r.file_id is not null"""
NOTE = """'id', r.id, 'account_id', account_surviving(r.account_id), 'author_id', r.author_id,
    'text', left(r.text, 2000), 'is_pinned', r.is_pinned, 'written_at', sync_time(r.written_at)"""
MAIL = f"""'id', r.id, 'account_id', account_surviving(r.account_id), 'owner_id', r.owner_id,
    'direction', r.direction, 'subject', case when {TOLD} then r.subject end,
    'sender', case when {TOLD} then r.sender end, 'text', case when {TOLD} then left(r.note, 500) end,
    'at', sync_time(r.at)"""
STAGE_CHANGE = """'id', r.id, 'account_id', account_surviving(r.account_id), 'opportunity_id', r.opportunity_id,
    'deal', r.name, 'from_stage', r.from_stage, 'to_stage', r.to_stage, 'state', r.state, 'by', r.by,
    'at', sync_time(r.at)"""
LEAD = """'id', r.id, 'company', r.company, 'person', r.person, 'phones', r.phones, 'emails', r.emails,
    'street', r.street, 'postcode', r.postcode, 'city', r.city, 'country', r.country,
    'lon', sync_degrees(st_x(r.pin)), 'lat', sync_degrees(st_y(r.pin)), 'uncertainty_m', r.uncertainty_m,
    'source', r.source, 'state', r.state, 'score', r.score, 'owner_id', r.owner_id,
    'territory_id', r.territory_id, 'note', r.note"""


@dataclass(frozen=True, slots=True)
class Right:
    """What somebody must be allowed to get rows of an entity."""

    permission: str
    reached: Callable[[Scope], Select[Any]]
    """The rows that the permission reaches, for whoever it reaches less far than accounts."""
    others: tuple[str, ...] = ()
    """Further permissions that decide about some of the rows."""

    @property
    def permissions(self) -> tuple[str, ...]:
        """All that decide."""
        return (self.permission, *self.others)


def places(scope: Scope) -> Select[Any]:
    """The places at accounts of the contacts that somebody sees."""
    seen = contacts.visible_to(scope).with_only_columns(Contact.id)
    return select(ContactAccount).where(ContactAccount.contact_id.in_(seen))


def steps(scope: Scope) -> Select[Any]:
    """The steps of the deals that somebody sees."""
    seen = opportunities.visible_to(scope).with_only_columns(Opportunity.id)
    return select(StageChange).where(StageChange.opportunity_id.in_(seen))


CONTACTS = Right("contacts:read", contacts.visible_to)
PLACES = Right("contacts:read", places)
TICKETS = Right("tickets:read", tickets.visible_to)
DEALS = Right("opportunities:read", opportunities.visible_to)
STEPS = Right("opportunities:read", steps)
AGENDA = Right("activities:read", agenda.visible_to)
ORDERS = Right("orders:read", orders.visible_to)
FILES = Right("activities:read", attachments.visible_to, ("tickets:read", "orders:read"))
NOTES = Right("activities:read", notes.visible_to)
LEADS = Right("leads:read", leads.visible_to)
