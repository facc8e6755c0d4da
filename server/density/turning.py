"""A hexagon or a selection becomes leads, tasks or wanted visits in one action; a second click makes no doubles."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import h3
from shapely import Point
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import AccountClass
from server.accounts.reach import today_of
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.models import State as ActivityState
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.demands import service as demands
from server.demands.models import DemandOrigin, VisitDemand
from server.density import figures, offering, queries, reach, whitespace
from server.density.counting import FINEST
from server.density.figures import number_of
from server.density.idle import Idle, idle_accounts
from server.density.models import DensityCell, WhiteSpaceAction, WhiteSpaceItem
from server.density.open_data import CAMPAIGN, OF_SELECTION, Refused, lead_fields, need_there, unfit
from server.density.outlines import area_of
from server.density.whitespace import Which
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.leads import taking
from server.leads.models import LeadSource, SignalKind

MOST_CELLS = 200
MOST_AT_ONCE = 500
LOOKED_AT = 5000
"""Prospects of a selection, whatever they are already; more are refused before each is looked at."""
DUE_DAYS = 14
GERMAN = {
    "Visit {name}": "{name} besuchen",
    "White space: {n} prospects": "Marktlücke: {n} Interessenten",
}
"""Subjects of tasks are written once, for everybody: in the company's language."""


class Into(StrEnum):
    """What a selection becomes."""

    LEADS = "leads"
    TASKS = "tasks"
    VISITS = "visits"
    """Wanted visits: the next plan takes them into the routes."""


class TooMany(Invalid):
    """More at once than anybody could look through."""

    code: ClassVar[str] = "too_many"


@dataclass(frozen=True)
class Selection:
    """What somebody chose."""

    cells: Sequence[str] = ()
    """H3 cells."""
    prospect_ids: Sequence[UUID] = ()
    """Single prospects, e.g. look-alikes."""
    outline: Sequence[tuple[float, float]] = ()
    """Instead: corners of ground that was drawn around, longitude and latitude."""
    kind: str | None = None
    """Only prospects of that kind, and no accounts, of which nobody knows the kind."""
    days: int = 90
    """Of accounts: without a visit for so long."""
    which: Which | None = None
    """Only ground of that kind of white space; None: of both."""
    territory_id: UUID | None = None
    """Only ground and accounts of that territory."""
    account_class: AccountClass | None = None
    """Only accounts of that class, and no prospects, which have none."""
    owner_id: UUID | None = None
    """Whose tasks; None: of accounts their owner, else the person's own."""


@dataclass(frozen=True)
class Making:
    """One thing that is to be made."""

    name: str
    at: LonLat
    owner_id: UUID | None
    """Whose it will be; None: the rules for leads say it, or the next plan."""
    prospect: Any = None
    """Of a lead: the row of `OF_SELECTION`."""
    account_id: UUID | None = None
    cell: int | None = None
    """Of a task about a hexagon; of a lead where its prospect lies."""


@dataclass(frozen=True)
class Planned:
    """What an action would make, and how many are left out for which reason."""

    makings: list[Making]
    left: dict[str, int]
    """`leads`, `customers`, `accounts`, `tasks`, `visits`: are that already; `nameless`, `long_name`: are refused."""
    refused: list[Refused] = field(default_factory=list)


def planned(session: Session, scope: Scope, into: Into, chosen: Selection) -> Planned:
    """What `turn` would make of a selection; nothing is written. Refuses the same."""
    cells = _cells(into, chosen)
    whitespace.need_territory(session, chosen.territory_id)
    seen = reach.of(session, scope)
    known = reach.known_cells(session, seen, cells)
    if chosen.kind is not None:
        queries.trades_of(session, chosen.kind)
    if into is Into.LEADS:
        _need_known(set(cells) - known)
        return _leads(session, scope, cells, chosen)
    idle = _idle(session, scope, cells, chosen, "activities:write" if into is Into.TASKS else "demands:write")
    _need_known(set(cells) - known - {cell for cell, _ in idle})
    return _tasks(session, scope, cells, idle, chosen) if into is Into.TASKS else _visits(session, idle)


_TERRITORIES = text(
    """
    select n, (
        select t.name from territory t
        where t.deleted_at is null and ST_Covers(t.area, ST_SetSRID(ST_MakePoint(lon, lat), 4326))
        order by ST_Area(t.area), t.id limit 1
    )
    from unnest(cast(:lons as float8[]), cast(:lats as float8[])) with ordinality as spot (lon, lat, n) order by n
    """
)


def shares(session: Session, found: Planned) -> dict[tuple[str | None, str | None], int]:
    """How many of what would be made lie in which territory, and whose they would be; the largest share first."""
    spots = {"lons": [one.at.lon for one in found.makings], "lats": [one.at.lat for one in found.makings]}
    places = [row[1] for row in session.execute(_TERRITORIES, spots)]
    owners = {one.owner_id for one in found.makings}
    names = {row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(owners)))}
    pairs = zip(places, found.makings, strict=True)
    return dict(Counter((place, names.get(one.owner_id)) for place, one in pairs).most_common())


def turn(session: Session, scope: Scope, into: Into, chosen: Selection) -> tuple[WhiteSpaceAction, list[Refused]]:
    """Make leads of prospects, or tasks or wanted visits of accounts that nobody goes to; what is there is left out.

    Prospects with a name that no lead can have are left out too, and returned beside what was done.

    Refuses an empty selection, more than people can look through, and ground that somebody does not see.
    """
    # Two clicks at the same moment are one.
    one_at_a_time(session, offering.CLAIMS)
    found = planned(session, scope, into, chosen)
    action = WhiteSpaceAction(id=uuid7(), kind=into.value, by=scope.user_id, at=clock.now(), counts={})
    session.add(action)
    session.flush()
    due = today_of(scope) + timedelta(days=DUE_DAYS)
    if into is Into.LEADS:
        made = taking.take_in_many(session, [_new_lead(scope, one) for one in found.makings], scope)
    elif into is Into.TASKS:
        made = [_made_task(session, scope, one, {"due_on": due}) for one in found.makings]
    else:
        made = [_made_visit(session, scope, one, action.id) for one in found.makings]
    for row_id, one in zip(made, found.makings, strict=True):
        prospect_id = one.prospect.id if one.prospect else None
        session.add(
            WhiteSpaceItem(
                action_id=action.id, row_id=row_id, prospect_id=prospect_id, account_id=one.account_id, cell=one.cell
            )
        )
    action.counts = {"made": len(found.makings), **found.left}
    session.flush()
    offering.withdraw(session, (one.prospect.id for one in found.makings if one.prospect))
    # What somebody changes from now on is their work; undo leaves it alone.
    action.at = session.scalars(select(func.clock_timestamp())).one()
    session.flush()
    return action, found.refused


def written(text: str, **values: object) -> str:
    """A subject in the company's language."""
    return (GERMAN[text] if settings().language == "de" else text).format(**values)[:300]


def _cells(into: Into, chosen: Selection) -> list[int]:
    """The hexagons of a selection as numbers."""
    if chosen.outline and (len(chosen.outline) < 3 or chosen.cells or chosen.prospect_ids):
        raise Invalid("An outline has three corners or more, and stands alone.", field="outline")
    if not chosen.cells and not chosen.prospect_ids and not chosen.outline:
        raise Invalid("Nothing is chosen.", help="Choose one hexagon or more, or single prospects.", field="cells")
    if not chosen.cells and not chosen.outline and into is not Into.LEADS:
        raise Invalid(
            "Tasks and visits are made of hexagons.",
            help="Choose hexagons, or make leads of the prospects.",
            field="cells",
        )
    if len(chosen.cells) > MOST_CELLS or len(chosen.prospect_ids) > MOST_AT_ONCE:
        raise TooMany(
            f"{len(chosen.cells)} hexagons and {len(chosen.prospect_ids)} prospects are too many at once.",
            help=f"Choose at most {MOST_CELLS} hexagons and {MOST_AT_ONCE} prospects.",
            field="cells",
        )
    return sorted({number_of(cell) for cell in chosen.cells})


def _need_known(strange: set[int]) -> None:
    """Refuse hexagons in which somebody sees nothing."""
    if strange:
        raise NotFound("There is no such hexagon in a territory of yours.", field="cells")


def _leads(session: Session, scope: Scope, cells: Sequence[int], chosen: Selection) -> Planned:
    """Leads of the prospects that are none yet."""
    scope.need("leads:write")
    scope.need_changes("lead", ["company"])
    trades = [] if chosen.kind is None else queries.trades_of(session, chosen.kind)
    asked = {
        "ids": list(chosen.prospect_ids), "cells": list(cells), "trades": trades, "any_kind": chosen.kind is None,
        "most": LOOKED_AT, "today": today_of(scope), "territory": chosen.territory_id,
        "any_territory": chosen.territory_id is None, **reach.of(session, scope).values,
        "outline": area_of(chosen.outline).wkt if chosen.outline else None,
    }  # fmt: skip
    of_territory = None if chosen.territory_id is None else Which.UNWORKED  # nobody's ground has no territory
    which = chosen.which or of_territory
    rows = [] if chosen.account_class else session.execute(OF_SELECTION[which, bool(chosen.outline)], asked).all()
    need_there(session, chosen.prospect_ids)
    open_ones = sum(not (row.is_customer or row.is_account or row.is_lead) for row in rows)
    if open_ones > MOST_AT_ONCE or len(rows) >= LOOKED_AT:
        raise TooMany(
            f"There are more than {MOST_AT_ONCE} prospects in this selection.",
            help="Choose less ground, or one kind of firm.",
            field="cells",
        )
    _check_reach(session, scope, [row for row in rows if row.id in set(chosen.prospect_ids)])
    owner = None if scope.may("leads:assign") else scope.user_id
    counts, makings, refused = {"leads": 0, "customers": 0, "accounts": 0}, [], []
    for row in rows:
        if row.is_customer or row.is_account:
            counts["customers" if row.is_customer else "accounts"] += 1
            continue
        if row.is_lead:
            counts["leads"] += 1
            continue
        if (reason := unfit(row.name)) is not None:
            counts[reason] = counts.get(reason, 0) + 1
            refused.append(Refused(row.id, row.source_id, row.name[:300], reason))
            continue
        makings.append(Making(row.name, LonLat(row.lon, row.lat), owner, prospect=row, cell=row.whole))
    return Planned(makings, counts, refused)


def _new_lead(scope: Scope, one: Making) -> taking.NewLead:
    fields = lead_fields(one.prospect, scope)
    return taking.NewLead(fields, LeadSource.WHITE_SPACE, at=one.at, signal=SignalKind.MAP)


def _check_reach(session: Session, scope: Scope, rows: Iterable[Any]) -> None:
    """Refuse single prospects that lie where somebody does not see."""
    seen = reach.of(session, scope)
    if seen.everywhere:
        return
    finest = {h3.str_to_int(h3.latlng_to_cell(row.lat, row.lon, FINEST)) for row in rows}
    places = session.scalars(select(DensityCell.territory_id).where(DensityCell.cell.in_(finest)))
    if any(not seen.sees(place) for place in places):
        raise NotFound("There is no such prospect in a territory of yours.", field="prospect_ids")


def _idle(
    session: Session, scope: Scope, cells: Sequence[int], chosen: Selection, permission: str
) -> list[tuple[int, Idle]]:
    """Accounts in the hexagons or the outline that nobody goes to, with the hexagon."""
    scope.need(permission)
    since = today_of(scope) - timedelta(days=chosen.days)
    if chosen.kind is not None:
        return []
    wanted = {h3.int_to_str(cell) for cell in cells}
    levels = {h3.get_resolution(cell) for cell in wanted} or {FINEST}
    area, found = area_of(chosen.outline) if chosen.outline else None, []
    place, grade = chosen.territory_id, chosen.account_class
    for one in idle_accounts(
        session, scope, since=since, territory_id=place, account_class=grade, permission=permission
    ):
        cells_there = (h3.latlng_to_cell(one.at.lat, one.at.lon, level) for level in levels)
        hit = next(
            (cell for cell in cells_there if cell in wanted or (area is not None and area.covers(Point(one.at)))), None
        )
        if hit is not None:
            found.append((h3.str_to_int(hit), one))
    if len(found) > MOST_AT_ONCE:
        raise TooMany(
            f"There are more than {MOST_AT_ONCE} accounts in this selection.",
            help="Choose less ground.",
            field="cells",
        )
    return found


def _tasks(
    session: Session, scope: Scope, cells: Sequence[int], idle: Sequence[tuple[int, Idle]], chosen: Selection
) -> Planned:
    """One task per account that nobody goes to; one for a hexagon without such accounts."""
    owner = _owner(session, scope, chosen.owner_id)
    writable = _writable(session, scope) if chosen.owner_id is None else set()
    open_tasks = session.execute(
        select(WhiteSpaceItem.account_id, WhiteSpaceItem.cell)
        .join(Activity, Activity.id == WhiteSpaceItem.row_id)
        .where(Activity.deleted_at.is_(None), Activity.state == ActivityState.OPEN)
    ).all()
    accounts, about = {row[0] for row in open_tasks if row[0]}, {row[1] for row in open_tasks if not row[0]}
    worked = {cell for cell, _ in idle}
    makings = [
        Making(one.name, one.at, one.owner_id if one.owner_id in writable else owner, account_id=one.id)
        for _, one in idle
        if one.id not in accounts
    ]
    for cell in cells:
        if cell not in worked and cell not in about:
            lat, lon = h3.cell_to_latlng(h3.int_to_str(cell))
            makings.append(Making(f"{lat:.5f}, {lon:.5f}", LonLat(lon, lat), owner, cell=cell))
    everything = len(idle) + len(set(cells) - worked)
    return Planned(makings, {"tasks": everything - len(makings)})


def _owner(session: Session, scope: Scope, owner_id: UUID | None) -> UUID:
    """Whose task it is to be; refuses people whose calendars are not the person's to write."""
    if owner_id is None or owner_id == scope.user_id:
        return scope.user_id
    if owner_id not in _writable(session, scope):
        raise NotFound("There is no such person.", field="owner_id")
    return owner_id


def _writable(session: Session, scope: Scope) -> set[UUID]:
    """The people whose tasks somebody may write."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("activities:write"))
    return {user.id for user in session.scalars(people.where(User.active))}


def _about(session: Session, scope: Scope, cell: int) -> dict[str, Any]:
    """A task about a hexagon: how many firms, and where it is."""
    found = figures.cell(session, reach.of(session, scope), h3.int_to_str(cell))
    lat, lon = h3.cell_to_latlng(h3.int_to_str(cell))
    return {
        "subject": written("White space: {n} prospects", n=found.figures.prospects),
        "place": f"{lat:.5f}, {lon:.5f}",
        "note": f"{CAMPAIGN}: /white-space?cell={h3.int_to_str(cell)}",
    }


def _made_task(session: Session, scope: Scope, one: Making, more: dict[str, Any]) -> UUID:
    values: dict[str, Any]
    if one.cell is not None:
        values = _about(session, scope, one.cell)
    else:
        values = {
            "subject": written("Visit {name}", name=one.name), "account_id": one.account_id, "note": CAMPAIGN,
        }  # fmt: skip
    owner = one.owner_id or scope.user_id
    return agenda.add(session, agenda.NewActivity(Kind.TASK, owner, values | more)).id


def _visits(session: Session, idle: Sequence[tuple[int, Idle]]) -> Planned:
    """A wanted visit to each account that nobody goes to; the next plan takes it into a route."""
    wanting = set(
        session.scalars(
            select(VisitDemand.account_id).where(
                VisitDemand.account_id.in_([one.id for _, one in idle]),
                VisitDemand.deleted_at.is_(None),
                VisitDemand.state.in_(demands.WANTING),
            )
        )
    )
    makings = [Making(one.name, one.at, one.owner_id, account_id=one.id) for _, one in idle if one.id not in wanting]
    return Planned(makings, {"visits": len(idle) - len(makings)})


def _made_visit(session: Session, scope: Scope, one: Making, action_id: UUID) -> UUID:
    if one.account_id is None:
        raise ValueError("a visit is wanted to an account")
    wanted = demands.Wanted(
        account_id=one.account_id,
        origin=DemandOrigin.HAND,
        origin_key=f"white-space:{action_id}:{one.account_id}",
        sentence="Nobody has been there for a long time.",
    )
    return demands.ask(session, wanted, asked_by=scope.user_id).id
