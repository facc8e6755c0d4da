"""Taking facts about visits down: one from a page, or as many as a phone brings along. The rules are the same
(`facts`); what they need is read with one statement a table, and written with one statement a table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import ARRAY, Uuid, any_, bindparam, inspect, select, text
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from geo.types import LonLat
from server.accounts.models import Site
from server.accounts.service import note_visits
from server.activities.answering import answer
from server.activities.facts import (
    VisitExists,
    VisitReport,
    apply_event,
    check_days,
    checked_zone,
    judge,
    oddities,
)
from server.activities.healing import is_telling, look_again
from server.activities.models import Visit, VisitEvent, VisitState
from server.demands import service as demands
from server.kit.errors import Invalid, NotFound
from server.kit.locks import one_at_a_time
from server.records.service import Actor
from server.webhooks import service as webhooks


@dataclass(frozen=True, slots=True)
class Place:
    """What a fact at a site is judged by."""

    id: UUID
    account_id: UUID
    """Whose it is, after all merges."""
    pin: LonLat | None
    uncertainty_m: float | None


@dataclass(frozen=True, slots=True)
class Ground:
    """Where some reports happened, as it is stored."""

    survivors: dict[UUID, UUID]
    """By account that exists: the one that stands for it after all merges."""
    places: dict[UUID, Place]
    main: dict[UUID, UUID]
    """By account, where it is visited when nobody says otherwise."""
    binned: set[UUID]
    """Those of the accounts that are deleted; what happened there is seen when they come back."""

    def survivor(self, account_id: UUID) -> UUID:
        """The account that stands for another one."""
        return self.survivors.get(account_id, account_id)


def record_visit(session: Session, report: VisitReport, actor: Actor) -> Visit:
    """Take a fact about a visit down. Facts are always accepted; what is odd about them is flagged.

    Refuses only what cannot be a fact: an account that does not exist, a visit at another account, a moment before
    there were phones, an event id that said something else, or answers that its form does not take.
    """
    record_visits(session, [report], actor)
    return session.get_one(Visit, report.visit_id)


def record_visits(session: Session, reports: Sequence[VisitReport], actor: Actor) -> dict[UUID, int]:
    """Take several facts down in their order, all or none; refuses the same as for one.

    Returns the revision of each visit.
    """
    for report in reports:
        check_days(report.day, report.occurred_at)
    one_at_a_time(session, *{f"visit:{report.visit_id}" for report in reports})  # sent twice at once, it is one fact
    events = events_of(session, reports)
    visits = locked(session, reports)
    ground = ground_of(session, reports, visits.values())
    taken: list[tuple[VisitReport, VisitEvent]] = []
    with session.no_autoflush:
        for report in reports:
            event = events.get(report.event_id)
            if event is not None:
                if event.visit_id != report.visit_id or event.state != report.state:
                    raise VisitExists("This event was recorded before with another content.")
                continue
            visit = visits[report.visit_id] = visit_of(report, visits.get(report.visit_id), ground)
            event = events[report.event_id] = event_of(report, visit, ground, actor)
            taken.append((report, event))
            apply_event(visit, event)
            if report.visit_type_id is not None:
                answer(session, visit, report)
        revs = write(session, list(visits.values()), [event for _, event in taken])
    settle(session, visits, taken, ground)
    return revs


def events_of(session: Session, reports: Sequence[VisitReport]) -> dict[UUID, VisitEvent]:
    """What was recorded before of these reports."""
    ids = [report.event_id for report in reports]
    return {event.id: event for event in session.scalars(EVENTS, {"ids": ids})}


def locked(session: Session, reports: Sequence[VisitReport]) -> dict[UUID, Visit]:
    """The visits that are known already, held until the transaction ends; in one order, so that nobody waits twice."""
    ids = list({report.visit_id for report in reports})
    return {visit.id: visit for visit in session.scalars(HELD, {"ids": ids})}


NAMED = any_(bindparam("ids", type_=ARRAY(Uuid)))
EVENTS = select(VisitEvent).where(VisitEvent.id == NAMED)
HELD = (
    select(Visit)
    .where(Visit.id == NAMED)
    .order_by(Visit.id)
    .with_for_update()
    .execution_options(populate_existing=True)
)
"""Made once, whatever the number of reports."""


STANDING = text(
    """
select a.id, s.id, s.deleted_at is not null from account a join account s on s.id = account_surviving(a.id)
where a.id = any(cast(:ids as uuid[]))
    """
)
PLACES = text(
    """
with told as (
    select s.id, null::uuid as home from unnest(cast(:sites as uuid[])) s(id)
    union all
    select m.id, a.id from unnest(cast(:homes as uuid[])) a(id)
    join account o on o.id = a.id
    cross join lateral (select s.id from site s
        where s.account_id = a.id and (s.deleted_at is null or s.deleted_at = o.deleted_at)
        order by s.is_main desc, s.id limit 1) m)
select t.home, s.id, account_surviving(s.account_id), st_x(s.pin), st_y(s.pin), s.uncertainty_m
from told t join site s on s.id = t.id
    """
)


def ground_of(session: Session, reports: Sequence[VisitReport], visits: Iterable[Visit]) -> Ground:
    """The accounts and sites that reports and their visits name."""
    there = list(visits)
    asked = {report.account_id for report in reports} | {visit.account_id for visit in there}
    standing = session.execute(STANDING, {"ids": sorted(asked)}).tuples().all()
    survivors = {account_id: survivor_id for account_id, survivor_id, _ in standing}
    known = {visit.id for visit in there}
    fresh = [report for report in reports if report.visit_id not in known]
    homes = sorted({survivors[report.account_id] for report in fresh if report.account_id in survivors})
    sites = sorted({site for site in [*(one.site_id for one in fresh), *(one.site_id for one in there)] if site})
    ground = Ground(survivors, {}, {}, {survivor_id for _, survivor_id, is_binned in standing if is_binned})
    found: Any = session.execute(PLACES, {"sites": sites, "homes": homes}) if sites or homes else ()
    for home, site_id, account_id, lon, lat, uncertainty_m in found:
        pin = None if lon is None else LonLat(lon, lat)
        ground.places[site_id] = Place(site_id, account_id, pin, uncertainty_m)
        if home is not None:
            ground.main[home] = site_id
    return ground


def visit_of(report: VisitReport, visit: Visit | None, ground: Ground) -> Visit:
    """The visit that a report is about. When nobody planned it: a new one, at the account that its own was merged
    into."""
    if visit is not None:
        if ground.survivor(visit.account_id) != ground.survivor(report.account_id):
            raise Invalid("The visit belongs to another account.", help="Report it there.", field="visit_id")
        return visit
    account_id = ground.survivors.get(report.account_id)
    if account_id is None:
        raise NotFound("There is no such account.", field="account_id")
    place = ground.places.get(report.site_id) if report.site_id else None
    if place is not None and place.account_id != account_id:
        raise Invalid("The site belongs to another account.", field="site_id")
    return Visit(
        id=report.visit_id,
        account_id=account_id,
        site_id=place.id if place else ground.main.get(account_id),
        rep_id=report.rep_id,
        day=report.day,
        zone=checked_zone(report.zone),
        state=VisitState.PLANNED,
        flags=["unplanned"],
        answers={},
    )


def main_site(session: Session, account_id: UUID) -> Site | None:
    """Where an account is visited when nobody says otherwise."""
    statement = select(Site).where(Site.account_id == account_id, Site.deleted_at.is_(None))
    return session.scalars(statement.order_by(Site.is_main.desc(), Site.id).limit(1)).one_or_none()


def event_of(report: VisitReport, visit: Visit, ground: Ground, actor: Actor) -> VisitEvent:
    """A report as a fact, with its verdict and what is odd about it."""
    place = ground.places.get(visit.site_id) if visit.site_id else None
    verdict = judge(visit, report, place.pin if place else None, place.uncertainty_m if place else None)
    is_binned = ground.survivor(visit.account_id) in ground.binned
    event = VisitEvent(
        id=report.event_id,
        visit_id=visit.id,
        state=report.state,
        outcome=report.outcome,
        note=report.note,
        occurred_at=report.occurred_at,
        recorded_by=actor.user_id,
        device_id=actor.device_id,
        source=actor.source,
        flags=sorted({*report.flags, *oddities(visit, report), *(["account_deleted"] if is_binned else [])}),
        signature=None if report.signature is None else dict(report.signature),
    )
    if verdict is not None and report.fix is not None:
        event.checkin = WKTElement(f"POINT({report.fix.point.lon} {report.fix.point.lat})", srid=4326)
        event.accuracy_m, event.mock = report.fix.accuracy_m, report.fix.mock
    if verdict is not None:
        event.distance_m, event.verification = verdict.distance_m, verdict.verification
    return event


MOVED = {
    "flags": "text[]", "checkin": "geometry", "accuracy_m": "float8", "distance_m": "float8", "verification": "text",
    "checked_in_at": "timestamptz", "outcome": "text", "note": "text", "state": "text", "done_at": "timestamptz",
    "visit_type_id": "uuid", "form_version_id": "uuid", "answers": "jsonb", "deleted_at": "timestamptz",
}  # fmt: skip
"""What reports change of a visit, and of which type it is."""
MADE = {"id": "uuid", "account_id": "uuid", "site_id": "uuid", "rep_id": "uuid", "day": "date", "zone": "text", **MOVED}
"""What is known of a visit that nobody planned."""
FACT = {
    "id": "uuid", "visit_id": "uuid", "state": "text", "outcome": "text", "note": "text", "occurred_at": "timestamptz",
    "recorded_by": "uuid", "device_id": "uuid", "source": "text", "checkin": "geometry", "accuracy_m": "float8",
    "mock": "boolean", "distance_m": "float8", "verification": "text", "flags": "text[]", "signature": "jsonb",
}  # fmt: skip


def rows_of(columns: Mapping[str, str]) -> str:
    """Rows of JSON as SQL reads them, in their order."""
    of = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"jsonb_to_recordset(cast(:rows as jsonb)) as n({of})"


MAKE = text(
    f"insert into visit ({', '.join(MADE)}) select {', '.join(MADE)} from {rows_of(MADE)} returning id, rev"  # noqa: S608 our own constants
)
MOVE = text(
    f"update visit v set {', '.join(f'{name} = n.{name}' for name in MOVED)}"  # noqa: S608 our own constants
    f" from {rows_of({'id': 'uuid', **MOVED})} where v.id = n.id returning v.id, v.rev"
)
KEEP = text(
    f"insert into visit_event ({', '.join(FACT)}) select {', '.join(FACT)} from {rows_of(FACT)}"  # noqa: S608 our own constants
)


def write(session: Session, visits: Sequence[Visit], events: Sequence[VisitEvent]) -> dict[UUID, int]:
    """Store new visits, what changed of those before, and the facts: a statement each. The revision of each visit."""
    fresh = [visit for visit in visits if inspect(visit).transient]
    changed = [visit for visit in visits if inspect(visit).persistent and session.is_modified(visit)]
    revs = {visit.id: visit.rev for visit in visits}
    for statement, columns, rows in ((MAKE, MADE, fresh), (MOVE, {"id", *MOVED}, changed)):
        if rows:
            found = session.execute(statement, {"rows": json.dumps([values_of(row, columns) for row in rows])})
            revs |= dict(found.tuples().all())
    for visit in changed:
        for name in MOVED:
            set_committed_value(visit, name, getattr(visit, name))
        session.expire(visit, ["rev", "frev", "updated_at"])
    if events:
        session.execute(KEEP, {"rows": json.dumps([values_of(event, FACT) for event in events])})
    return revs


def values_of(row: Visit | VisitEvent, names: Iterable[str]) -> dict[str, Any]:
    """Columns of a row, as the database reads them out of JSON."""
    values = {name: getattr(row, name) for name in names}
    return {name: value if isinstance(value, PLAIN) else spelled(value) for name, value in values.items()}


PLAIN = (str, list, dict, float, bool, type(None))


def spelled(value: object) -> str:
    """A single value as text; a point with its reference system."""
    match value:
        case datetime():
            return value.isoformat()
        case WKTElement():
            return f"SRID={value.srid};{value.data}"
        case _:
            return str(value)


def settle(
    session: Session, visits: dict[UUID, Visit], taken: Sequence[tuple[VisitReport, VisitEvent]], ground: Ground
) -> None:
    """What follows from facts elsewhere: demands served or open again, days of last visits, pins, other programs."""
    touched = [visits[visit_id] for visit_id in dict.fromkeys(report.visit_id for report, _ in taken)]
    done = [visit for visit in touched if visit.state == VisitState.DONE]
    note_visits(session, [(visit.account_id, ground.survivor(visit.account_id), visit.day) for visit in done])
    demands.visited(
        session,
        [
            demands.Served(visit.id, ground.survivor(visit.account_id), visit.site_id, visit.rep_id, visit.day)
            for visit in done
        ],
    )
    off = [visit.id for visit in touched if visit.state in (VisitState.MISSED, VisitState.CANCELLED)]
    if off:
        demands.not_visited(session, off)
    told = {visits[report.visit_id].site_id for report, _ in taken if is_telling(report.fix)}
    look_again(session, {site_id for site_id in told if site_id is not None})
    webhooks.announce_all(session, "visit", [(str(event.visit_id), str(event.id)) for _, event in taken])
