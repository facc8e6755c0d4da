"""The sites of an account: their forms, and how far they are from the road."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from geo.types import LonLat
from routing.roads.types import FAR_FROM_ROADS_M
from server.accounts import places, reaching, service
from server.accounts.routes import read
from server.auth.access import Scope, requires
from server.fields import queries as own
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.web.account_forms import SITE_FIELDS, chosen_changes, form_page
from server.web.forms import Sent, given, id_of, number, text
from server.web.own_fields import nested, sent_own
from server.web.pages import attempt, render

router = APIRouter(prefix="/accounts", include_in_schema=False)

ReadAccounts = Annotated[Scope, requires("accounts:read")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]
ReadRoads = Annotated[Scope, requires("roads:read")]


@router.get("/{account_id}/sites/{site_id}/edit")
def show_edit_site(request: Request, account_id: UUID, site_id: UUID, scope: WriteAccounts, session: Db) -> Response:
    """The form in place of a site."""
    account = read(session, scope, account_id)
    site = next((one for one in account.sites if one.id == site_id), None)
    if site is None:
        raise NotFound("There is no such site.")
    values = site.model_dump() | {"service_min": site.service_s // 60}
    own_fields = own.fields_of(session, "site")
    return form_page(
        request, scope, "accounts/edit_site.html", account, values, rev=site.rev, site_id=site_id, own_fields=own_fields
    )


@router.get("/{account_id}/sites/{site_id}/road")
def show_road(
    request: Request, account_id: UUID, site_id: UUID, scope: ReadAccounts, _roads: ReadRoads, session: Db
) -> Response:
    """A fragment: a warning when the pin is far from every road, else nothing."""
    site = next((one for one in read(session, scope, account_id).sites if one.id == site_id), None)
    if site is None:
        raise NotFound("There is no such site.")
    away_m = (
        reaching.road_m(session, LonLat(site.lon, site.lat)) if site.lon is not None and site.lat is not None else 0
    )
    return render(request, "accounts/road.html", scope, away_m=away_m, far_m=reaching.FAR_M, lost_m=FAR_FROM_ROADS_M)


@router.get("/{account_id}/sites/new")
def show_new_site(request: Request, account_id: UUID, scope: WriteAccounts, session: Db) -> Response:
    """The form of another site."""
    account = read(session, scope, account_id)
    values: dict[str, Any] = {"country": account.country, "service_min": 30, "custom": {}}
    own_fields = own.fields_of(session, "site")
    return form_page(
        request, scope, "accounts/edit_site.html", account, values, rev=0, site_id=None, own_fields=own_fields
    )


@router.post("/{account_id}/sites")
def save_site(
    request: Request, account_id: UUID, scope: WriteAccounts, session: Db, sent: Sent, rev: Annotated[int, Form()] = 0
) -> Response:
    """Add a site, or change one."""
    site_id = id_of(text(sent, "site_id") or "", "site_id")
    own_fields = own.fields_of(session, "site")
    try:
        with attempt(session):
            changes = chosen_changes(sent, ["name", *SITE_FIELDS], own_fields)
            minutes = number(sent, "service_min")
            if minutes is not None:
                changes["service_s"] = round(minutes * 60)
            if site_id is None:
                places.create_site(session, scope, account_id, {k: v for k, v in changes.items() if v is not None})
            else:
                service.edit_site(session, scope, site_id, rev, changes)
    except WaymarkError as error:
        account = read(session, scope, account_id)
        values = {"service_min": text(sent, "service_min")} | given(sent, ["name", *SITE_FIELDS])
        shown: dict[str, Any] = {**values, "custom": nested(sent_own(sent, own_fields))}
        more = {"site_id": site_id, "own_fields": own_fields}
        return form_page(request, scope, "accounts/edit_site.html", account, shown, rev=rev, error=error, **more)
    return Response(status_code=204, headers={"HX-Redirect": f"/accounts/{account_id}"})
