"""JSON API of the index's sources: address files, and the geocoder elsewhere."""

import math
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from geo.types import BBox
from server.auth.access import Scope, requires
from server.geocoding import queries, remote, sources, uploads
from server.geocoding.jobs import read_upload
from server.geocoding.providers import PROVIDERS
from server.geocoding.source_schemas import LoadRead, RemoteRead, RemoteWrite, SourceRead
from server.geocoding.sources import Wish
from server.imports.uploads import Received, SizeChecked
from server.jobs import defer
from server.kit.database import Db
from server.kit.errors import Invalid
from server.kit.paging import Page
from server.regions.queries import attributions as region_credits

router = APIRouter(prefix="/api/v1", tags=["geocoding"])

BOX = Query(max_length=120, description="West, south, east, north in degrees: only what is seen there.")
ReadRegions = Annotated[Scope, requires("regions:read")]
WriteRegions = Annotated[Scope, requires("regions:write")]

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "name", "country", "source"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV or lines of GeoJSON, .gz"},
                        "name": {"type": "string", "description": "A file of the same name is replaced."},
                        "country": {"type": "string", "description": "Code or name."},
                        "source": {"type": "string", "description": "Who is to be credited."},
                        "licence": {"type": "string"},
                        "replace_all": {
                            "type": "boolean",
                            "description": "Take a newer file also when it lacks much of the older one.",
                        },
                    },
                }
            }
        },
    }
}


def wish_of(options: dict[str, str]) -> Wish:
    """What the form says about the file."""
    name, country, origin, licence = (options.get(key, "") for key in ("name", "country", "source", "licence"))
    return Wish(name, country, origin, licence, options.get("replace_all", "").lower() in ("true", "yes", "on", "1"))


@router.get("/attribution")
def list_attribution(scope: ReadRegions, session: Db, box: Annotated[str | None, BOX] = None) -> Page[str]:
    """What must be printed beside a map and every place that leaves: regions, address files, geocoders."""
    around = None if box is None else box_of(box)
    return Page(items=sorted({*queries.credits_beside(session, around), *region_credits(session, around)}))


def box_of(written: str) -> BBox:
    """The box that a query names. Refuses what is none."""
    try:
        west, south, east, north = map(float, written.split(","))
    except ValueError:
        west = south = east = north = math.nan
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid(f"“{written[:60]}” is no box.", help="Write west,south,east,north in degrees.", field="box")
    return BBox(west, south, east, north)


@router.get("/address-files")
def list_address_files(scope: ReadRegions, session: Db) -> Page[SourceRead]:
    """The address files in the index, then those that were removed or replaced and can be brought back."""
    found = [*queries.files(session), *queries.removed_files(session)]
    return Page(items=[SourceRead.model_validate(source) for source in found])


@router.post("/address-files", status_code=202, dependencies=[SizeChecked], openapi_extra=FORM)
def upload_address_file(scope: WriteRegions, upload: Received, session: Db) -> LoadRead:
    """Receive an address file (OpenAddresses' columns); it is read in the background, all or nothing."""
    load = uploads.receive(session, upload.path, upload.name, wish_of(upload.options))
    defer(session, read_upload, key=f"read_upload:{load.id}", load_id=str(load.id))
    return LoadRead.model_validate(load)


@router.get("/address-files/uploads/{load_id}")
def read_address_upload(load_id: UUID, scope: WriteRegions, session: Db) -> LoadRead:
    """How far an upload is, and what became of it."""
    return LoadRead.model_validate(uploads.find(session, load_id))


@router.delete("/address-files/{source_id}")
def remove_address_file(source_id: UUID, scope: WriteRegions, session: Db) -> SourceRead:
    """Take an address file out of the index; for 30 days it can be brought back."""
    return SourceRead.model_validate(sources.remove(session, sources.by_id(session, source_id).name))


@router.post("/address-files/{source_id}/restore")
def restore_address_file(source_id: UUID, scope: WriteRegions, session: Db) -> SourceRead:
    """Bring an address file back that was removed or replaced, in place of the present one of its name."""
    return SourceRead.model_validate(sources.restore(session, sources.by_id(session, source_id)))


@router.get("/remote-geocoders")
def list_remote_geocoders(scope: WriteRegions, session: Db) -> Page[RemoteRead]:
    """The geocoders elsewhere that may be asked below the threshold: their terms, and how the one in use is used."""
    return Page(
        items=[RemoteRead.of(p, remote.setup_of(session, p.key), remote.usage(session, p.key))
               for p in PROVIDERS.values()]
    )  # fmt: skip


@router.put("/remote-geocoders/{provider}")
def switch_remote_geocoder_on(provider: str, body: RemoteWrite, scope: WriteRegions, session: Db) -> RemoteRead:
    """Switch a geocoder on; its terms must be accepted. Another one that was on is switched off."""
    setup = remote.Setup(body.url, body.user_agent, body.interval_s, body.daily_cap)
    row = remote.configure(session, provider, setup, accepts=body.accepts_terms, actor=scope.user_id)
    return RemoteRead.of(remote.provider_of(provider), row, remote.usage(session, provider))


@router.delete("/remote-geocoders/{provider}", status_code=204)
def switch_remote_geocoder_off(provider: str, scope: WriteRegions, session: Db) -> None:
    """Switch a geocoder off; nobody is asked any more."""
    remote.provider_of(provider)
    remote.switch_off(session)
