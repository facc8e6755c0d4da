"""The search at the top of every page."""

import re
import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup, escape

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.search import queries, service
from server.search.kinds import KINDS
from server.search.queries import Hit
from server.web.pages import go, render

router = APIRouter(include_in_schema=False)

ReadAccounts = Annotated[Scope, requires("accounts:read")]
ROWS = 12


@router.get("/search")
def search(
    request: Request, scope: ReadAccounts, session: Db, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """A fragment: the best hits by kind; without words what was lately opened."""
    found = queries.search(session, scope, q, limit=ROWS) if q.strip() else queries.recent(session, scope)
    groups = [(kind, [hit for hit in found if hit.kind is kind]) for kind in KINDS]
    groups = sorted((one for one in groups if one[1]), key=lambda one: found.index(one[1][0]))
    return render(request, "parts/found.html", scope, groups=groups, q=q.strip(), marked=marked)


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
