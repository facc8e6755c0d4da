"""Accounts: the list, one account in full, a new one."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries, service
from server.accounts.duplicates import queue as duplicate_queue
from server.accounts.duplicates import search as duplicates
from server.accounts.fields import known
from server.accounts.models import Account
from server.accounts.opening import detail_of, opened, proposals_at
from server.accounts.place_models import ProposalState
from server.accounts.routes import Filter, Search, gone, in_full, read
from server.accounts.schemas import AccountRead
from server.accounts.service import LooksLikeDuplicate, NewAccount
from server.auth.access import Scope, requires
from server.auth.models import Role, User
from server.closures import queries as closures
from server.contacts.consent import barred
from server.demands import queries as demands
from server.fields import queries as own
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.filtering.listing import Listing
from server.kit.ids import uuid7
from server.kit.paging import Cursor, Exact
from server.kit.settings import settings
from server.opportunities import queries as opportunities
from server.regions import firms
from server.sync.pushing import conflicts
from server.territories import queries as territories
from server.timeline import queries as timeline
from server.web.account_card import around
from server.web.account_forms import SITE_FIELDS, chosen_changes, form_page
from server.web.filters import asks_for_drive, chips, without_drive
from server.web.forms import Sent, given, text
from server.web.own_fields import Told, nested, sent_own
from server.web.pages import attempt, go, language_of, render
from server.web.picking import account_named, written
from server.web.pins import drawn
from server.web.segments import linked_views
from server.web.stories import column
from server.web.users import people_of

router = APIRouter(prefix="/accounts", include_in_schema=False)

ReadAccounts = Annotated[Scope, requires("accounts:read")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]
ReadRoads = Annotated[Scope, requires("roads:read")]
DeleteAccounts = Annotated[Scope, requires("accounts:delete")]

ROWS = 50
ACCOUNT_FIELDS = (
    "name number account_class status kind interval_days yearly_value yearly_potential phone email website tags note"
    " preferred_time preferred_channel language"
).split()
PEOPLE = ("owner_id", "preferred_rep_id")


@dataclass(frozen=True)
class Column:
    """A column of the list."""

    key: str
    title: str
    sort: str | None = None
    is_number: bool = False


COLUMNS = (
    Column("number", "Number", "number"),
    Column("name", "Name", "name"),
    Column("class", "Class", "class"),
    Column("status", "Status", "status"),
    Column("city", "Place", "city"),
    Column("street", "Street"),
    Column("owner", "Owner"),
    Column("territory", "Territory"),
    Column("overdue", "Next visit", "overdue"),
    Column("last_visit", "Last visit", "last_visit"),
    Column("value", "Yearly value", "value", is_number=True),
    Column("potential", "Potential", "potential", is_number=True),
    Column("pin", "Pin"),
)


DRIVE = Column("drive", "Drive", "drive", is_number=True)
"""Stands in the list when its filter asks for a drive."""


@router.get("")
def show_accounts(
    request: Request,
    scope: ReadAccounts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: str = "name",
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    exact: Exact = False,
    columns: Annotated[str, Query(max_length=400)] = "",
    view: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The list: filtered, searched, sorted, page by page."""
    error, found = None, Listing[queries.Row]([])
    fields = known(session, queries.today_of(scope))
    try:
        with attempt(session):
            found = queries.page(
                session,
                scope,
                filter=filter,
                search=search,
                sort=sort,
                cursor=cursor,
                limit=ROWS,
                exact=exact,
                fields=fields,
            )
    except WaymarkError as refused:
        error = refused

    def link(**changes: object) -> str:
        kept = {"filter": filter, "q": search, "sort": sort if sort != "name" else None, "columns": columns} | changes
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/accounts?{query}" if query else "/accounts"

    return render(
        request,
        "accounts/list.html",
        scope,
        status=int(error.status) if error else 200,
        found=found,
        filter=filter or "",
        search=search or "",
        sort=sort,
        first=first,
        columns=(*COLUMNS[:2], DRIVE, *COLUMNS[2:]) if asks_for_drive(filter or "") else COLUMNS,
        without_drive=without_drive(filter or ""),
        chips=chips(filter or ""),
        shown=columns,
        view=view,
        views=linked_views(session, scope),
        known=scope.askable("account", fields).values(),
        link=link,
        query=urlencode({name: value for name, value in (("filter", filter), ("q", search)) if value}),
        error=error,
        restorable=request.query_params.get("deleted"),
    )


@router.get("/new")
def show_new(
    request: Request, scope: WriteAccounts, session: Db, lon: float | None = None, lat: float | None = None
) -> Response:
    """The form of a new account, perhaps at a point of the map."""
    return new_page(request, scope, session, {"lon": lon, "lat": lat, "status": "prospect"})


def new_page(
    request: Request, scope: Scope, session: Session, values: dict[str, Any], error: WaymarkError | None = None
) -> Response:
    """The form with what was refused."""
    candidates = error.details.get("candidates", []) if isinstance(error, LooksLikeDuplicate) else []
    return render(
        request,
        "accounts/new.html",
        scope,
        status=int(error.status) if error else 200,
        values=values,
        own_fields=own.fields_of(session, "account"),
        own_values=nested(values),
        error=error,
        candidates=candidates,
        people_choices=people_of(session, scope, Role.REP, Role.MANAGER),
        currency=settings().currency,
        firm_words=firms.offered(language_of(request, scope).code),
    )


@router.post("/new")
def create(request: Request, scope: WriteAccounts, session: Db, sent: Sent) -> Response:
    """Take a new account in; shows what it resembles."""
    values = given(sent, (*ACCOUNT_FIELDS, *SITE_FIELDS, "owner_id", "lon", "lat"))
    wanted = {name: value for name, value in values.items() if value is not None}
    company = sent_own(sent, own.fields_of(session, "account"))
    try:
        with attempt(session):
            site = {name: wanted[name] for name in SITE_FIELDS if name in wanted}
            if "lon" in wanted and "lat" in wanted:
                site |= {"lon": wanted["lon"], "lat": wanted["lat"]}
            mine = {name: wanted[name] for name in (*ACCOUNT_FIELDS, "owner_id") if name in wanted} | company
            account = service.create(session, scope, NewAccount(mine, [site] if site else []), force="force" in sent)
    except WaymarkError as error:
        return new_page(request, scope, session, dict(values) | company, error)
    return go(f"/accounts/{account.id}")


ASKED_OF = timeline.PERMISSIONS | {
    "accounts:write", "accounts:assign", "pins:place", "demands:read", "demands:write", "opportunities:read",
    "opportunities:write", "contacts:read",
}  # fmt: skip
"""The permissions on which an account's page depends: its buttons, and what of other rooms stands on it."""


@router.get("/{account_id}")
def show_account(request: Request, account_id: UUID, scope: ReadAccounts, session: Db) -> Response:
    """One account in full: facts and map, what happened, what needs a decision."""
    at = opened(session, scope, account_id, ASKED_OF)
    if at.account_id != account_id and "accounts:read" in at.granted:
        return go(f"/accounts/{at.account_id}")
    row = detail_of(session, scope, account_id) if "accounts:read" in at.granted else None
    if row is None:
        raise gone(session, scope, account_id)
    account, may = in_full(session, row), at.granted
    people = people_of(session, scope, Role.REP, Role.MANAGER)
    sites = [site.id for site in account.sites]
    proposed = proposals_at(session, sites)
    open_conflicts = conflicts.waiting_at(session, scope, account_id)
    return render(
        request,
        "accounts/detail.html",
        scope,
        account=account,
        account_id=account_id,
        barred=barred(session, (account.phone, account.email)),
        last_day=None,
        may_hand_over="accounts:assign" in may,
        **column(session, scope, at),
        conflicts=open_conflicts,
        told=Told(session, language_of(request, scope)) if open_conflicts else None,
        merges=duplicate_queue.merges_into(session, at.family),
        may_merge=scope.may("accounts:merge"),
        may_write="accounts:write" in may,
        may_place="pins:place" in may,
        proposed=proposed,
        waiting=drawn([one for one in proposed if one.proposal.state == ProposalState.OPEN]),
        sites=[site.model_dump(mode="json") for site in account.sites],
        people_choices=people,
        preferred_rep=account.preferred_rep_id
        and session.scalar(select(User.name).where(User.id == account.preferred_rep_id)),
        event_id=uuid7(),
        wanted=demands.of_account(session, scope, at),
        may_ask="demands:write" in may,
        deals=opportunities.of_account(session, scope, at, limit=20) if scope.may("opportunities:read") else [],
        may_sell="opportunities:write" in may,
        closures=closures.closures_at(session, sites, queries.today_of(scope)),
        **around(session, scope, row.account, at),
    )


@router.get("/{account_id}/alike")
def show_alike(request: Request, account_id: UUID, scope: ReadAccounts, session: Db) -> Response:
    """A fragment: the accounts that may be the same one. Looking for them takes longer than the rest of the page."""
    row = queries.detail(session, scope, account_id)
    if row is None:
        raise NotFound("There is no such account.", id=str(account_id))
    alike = duplicates.candidates(session, row.account, row.site)
    seen = queries.seen_of(session, scope, [one.account_id for one in alike])
    return render(
        request,
        "accounts/alike.html",
        scope,
        account_id=account_id,
        alike=[one for one in alike if one.account_id in seen][:5],
        may_merge=scope.may("accounts:merge"),
    )


@router.get("/{account_id}/edit")
def show_edit(request: Request, account_id: UUID, scope: WriteAccounts, session: Db) -> Response:
    """The form in place of the facts; opened by its address, within the account's page."""
    account = read(session, scope, account_id)
    if "hx-request" not in request.headers:
        return go(f"/accounts/{account_id}?edit=1")
    values = account.model_dump() | {"interval_days": account.own_interval_days, "tags": ", ".join(account.tags)}
    own_kind = account.kind if account.kind_source == "said" else None
    values["kind"] = own_kind and firms.written(own_kind, language_of(request, scope).code)
    values["fixed_territory"] = account.territory_id if account.territory_is_fixed else None
    values["parent_name"] = written(session.get_one(Account, account.parent_id)) if account.parent_id else ""
    return edit_page(request, scope, session, account, values, rev=account.rev)


def edit_page(
    request: Request,
    scope: Scope,
    session: Session,
    account: AccountRead,
    values: dict[str, Any],
    *,
    rev: int,
    error: WaymarkError | None = None,
) -> Response:
    """The form of an account."""
    people = people_of(session, scope, Role.REP, Role.MANAGER)
    more = {"people_choices": people, "own_fields": own.fields_of(session, "account")}
    if scope.may("accounts:assign"):
        more["territories"] = territories.active(session)
    more["firm_words"] = firms.offered(language_of(request, scope).code)
    return form_page(request, scope, "accounts/edit.html", account, values, rev=rev, error=error, **more)


@router.post("/{account_id}/edit")
def edit(
    request: Request, account_id: UUID, scope: WriteAccounts, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change an account that was seen at a revision; what others changed meanwhile is merged."""
    changes = chosen_changes(sent, [*ACCOUNT_FIELDS, *PEOPLE], own.fields_of(session, "account"))
    if "has_preferences" in sent:
        changes["preferred_days"] = sent.getlist("preferred_days")
        changes["by_appointment"] = "by_appointment" in sent
    if "fixed_territory" in sent and "theirs" not in map(
        sent.get, ("choose-territory_id", "choose-territory_is_fixed")
    ):
        fixed = text(sent, "fixed_territory")
        changes |= {"territory_id": fixed, "territory_is_fixed": True} if fixed else {"territory_is_fixed": False}
    try:
        with attempt(session):
            if "parent_name" in sent and sent.get("choose-parent_id") != "theirs":
                typed = text(sent, "parent_name")
                changes["parent_id"] = account_named(session, scope, typed, field="parent_id")
            service.edit(session, scope, account_id, rev, changes)
    except WaymarkError as error:
        account = read(session, scope, account_id)
        values = account.model_dump() | given(sent, [*ACCOUNT_FIELDS, *PEOPLE, "parent_name"])
        values |= {"custom": account.custom | nested(changes)}
        values |= {name: changes[name] for name in ("preferred_days", "by_appointment") if name in changes}
        values |= {"fixed_territory": text(sent, "fixed_territory")} if "fixed_territory" in sent else {}
        return edit_page(request, scope, session, account, values, rev=rev, error=error)
    return Response(status_code=204, headers={"HX-Redirect": f"/accounts/{account_id}"})


@router.post("/{account_id}/delete")
def delete(account_id: UUID, scope: DeleteAccounts, session: Db, rev: Annotated[int, Form()]) -> Response:
    """Take an account away; the list offers to bring it back."""
    service.delete(session, scope, account_id, rev)
    return go(f"/accounts?deleted={account_id}")


@router.post("/{account_id}/restore")
def restore(account_id: UUID, scope: DeleteAccounts, session: Db) -> Response:
    """Bring a deleted account back."""
    service.restore(session, scope, account_id)
    return go(f"/accounts/{account_id}")
