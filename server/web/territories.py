"""Territories: who works where."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from sqlalchemy import func
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.balance import balancing, challenges, coming, editing, places, reading
from server.balance import routes as balance_routes
from server.balance.moves import sums
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.regions.queries import admin_areas
from server.territories import queries
from server.territories.routes import read_all
from server.territories.schemas import TerritoryRead
from server.territories.service import PALETTE
from server.web.pages import attempt, go, language_of, render
from server.web.users import people_of

router = APIRouter(prefix="/territories", include_in_schema=False)

ReadTerritories = Annotated[Scope, requires("territories:read")]
WriteTerritories = Annotated[Scope, requires("territories:write")]


@router.get("")
def show_territories(request: Request, scope: ReadTerritories, session: Db) -> Response:
    """All territories on a map and in a list."""
    return territories_page(request, scope, session)


def territories_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    rows = queries.active(session)
    seen = accounts.visible_to(scope).with_only_columns(
        Account.territory_id,
        func.count(),
        func.sum(Account.yearly_value),
        func.count().filter(Account.territory_is_fixed),
    )
    counts = {row[0]: (row[1], row[2], row[3]) for row in session.execute(seen.group_by(Account.territory_id))}
    writes = scope.may("territories:write")
    history, memberships = reading.history(session), memberships_by_territory(session)
    sent = request.query_params.get("done")
    done = next((line for line in history if sent in (str(line.id), "latest")), None)
    below = {row.parent_id for row in rows}
    idle = {row.id for row in rows if row.id not in below and not any(map(is_ahead, memberships.get(row.id, [])))}
    troubles = editing.troubles(session) if writes else []  # whoever cannot mend them is not alarmed
    return render(
        request,
        "territories/list.html",
        scope,
        status=int(error.status) if error else 200,
        tree=in_tree(read_all(session, rows, with_area=False)),
        named={row.id: row.name for row in rows},
        outlines={str(key): shape for key, shape in queries.outlines(session, tolerance=0.002).items()},
        counts=counts,
        contested=challenges.waiting(session, scope),
        hours={key: found[1] for key, found in sums(session).items()} if writes else {},
        memberships=memberships,
        idle=idle,
        above=below,
        troubles=troubles,
        troubles_json=[one.model_dump(mode="json") for one in troubles],
        history=history,
        balances=balancing.waiting(session),
        palette=PALETTE,
        done=done,
        kept=request.query_params.get("kept"),
        areas=session.scalars(admin_areas()).all() if writes else [],
        postcodes=places.postcodes(session) if writes else [],
        people=people_of(session, scope, Role.REP),
        currency=settings().currency,
        error=error,
    )


def in_tree(rows: list[TerritoryRead]) -> list[tuple[TerritoryRead, int]]:
    """Territories with their depth, each below its sales region."""
    below: dict[UUID | None, list[TerritoryRead]] = {}
    known = {row.id for row in rows}
    for row in rows:
        below.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)

    seen: set[UUID] = set()

    def walk(row: TerritoryRead, depth: int) -> Iterator[tuple[TerritoryRead, int]]:
        if row.id not in seen:
            seen.add(row.id)
            yield row, depth
            for child in below.get(row.id, []):
                yield from walk(child, depth + 1)

    tops = below.get(None, [])  # what lies below nothing but itself comes last, and is not lost
    return [one for row in (*tops, *rows) for one in walk(row, 0)]


def memberships_by_territory(session: Session) -> dict[UUID, list[dict[str, Any]]]:
    """Who works, worked and will work each territory."""
    today = clock.today(settings().zone)
    found: dict[UUID, list[dict[str, Any]]] = {}
    for one in queries.memberships(session):
        is_now = one.valid_from <= today and (one.valid_to is None or one.valid_to > today)
        last_day = one.valid_to - timedelta(days=1) if one.valid_to else None
        told = {"is_now": is_now, "is_to_come": one.valid_from > today, "last_day": last_day}
        found.setdefault(one.territory_id, []).append(vars(one) | told)
    return found


def is_ahead(member: dict[str, Any]) -> bool:
    """Whether somebody who can sign in works a territory today or later."""
    last_day = member["last_day"]
    return not member["has_left"] and (last_day is None or last_day >= clock.today(settings().zone))


@router.get("/coming")
def show_coming(request: Request, scope: ReadTerritories, session: Db) -> Response:
    """What waits for its day, with the reader's accounts that it moves."""
    return render(request, "territories/coming.html", scope, coming=coming.seen_by(session, scope))


@router.get("/said")
def say(request: Request, scope: ReadTerritories, text: Annotated[list[str], Query(max_length=200)]) -> list[str]:
    """What a preview notes, in the reader's language."""
    return [language_of(request, scope).said(one) for one in text]


@router.post("/import")
def import_file(
    request: Request,
    scope: WriteTerritories,
    session: Db,
    file: UploadFile,
    replace: Annotated[bool, Form()] = False,
    epsg: Annotated[str, Form(pattern="^[0-9]{0,6}$")] = "",
) -> Response:
    """Add the territories of a GeoJSON, GeoPackage or zipped Shapefile."""
    try:
        with attempt(session):
            balance_routes.import_file(file, scope, session, replace, int(epsg) if epsg else None)
    except WaymarkError as error:
        return territories_page(request, scope, session, error)
    return go("/territories?done=latest")
