"""What hangs on accounts in the rooms above them, so that accounts are filtered by it: one function for each kind.

Whoever may see an account with all its rows of a kind needs no second look; others see only the rows they may.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Date, cast
from sqlalchemy.orm import Session

from server.accounts.relations import of_account
from server.kit import clock
from server.kit.filtering import Relation
from server.leads import queries as leads
from server.leads.fields import fields as lead_fields
from server.leads.models import Lead
from server.orders import queries as orders
from server.orders.fields import fields as order_fields
from server.orders.models import Kind as OrderKind
from server.orders.models import Order, State
from server.tickets import queries as tickets
from server.tickets.fields import fields as ticket_fields
from server.tickets.models import Ticket


def sales(session: Session, scope: Any, today: date) -> Relation | None:
    """Orders that were placed, not drafts, quotes and cancelled ones; looked back upon by their day."""
    if not scope.may("orders:read"):
        return None
    rows = orders.visible_to(scope).where(Order.kind == OrderKind.ORDER, Order.placed_at.is_not(None))
    rows = rows.where(Order.state != State.CANCELLED)
    declared = order_fields()
    amount = replace(declared["net"], name="amount", label="Amount")
    fields = (*declared.values(), amount)
    return of_account("order", "orders", "Orders", rows, Order.account_id, fields, day=Order.day)


def quotes(session: Session, scope: Any, today: date) -> Relation | None:
    """Quotes; looked back upon by their day."""
    if not scope.may("orders:read"):
        return None
    rows = orders.visible_to(scope).where(Order.kind == OrderKind.QUOTE)
    declared = tuple(order_fields().values())
    return of_account("quote", "quotes", "Quotes", rows, Order.account_id, declared, day=Order.day)


def complaints(session: Session, scope: Any, today: date) -> Relation | None:
    """Tickets; looked back upon by the day on which they were opened."""
    if not scope.may("tickets:read"):
        return None
    rows = tickets.visible_to(scope).where(Ticket.merged_into.is_(None))
    declared = tuple(ticket_fields(clock.now(), today).values())
    day = cast(Ticket.opened_at, Date)
    return of_account("ticket", "tickets", "Tickets", rows, Ticket.account_id, declared, day=day)


def origins(session: Session, scope: Any, today: date) -> Relation | None:
    """Leads that became the account."""
    if not scope.may("leads:read"):
        return None
    rows = leads.visible_to(scope).where(Lead.account_id.is_not(None))
    day = cast(Lead.created_at, Date)
    return of_account("lead", "leads", "Leads", rows, Lead.account_id, tuple(lead_fields().values()), day=day)
