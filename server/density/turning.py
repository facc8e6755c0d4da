"""A hexagon or a selection becomes leads, tasks or wanted visits in one action; a second click makes no doubles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import h3
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.reach import today_of
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.models import State as ActivityState
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.demands import queries as demand_queries
from server.demands import service as demands
from server.demands.models import DemandOrigin, DemandState, VisitDemand
from server.density import queries, reach
from server.density.figures import number_of
from server.density.idle import Idle, idle_accounts
from server.density.models import DensityCell, WhiteSpaceAction, WhiteSpaceItem
from server.density.open_data import CAMPAIGN, OF_SELECTION, lead_fields
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.leads import queries as lead_queries
from server.leads import service as leads
from server.leads.models import Lead, LeadSource, LeadState, SignalKind

MOST_CELLS = 50
MOST_AT_ONCE = 300
DUE_DAYS = 14
LOCK = 0x77686974


class Into(StrEnum):
    """What a selection becomes."""

    LEADS = "leads"
    TASKS = "tasks"
    VISITS = "visits"
    """Wanted visits: the next plan takes them into the routes."""


class TooMany(Invalid):
    """More at once than anybody could look through."""

    code: ClassVar[str] = "too_many"


class NothingLeft(Conflict):
    """An action that was taken back already."""

    code: ClassVar[str] = "taken_back"


@dataclass(frozen=True)
class Selection:
    """What somebody chose."""

    cells: Sequence[str] = ()
    """H3 cells."""
    prospect_ids: Sequence[UUID] = ()
    """Single prospects, e.g. look-alikes."""
    kind: str | None = None
    """Only prospects of that kind."""
    days: int = 90
    """Of accounts: without a visit for so long."""
    owner_id: UUID | None = None
    """Whose tasks; None: of accounts their owner, else the person's own."""


def turn(session: Session, scope: Scope, into: Into, chosen: Selection) -> WhiteSpaceAction:
    """Make leads of prospects, or tasks or wanted visits of accounts that nobody goes to; what is there is left out.

    Refuses an empty selection, more than people can look through, and ground that somebody does not see.
    """
    cells = _cells(session, scope, chosen)
    # Two clicks at the same moment are one.
    session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
    action = WhiteSpaceAction(id=uuid7(), kind=into.value, by=scope.user_id, at=clock.now(), counts={})
    session.add(action)
    session.flush()
    if into is Into.LEADS:
        action.counts = _leads(session, scope, action, cells, chosen)
    else:
        idle = _idle(session, scope, cells, chosen, "activities:write" if into is Into.TASKS else "demands:write")
        if into is Into.TASKS:
            action.counts = _tasks(session, scope, action, cells, idle, chosen)
        else:
            action.counts = _visits(session, scope, action, idle)
    session.flush()
    return action


def _cells(session: Session, scope: Scope, chosen: Selection) -> list[int]:
    """The hexagons of a selection as numbers."""
    if not chosen.cells and not chosen.prospect_ids:
        raise Invalid("Nothing is chosen.", help="Choose one hexagon or more, or single prospects.", field="cells")
    if len(chosen.cells) > MOST_CELLS or len(chosen.prospect_ids) > MOST_AT_ONCE:
        raise TooMany(
            f"{len(chosen.cells)} hexagons and {len(chosen.prospect_ids)} prospects are too many at once.",
            help=f"Choose at most {MOST_CELLS} hexagons and {MOST_AT_ONCE} prospects.",
            field="cells",
        )
    numbers = sorted({number_of(cell) for cell in chosen.cells})
    seen = reach.of(session, scope)
    rows = session.execute(
        select(DensityCell.cell, DensityCell.territory_id).where(DensityCell.cell.in_(numbers))
    ).all()
    if any(not seen.sees(territory_id) for _, territory_id in rows):
        raise NotFound("There is no such hexagon in a territory of yours.", field="cells")
    return numbers


def _leads(
    session: Session, scope: Scope, action: WhiteSpaceAction, cells: Sequence[int], chosen: Selection
) -> dict[str, int]:
    """Make leads of the prospects that are none yet."""
    scope.need("leads:write")
    trades = [] if chosen.kind is None else queries.trades_of(session, chosen.kind)
    asked = {"ids": list(chosen.prospect_ids), "cells": list(cells), "trades": trades, "any_kind": chosen.kind is None}
    rows = session.execute(OF_SELECTION, {**asked, "most": MOST_AT_ONCE + 1}).all()
    if len(rows) > MOST_AT_ONCE:
        raise TooMany(
            f"There are more than {MOST_AT_ONCE} prospects in this selection.",
            help="Choose fewer hexagons, or one kind of firm.",
            field="cells",
        )
    _check_reach(session, scope, rows, cells)
    counts = {"made": 0, "leads": 0, "customers": 0, "accounts": 0}
    for row in rows:
        if row.is_customer or row.is_account:
            counts["customers" if row.is_customer else "accounts"] += 1
            continue
        if row.is_lead:
            counts["leads"] += 1
            continue
        new = leads.NewLead(
            lead_fields(row, scope), LeadSource.MAP, at=LonLat(row.lon, row.lat), always=True, signal=SignalKind.MAP
        )
        taken = leads.take_in(session, new, scope)
        session.add(WhiteSpaceItem(action_id=action.id, row_id=taken.lead.id, prospect_id=row.id))
        counts["made"] += 1
    return counts


def _check_reach(session: Session, scope: Scope, rows: Iterable[Any], cells: Sequence[int]) -> None:
    """Refuse single prospects that lie where somebody does not see; those of checked hexagons are in order."""
    seen = reach.of(session, scope)
    if seen.everywhere:
        return
    known = {h3.int_to_str(cell) for cell in cells}
    alone: set[int] = set()
    for row in rows:
        around = {h3.latlng_to_cell(row.lat, row.lon, level) for level in range(3, 10)}
        if not around & known:
            alone.add(h3.str_to_int(h3.latlng_to_cell(row.lat, row.lon, 9)))
    places = session.scalars(select(DensityCell.territory_id).where(DensityCell.cell.in_(alone)))
    if any(not seen.sees(place) for place in places):
        raise NotFound("There is no such prospect in a territory of yours.", field="prospect_ids")


def _idle(
    session: Session, scope: Scope, cells: Sequence[int], chosen: Selection, permission: str
) -> list[tuple[int, Idle]]:
    """Accounts in the hexagons that nobody goes to, with the hexagon."""
    scope.need(permission)
    since = today_of(scope) - timedelta(days=chosen.days)
    wanted = {h3.int_to_str(cell) for cell in cells}
    levels = {h3.get_resolution(cell) for cell in wanted}
    found = []
    for one in idle_accounts(session, scope, since=since, permission=permission):
        hit = next(
            (cell for level in levels if (cell := h3.latlng_to_cell(one.at.lat, one.at.lon, level)) in wanted), None
        )
        if hit is not None:
            found.append((h3.str_to_int(hit), one))
    if len(found) > MOST_AT_ONCE:
        raise TooMany(
            f"There are more than {MOST_AT_ONCE} accounts in this selection.",
            help="Choose fewer hexagons.",
            field="cells",
        )
    return found


def _tasks(
    session: Session,
    scope: Scope,
    action: WhiteSpaceAction,
    cells: Sequence[int],
    idle: Sequence[tuple[int, Idle]],
    chosen: Selection,
) -> dict[str, int]:
    """One task per account that nobody goes to; one for a hexagon without such accounts."""
    owner = _owner(session, scope, chosen.owner_id)
    due = today_of(scope) + timedelta(days=DUE_DAYS)
    open_tasks = session.execute(
        select(WhiteSpaceItem.account_id, WhiteSpaceItem.cell)
        .join(Activity, Activity.id == WhiteSpaceItem.row_id)
        .where(Activity.deleted_at.is_(None), Activity.state == ActivityState.OPEN)
    ).all()
    accounts, about = {row[0] for row in open_tasks if row[0]}, {row[1] for row in open_tasks if not row[0]}
    counts = {"made": 0, "tasks": 0}
    worked = {cell for cell, _ in idle}
    for _, one in idle:
        if one.id in accounts:
            counts["tasks"] += 1
            continue
        values = {"subject": f"Visit {one.name}"[:300], "account_id": one.id, "due_on": due, "note": CAMPAIGN}
        _task(session, action, owner, values, account_id=one.id)
        counts["made"] += 1
    for cell in cells:
        if cell in worked:
            continue
        if cell in about:
            counts["tasks"] += 1
            continue
        _task(session, action, owner, _about(session, cell) | {"due_on": due}, cell=cell)
        counts["made"] += 1
    return counts


def _owner(session: Session, scope: Scope, owner_id: UUID | None) -> UUID:
    """Whose task it is to be; refuses people whose calendars are not the person's to write."""
    if owner_id is None or owner_id == scope.user_id:
        return scope.user_id
    people = visible_users(scope.user_id, scope.team_ids, scope.level("activities:write"))
    if session.scalars(people.where(User.id == owner_id)).one_or_none() is None:
        raise NotFound("There is no such person.", field="owner_id")
    return owner_id


def _about(session: Session, cell: int) -> dict[str, Any]:
    """A task about a hexagon: how many firms, and where it is."""
    row = session.get(DensityCell, cell)
    lat, lon = h3.cell_to_latlng(h3.int_to_str(cell))
    return {
        "subject": f"White space: {row.prospects if row else 0} prospects",
        "place": f"{lat:.5f}, {lon:.5f}",
        "note": f"{CAMPAIGN}: /white-space?cell={h3.int_to_str(cell)}",
    }


def _task(
    session: Session,
    action: WhiteSpaceAction,
    owner_id: UUID,
    values: Mapping[str, Any],
    *,
    account_id: UUID | None = None,
    cell: int | None = None,
) -> None:
    row = agenda.add(session, agenda.NewActivity(Kind.TASK, owner_id, values))
    session.add(WhiteSpaceItem(action_id=action.id, row_id=row.id, account_id=account_id, cell=cell))


def _visits(
    session: Session, scope: Scope, action: WhiteSpaceAction, idle: Sequence[tuple[int, Idle]]
) -> dict[str, int]:
    """Want a visit to each account that nobody goes to; the next plan takes it into a route."""
    counts = {"made": 0, "visits": 0}
    wanting = set(
        session.scalars(
            select(VisitDemand.account_id).where(
                VisitDemand.account_id.in_([one.id for _, one in idle]),
                VisitDemand.deleted_at.is_(None),
                VisitDemand.state.in_(demands.WANTING),
            )
        )
    )
    for _, one in idle:
        if one.id in wanting:
            counts["visits"] += 1
            continue
        wanted = demands.Wanted(
            account_id=one.id,
            origin=DemandOrigin.HAND,
            origin_key=f"white-space:{action.id}:{one.id}",
            sentence="Nobody has been there for a long time.",
        )
        demand = demands.ask(session, wanted, asked_by=scope.user_id)
        session.add(WhiteSpaceItem(action_id=action.id, row_id=demand.id, account_id=one.id))
        counts["made"] += 1
    return counts


def find(session: Session, scope: Scope, action_id: UUID) -> WhiteSpaceAction:
    """An action of one's own, locked; anybody's for who sees everything."""
    action = session.get(WhiteSpaceAction, action_id, with_for_update=True)
    if action is None or (action.by != scope.user_id and not reach.of(session, scope).everywhere):
        raise NotFound("There is no such action.", id=str(action_id))
    return action


def undo(session: Session, scope: Scope, action_id: UUID) -> dict[str, int]:
    """Take back what an action made; what somebody has begun to work stays and is counted.

    Refuses an action of somebody else's, and one that was taken back already.
    """
    action = find(session, scope, action_id)
    if action.undone_at is not None:
        raise NothingLeft("This was taken back already.", help="Make it again from the map.")
    ids = list(session.scalars(select(WhiteSpaceItem.row_id).where(WhiteSpaceItem.action_id == action.id)))
    taken = {Into.LEADS: _undo_leads, Into.TASKS: _undo_tasks, Into.VISITS: _undo_visits}[Into(action.kind)](
        session, scope, ids
    )
    action.undone_at = clock.now()
    session.flush()
    return {"taken_back": taken, "kept": len(ids) - taken}


def _undo_leads(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    rows = lead_queries.visible_to(scope, "leads:write").where(Lead.id.in_(ids), Lead.state == LeadState.NEW)
    found = session.scalars(rows).all()
    for lead in found:
        leads.delete(session, scope, lead.id)
    return len(found)


def _undo_tasks(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    scope.need("activities:write")
    rows = session.scalars(
        select(Activity).where(
            Activity.id.in_(ids), Activity.state == ActivityState.OPEN, Activity.deleted_at.is_(None)
        )
    ).all()
    for row in rows:
        agenda.remove(session, row)
    return len(rows)


def _undo_visits(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    statement = demand_queries.visible_to(scope, "demands:write").where(
        VisitDemand.id.in_(ids), VisitDemand.state == DemandState.OPEN
    )
    rows = session.scalars(statement).all()
    for row in rows:
        demands.take_back(session, scope, row.id)
    return len(rows)
