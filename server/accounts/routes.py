"""JSON API, tiles and files of accounts and their sites."""

from collections.abc import Iterator
from typing import IO, Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from server.accounts import exporting, following, places, queries, service, tiles
from server.accounts.duplicates import search as duplicates
from server.accounts.fields import known
from server.accounts.pins import point_of
from server.accounts.schemas import (
    AccountCreate,
    AccountFields,
    AccountListed,
    AccountRead,
    CandidateRead,
    Change,
    FieldRead,
    FollowWrite,
    PinWrite,
    RepsWrite,
    RevisionWrite,
    SiteCreate,
    SiteFields,
    SiteRead,
    TagsWrite,
)
from server.accounts.service import NewAccount
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Exact, Limit, Page
from server.kit.settings import settings
from server.kit.tiles import TileAddress, tile_response
from server.records.queries import history

router = APIRouter(tags=["accounts"])

ReadAccounts = Annotated[Scope, requires("accounts:read")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]
DeleteAccounts = Annotated[Scope, requires("accounts:delete")]
ExportAccounts = Annotated[Scope, requires("accounts:export")]

Filter = Annotated[
    str | None, Query(max_length=4000, description='In the filter language, e.g. class = A and city = "Vaduz".')
]
Search = Annotated[
    str | None,
    Query(alias="q", max_length=200, description="Words in any order; accents and slips are forgiven."),
]
Sort = Annotated[str, Query(description="A key such as name or overdue, with - in front for the other way round.")]
Force = Annotated[bool, Query(description="Create the account although it looks like another one.")]


def read(session: Session, scope: Scope, account_id: UUID) -> AccountRead:
    """One account in full, when somebody may see it."""
    row = queries.detail(session, scope, account_id)
    if row is None:
        raise gone(session, scope, account_id)
    return in_full(session, row)


def in_full(session: Session, row: queries.Row) -> AccountRead:
    """An account with its sites and the reps to whom it is assigned by hand."""
    account_id = row.account.id
    sites = queries.sites_of(session, [account_id])
    return AccountRead.with_sites(row, sites, queries.reps_of(session, account_id))


def gone(session: Session, scope: Scope, account_id: UUID) -> NotFound:
    """Why an account cannot be read; of one that was merged, where it went."""
    into = queries.surviving(session, account_id)
    if into == account_id or not queries.seen_of(session, scope, [into]):
        return NotFound("There is no such account.", id=str(account_id))
    return NotFound(
        "The account was merged into another one.", help="Read that one.", id=str(account_id), merged_into=str(into)
    )


@router.get("/api/v1/accounts")
def list_accounts(
    scope: ReadAccounts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: Sort = "name",
    cursor: Cursor = None,
    limit: Limit = 50,
    exact: Exact = False,
) -> Page[AccountListed]:
    """The accounts you may see, page by page."""
    found = queries.page(
        session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=limit, exact=exact
    )
    rows = [AccountListed.of(row) for row in found.rows]
    return Page(items=rows, next_cursor=found.next_cursor, total=found.total, total_is_estimated=found.is_estimated)


@router.get("/api/v1/accounts/fields")
def list_fields(scope: ReadAccounts, session: Db) -> Page[FieldRead]:
    """What accounts can be filtered by, the company's own fields too."""
    fields = scope.askable("account", known(session, clock.today(settings().zone))).values()
    return Page(
        items=[FieldRead(name=one.name, kind=one.kind, label=one.label, choices=list(one.choices)) for one in fields]
    )


@router.get("/api/v1/accounts/export.{kind}")
def export(
    kind: exporting.Format, scope: ExportAccounts, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The accounts you may export as CSV, XLSX, GeoJSON or GeoPackage; no limit."""
    file = exporting.export(session, scope, kind, filter=filter, search=search)
    name = f"accounts-{queries.today_of(scope).isoformat()}.{kind}"
    return StreamingResponse(
        chunks(file),
        media_type=exporting.MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece; closed at the end."""
    with file:
        while piece := file.read(65_536):
            yield piece


@router.post("/api/v1/accounts", status_code=201)
def create(
    body: AccountCreate, scope: WriteAccounts, session: Db, response: Response, force: Force = False
) -> AccountRead:
    """Take a new account in; answers 409 with the candidates when it looks like one that is there."""
    sites = [site.given() for site in body.sites]
    account = service.create(session, scope, NewAccount(body.given(), sites, rep_ids=body.rep_ids), force=force)
    session.expire_all()
    created = read(session, scope, account.id)
    response.headers["Location"] = f"/api/v1/accounts/{created.id}"
    tag(response, created.rev)
    return created


@router.get("/api/v1/accounts/{account_id}")
def get(account_id: UUID, scope: ReadAccounts, session: Db, response: Response) -> AccountRead:
    """One account with its sites."""
    found = read(session, scope, account_id)
    tag(response, found.rev)
    return found


@router.patch("/api/v1/accounts/{account_id}")
def change(
    account_id: UUID, body: AccountFields, scope: WriteAccounts, session: Db, base: BaseRevision, response: Response
) -> AccountRead:
    """Change fields. An older ETag is merged field by field; 412 with both values where a field really clashes."""
    service.edit(session, scope, account_id, base, body.given())
    return get(account_id, scope, session, response)


@router.delete("/api/v1/accounts/{account_id}", status_code=204)
def delete(account_id: UUID, scope: DeleteAccounts, session: Db, base: BaseRevision) -> None:
    """Take an account away; it can be restored. 412 when it changed after you read it."""
    service.delete(session, scope, account_id, base)


@router.post("/api/v1/accounts/{account_id}/restore")
def restore(account_id: UUID, scope: DeleteAccounts, session: Db, response: Response) -> AccountRead:
    """Bring a deleted account back with its sites."""
    service.restore(session, scope, account_id)
    return get(account_id, scope, session, response)


@router.put("/api/v1/accounts/{account_id}/follow")
def follow(account_id: UUID, body: FollowWrite, scope: ReadAccounts, session: Db) -> FollowWrite:
    """Be told of what happens at an account, or no more."""
    following.follow(session, scope, account_id, wanted=body.follows)
    return body


@router.post("/api/v1/accounts/{account_id}/tags")
def change_tags(
    account_id: UUID, body: TagsWrite, scope: WriteAccounts, session: Db, response: Response
) -> AccountRead:
    """Add and remove tags; never clashes with other people's tags."""
    service.change_tags(session, scope, account_id, add=body.add, remove=body.remove)
    return get(account_id, scope, session, response)


@router.put("/api/v1/accounts/{account_id}/reps")
def assign(account_id: UUID, body: RepsWrite, scope: WriteAccounts, session: Db, response: Response) -> AccountRead:
    """Set the reps who work this account although it is neither theirs nor in their territory."""
    service.assign(session, scope, account_id, body.rep_ids)
    return get(account_id, scope, session, response)


@router.get("/api/v1/accounts/{account_id}/duplicates")
def list_duplicates(account_id: UUID, scope: ReadAccounts, session: Db) -> Page[CandidateRead]:
    """Accounts that may be the same as this one, most alike first, with the reasons."""
    row = queries.detail(session, scope, account_id)
    if row is None:
        raise NotFound("There is no such account.", id=str(account_id))
    found = duplicates.candidates(session, row.account, row.site)
    seen = queries.seen_of(session, scope, [one.account_id for one in found])
    return Page(items=[CandidateRead(**vars(one), reasons=one.reasons()) for one in found if one.account_id in seen])


@router.get("/api/v1/accounts/{account_id}/history")
def get_history(account_id: UUID, scope: ReadAccounts, session: Db, limit: Limit = 200) -> Page[Change]:
    """Who changed what of an account and its sites, newest first."""
    found = read(session, scope, account_id)
    family = session.scalars(queries.family(found.id)).all()
    changes = history(session, "account", family, limit=limit)
    changes = [one for one in changes if scope.asks("account", one.field)]
    changes += history(session, "site", queries.all_sites_of(session, family), limit=limit)
    changes.sort(key=lambda one: (one.at, one.id), reverse=True)
    return Page(items=[Change.model_validate(one) for one in changes[:limit]])


@router.post("/api/v1/accounts/{account_id}/sites", status_code=201)
def add_site(account_id: UUID, body: SiteCreate, scope: WriteAccounts, session: Db, response: Response) -> SiteRead:
    """Add a site."""
    site = places.create_site(session, scope, account_id, body.given())
    tag(response, site.rev)
    return SiteRead.of(site)


@router.get("/api/v1/sites/{site_id}")
def get_site(site_id: UUID, scope: ReadAccounts, session: Db, response: Response) -> SiteRead:
    """One site."""
    site = places.find_site(session, scope, site_id, "accounts:read")
    tag(response, site.rev)
    return SiteRead.of(site)


@router.patch("/api/v1/sites/{site_id}")
def change_site(
    site_id: UUID, body: SiteFields, scope: WriteAccounts, session: Db, base: BaseRevision, response: Response
) -> SiteRead:
    """Change fields of a site; merged like an account. A new address sends the pin back to the geocoder."""
    service.edit_site(session, scope, site_id, base, body.given())
    return get_site(site_id, scope, session, response)


@router.put("/api/v1/sites/{site_id}/pin")
def set_pin(
    site_id: UUID, body: PinWrite, scope: WriteAccounts, session: Db, base: BaseRevision, response: Response
) -> SiteRead:
    """Set the pin by hand; no machine and no import moves it afterwards."""
    service.place_by_hand(session, scope, site_id, point_of(body.lon, body.lat), base)
    return get_site(site_id, scope, session, response)


@router.post("/api/v1/sites/{site_id}/pin/undo")
def put_pin_back(site_id: UUID, body: RevisionWrite, scope: WriteAccounts, session: Db, response: Response) -> SiteRead:
    """Bring the pin back to what it was at an earlier revision of the site, with its grade and reason."""
    places.put_pin_back(session, scope, site_id, body.rev)
    return get_site(site_id, scope, session, response)


@router.post("/api/v1/sites/{site_id}/locate")
def locate_again(site_id: UUID, scope: WriteAccounts, session: Db, response: Response) -> SiteRead:
    """Forget the pin, even one set by hand, and ask the geocoder again in the background."""
    places.locate_again(session, scope, site_id)
    return get_site(site_id, scope, session, response)


@router.post("/api/v1/sites/{site_id}/main")
def make_main(site_id: UUID, scope: WriteAccounts, session: Db, response: Response) -> SiteRead:
    """Make this the main site of its account."""
    places.make_main(session, scope, site_id)
    return get_site(site_id, scope, session, response)


@router.delete("/api/v1/sites/{site_id}", status_code=204)
def delete_site(site_id: UUID, scope: WriteAccounts, session: Db, base: BaseRevision) -> None:
    """Take a site away. 412 when it changed after you read it."""
    places.delete_site(session, scope, site_id, base)


@router.get("/tiles/accounts/{z}/{x}/{y}")
def account_tile(
    tile: TileAddress, request: Request, scope: ReadAccounts, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The accounts you may see as a vector tile; clusters below zoom 9, and where there are more than 1,000."""
    body = tiles.tile(session, scope, tile, filter=filter, search=search)
    return tile_response(request, body)
