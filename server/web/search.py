"""The search at the top of every page."""

import re
import unicodedata
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup, escape
from sqlalchemy import ARRAY, Uuid, any_, func, literal, select, union_all
from sqlalchemy.orm import Session

from server.accounts.models import Account, Folded
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.filtering.writing import scalar
from server.opportunities.models import Opportunity
from server.opportunities.queries import chosen as deals
from server.orders.models import Order
from server.orders.queries import chosen as orders
from server.search import queries, service
from server.search.kinds import KINDS
from server.search.queries import Hit
from server.tickets.models import Ticket
from server.tickets.queries import chosen as tickets
from server.web.pages import go, render

router = APIRouter(include_in_schema=False)

ReadAccounts = Annotated[Scope, requires("accounts:read")]
ROWS = 12
LEAST = 3
"""Of each kind that is found, though many are."""
MOST = ROWS * len(KINDS)


@router.get("/search")
def search(
    request: Request, scope: ReadAccounts, session: Db, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """A fragment: the best hits by kind, and what the first account has; without words what was lately opened."""
    is_asked = bool(q.strip())
    found = queries.search(session, scope, q, limit=MOST) if is_asked else queries.recent(session, scope)
    groups = [(kind, [hit for hit in found if hit.kind is kind]) for kind in KINDS]
    groups = sorted((one for one in groups if one[1]), key=lambda one: found.index(one[1][0]))
    each = max(LEAST, ROWS // max(len(groups), 1))
    groups = [(kind, hits[:each]) for kind, hits in groups]
    account = next((hit for hit in found if hit.kind.name == "account"), None) if is_asked else None
    return render(
        request,
        "parts/found.html",
        scope,
        groups=groups,
        q=q.strip(),
        marked=marked,
        lists=lists_of(session, scope, account) if account else [],
    )


@dataclass(frozen=True)
class AtAccount:
    """A list of what an account has."""

    said: str
    count: int
    name: str
    icon: str
    path: str


def lists_of(session: Session, scope: Scope, account: Hit) -> list[AtAccount]:
    """The deals, orders and tickets with an account as far as somebody sees any; each list finds as many as it says."""
    filter, now = f"account = {scalar(account.title)}", clock.now()
    wanted = (
        ("opportunity", "All {n} deals with {name}", "/pipeline/list", deals, Opportunity),
        ("order", "All {n} orders and quotes with {name}", "/orders", orders, Order),
        ("ticket", "All {n} tickets of {name}", "/tickets", partial(tickets, now=now), Ticket),
    )
    # Of a large company only what hangs on accounts of the name is read, by its index.
    called = select(Account.id).where(func.lower(Account.name) == account.title.lower())
    ids = list(session.scalars(union_all(called, select(Folded.id).where(Folded.survivor_id.in_(called)))))
    known, counts = [], []
    for name, said, path, chosen, table in wanted:
        kind = next(one for one in KINDS if one.name == name)
        if not scope.may(kind.permission) or "account" in scope.hidden(name):
            continue
        rows = chosen(session, scope, filter=filter, few=True).where(
            table.account_id == any_(literal(ids, ARRAY(Uuid)))
        )
        counts.append(select(func.count()).select_from(rows.with_only_columns(table.id).subquery()).scalar_subquery())
        known.append((said, kind.icon, f"{path}?{urlencode({'filter': filter})}"))
    many = session.execute(select(*counts)).one() if counts else ()
    return [
        AtAccount(said, count, account.title, icon, at)
        for (said, icon, at), count in zip(known, many, strict=True)
        if count
    ]


@router.get("/search/open/{kind}/{row_id}")
def open_hit(kind: str, row_id: UUID, scope: ReadAccounts, session: Db) -> Response:
    """Go to something that was found, and remember it."""
    known = next((one for one in KINDS if one.name == kind), None)
    if known is None:
        raise NotFound("There is no such thing.")
    service.opened(session, scope, kind, row_id)
    return go(Hit(known, row_id, "", None).path)


def marked(text: str | None, words: str) -> Markup:
    """A text with the words that were searched for marked, whatever their accents and capitals."""
    if not text:
        return Markup("")
    parts = [re.escape(folded(word)) for word in words.split() if folded(word)]
    plain = folded(text)
    if not parts or len(plain) != len(text):
        return escape(text)
    at, pieces = 0, []
    for match in re.finditer("|".join(sorted(parts, key=len, reverse=True)), plain):
        pieces += [escape(text[at : match.start()]), Markup("<mark>"), escape(text[match.start() : match.end()])]
        pieces.append(Markup("</mark>"))
        at = match.end()
    return Markup("").join([*pieces, escape(text[at:])])


def folded(text: str) -> str:
    """Small letters without accents, one for each letter."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text.lower())
