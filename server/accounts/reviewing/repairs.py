"""Bulk repairs: find one kind of mistake, show what would change, apply it all or nothing, undo it exactly."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from server.accounts import queries, site_changes
from server.accounts.locating import locate_pending
from server.accounts.models import Account
from server.accounts.pins import BY_PEOPLE, align_accounts
from server.accounts.place_models import ChangeState, RepairRun, RepairState, SiteChange
from server.accounts.reviewing import gains
from server.accounts.reviewing.detectors import DETECTORS
from server.accounts.reviewing.queue import PERMISSION
from server.accounts.site_changes import CASTS, PLACE, SNAPSHOT
from server.auth.access import Scope
from server.auth.roles import Level
from server.geocoding import queries as addresses
from server.jobs import defer
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.errors import Conflict, NotFound
from server.kit.ids import uuid7
from server.records.service import Actor, acting
from server.regions.queries import served

GAINS_COUNTED = 1000
"""Suspects of one kind up to which it is counted how many would gain by a repair; of more, all are counted."""
HOUSES_DEG = 0.005
"""About 500 m: how far from its houses and borders the land of a map may reach."""

LOOK_AT = """
    create temporary table looked_at on commit drop as
    select s.*, coalesce(s.grade, '') <> all(:by_people) as is_free
    from site s where s.deleted_at is null and s.account_id in (select id from in_reach)
"""
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
    """How many sites a repair of each kind would better; of many, how many look like it at first sight."""
    look(session, scope)
    known, counts = world(session), {}
    for name in names:
        counts[name] = gains.found(session, DETECTORS[name], known)
        if 0 < counts[name] <= GAINS_COUNTED:
            counts[name] = len(gains.gains(session, DETECTORS[name]))
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
    gains.found(session, detector, world(session))
    # The geocoder asks on the same connection: it has to be done before COPY begins.
    rows = [
        (uuid7(), run.id, one.site_id, one.verb, *map(json.dumps, (one.why, one.before, one.after)), one.rev)
        for one in gains.gains(session, detector)
    ]
    copy_rows(session, "site_change", COLUMNS, rows)
    run.found = session.scalar(select(func.count()).where(SiteChange.run_id == run.id)) or 0
    run.state = RepairState.READY
    session.flush()


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
