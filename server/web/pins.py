"""Proposed pins: the list of those that wait, and what is said to them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.accounts import proposals, queries
from server.accounts.pins import pin_of
from server.accounts.queries import ProposedPin
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/pins", include_in_schema=False)

PlacePins = Annotated[Scope, requires("pins:place")]
SHOWN = 100


def drawn(rows: list[ProposedPin]) -> list[dict[str, Any]]:
    """What the map shows of proposals: from where to where, and how sure both are."""
    found = []
    for row in rows:
        before = pin_of(row.site)
        found.append(
            {
                "id": str(row.proposal.id),
                "site": str(row.site.id),
                "to": [row.lon, row.lat],
                "from": list(before) if before else None,
                "uncertainty_m": row.proposal.uncertainty_m,
                "doubt_m": row.site.uncertainty_m,
            }
        )
    return found


def page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The list with its map."""
    rows = queries.open_proposals(session, scope, permission="pins:place", limit=SHOWN)
    status = int(error.status) if error else 200
    return render(request, "pins/list.html", scope, status=status, rows=rows, drawn=drawn(rows), error=error)


@router.get("")
def show_proposals(request: Request, scope: PlacePins, session: Db) -> Response:
    """The pins that reps and check-ins have proposed, those of the most valuable accounts first."""
    return page(request, scope, session)


@router.post("/{proposal_id}")
def decide(
    request: Request,
    proposal_id: UUID,
    scope: PlacePins,
    session: Db,
    decision: Annotated[str, Form(pattern="^(accept|refuse)$")],
    answer: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Move the pin, or say why it stays; then go on where the form was."""
    try:
        with attempt(session):
            if decision == "accept":
                decided = proposals.accept(session, scope, proposal_id)
            else:
                decided = proposals.refuse(session, scope, proposal_id, answer)
    except WaymarkError as error:
        return page(request, scope, session, error)
    return go(f"/accounts/{decided.account_id}" if back == "account" else "/pins")
