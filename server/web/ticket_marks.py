"""Tickets where accounts are shown: a card on the account's page, a mark on stops and on the map."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.tickets import queries
from server.web.pages import render

router = APIRouter(prefix="/tickets/of/{account_id}", include_in_schema=False)

ReadTickets = Annotated[Scope, requires("tickets:read")]
SHOWN = 5


@router.get("")
def show_card(request: Request, account_id: UUID, scope: ReadTickets, session: Db) -> Response:
    """A fragment: the tickets of an account, the open ones first."""
    account = accounts.detail(session, scope, account_id)
    if account is None:
        raise NotFound("There is no such account.")
    rows = queries.of_account(session, scope, account_id, limit=SHOWN + 1)
    return render(
        request,
        "tickets/of_account.html",
        scope,
        account_id=account_id,
        rows=rows[:SHOWN],
        is_more=len(rows) > SHOWN,
        filter=f'account = "{account.account.name}"',
    )


@router.get("/mark")
def show_mark(request: Request, account_id: UUID, scope: ReadTickets, session: Db) -> Response:
    """A fragment: how many tickets are open there; nothing when none is."""
    account_id = accounts.surviving(session, account_id)
    count = queries.counts_of(session, scope, [account_id]).get(account_id)
    account = accounts.detail(session, scope, account_id)
    if account is None:
        raise NotFound("There is no such account.", id=str(account_id))
    found = f'open = true and account = "{account.account.name}"'
    return render(request, "tickets/badge.html", scope, count=count, filter=found)
