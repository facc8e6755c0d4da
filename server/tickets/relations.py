"""What accounts can be asked of their tickets: `open_tickets.count() > 1`, `ticket.priority = urgent`."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, cast
from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.auth.access import Scope
from server.kit import clock
from server.kit.filtering import Relation
from server.tickets import queries
from server.tickets.fields import UNSOLVED_NOW, fields, is_overdue
from server.tickets.models import Ticket


def relation(
    name: str, label: str, scope: Scope, today: date, condition: ColumnElement[bool] | None = None
) -> Relation | None:
    """The tickets that somebody may see, or some of them."""
    if not scope.may("tickets:read"):
        return None
    rows = queries.visible_to(scope).where(Ticket.merged_into.is_(None))
    rows = rows if condition is None else rows.where(condition)
    own = tuple(fields(clock.now(), today).values())
    day = cast(Ticket.opened_at, Date)
    return of_account(name, f"{name}s", label, rows, Ticket.account_id, own, day=day)


def tickets(session: Session, scope: Any, today: date) -> Relation | None:
    """All of them."""
    return relation("ticket", "Tickets", scope, today)


def open_tickets(session: Session, scope: Any, today: date) -> Relation | None:
    """Those that are not solved."""
    return relation("open_ticket", "Open tickets", scope, today, UNSOLVED_NOW)


def overdue_tickets(session: Session, scope: Any, today: date) -> Relation | None:
    """Those of which something is due that has not happened."""
    return relation("overdue_ticket", "Overdue tickets", scope, today, UNSOLVED_NOW & is_overdue(clock.now()))
