"""How many deals a selection has and what they are worth: below a list, above a board's columns."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, literal, select
from sqlalchemy.orm import Session

from server.auth import veil
from server.kit.settings import settings
from server.opportunities.fields import probability_of
from server.opportunities.models import Opportunity, Stage
from server.opportunities.rates import Total, day_of, rate_of


def totals(session: Session, statement: Select[Opportunity], today: date) -> Total:
    """How many deals a selection has, what they are worth, and what of it is likely."""
    return grouped(session, statement, literal(0), today).get(0, Total())


def grouped(session: Session, statement: Select[Opportunity], key: Any, today: date) -> dict[Any, Total]:
    """The same by a key, in one statement: deals with one rate and one probability are added up before their stage is
    asked and they are taken into the company's currency.
    """
    deal = Opportunity.__table__.c
    each = statement.with_only_columns(
        key.label("key"),
        deal.currency,
        day_of(deal.closed_at, today).label("day"),
        deal.state,
        deal.stage_id,
        deal.probability,
        func.coalesce(deal.amount, 0).label("amount"),
    ).subquery("each")
    alike = each.c["key", "currency", "day", "state", "stage_id", "probability"]
    added = select(*alike, func.count().label("count"), func.sum(each.c.amount).label("amount")).group_by(*alike).cte()
    likely = probability_of(added.c.state, added.c.probability).label("probability")
    worth = (
        select(*added.c["key", "currency", "day", "count", "amount"], likely)
        .join(Stage, Stage.id == added.c.stage_id)
        .subquery("worth")
    )
    taken_at = rate_of(worth.c.currency, worth.c.day)
    value = worth.c.amount * func.coalesce(taken_at, 1)
    sums: Select[Any] = select(
        worth.c.key,
        worth.c.currency,
        taken_at.label("rate"),
        cast(func.sum(worth.c.count), BigInteger),
        func.sum(value),
        func.sum(value * worth.c.probability),
    ).group_by(worth.c.key, worth.c.currency, "rate")
    found: dict[Any, Total] = {}
    unknown = veil.hidden("opportunity") & {"amount", "probability"}
    for group, currency, taken_at, count, amount, weighted in session.execute(sums):
        apart = currency if taken_at is None else None
        taken = (currency, taken_at) if taken_at is not None and currency != settings().currency else None
        if unknown:
            weighted = Decimal(0)
        if "amount" in unknown:
            apart, amount = None, Decimal(0)
        found.setdefault(group, Total()).add(apart, count, amount, weighted, taken)
    return found
