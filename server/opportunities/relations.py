"""What of deals accounts can be filtered by: `deals.sum(amount where state = won) over 12 months > 5000`."""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.kit import clock
from server.kit.filtering import Relation
from server.opportunities import queries
from server.opportunities.fields import fields
from server.opportunities.models import Opportunity
from server.opportunities.rates import day_of, unrated

ASKED = (
    "name", "number", "state", "stage", "pipeline", "category", "amount", "currency", "probability", "close", "closed",
    "created", "next_step", "days_in_stage", "rotten", "owner", "team", "competitor", "source", "reason", "note",
)  # fmt: skip
"""What a deal is asked for itself; its account is asked already."""


def deals(session: Session, scope: Any, today: date) -> Relation | None:
    """Deals that somebody sees; their day is that of the expected close."""
    if not scope.may("opportunities:read"):
        return None
    known = dict(fields(today, clock.now()))
    day = day_of(Opportunity.closed_at, today)
    known |= {"amount": replace(known["amount"], needs=lambda: unrated(session, Opportunity.currency, day))}
    asked = tuple(known[name] for name in ASKED)
    rows = queries.visible_to(scope)
    return of_account("deal", "deals", "Deals", rows, Opportunity.account_id, asked, day=Opportunity.close_on)
