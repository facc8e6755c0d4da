"""What everything is built from: regions, address files, and the geocoder elsewhere."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.geocoding import queries as geocoding
from server.geocoding import remote, source_routes, sources, uploads
from server.geocoding import source_schemas as shapes
from server.geocoding.providers import PROVIDERS
from server.imports.uploads import Received, SizeChecked
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.regions import queries
from server.web.forms import Sent, number
from server.web.forms import text as text_of
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/regions", include_in_schema=False)

WriteRegions = Annotated[Scope, requires("regions:write")]


@router.get("")
def show_regions(request: Request, scope: WriteRegions, session: Db) -> Response:
    """All regions and address files with what they hold, from when, what changed, and whom to thank."""
    return regions_page(request, scope, session)


def regions_page(
    request: Request,
    scope: Scope,
    session: Session,
    error: WaymarkError | None = None,
    values: dict[str, str] | None = None,
) -> Response:
    """The page, with what was refused."""
    return render(
        request,
        "regions/list.html",
        scope,
        status=int(error.status) if error else 200,
        regions=queries.all_regions(session),
        indexes=geocoding.of_regions(session),
        files=geocoding.files(session),
        removed=geocoding.removed_files(session),
        loads=uploads.latest(session),
        elsewhere=remote.active(session),
        providers=PROVIDERS,
        max_mb=settings().max_upload_mb,
        error=error,
        values=values or {},
    )


@router.post("/addresses", dependencies=[SizeChecked])
def upload_addresses(request: Request, scope: WriteRegions, session: Db, upload: Received) -> Response:
    """Receive an address file; a worker reads it."""
    try:
        with attempt(session):
            source_routes.upload_address_file(scope, upload, session)
    except WaymarkError as error:
        return regions_page(request, scope, session, error, upload.options)
    return go("/regions#address-files")


@router.get("/addresses/uploads")
def show_uploads(request: Request, scope: WriteRegions, session: Db) -> Response:
    """A fragment: how far the uploads are; the page is loaded again when all are done."""
    loads = uploads.latest(session)
    if all(load.state in ("done", "failed") for load in loads):
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return render(request, "regions/uploads.html", scope, loads=loads)


@router.post("/addresses/{source_id}/remove")
def remove_addresses(source_id: UUID, scope: WriteRegions, session: Db) -> Response:
    """Take an address file out of the index."""
    sources.remove(session, sources.by_id(session, source_id).name)
    return go("/regions#address-files")


@router.post("/addresses/{source_id}/restore")
def restore_addresses(request: Request, source_id: UUID, scope: WriteRegions, session: Db) -> Response:
    """Bring an address file back."""
    try:
        with attempt(session):
            sources.restore(session, sources.by_id(session, source_id))
    except WaymarkError as error:
        return regions_page(request, scope, session, error)
    return go("/regions#address-files")


@router.get("/elsewhere")
def show_elsewhere(request: Request, scope: WriteRegions, session: Db) -> Response:
    """The geocoders elsewhere: their terms, the one that is switched on, and how it is used."""
    return elsewhere_page(request, scope, session)


def elsewhere_page(
    request: Request, scope: Scope, session: Session, error: WaymarkError | None = None, tried: str = ""
) -> Response:
    """The page, with what was refused beside the provider that was tried."""
    found = [
        shapes.RemoteRead.of(p, remote.setup_of(session, p.key), remote.usage(session, p.key))
        for p in PROVIDERS.values()
    ]
    has_key = remote.secret() is not None
    return render(
        request, "regions/elsewhere.html", scope, status=int(error.status) if error else 200,
        found=sorted(found, key=lambda one: not one.is_on), has_key=has_key, error=error, tried=tried,
    )  # fmt: skip


@router.post("/elsewhere/{provider}")
def switch_on(request: Request, provider: str, scope: WriteRegions, session: Db, sent: Sent) -> Response:
    """Switch a geocoder elsewhere on, its terms accepted."""
    try:
        with attempt(session):
            setup = remote.Setup(
                text_of(sent, "url") or "",
                text_of(sent, "agent") or "",
                number(sent, "interval_s") or 0.0,
                int(number(sent, "daily_cap") or 0),
            )
            accepts = text_of(sent, "accept") is not None
            remote.configure(session, provider, setup, accepts=accepts, actor=scope.user_id)
    except WaymarkError as error:
        return elsewhere_page(request, scope, session, error, provider)
    return go("/regions/elsewhere")


@router.post("/elsewhere/{provider}/off")
def switch_off(provider: str, scope: WriteRegions, session: Db) -> Response:
    """Ask nobody any more."""
    remote.provider_of(provider)
    remote.switch_off(session)
    return go("/regions/elsewhere")
