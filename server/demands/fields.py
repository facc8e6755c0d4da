"""What of visit demand accounts can be filtered by."""

from datetime import date
from typing import Any

from sqlalchemy import Date, cast
from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.demands import queries
from server.demands.models import DemandOrigin, DemandState, VisitDemand
from server.kit.filtering import Field, Kind, Relation

FIELDS = (
    Field("state", Kind.CHOICE, VisitDemand.state, "State", tuple(DemandState)),
    Field("origin", Kind.CHOICE, VisitDemand.origin, "Origin", tuple(DemandOrigin)),
    Field("deadline", Kind.DATE, VisitDemand.deadline, "Deadline"),
    Field("mandatory", Kind.FLAG, VisitDemand.mandatory, "Must be visited"),
    Field("why", Kind.TEXT, VisitDemand.sentence, "Why"),
)


def demands(session: Session, scope: Any, today: date) -> Relation | None:
    """What wants a visit."""
    if not scope.may("demands:read"):
        return None
    rows = queries.visible_to(scope)
    day = cast(VisitDemand.created_at, Date)
    return of_account("demand", "demands", "Visit demand", rows, VisitDemand.account_id, FIELDS, day=day)
