"""What of leads accounts can be filtered by: the leads that became them."""

from datetime import date
from typing import Any

from sqlalchemy import Date, cast
from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.kit.filtering import Relation
from server.leads import queries
from server.leads.fields import fields
from server.leads.models import Lead


def origins(session: Session, scope: Any, today: date) -> Relation | None:
    """Leads that became the account."""
    if not scope.may("leads:read"):
        return None
    rows = queries.visible_to(scope).where(Lead.account_id.is_not(None))
    day = cast(Lead.created_at, Date)
    return of_account("lead", "leads", "Leads", rows, Lead.account_id, tuple(fields().values()), day=day)
