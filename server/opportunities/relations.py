"""What of deals accounts can be filtered by: `deals.sum(amount where state = won) over 12 months > 5000`; and deals by
their lines: `line.product = "P-1"`, `lines.sum(amount) > 500`.
"""

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, aliased

from server.accounts.relations import of_account
from server.kit import clock
from server.kit.filtering import Field, Kind, Relation
from server.kit.settings import settings
from server.opportunities import queries
from server.opportunities.fields import fields
from server.opportunities.models import Opportunity, OpportunityLine
from server.opportunities.rates import day_of, rate_of, unrated
from server.products.models import Product
from server.products.queries import stands_for
from server.records.currencies import DIGITS

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


def of_product(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The product of a line fulfils it."""
    named = select(Product.id).where(stands_for(OpportunityLine.product_id), condition)
    return named.correlate(OpportunityLine).exists()


def lines(session: Session, scope: Any, today: date) -> Relation | None:
    """What deals are about, for whoever sees what they are worth; the amount of a line is without tax."""
    if not scope.may("opportunities:read") or not scope.sees("opportunity", "amount"):
        return None
    line, deal = OpportunityLine.__table__.c, aliased(Opportunity, name="deal_of_line")
    worth = line.quantity * line.unit_price * (1 - line.discount)
    net = case((line.is_gross, worth / (1 + func.coalesce(line.tax_percent, 0) / 100)), else_=worth)
    exact = func.round(net, case(DIGITS, value=deal.currency, else_=2))
    day = day_of(deal.closed_at, today)
    currency: Any = deal.currency
    needs = partial(unrated, session, Opportunity.currency, day_of(Opportunity.closed_at, today))
    asked = (
        Field("product", Kind.TEXT, Product.__table__.c.number, "Product's number", exists=of_product),
        Field("name", Kind.TEXT, line.name, "Name"),
        Field("quantity", Kind.NUMBER, line.quantity, "Quantity"),
        Field("price", Kind.NUMBER, line.unit_price, "Price"),
        Field("discount", Kind.NUMBER, line.discount * 100, "Discount in %"),
        Field("amount", Kind.NUMBER, exact * rate_of(currency, day), f"Net in {settings().currency}", needs=needs),
    )
    rows = (
        select(OpportunityLine)
        .join(deal, deal.id == OpportunityLine.opportunity_id)
        .where(OpportunityLine.deleted_at.is_(None))
    )
    key = Opportunity.__table__.c.id
    return Relation("line", "lines", "Lines", {one.name: one for one in asked}, rows, line.opportunity_id, key)
