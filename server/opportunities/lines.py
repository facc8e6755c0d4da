"""What a deal is about, line by line; the lines add up to its amount."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts.values import MAX_MONEY, plain
from server.kit import clock
from server.kit.errors import Invalid
from server.opportunities.models import Opportunity, OpportunityLine
from server.opportunities.pricing import sums, tax
from server.opportunities.values import DEAL, cleaned
from server.products.models import Product, TaxClass
from server.products.values import between

MOST = 500
"""Lines of one deal."""


def write_lines(session: Session, deal: Opportunity, lines: Sequence[Mapping[str, Any]]) -> None:
    """Replace the lines of a deal; its amount is what they come to without tax. Without lines it is set by hand again.

    Refuses products that are not in the catalogue, unless the deal has them already, and sums that no amount holds.
    """
    if len(lines) > MOST:
        raise Invalid(f"A deal has at most {MOST} lines.", field="lines")
    made = [line_of(place, given) for place, given in enumerate(lines)]
    check_products(session, deal, made)
    check_taxes(session, made)
    tax(session, deal, made)
    amount = sums(made, deal.currency).net
    if amount > MAX_MONEY:
        raise Invalid(f"The lines add up to {amount}, more than an amount holds.", help=LIMITS, field="lines")
    session.execute(
        update(OpportunityLine)
        .where(OpportunityLine.opportunity_id == deal.id, OpportunityLine.deleted_at.is_(None))
        .values(deleted_at=clock.now())
    )
    for line in made:
        line.opportunity_id = deal.id
    session.add_all(made)
    if made:
        deal.amount = amount
    session.flush()


def check_products(session: Session, deal: Opportunity, lines: Sequence[OpportunityLine]) -> None:
    wanted = {line.product_id for line in lines if line.product_id}
    sold = select(Product.id).where(Product.id.in_(wanted), Product.deleted_at.is_(None))
    kept = select(OpportunityLine.product_id).where(
        OpportunityLine.opportunity_id == deal.id, OpportunityLine.deleted_at.is_(None)
    )
    known: set[UUID | None] = set(session.scalars(sold.union(kept))) if wanted else set()
    for place, line in enumerate(lines):
        if line.product_id and line.product_id not in known:
            raise Invalid(
                f"Line {place + 1}: “{line.name}” names a product that is not in the catalogue.",
                help="Search the catalogue for it, or leave the product out and say in words what it is.",
                field="lines",
            )


def check_taxes(session: Session, lines: Sequence[OpportunityLine]) -> None:
    wanted = {line.tax_class_id for line in lines if line.tax_class_id}
    known = set(session.scalars(select(TaxClass.id).where(TaxClass.id.in_(wanted)))) if wanted else set()
    for place, line in enumerate(lines):
        if line.tax_class_id and line.tax_class_id not in known:
            raise Invalid(
                f"Line {place + 1}: there is no such tax class.",
                help="Choose one from the list, or leave it to the product.",
                field="lines",
            )


LIMITS = "Amounts lie between 0 and 999,999,999,999.99."
NUMBERS = {
    "quantity": ("Quantity", between("0.001", "9999999999", 3)),
    "unit_price": ("Price", between("0", "9999999999", 4)),
    "discount": ("Discount", between("0", "1", 5, default="0")),
    "discount_percent": ("Discount", between("0", "100", 3, default="0")),
}


def line_of(place: int, given: Mapping[str, Any]) -> OpportunityLine:
    """One checked line; names the line and the field that is wrong. Its discount is a share, or given in per cent."""
    title = plain(given.get("name"), 300)
    if title is None:
        raise Invalid(f"Line {place + 1}: the name is missing.", field="lines")
    product_id = cleaned(DEAL, "site_id", given.get("product_id"))

    def number(name: str) -> Decimal:
        label, rule = NUMBERS[name]
        try:
            value = rule(given.get(name))
        except Invalid as error:
            problem = f"{label}: {error.message}."
            raise Invalid(f"Line {place + 1}: {problem}", help=error.help, field="lines") from error
        if value is None:
            raise missing(place, name, title, product_id)
        return value

    is_percent = "discount_percent" in given
    return OpportunityLine(
        position=place,
        product_id=product_id,
        name=title,
        quantity=number("quantity"),
        unit_price=number("unit_price"),
        discount=number("discount_percent") / 100 if is_percent else number("discount"),
        is_gross=False,
        tax_class_id=cleaned(DEAL, "site_id", given.get("tax_class_id")),
    )


def missing(place: int, name: str, title: str, product_id: UUID | None) -> Invalid:
    """What is said of a line without a quantity or a price: why the catalogue does not know the price."""
    if name == "quantity":
        return Invalid(f"Line {place + 1}: the quantity is missing.", field="lines")
    if product_id is not None:
        return Invalid(
            f"Line {place + 1}: no price list of this account names “{title}” in the currency of the deal.",
            help="Write its price into the line, or put the product into a price list.",
            field="lines",
        )
    return Invalid(
        f"Line {place + 1}: “{title}” is no product of the catalogue, and has no price.",
        help="Choose a product from the list, or write the price of what your own words name.",
        field="lines",
    )
