"""JSON API for changing territories."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, UploadFile

from server.auth.access import Scope, requires
from server.balance import service
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, TooLarge
from server.kit.paging import Page
from server.kit.settings import settings
from server.territories import service as territories
from server.territories.routes import read_all
from server.territories.schemas import MembersWrite, TerritoryChange, TerritoryCreate, TerritoryRead

router = APIRouter(prefix="/api/v1/territories", tags=["territories"])

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


def features_of(content: bytes, file_name: str) -> list[dict[str, Any]]:
    """The features of a GeoJSON file; names the file when it is none."""
    try:
        document = json.loads(content)
    except (UnicodeDecodeError, ValueError) as error:
        raise Invalid(f"{file_name} is not GeoJSON: {error}", help="Export the areas as GeoJSON.") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not features:
        raise Invalid(f"{file_name} has no features.", help="Export the areas as a GeoJSON FeatureCollection.")
    return [feature for feature in features if isinstance(feature, dict)]


@router.post("/import", status_code=201)
def import_file(file: UploadFile, scope: WriteTerritories, session: Db) -> Page[TerritoryRead]:
    """Add the territories of a GeoJSON file; each feature has a `name` and may have a `colour`. All or nothing."""
    content = file.file.read(MAX_FILE + 1)
    name = file.filename or "The file"
    if len(content) > MAX_FILE:
        raise TooLarge(f"{name} is larger than {MAX_FILE // 1_000_000} MB.", help="Simplify the outlines.")
    added = []
    for number, feature in enumerate(features_of(content, name), 1):
        properties = feature.get("properties") or {}
        title = str(properties.get("name") or "")
        if not title:
            raise Invalid(f"{name}, feature {number}: there is no property “name”.", help="Name every area.")
        if not isinstance(feature.get("geometry"), dict):
            raise Invalid(f"{name}, feature {number} (“{title}”): there is no geometry.", help="Give every area one.")
        area = territories.area_of(feature["geometry"], name=title)
        added.append(
            service.create(
                session,
                name=title,
                area=area,
                members=[],
                day=clock.today(settings().zone),
                colour=properties.get("colour"),
            )
        )
    return Page(items=read_all(session, added, with_area=False))


@router.patch("/{territory_id}")
def change(territory_id: UUID, body: TerritoryChange, scope: WriteTerritories, session: Db) -> TerritoryRead:
    """Change name, colour, parent or outline."""
    changes = body.model_dump(exclude_unset=True)
    if changes.get("area") is not None:
        changes["area"] = territories.area_of(changes["area"], name=changes.get("name") or "the territory")
    return read_all(session, [service.change(session, territory_id, changes)], with_area=True)[0]


@router.put("/{territory_id}/members", status_code=204)
def set_members(territory_id: UUID, body: MembersWrite, scope: WriteTerritories, session: Db) -> None:
    """Say who works the territory from a day on."""
    service.set_members(session, territory_id, body.members, day=body.valid_from or clock.today(settings().zone))


@router.delete("/{territory_id}", status_code=204)
def delete(territory_id: UUID, scope: WriteTerritories, session: Db) -> None:
    """Take a territory away."""
    service.delete(session, territory_id)
