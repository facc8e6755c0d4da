"""JSON API for changing territories."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from pydantic import TypeAdapter, ValidationError

from server.auth.access import Scope, requires
from server.balance import files, reading, saving, service
from server.balance.editing import imported
from server.balance.files import Outline
from server.balance.moves import effects
from server.balance.schemas import ChangeRead, Members
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, TooLarge
from server.kit.paging import Page
from server.kit.settings import settings
from server.territories import service as territories
from server.territories.queries import active as territories_in_force
from server.territories.routes import read_all
from server.territories.schemas import MembersWrite, TerritoryChange, TerritoryCreate, TerritoryRead

router = APIRouter(prefix="/api/v1/territories", tags=["territories"])

ReadTerritories = Annotated[Scope, requires("territories:read")]
WriteTerritories = Annotated[Scope, requires("territories:write")]
MAX_FILE = 50_000_000


@router.post("", status_code=201)
def create(body: TerritoryCreate, scope: WriteTerritories, session: Db) -> TerritoryRead:
    """Add a territory from an outline or from admin areas."""
    area = service.area_from(session, name=body.name, geojson=body.area, places=body.admin_area_ids)
    territory = service.create(
        session,
        name=body.name,
        area=area,
        members=body.members,
        day=clock.today(settings().zone),
        colour=body.colour,
        parent_id=body.parent_id,
    )
    return read_all(session, [territory], with_area=True)[0]


def outlines_in(file: UploadFile, epsg: int | None) -> list[Outline]:
    """The areas of an uploaded file; refuses one that is too large, by name."""
    content = file.file.read(MAX_FILE + 1)
    name = file.filename or "The file"
    if len(content) > MAX_FILE:
        raise TooLarge(f"{name} is larger than {MAX_FILE // 1_000_000} MB.", help="Simplify the outlines.")
    return files.read(content, name, epsg=epsg)


def crews_in(written: str) -> dict[str, list[UUID]]:
    """People by the name of the area; refuses what is no such thing."""
    try:
        return CREWS_BY_NAME.validate_json(written) if written else {}
    except ValidationError as error:
        raise Invalid(
            "This does not say who works which area.", help="Send ids of people by name.", field="crews"
        ) from error


CREWS_BY_NAME = TypeAdapter(dict[str, list[UUID]])
REPLACE = Query(description="Territories of the same name take the new outline; otherwise they are refused.")
MEMBERS = Query(max_length=200, description="Who works the new territories; may stay open.")
CREWS = Form(description="Who works which new territory instead: JSON, ids of people by the name of the area.")
FROM = Query(description="From this day on; left out: today.")
EPSG = Query(description="Coordinate system of a file that does not say it, e.g. a Shapefile without .prj.")


@router.post("/import", status_code=201)
def import_file(
    file: UploadFile,
    scope: WriteTerritories,
    session: Db,
    replace: Annotated[bool, REPLACE] = False,
    epsg: Annotated[int | None, EPSG] = None,
    members: Annotated[list[UUID], MEMBERS] = [],  # noqa: B006 FastAPI copies it
    valid_from: Annotated[date | None, FROM] = None,
    crews: Annotated[str, CREWS] = "",
) -> Page[TerritoryRead]:
    """Add the territories of a GeoJSON, GeoPackage or zipped Shapefile; each has a `name`. All or nothing."""
    outlines, why = outlines_in(file, epsg), file.filename or ""
    made = service.save_import(
        session, outlines, replaces=replace, why=why, user_ids=members, crews=crews_in(crews), day=valid_from
    )
    ids = [part.territory_id for part in saving.parts_of(session, made.id)]
    rows = [row for row in territories_in_force(session) if row.id in ids]
    return Page(items=read_all(session, rows, with_area=False))


@router.post("/import/preview")
def preview_import(
    file: UploadFile,
    scope: WriteTerritories,
    session: Db,
    replace: Annotated[bool, REPLACE] = False,
    epsg: Annotated[int | None, EPSG] = None,
    members: Annotated[list[UUID], MEMBERS] = [],  # noqa: B006 FastAPI copies it
    valid_from: Annotated[date | None, FROM] = None,
    crews: Annotated[str, CREWS] = "",
) -> ChangeRead:
    """What a file would draw and move; nothing is changed."""
    outlines, by_name = outlines_in(file, epsg), crews_in(crews)
    change = imported(session, outlines, replaces=replace, user_ids=members, crews=by_name, day=valid_from)
    return reading.change_read(session, scope, change, effects(session, change.drafts))


@router.get("/export")
def export(
    scope: ReadTerritories, session: Db, format: Annotated[files.Format, Query()] = files.Format.GEOJSON
) -> Response:
    """All territories as GeoJSON, GeoPackage or zipped Shapefile."""
    headers = {"Content-Disposition": f'attachment; filename="{format.file_name}"'}
    return Response(files.write(session, format), media_type=format.media_type, headers=headers)


@router.patch("/{territory_id}")
def change(territory_id: UUID, body: TerritoryChange, scope: WriteTerritories, session: Db) -> TerritoryRead:
    """Change name, colour, parent or outline."""
    changes = body.model_dump(exclude_unset=True)
    if changes.get("area") is not None:
        changes["area"] = territories.area_of(changes["area"], name=changes.get("name") or "the territory")
    return read_all(session, [service.change(session, territory_id, changes)], with_area=True)[0]


@router.put("/{territory_id}/members", status_code=204)
def set_members(
    territory_id: UUID, body: MembersWrite, scope: WriteTerritories, session: Db, request: Request
) -> Response:
    """Say who works the territory from a day on; with `rev` an older state is refused with 412, and kept.

    The same as the operation `members` of `/territory-changes`, which also previews.
    """
    wish = Members(kind="members", territory_id=territory_id, **body.model_dump(exclude={"why"}))
    _, made, stale = service.apply(session, wish, why=body.why)
    return Response(status_code=204) if stale is None else reading.refused(request, stale, made)


@router.delete("/{territory_id}", status_code=204)
def delete(territory_id: UUID, scope: WriteTerritories, session: Db) -> None:
    """Take a territory away."""
    service.delete(session, territory_id)
