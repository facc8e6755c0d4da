"""The map with everything on it, and what is happening today."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts import proposed_pins
from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.place_models import PinProposal, ProposalState
from server.accounts.routes import Filter, Search
from server.activities import queries as activities
from server.activities.models import Visit, VisitState
from server.auth.access import Scope, requires
from server.auth.models import User
from server.balance import challenges
from server.density import outlines
from server.density.whitespace import sees_values
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.paging import Cursor
from server.kit.tiles import is_known
from server.opportunities import queries as deals
from server.opportunities import tiles as deal_tiles
from server.plans import queries as plans
from server.plans.queries import RouteView
from server.records.models import ConflictState, FieldConflict
from server.regions import queries as regions
from server.sync.leaving import refused
from server.sync.pushing import conflicts
from server.territories import queries as territories
from server.tracks import queries as tracks
from server.tracks.queries import RepDay
from server.web.density import kinds_offered, layers, map_words, turning_words
from server.web.drawn import coloured, colours, drawn_reports, drawn_route, drawn_tracks, stage_category
from server.web.filters import asks_for_drive, chips, is_outline, outline_of
from server.web.language import Language
from server.web.pages import attempt, html, language_of, render
from server.web.segments import linked_views

router = APIRouter(include_in_schema=False)

ReadAccounts = Annotated[Scope, requires("accounts:read")]
Staged = Annotated[UUID | None, Query(description="Say the stage of each account in this pipeline.")]
ROWS = 50
LATEST = 30
COLOURED_BY = ("class", "overdue", "owner", "stage", "status")
LATE_S = 300
"""A visit that begins so much after its time is behind the plan."""


@router.get("/")
def show_home(
    request: Request,
    scope: ReadAccounts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    leads: Annotated[str | None, Query(max_length=4000, description="A filter of leads to show.")] = None,
    tickets: Annotated[str | None, Query(max_length=4000, description="A filter of tickets to show.")] = None,
    by: Annotated[str, Query(max_length=100, description="What colours the accounts: one of `COLOURED_BY`.")] = "class",
    pipeline: Annotated[UUID | None, Query(description="Whose stages colour them; left out: the first one's.")] = None,
) -> Response:
    """The map."""
    sees_market = scope.may("density:read")
    staged = staged_pipelines(session, scope, language_of(request, scope))
    return render(
        request,
        "home/map.html",
        scope,
        filter=filter or "",
        search=search or "",
        leads=leads if leads and scope.may("leads:read") else "",
        tickets=tickets if tickets and scope.may("tickets:read") else "",
        chips=chips(filter or ""),
        by=by if by in COLOURED_BY and (by != "stage" or staged) else "class",
        colourings=COLOURED_BY,
        owners=[{"id": str(one.id), "name": one.name, "colour": at} for one, at in coloured(session, scope)],
        staged=staged,
        pipeline=next((one["id"] for one in staged if one["id"] == str(pipeline)), staged[0]["id"] if staged else ""),
        views=linked_views(session, scope, of_map=True),
        has_region=bool(regions.served(session)),
        figures=market_figures(language_of(request, scope), values=sees_values(scope)),
        kinds=kinds_offered(session, language_of(request, scope)) if sees_market else [],
        turning=turning_words(language_of(request, scope)) if sees_market else None,
    )


def market_figures(language: Language, *, values: bool) -> list[tuple[str, str, str]]:
    """What *Market* can show: its key, its name and the title of its legend, as the density page has them."""
    words, counted = map_words(language), {"prospects": "Prospects per hexagon", "customers": "Customers per hexagon"}
    titles = {key: language.t(text) for key, text in counted.items()}
    titles["penetration"] = language.t("Penetration: customers / (prospects + customers)")
    return [(key, text, titles.get(key, words[f"legend_{key}"])) for key, text in layers(language, values=values)]


def staged_pipelines(session: Session, scope: Scope, language: Language) -> list[dict[str, Any]]:
    """The pipelines whose open stages can colour accounts, for whoever sees deals: the colours of the deals' map."""
    if not scope.may("opportunities:read"):
        return []
    drawn: dict[UUID, list[dict[str, Any]]] = {}
    for at, stage in enumerate(deals.stages(session)):
        if not (stage.is_won or stage.is_lost):
            told = {"id": str(stage.id), "name": language.t(stage.name), "category": stage_category(at)}
            drawn.setdefault(stage.pipeline_id, []).append(told)
    named = [(one, drawn[one.id]) for one in deals.pipelines(session) if one.id in drawn]
    return [{"id": str(one.id), "name": language.t(one.name), "stages": stages} for one, stages in named]


def stages_of(
    request: Request, session: Session, scope: Scope, pipeline: UUID | None, account_ids: Sequence[UUID]
) -> dict[UUID, dict[str, Any]]:
    """The stage in which each of some accounts stands, with its colour; nothing where stages are not asked for."""
    if pipeline is None or not account_ids or not scope.may("opportunities:read"):
        return {}
    known = {
        stage["id"]: stage
        for one in staged_pipelines(session, scope, language_of(request, scope))
        for stage in one["stages"]
    }
    found = deal_tiles.stages_of(session, scope, pipeline, account_ids)
    return {account_id: known[str(stage_id)] for account_id, stage_id in found.items() if str(stage_id) in known}


@dataclass
class Progress:
    """How far one rep's day is."""

    rep_id: UUID
    name: str
    total: int = 0
    done: int = 0
    missed: int = 0
    there: int = 0
    """Visits that are going on."""
    next_at: datetime | None = None
    next_name: str | None = None
    zone: str = "UTC"
    route: RouteView | None = field(default=None, repr=False)
    has_left: bool = False
    here: str | None = None
    """Where they are checked in."""
    late: int = 0
    """Visits that nobody has begun although their time has come."""
    late_s: int = 0
    """By how much, of the first of them."""

    @property
    def waiting(self) -> int:
        """Visits that have not happened yet."""
        return self.total - self.done - self.missed - self.there


def progress(session: Session, scope: Scope, day: date, routes: Sequence[RouteView]) -> list[Progress]:
    """Today's visits, counted by rep."""
    by_rep: dict[UUID, Progress] = {}
    for row in activities.rows(session, activities.between(scope, day, day), limit=2000):
        visit = row.visit
        rep = by_rep.setdefault(visit.rep_id, Progress(visit.rep_id, row.rep_name, zone=visit.zone))
        rep.total += 1
        if visit.state == VisitState.DONE:
            rep.done += 1
        elif visit.state in (VisitState.MISSED, VisitState.CANCELLED):
            rep.missed += 1
        elif visit.state == VisitState.CHECKED_IN:
            rep.there, rep.here = rep.there + 1, row.account_name
        elif visit.planned_start_at:
            if rep.next_at is None or visit.planned_start_at < rep.next_at:
                rep.next_at, rep.next_name = visit.planned_start_at, row.account_name
            behind_s = int((clock.now() - visit.planned_start_at).total_seconds())
            if visit.state == VisitState.PLANNED and behind_s >= LATE_S:
                rep.late, rep.late_s = rep.late + 1, max(rep.late_s, behind_s)
    for route in routes:
        if route.rep_id in by_rep:
            by_rep[route.rep_id].route = route
    for rep_id in session.scalars(select(User.id).where(User.id.in_(by_rep), ~User.active)):
        by_rep[rep_id].has_left = True
    return sorted(by_rep.values(), key=lambda rep: rep.name)


def undecided(session: Session, scope: Scope) -> int:
    """How many conflicts wait for a decision."""
    if not scope.may("conflicts:read"):
        return 0
    waiting = conflicts.visible_to(scope).where(FieldConflict.state == ConflictState.OPEN)
    return session.scalar(select(func.count()).select_from(waiting.with_only_columns(FieldConflict.id).subquery())) or 0


def proposed(session: Session, scope: Scope) -> int:
    """How many proposed pins somebody may decide about."""
    if not scope.may("pins:place"):
        return 0
    waiting = proposed_pins.proposals_visible_to(scope, "pins:place").where(PinProposal.state == ProposalState.OPEN)
    return session.scalar(select(func.count()).select_from(waiting.with_only_columns(PinProposal.id).subquery())) or 0


def at_binned(session: Session, scope: Scope) -> int:
    """How many visits were reported at accounts in the bin that somebody may bring back."""
    if not scope.may("accounts:delete") or not scope.may("activities:read"):
        return 0
    waiting = activities.at_binned(scope).with_only_columns(Visit.id)
    return session.scalar(select(func.count()).select_from(waiting.subquery())) or 0


@router.get("/home/today")
def show_today(request: Request, scope: ReadAccounts, session: Db) -> Response:
    """A fragment: today by rep, and the reports that came in; 304 while nothing has happened."""
    day = accounts.today_of(scope)
    routes = plans.routes_between(session, scope, day, day) if scope.may("plans:read") else ()
    may_see = scope.may("activities:read")
    reports = activities.incoming(session, scope, day, limit=200) if may_see else []
    ways = tracks.days(session, scope, day) if scope.may("tracks:read") else []
    drawn = drawn_day(session, scope, day, routes, ways) | {"reports": drawn_reports(reports)}
    text = html(
        request,
        "home/today.html",
        scope,
        reps=progress(session, scope, day, routes) if may_see else [],
        paused={one.rep_id: one.paused_at for one in ways if one.paused_at},
        colours={one["rep"]: one["colour"] for one in drawn["routes"]},
        reports=sorted(reports[:LATEST], key=lambda one: one.occurred_at, reverse=True),
        drawn=drawn,
        day=day,
        undecided=undecided(session, scope),
        refused=refused.waiting(session, scope),
        proposed=proposed(session, scope),
        contested=challenges.waiting(session, scope),
        binned=at_binned(session, scope),
    )
    etag = f'W/"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="text/html", headers=headers)


@router.get("/home/day")
def show_day(scope: ReadAccounts, session: Db, day: date) -> dict[str, Any]:
    """Another day as the map draws it: the published routes, and how each rep really went."""
    routes = plans.routes_between(session, scope, day, day) if scope.may("plans:read") else ()
    ways = tracks.days(session, scope, day) if scope.may("tracks:read") else []
    return drawn_day(session, scope, day, routes, ways)


def drawn_day(
    session: Session, scope: Scope, day: date, routes: Sequence[RouteView], ways: Sequence[RepDay]
) -> dict[str, Any]:
    """The routes of a day and the way that each rep really went, in the same colours."""
    checkins = activities.tracks(session, scope, day) if scope.may("activities:read") else []
    seen = (*(one.rep_id for one in checkins), *(one.rep_id for one in ways))
    known = colours(session, scope, [*(route.rep_id for route in routes), *seen])
    return {
        "routes": [drawn_route(route, known[route.rep_id]) for route in routes],
        "tracks": drawn_tracks(checkins, ways, known),
    }


@router.get("/home/territories.json")
def show_territories(scope: ReadAccounts, session: Db) -> dict[str, dict[str, Any]]:
    """Who works each territory and how many of its accounts the reader sees, by its id: for cards under the pointer."""
    seen = accounts.visible_to(scope).with_only_columns(Account.territory_id, func.count())
    counts = {row[0]: row[1] for row in session.execute(seen.group_by(Account.territory_id))}
    people: dict[UUID, list[str]] = {}
    for member in territories.members_on(session, accounts.today_of(scope)):
        people.setdefault(member.territory_id, []).append(member.name)
    return {
        str(one.id): {"who": ", ".join(people.get(one.id, [])), "accounts": counts.get(one.id, 0)}
        for one in territories.active(session)
    }


@router.get("/home/accounts")
def show_listed(
    request: Request,
    scope: ReadAccounts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0)] = 0,
    pipeline: Staged = None,
    firms: Annotated[
        str | None, Query(max_length=100, description="Also firms in the outline: a kind, or `all`.")
    ] = None,
) -> Response:
    """A fragment: the accounts that the map shows, the most overdue first; within a drive, the nearest first."""
    error, found, stages, inside = None, None, {}, None
    drawn = outline_of(filter or "") if firms and scope.may("density:read") else ()
    try:
        with attempt(session):
            order = "drive" if asks_for_drive(filter or "") else "-overdue"
            found = accounts.page(session, scope, filter=filter, search=search, sort=order, cursor=cursor, limit=ROWS)
            stages = stages_of(request, session, scope, pipeline, [row.account.id for row in found.rows])
            if drawn:
                inside = outlines.counted(session, scope, drawn, None if firms == "all" else firms)
    except WaymarkError as refused:
        error = refused
    return render(
        request,
        "home/accounts.html",
        scope,
        status=int(error.status) if error else 200,
        found=found,
        error=error,
        stages=stages,
        pipeline=pipeline,
        first=first,
        filter=filter or "",
        search=search or "",
        inside=inside,
        most_inside=outlines.MOST_COUNTED,
        most_corners=outlines.MOST_CORNERS,
        turns=is_outline(filter or "") and not search and len(drawn) <= outlines.MOST_CORNERS,
        turned={"outline": json.dumps(drawn)},
        kind=None if firms == "all" else firms,
    )


@router.get("/home/accounts/{account_id}")
def show_card(
    request: Request, account_id: UUID, scope: ReadAccounts, session: Db, pipeline: Staged = None
) -> Response:
    """A fragment: one account as a card on the map."""
    row = accounts.detail(session, scope, account_id)
    if row is None:
        raise NotFound("There is no such account.")
    stage = stages_of(request, session, scope, pipeline, [account_id]).get(account_id)
    return render(request, "home/card.html", scope, row=row, stage=stage)
