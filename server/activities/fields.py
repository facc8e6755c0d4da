"""What of visits accounts can be filtered by: those that took place, those ahead, those that were missed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.activities.answering import outcomes
from server.activities.models import Outcome, Verification, Visit, VisitState
from server.auth.access import Scope
from server.auth.models import User
from server.kit.filtering import Field, Kind, Relation

AHEAD = (VisitState.PLANNED, VisitState.EN_ROUTE, VisitState.CHECKED_IN)
MISSED = (VisitState.MISSED, VisitState.CANCELLED)


def of_rep(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The rep fulfils it."""
    return select(User.id).where(User.id == Visit.rep_id, condition).correlate(Visit).exists()


FIELDS = (
    Field("day", Kind.DATE, Visit.day, "Day"),
    Field("rep", Kind.TEXT, User.login, "Rep's login", exists=of_rep),
    Field("outcome", Kind.CHOICE, Visit.outcome, "Outcome", tuple(Outcome)),
    Field("verification", Kind.CHOICE, Visit.verification, "Check-in", tuple(Verification)),
    Field("note", Kind.TEXT, Visit.note, "Note"),
    Field("objective", Kind.TEXT, Visit.objective, "Objective"),
)


def relation(
    name: str, plural: str, label: str, states: tuple[VisitState, ...], scope: Scope, fields: Sequence[Field] = FIELDS
) -> Relation | None:
    """Visits in some states. Whoever sees an account sees its visits, so the list's own scope is enough."""
    if not scope.may("activities:read"):
        return None
    rows = select(Visit).where(Visit.deleted_at.is_(None), Visit.state.in_(states))
    return of_account(name, plural, label, rows, Visit.account_id, tuple(fields), day=Visit.day)


def visits(session: Session, scope: Any, today: date) -> Relation | None:
    """Visits that took place, with whatever outcomes the company knows."""
    known = tuple(outcomes(session))
    fields = [replace(one, choices=known) if one.name == "outcome" else one for one in FIELDS]
    return relation("visit", "visits", "Visits", (VisitState.DONE,), scope, fields)


def planned_visits(session: Session, scope: Any, today: date) -> Relation | None:
    """Visits ahead."""
    return relation("planned_visit", "planned_visits", "Visits ahead", AHEAD, scope)


def missed_visits(session: Session, scope: Any, today: date) -> Relation | None:
    """Visits that did not take place."""
    return relation("missed_visit", "missed_visits", "Missed visits", MISSED, scope)
