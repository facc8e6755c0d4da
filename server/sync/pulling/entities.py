"""What reaches phones: each entity with its table, the document that is made of a row, and the right that it takes.

A new entity is one entry here, its document in `documents.py` (or `record_documents.py`), and in a migration
`sync_buckets_<name>` (which says in which buckets its rows are) with `sync_attach`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.roles import FIELDS, Level
from server.sync.pulling import records
from server.sync.pulling.records import Right

USER = """'id', r.id, 'name', r.name, 'role', r.role"""
PICKLIST = """'id', r.id, 'name', r.name, 'values', r.values"""
TERRITORY = """'id', r.id, 'name', r.name, 'colour', r.colour,
    'outline', st_asgeojson(st_simplifypreservetopology(r.area, 0.0005), 5)::json"""
ACCOUNT = """'id', r.id, 'number', r.number, 'name', r.name, 'account_class', r.account_class, 'status', r.status,
    'owner_id', r.owner_id, 'interval_days', r.interval_days, 'yearly_value', r.yearly_value::text,
    'yearly_potential', r.yearly_potential::text, 'currency', r.currency, 'phone', r.phone, 'email', r.email,
    'website', r.website, 'tags', r.tags, 'note', r.note, 'merged_into', r.merged_into, 'custom', r.custom,
    'preferred_time', r.preferred_time, 'last_visit_on', r.last_visit_on, 'created_on', r.created_at::date"""
CADENCE = """'id', r.id, 'user_id', r.user_id, 'account_class', r.account_class, 'interval_days', r.interval_days"""
SITE = """'id', r.id, 'account_id', r.account_id, 'name', r.name, 'is_main', r.is_main, 'street', r.street,
    'postcode', r.postcode, 'city', r.city, 'country', r.country, 'lon', sync_degrees(st_x(r.pin)),
    'lat', sync_degrees(st_y(r.pin)), 'grade', r.grade, 'uncertainty_m', r.uncertainty_m,
    'geocode_reason', r.geocode_reason, 'provider', r.provider, 'opening_hours', r.opening_hours,
    'service_s', r.service_s, 'territory_id', r.territory_id, 'custom', r.custom"""
VISIT = """'id', r.id, 'account_id', account_surviving(r.account_id), 'site_id', site_standing(r.site_id),
    'rep_id', r.rep_id, 'day', r.day,
    'zone', r.zone, 'state', r.state, 'appointment', r.appointment, 'objective', r.objective, 'outcome', r.outcome,
    'note', r.note, 'planned_start_at', sync_time(r.planned_start_at), 'planned_end_at', sync_time(r.planned_end_at),
    'checked_in_at', sync_time(r.checked_in_at), 'done_at', sync_time(r.done_at),
    'checkin', case when r.verification is not null then json_build_object('lon', sync_degrees(st_x(r.checkin)),
        'lat', sync_degrees(st_y(r.checkin)), 'accuracy_m', r.accuracy_m, 'distance_m', r.distance_m,
        'verification', r.verification) end,
    'flags', r.flags, 'visit_type_id', r.visit_type_id, 'form_version_id', r.form_version_id, 'answers', r.answers,
    'signed_by', (select e.signature ->> 'name' from visit_event e
        where e.visit_id = r.id and e.signature is not null order by e.recorded_at desc limit 1)"""
PIN_PROPOSAL = """'id', r.id, 'account_id', account_surviving(r.account_id),
    'site_id', site_standing(r.site_id), 'lon', sync_degrees(st_x(r.pin)),
    'lat', sync_degrees(st_y(r.pin)), 'moved_m', r.moved_m, 'accuracy_m', r.accuracy_m, 'note', r.note,
    'state', r.state, 'answer', r.answer, 'proposed_at', sync_time(r.proposed_at),
    'decided_at', sync_time(r.decided_at)"""

TRACK = """'id', r.id, 'rep_id', r.rep_id, 'day', r.day, 'kind', r.kind, 'at', sync_time(r.starts_at),
    'fixes', r.fixes"""

PROSPECT = """'id', r.id, 'name', r.name, 'kind', r.kind, 'kind_words', r.kind_words, 'street', r.street,
    'postcode', r.postcode, 'city', r.city, 'phone', r.phone, 'opening_hours', r.opening_hours,
    'lon', sync_degrees(st_x(r.pin)), 'lat', sync_degrees(st_y(r.pin)), 'credit', r.credit"""

ROUTE = """'id', r.id, 'plan_id', r.plan_id, 'rep_id', r.rep_id, 'day', r.day, 'zone', r.zone,
    'start', r.start_anchor, 'end', r.end_anchor, 'leaves_at', sync_time(r.leaves_at),
    'returns_at', sync_time(r.returns_at), 'drive_s', r.drive_s, 'distance_m', r.distance_m,
    'estimated', r.estimated, 'polylines', r.polylines, 'break_starts_at', sync_time(r.break_starts_at),
    'break_s', r.break_s, 'closes_at', (select sync_time(((r.day + p.shift_end) at time zone r.zone)
        + p.overtime_s * interval '1 second') from rep_profile p where p.user_id = r.rep_id)"""
STOP = """'id', r.id, 'route_id', r.route_id, 'visit_id', r.visit_id,
    'account_id', account_surviving(r.account_id), 'site_id', site_standing(r.site_id),
    'position', r.position, 'arrives_at', sync_time(r.arrives_at),
    'starts_at', sync_time(r.starts_at), 'ends_at', sync_time(r.ends_at), 'drive_s', r.drive_s,
    'distance_m', r.distance_m, 'estimated', r.estimated, 'why', r.why, 'entry_lon', sync_degrees(st_x(r.entry)),
    'entry_lat', sync_degrees(st_y(r.entry)), 'walk_m', r.walk_m, 'cautions', r.cautions"""


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of row that phones hold."""

    code: int
    """Its number in `sync_item`; lower ones are delivered first within a transaction."""
    name: str
    """Its name in messages."""
    table: str
    document: str
    """SQL: keys and values of the document of row `r`; `:me` is who reads it."""
    right: Right | None = None
    """None: whoever has the bucket has the row."""
    of: str | None = None
    """The column that names the only one who gets the row, whoever else has the bucket."""
    since: int = 1
    """The schema from which on apps know it; it is sent to no older one."""


ENTITIES = (
    Entity(1, "user_public", "app_user", USER),
    Entity(2, "picklist", "picklist", PICKLIST),
    Entity(3, "territory", "territory", TERRITORY),
    Entity(4, "custom_field", "custom_field", records.CUSTOM_FIELD),
    Entity(5, "visit_type", "visit_type", records.VISIT_TYPE),
    Entity(6, "product", "product", records.PRODUCT),
    Entity(7, "price_list", "price_list", records.PRICE_LIST),
    Entity(8, "price_list_use", "price_list_use", records.PRICE_LIST_USE),
    Entity(9, "cadence", "cadence", CADENCE),
    Entity(10, "account", "account", ACCOUNT),
    Entity(11, "site", "site", SITE),
    Entity(12, "visit", "visit", VISIT),
    Entity(13, "pin_proposal", "pin_proposal", PIN_PROPOSAL),
    Entity(14, "contact", "contact", records.CONTACT, records.CONTACTS),
    Entity(15, "contact_account", "contact_account", records.CONTACT_ACCOUNT, records.PLACES),
    Entity(16, "ticket", "ticket", records.TICKET, records.TICKETS),
    Entity(17, "opportunity", "opportunity", records.OPPORTUNITY, records.DEALS),
    Entity(18, "activity", "activity", records.ACTIVITY, records.AGENDA),
    Entity(19, "order", "sales_order", records.ORDER, records.ORDERS),
    Entity(20, "route", "route", ROUTE),
    Entity(21, "stop", "stop", STOP),
    Entity(22, "lead", "lead", records.LEAD, records.LEADS),
    Entity(23, "attachment", "attachment", records.ATTACHMENT, records.FILES),
    Entity(24, "track", "track", TRACK, of="rep_id"),
    Entity(25, "prospect", "offered_prospect", PROSPECT),
    Entity(26, "note", "note", records.NOTE, records.NOTES),
    Entity(27, "mail", "activity", records.MAIL, records.AGENDA, since=4),
    Entity(28, "stage_change", "deal_step", records.STAGE_CHANGE, records.STEPS, since=4),
)
BY_CODE: Mapping[int, Entity] = {entity.code: entity for entity in ENTITIES}
BY_NAME: Mapping[str, Entity] = {entity.name: entity for entity in ENTITIES}


def unknown(schema: int | None) -> list[int]:
    """The codes of what an app does not know that reads rows by a schema; None: it has not said by which."""
    return [entity.code for entity in ENTITIES if entity.since > (schema or 1)]


class Row(NamedTuple):
    """A row as a phone gets it."""

    rev: int
    document: str
    """JSON."""

    def json(self) -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = json.loads(self.document)
        return document


def rows(session: Session, scope: Scope, entity: Entity, ids: Iterable[UUID | str]) -> dict[str, Row]:
    """The living rows among some ids, by their id as text, with their documents; what is hidden from the reader is null
    there. Ids go and come as text: tens of thousands of `UUID`s were a part of the work of a first sync."""
    wanted = permitted(session, scope, entity, [str(one) for one in ids])
    if not wanted:
        return {}
    statement, values = documents(scope, entity, wanted)
    return by_id(session.execute(prepared(statement), values).all())


def documents(scope: Scope, entity: Entity, ids: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """The question for the living rows among some ids: id, revision, document; and its values."""
    document = f"json_build_object({entity.document})"
    params: dict[str, Any] = {"ids": f"{{{','.join(ids)}}}"}
    theirs = f"and r.{entity.of} = :me" if entity.of else ""
    if ":me" in document or theirs:
        params["me"] = scope.user_id
    if hidden := scope.hidden(entity.name):
        empty = "select json_object_agg(key, case when key = any(:hidden) then null else value end)"
        document, params["hidden"] = f"({empty} from json_each({document}))", sorted(hidden)
    statement = f"""
        select r.id::text, r.rev, ({document})::text
        from {entity.table} r where r.id = any(cast(:ids as uuid[])) and r.deleted_at is null {theirs}
    """  # noqa: S608 our own constants
    return statement, params


def by_id(found: Iterable[Any]) -> dict[str, Row]:
    """The answer to that."""
    return {row_id: Row(rev, document) for row_id, rev, document in found}


prepared = lru_cache(maxsize=256)(text)
"""A statement out of its text, made once."""


def permitted(session: Session, scope: Scope, entity: Entity, ids: list[str]) -> list[str]:
    """The ids that the entity's own right reaches; a right as wide as that to accounts is what the bucket says."""
    right = entity.right
    if right is None or not ids or is_open(scope, entity):
        return ids
    if not scope.may(right.permission):
        return []
    reached = right.reached(scope)
    key: Any = reached.selected_columns["id"]
    return [str(one) for one in session.scalars(reached.with_only_columns(key).where(key.in_(map(UUID, ids))))]


def is_open(scope: Scope, entity: Entity) -> bool:
    """Whether whoever has the bucket has the rows: the entity's own right is as wide as that to accounts."""
    right = entity.right
    return right is None or min(map(scope.level, right.permissions)) >= scope.level("accounts:read")


RIGHTS = frozenset(permission for entity in ENTITIES if entity.right for permission in entity.right.permissions)
VEILED = tuple(entity.name for entity in ENTITIES if entity.name in FIELDS)


def kept_from(scope: Scope) -> str:
    """What somebody does not get although a bucket holds it, in one word; empty when there is nothing."""
    hidden = {f"{kind}.{name}" for kind in VEILED for name in scope.hidden(kind)} if scope.fields else set()
    widest = scope.level("accounts:read")
    narrow = {f"{one}={level:d}" for one in RIGHTS if Level.NONE <= (level := scope.level(one)) < widest}
    return ",".join(sorted(hidden | narrow))


def last_change(session: Session, entity: str, row_id: UUID, field: str) -> tuple[str | None, datetime | None]:
    """Who changed a field last, and when."""
    statement = """
        select u.name, h.at from field_history h left join app_user u on u.id = h.actor
        where h.entity = :entity and h.row_id = :id and h.field = :field order by h.rev desc limit 1
    """
    found = session.execute(text(statement), {"entity": entity, "id": row_id, "field": field}).one_or_none()
    return (found[0], found[1]) if found else (None, None)
