"""What is said to a proposed pin on its account's page; the review desk decides the same ones in a queue."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response

from server.accounts.pins import pin_of
from server.accounts.proposed_pins import ProposedPin
from server.accounts.reviewing import proposals
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.web.pages import go

router = APIRouter(prefix="/pins", include_in_schema=False)


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


@router.post("/{proposal_id}")
def decide(
    proposal_id: UUID,
    scope: Annotated[Scope, requires("pins:place")],
    session: Db,
    decision: Annotated[str, Form(pattern="^(accept|refuse)$")],
    answer: Annotated[str, Form()] = "",
) -> Response:
    """Move the pin, or say why it stays."""
    if decision == "accept":
        decided = proposals.accept(session, scope, proposal_id)
    else:
        decided = proposals.refuse(session, scope, proposal_id, answer)
    return go(f"/accounts/{decided.account_id}")
