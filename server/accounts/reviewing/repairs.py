"""Bulk repairs: find one kind of mistake, show what would change, apply it all or nothing, undo it exactly."""

import json
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.orm import Session

from geo.distance import haversine_m
from geo.geocode.types import Answer
from geo.types import Grade, LonLat
from server.accounts import queries, site_changes
from server.accounts.locating import Waiting, locate_pending, query_of
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import ANSWERED, BY_PEOPLE, align_accounts, answered, reset_pin
from server.accounts.place_models import ChangeState, RepairRun, RepairState, SiteChange
from server.accounts.reviewing.detectors import DETECTORS, Cure, Detector
from server.accounts.reviewing.queue import PERMISSION
from server.accounts.site_changes import CASTS, PLACE, SNAPSHOT
from server.auth.access import Scope
from server.auth.roles import Level
from server.geocoding import queries as addresses
from server.geocoding import service as geocoding
from server.geocoding.errors import NoAddresses
from server.jobs import defer
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.errors import Conflict, NotFound
from server.kit.ids import uuid7
from server.records.service import Actor, acting
from server.regions.queries import served

BATCH = 2000
SAME_SPOT_M = 25.0
"""A pin that would move less than this stays."""
HOUSES_DEG = 0.005
"""About 500 m: how far from its houses and borders the land of a map may reach."""

LOOK_AT = """
    create temporary table looked_at on commit drop as
    select s.*, coalesce(s.grade, '') <> all(:by_people) as is_free
    from site s where s.deleted_at is null and s.account_id in (select id from in_reach)
"""
FOUND = f"""
    select s.id as site_id, s.rev, a.name, {SNAPSHOT} as before, f.after, f.why,
           st_x(s.pin) as lon, st_y(s.pin) as lat, st_x((f.after ->> 'pin')::geometry) as to_lon,
           st_y((f.after ->> 'pin')::geometry) as to_lat
    from found f join site s on s.id = f.site_id join account a on a.id = s.account_id order by s.id
"""  # noqa: S608
COLUMNS = ("id", "run_id", "site_id", "verb", "why", "before", "after", "base_rev")


def reach(session: Session, scope: Scope) -> None:
    """Put the accounts whose pins somebody may place into the temporary table `in_reach`."""
    session.flush()
    statement = queries.visible_to(scope, PERMISSION).with_only_columns(Account.id)
    session.execute(text("create temporary table if not exists in_reach (id uuid primary key) on commit drop"))
    session.execute(text("truncate in_reach"))
    session.execute(table_in_reach().insert().from_select(["id"], statement))


def table_in_reach() -> Any:
    """The temporary table as SQLAlchemy writes to it."""
    from sqlalchemy import column, table

    return table("in_reach", column("id"))


def suspects(session: Session, scope: Scope, names: Sequence[str]) -> dict[str, int]:
    """How many sites each of these detectors finds at first sight."""
    look(session, scope)
    counts = {}
    for name in names:
        sql = f"select count(distinct site_id) from ({DETECTORS[name].sql}) f"  # noqa: S608
        counts[name] = int(session.execute(text(sql), world(session)).scalar_one())
    return counts


def look(session: Session, scope: Scope) -> None:
    """Lay the sites in reach out for the detectors."""
    reach(session, scope)
    session.execute(text("drop table if exists looked_at"))
    session.execute(text(LOOK_AT), {"by_people": list(BY_PEOPLE)})
    session.execute(text("analyze looked_at"))


def world(session: Session) -> dict[str, Any]:
    """What the detectors know of the map."""
    return {
        "regions": [region.id for region in served(session)],
        "sources": [source.id for source in addresses.served(session)],
        "home": home_country(session),
        "houses_deg": HOUSES_DEG,
    }


HOME = """
    select min(country) from (
        select distinct country from region_place
        where region_id = any(:regions) and kind = 'country' and area is not null
        union select nullif(country, '') from geocoding_source
    ) known having count(country) = 1
"""


def home_country(session: Session) -> str | None:
    """The country of the map, when it shows a single one."""
    regions = [region.id for region in served(session)]
    found: str | None = session.execute(text(HOME), {"regions": regions}).scalar()
    return queries.home_country(session) or found


def begin(session: Session, scope: Scope, name: str) -> RepairRun:
    """A new search; refuses an unknown detector."""
    if name not in DETECTORS:
        raise NotFound(f"There is no repair “{name}”.", help="Known: " + ", ".join(DETECTORS) + ".")
    run = RepairRun(detector=name, actor=scope.user_id, state=RepairState.LOOKING)
    session.add(run)
    session.flush()
    return run


def search(session: Session, scope: Scope, run: RepairRun) -> None:
    """Find the sites, and write what would become of each; changes none of them."""
    detector = DETECTORS[run.detector]
    session.execute(text("delete from site_change where run_id = :run"), {"run": run.id})
    look(session, scope)
    session.execute(text("drop table if exists found"))
    once = f"create temporary table found on commit drop as select distinct on (site_id) * from ({detector.sql}) f"  # noqa: S608
    session.execute(text(once), world(session))
    rows = session.execute(text(FOUND)).all()
    for batch in batched(rows, BATCH):
        # The geocoder asks on the same connection: it has to be done before COPY begins.
        copy_rows(session, "site_change", COLUMNS, list(proposals(session, run, detector, batch)))
    run.found = session.scalar(select(func.count()).where(SiteChange.run_id == run.id)) or 0
    run.state = RepairState.READY
    session.flush()


def proposals(
    session: Session, run: RepairRun, detector: Detector, rows: Sequence[Row[Any]]
) -> Iterator[tuple[Any, ...]]:
    """What would become of some sites; those that would not gain by it are left out."""
    asked = [site_of(row.before | row.after) for row in rows]
    questions = [query_of(Waiting.of(site, row.name)) for site, row in zip(asked, rows, strict=True)]
    try:
        answers: list[Answer | None] = list(geocoding.locate_many(session, questions))
    except NoAddresses:
        answers = [None] * len(rows)
    for row, site, answer in zip(rows, asked, answers, strict=True):
        after = cured(detector, row, site, answer)
        if after is not None:
            verb = "ask" if after.get("pin_state") == PinState.REVIEW and "pin" not in after else detector.cure
            changes = (json.dumps(row.before), json.dumps(after), row.rev)
            yield (uuid7(), run.id, row.site_id, str(verb), json.dumps(row.why), *changes)


def site_of(values: dict[str, Any]) -> Site:
    """A site that is only thought of."""
    return Site(**values)


def cured(detector: Detector, row: Row[Any], site: Site, answer: Answer | None) -> dict[str, Any] | None:
    """The fields that change when a site is mended; None when it should be left alone."""
    before: dict[str, Any] = row.before
    is_free = before["grade"] not in BY_PEOPLE
    if detector.cure is Cure.MOVE:
        return {**row.after, "grade": Grade.GIVEN, "pin_state": PinState.PLACED}
    if detector.cure is Cure.ADDRESS:
        after = dict(row.after)
        if answer is not None and answer.confidence < (before["confidence"] or 0) - 0.01 and is_free:
            return None
        if not is_free or (before["pin_state"] == PinState.PLACED and stays(row, answer)):
            return after
        return after | placed(site, answer)
    if answer is not None and answer.is_confident and is_at_home(site, answer):
        return None if stays(row, answer) else placed(site, answer)
    if answer is None or before["pin_state"] != PinState.PLACED:
        return None
    return {"pin_state": PinState.REVIEW, "geocode_reason": detector.name, "confidence": 0.0}


def is_at_home(site: Site, answer: Answer) -> bool:
    """Whether an answer is in the country that the address names, if it names one."""
    return not site.country or not answer.country or site.country == answer.country


def stays(row: Row[Any], answer: Answer | None) -> bool:
    """Whether an answer is where the pin is already."""
    if row.lon is None or answer is None or answer.point is None:
        return False
    return haversine_m(LonLat(row.lon, row.lat), answer.point) <= SAME_SPOT_M


def placed(site: Site, answer: Answer | None) -> dict[str, Any]:
    """The pin that an answer gives, as a change; without an index the site waits for one."""
    if answer is not None:
        return dict(zip(ANSWERED, answered(answer), strict=True))
    reset_pin(site)
    return {name: getattr(site, name) for name in ANSWERED}


ASSIGNED = ", ".join(f"{n} = (m.v ->> '{n}'){f'::{CASTS[n]}' if n in CASTS else ''}" for n in PLACE)
APPLY = f"""
    with done as (
        update site s set {ASSIGNED}
        from (
            select c.id, c.site_id, c.before, c.before || c.after as v from site_change c
            where c.run_id = :run and c.state = 'proposed' and c.is_chosen
        ) m
        where s.id = m.site_id and s.deleted_at is null and {SNAPSHOT} = m.before
          and s.account_id in (select id from in_reach)
        returning m.id, s.rev, s.account_id
    ),
    noted as (
        update site_change c set
            state = case when done.id is null then 'passed' else 'done' end,
            done_rev = done.rev, actor = :actor, done_at = :now
        from site_change o left join done on done.id = o.id
        where c.id = o.id and o.run_id = :run and o.state = 'proposed' and o.is_chosen
        returning c.id
    )
    select done.account_id from done, (select count(*) from noted) as all_noted
"""  # noqa: S608


def apply(session: Session, scope: Scope, run: RepairRun) -> None:
    """Do what the preview shows for the chosen rows; a site that was changed since is passed over and named."""
    session.refresh(run, with_for_update=True)
    if run.state == RepairState.DONE:
        return
    if run.state not in (RepairState.READY, RepairState.APPLYING):
        raise Conflict(f"This repair is {run.state}.", help="Look for the mistake again to see what there is now.")
    acting(session, Actor(user_id=scope.user_id, source=scope.source, op_id=run.id))
    reach(session, scope)
    values = {"run": run.id, "actor": scope.user_id, "now": clock.now()}
    accounts = set(session.execute(text(APPLY), values).scalars())
    align_accounts(session, sorted(accounts))
    defer(session, locate_pending, key="accounts.locate_pending")
    run.state, run.applied_at = RepairState.DONE, clock.now()
    session.flush()
    session.expire_all()


def undo(session: Session, scope: Scope, run: RepairRun) -> int:
    """Put every place back exactly, but those that somebody has changed since; returns how many went back."""
    session.refresh(run, with_for_update=True)
    if run.state != RepairState.DONE:
        raise Conflict(f"This repair is {run.state}.", help="Only a repair that was applied can be undone.")
    acting(session, Actor(user_id=scope.user_id, source="undo", op_id=run.id))
    reach(session, scope)
    back = site_changes.undo(session, MINE, {"run": run.id})
    run.state, run.undone_at = RepairState.UNDONE, clock.now()
    session.flush()
    return back


MINE = """c.run_id = :run and exists (
    select 1 from site x where x.id = c.site_id and x.account_id in (select id from in_reach))"""
"""The changes of a run that are within reach."""


def choose(session: Session, run: RepairRun, site_ids: Sequence[UUID] | None, *, is_chosen: bool) -> None:
    """Choose or leave out some sites of a preview, or all of them."""
    if run.state != RepairState.READY:
        raise Conflict(f"This repair is {run.state}.", help="Rows are chosen before it is applied.")
    statement = update(SiteChange).where(SiteChange.run_id == run.id, SiteChange.state == ChangeState.PROPOSED)
    if site_ids is not None:
        statement = statement.where(SiteChange.site_id.in_(site_ids))
    session.execute(statement.values(is_chosen=is_chosen))


def find(session: Session, scope: Scope, run_id: UUID) -> RepairRun:
    """A repair of one's own; those who may place every pin see all."""
    run = session.get(RepairRun, run_id)
    if run is None or (run.actor != scope.user_id and scope.level(PERMISSION) < Level.ALL):
        raise NotFound("There is no such repair.", id=str(run_id))
    return run
