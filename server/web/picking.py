"""Choosing an account by typing: what is offered, and what a typed text means."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import func
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid
from server.web.pages import render

router = APIRouter(include_in_schema=False)


@router.get("/choices/accounts")
def account_choices(
    request: Request,
    scope: Annotated[Scope, requires("accounts:read")],
    session: Db,
    parent_name: Annotated[str, Query(max_length=400)] = "",
    account: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """A fragment: the accounts that fit what is typed, as options of a list."""
    typed = re.sub(r"\([^()]*\)\s*$", "", parent_name or account).strip()
    found = queries.page(session, scope, search=typed, limit=12) if len(typed) > 1 else None
    return render(request, "parts/choices.html", scope, found=found)


def written(account: Account) -> str:
    """An account as it is written into such a field."""
    return f"{account.name} ({account.number})" if account.number else account.name


def account_named(session: Session, scope: Scope, typed: str | None, *, field: str) -> UUID | None:
    """The account that a typed name or number means; None for nothing. Refuses one that is not there or not clear."""
    if not typed:
        return None
    match = re.search(r"\(([^()]+)\)\s*$", typed)
    seen = queries.visible_to(scope).limit(2)
    for condition in (
        Account.number == (match[1] if match else typed),
        func.lower(Account.name) == typed.lower(),
    ):
        found = session.scalars(seen.where(condition)).all()
        if len(found) == 1:
            return found[0].id
        if len(found) > 1:
            raise Invalid(f"Several accounts are called “{typed}”.", help="Write the number instead.", field=field)
    raise Invalid(f"There is no account “{typed}”.", help="Choose one from the list, or write its number.", field=field)
