"""The lines of a deal: products are chosen by typing a name or a number, with the price of the account's lists."""

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.settings import settings
from server.opportunities import queries
from server.opportunities.models import Opportunity
from server.opportunities.pricing import book_of
from server.products import queries as products
from server.products.models import Product
from server.products.pricing import Priced, price_of
from server.web.pages import render

router = APIRouter(prefix="/pipeline", include_in_schema=False)


@router.get("/deals/{deal_id}/products")
def product_choices(
    request: Request,
    deal_id: UUID,
    scope: Annotated[Scope, requires("opportunities:write")],
    session: Db,
    line_name: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """A fragment: the products that fit what is typed, as options of a list."""
    deal = queries.find(session, scope, deal_id)
    typed = re.sub(r"\([^()]*\)\s*$", "", line_name).strip()
    if len(typed) < 2 or not scope.may("products:read"):
        return render(request, "pipeline/products.html", scope, found=[], prices={}, deal=deal)
    rows = products.page(session, scope, search=typed, filter="active = yes", limit=12).rows
    prices = prices_of(session, deal, [row.product.id for row in rows])
    found = [row.product for row in rows]
    return render(request, "pipeline/products.html", scope, found=found, prices=prices, deal=deal)


def prices_of(session: Session, deal: Opportunity, product_ids: list[UUID]) -> Mapping[UUID, Priced]:
    """What one of each costs the deal's account today, in the deal's currency."""
    book, day = book_of(session, deal, product_ids), clock.today(settings().zone)
    found = {one: price_of(book, one, Decimal(1), day, deal.currency) for one in product_ids}
    return {one: price for one, price in found.items() if price is not None}


def amount_of(written: str) -> Decimal:
    """A quantity as it is written; what is none is said later, and priced as one."""
    try:
        found = Decimal(written.strip().replace(",", "."))
    except ArithmeticError:
        return Decimal(1)
    return found if found.is_finite() else Decimal(1)


def recognised(session: Session, scope: Scope, deal_id: UUID, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines whose name ends with the number of a product, as it was offered, or is the name of one product alone, are
    of that product.

    A price that was left open is the one of the account's lists.
    """
    deal = queries.find(session, scope, deal_id)
    numbers = {match[1].lower() for line in lines if (match := re.search(r"\(([^()]+)\)\s*$", line["name"]))}
    names = {line["name"].strip().lower() for line in lines} - {""}
    named = or_(func.lower(Product.number).in_(numbers), func.lower(Product.name).in_(names))
    rows = session.scalars(select(Product).where(named, Product.deleted_at.is_(None))).all()
    alike = Counter(one.name.lower() for one in rows)
    known = {one.name.lower(): one for one in rows if alike[one.name.lower()] == 1}
    known |= {f"{one.name} ({one.number})".lower(): one for one in rows if one.number}
    book, today = book_of(session, deal, [one.id for one in known.values()]), clock.today(settings().zone)
    made = []
    for line in lines:
        product = known.get(line["name"].strip().lower())
        if product is not None:
            line = {**line, "product_id": str(product.id), "name": product.name}
            if not line["unit_price"].strip():
                price = price_of(book, product.id, amount_of(line["quantity"]), today, deal.currency)
                line["unit_price"] = str(price.unit_price) if price else ""
        made.append(line)
    return made


def numbers_of(session: Session, product_ids: list[UUID]) -> Mapping[UUID, str]:
    """The numbers of some products: a line is written with its own, so that it stays of its product."""
    rows = session.execute(select(Product.id, Product.number).where(Product.id.in_(product_ids))) if product_ids else ()
    return {key: number for key, number in rows if number}
