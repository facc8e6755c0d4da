"""Territories: who works where."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response, UploadFile
from sqlalchemy import func
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.balance import routes as balance_routes
from server.balance import service
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.regions.queries import admin_areas
from server.territories import queries
from server.territories.routes import read_all
from server.web.pages import attempt, go, render
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
        Account.territory_id, func.count(), func.sum(Account.yearly_value)
    )
    counts = {row[0]: (row[1], row[2]) for row in session.execute(seen.group_by(Account.territory_id))}
    areas = session.scalars(admin_areas()).all() if scope.may("territories:write") else []
    return render(
        request,
        "territories/list.html",
        scope,
        status=int(error.status) if error else 200,
        territories=read_all(session, rows, with_area=False),
        outlines={str(key): shape for key, shape in queries.outlines(session, tolerance=0.002).items()},
        counts=counts,
        overlaps=queries.overlaps(session),
        areas=areas,
        people=people_of(session, scope, Role.REP),
        error=error,
    )


@router.post("")
def create(
    request: Request,
    scope: WriteTerritories,
    session: Db,
    name: Annotated[str, Form(max_length=200)],
    places: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Add a territory made of admin areas."""
    try:
        with attempt(session):
            area = service.area_from(session, name=name, geojson=None, places=places or [])
            service.create(session, name=name, area=area, members=[], day=clock.today(settings().zone))
    except WaymarkError as error:
        return territories_page(request, scope, session, error)
    return go("/territories")


@router.post("/import")
def import_file(request: Request, scope: WriteTerritories, session: Db, file: UploadFile) -> Response:
    """Add the territories of a GeoJSON file."""
    try:
        with attempt(session):
            balance_routes.import_file(file, scope, session)
    except WaymarkError as error:
        return territories_page(request, scope, session, error)
    return go("/territories")


@router.post("/{territory_id}/members")
def set_members(
    request: Request,
    territory_id: UUID,
    scope: WriteTerritories,
    session: Db,
    members: Annotated[list[UUID] | None, Form()] = None,
    valid_from: Annotated[date | None, Form()] = None,
) -> Response:
    """Say who works a territory from a day on."""
    day = valid_from or clock.today(settings().zone)
    try:
        with attempt(session):
            service.set_members(session, territory_id, members or [], day=day)
    except WaymarkError as error:
        return territories_page(request, scope, session, error)
    return go("/territories")


@router.post("/{territory_id}/delete")
def delete(territory_id: UUID, scope: WriteTerritories, session: Db) -> Response:
    """Take a territory away; its accounts follow the areas that are left."""
    service.delete(session, territory_id)
    return go("/territories")
