"""What the deals that are being talked about are made of: two or three products each, at the customer's own prices."""

import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.demo.words import say
from server.opportunities import pricing
from server.opportunities.lines import write_lines
from server.opportunities.models import Opportunity, OpportunityLine, Stage
from server.products.models import Product
from server.products.pricing import price_of

STAGES = ("Quote", "Negotiate")


def fill(session: Session, today: date, seed: int = 5) -> int:
    """Give open deals with an offer their lines, worth about what the deal was said to be; gives how many lines there
    are then. Does nothing where there are some already.
    """
    if session.scalar(select(OpportunityLine.id).limit(1)) is not None:
        return 0
    chance = random.Random(seed)
    sold = session.scalars(select(Product).where(Product.deleted_at.is_(None)).order_by(Product.number)).all()
    offered = (
        select(Opportunity)
        .join(Stage, Stage.id == Opportunity.stage_id)
        .where(Stage.name.in_([say(name) for name in STAGES]), Opportunity.amount > 0, Opportunity.deleted_at.is_(None))
        .order_by(Opportunity.created_at, Opportunity.id)
    )
    count = 0
    for deal in session.scalars(offered).all():
        lines = lines_of(session, chance, deal, chance.sample(sold, min(3, len(sold))), today)
        if lines:
            write_lines(session, deal, lines)
            count += len(lines)
    return count


def lines_of(
    session: Session, chance: random.Random, deal: Opportunity, goods: Sequence[Product], today: date
) -> list[dict[str, Any]]:
    """Products of the customer's price lists, as many of each as come to about the amount of the deal."""
    book = pricing.book_of(session, deal, [one.id for one in goods])
    share, found = (deal.amount or Decimal(0)) / len(goods), []
    for good in goods:
        step = good.quantity_step
        one = price_of(book, good.id, max(step, good.min_quantity), today, deal.currency)
        if one is None or one.unit_price <= 0:
            continue
        quantity = max(good.min_quantity, step * max(1, round(share / one.unit_price / step)))
        price = price_of(book, good.id, quantity, today, deal.currency) or one
        percent = chance.choice((0, 0, 0, 5, 10))
        found.append(
            {
                "product_id": str(good.id),
                "name": good.name,
                "quantity": quantity,
                "unit_price": price.unit_price,
                "discount_percent": percent,
            }
        )
    return found
