"""Hand-overs: choosing accounts and their new owner, what is open there, and taking it back."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.accounts.routes import Filter, Search
from server.activities.handovers import leaving, queries, service
from server.activities.handovers.checklist import checklist
from server.auth.access import Scope, requires
from server.auth.models import Role, User
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.web.pages import attempt, render
from server.web.users import people_of

router = APIRouter(prefix="/handovers", include_in_schema=False)

ReadAccounts = Annotated[Scope, requires("accounts:read")]
AssignAccounts = Annotated[Scope, requires("accounts:assign")]
SHOWN = 12


@router.get("")
def show_handovers(request: Request, scope: ReadAccounts, session: Db) -> Response:
    """The latest ones."""
    return render(request, "handovers/list.html", scope, rows=queries.latest(session, scope))


def chosen_ids(
    session: Session, scope: Scope, account: UUID | None, owner: UUID | None, filter: str | None, search: str | None
) -> list[UUID]:
    """The accounts that a link chooses: one, all of an owner, or those that a list shows."""
    statement = accounts.chosen(Reaching(session), scope, filter=filter, search=search, permission="accounts:assign")
    if account is not None:
        statement = statement.where(Account.id == account)
    if owner is not None:
        statement = statement.where(Account.owner_id == owner)
    if account is None and owner is None and not filter and not search:
        return []
    ids = statement.with_only_columns(Account.id).order_by(None).limit(service.AT_MOST + 1)
    return sorted(session.scalars(ids))


@router.get("/new")
def show_new(
    request: Request,
    scope: AssignAccounts,
    session: Db,
    account: UUID | None = None,
    owner: UUID | None = None,
    filter: Filter = None,
    search: Search = None,
) -> Response:
    """The form, with what is still open at the accounts."""
    ids = chosen_ids(session, scope, account, owner, filter, search)
    return new_page(request, scope, session, ids, giver=session.get(User, owner) if owner else None)


def new_page(
    request: Request,
    scope: Scope,
    session: Session,
    ids: list[UUID],
    error: WaymarkError | None = None,
    note: str = "",
    giver: User | None = None,
) -> Response:
    """The form, with what was refused; of whose accounts are given, leads that are given elsewhere are named."""
    names = session.execute(
        select(Account.id, Account.name, User.name)
        .outerjoin(User, User.id == Account.owner_id)
        .where(Account.id.in_(ids))
        .order_by(Account.name, Account.id)
        .limit(SHOWN)
    ).all()
    return render(
        request,
        "handovers/new.html",
        scope,
        status=int(error.status) if error else 200,
        ids=ids,
        names=names,
        opened=checklist(session, ids),
        people_choices=people_of(session, scope, Role.REP, Role.MANAGER),
        day=clock.today(settings().zone),
        note=note,
        giver=giver,
        leads=leaving.open_leads(session, giver.id) if giver else 0,
        error=error,
    )


@router.post("/new")
def create(
    request: Request,
    scope: AssignAccounts,
    session: Db,
    to_id: Annotated[UUID, Form()],
    day: Annotated[date, Form()],
    account_ids: Annotated[str, Form()] = "",
    note: Annotated[str, Form(max_length=4000)] = "",
    takes_visits: Annotated[bool, Form()] = False,
) -> Response:
    """Hand over."""
    try:
        ids = [UUID(one) for one in account_ids.split()]
    except ValueError:
        ids = []
    try:
        with attempt(session):
            made = service.hand_over(session, scope, service.Wish(ids, to_id, day, note, takes_visits))
    except WaymarkError as error:
        return new_page(request, scope, session, ids, error, note)
    return Response(status_code=303, headers={"Location": f"/handovers/{made.id}"})


@router.get("/{handover_id}")
def show_handover(
    request: Request,
    handover_id: UUID,
    scope: ReadAccounts,
    session: Db,
    kept: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006
) -> Response:
    """One hand-over: its accounts, and what is still open there."""
    made = queries.find(session, scope, handover_id)
    rows = queries.account_rows(session, made.id)
    seen = accounts.seen_of(session, scope, [row.id for row in rows])
    return render(
        request,
        "handovers/show.html",
        scope,
        row=queries.named(session, [made])[0],
        accounts=[row for row in rows if row.id in seen],
        opened=checklist(session, sorted(seen)),
        kept=kept,
    )


@router.post("/{handover_id}/undo")
def undo(request: Request, handover_id: UUID, scope: AssignAccounts, session: Db) -> Response:
    """Take it back; the page names what stays."""
    kept = service.undo(session, scope, handover_id)
    return show_handover(request, handover_id, scope, session, kept)
