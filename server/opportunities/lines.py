"""What a deal is about, line by line; the lines add up to its amount."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from server.accounts.values import money, plain
from server.kit import clock
from server.kit.errors import Invalid
from server.opportunities.models import Opportunity, OpportunityLine
from server.opportunities.values import DEAL, cleaned, share

CENT = Decimal("0.01")
MOST = 500
"""Lines of one deal."""


def write_lines(session: Session, deal: Opportunity, lines: Sequence[Mapping[str, Any]]) -> None:
    """Replace the lines of a deal; without any, its amount is set by hand again."""
    if len(lines) > MOST:
        raise Invalid(f"A deal has at most {MOST} lines.", field="lines")
    made = [line_of(place, given) for place, given in enumerate(lines)]
    session.execute(
        update(OpportunityLine)
        .where(OpportunityLine.opportunity_id == deal.id, OpportunityLine.deleted_at.is_(None))
        .values(deleted_at=clock.now())
    )
    for line in made:
        line.opportunity_id = deal.id
    session.add_all(made)
    if made:
        deal.amount = sum((worth(line) for line in made), Decimal(0))
    session.flush()


WORDS = {"quantity": "quantity", "unit_price": "price"}


def line_of(place: int, given: Mapping[str, Any]) -> OpportunityLine:
    """One checked line; names the line and the field that is wrong."""

    def number(name: str, digits: str, low: Decimal) -> Decimal:
        said = WORDS[name]
        try:
            value = Decimal(str(given.get(name, "")).strip()).quantize(Decimal(digits))
            fits = low <= value < Decimal(10_000_000_000)
        except ArithmeticError as error:
            if not str(given.get(name, "")).strip():
                raise Invalid(f"Line {place + 1}: the {said} is missing.", field="lines") from error
            raise Invalid(f"Line {place + 1}, {said}: “{given.get(name)}” is not a number.", field="lines") from error
        if not fits:
            raise Invalid(f"Line {place + 1}, {said}: {value} cannot be.", help=f"At least {low}.", field="lines")
        return value

    title = plain(given.get("name"), 300)
    if title is None:
        raise Invalid(f"Line {place + 1}: the name is missing.", field="lines")
    try:
        discount = share(given.get("discount")) or Decimal(0)
    except Invalid as error:
        raise Invalid(f"Line {place + 1}, discount: {error.message}.", help=error.help, field="lines") from error
    return OpportunityLine(
        position=place,
        product_id=cleaned(DEAL, "site_id", given.get("product_id")),
        name=title,
        quantity=number("quantity", "0.001", Decimal("0.001")),
        unit_price=number("unit_price", "0.0001", Decimal(0)),
        discount=discount,
        tax_code=plain(given.get("tax_code"), 20),
    )


def worth(line: OpportunityLine) -> Decimal:
    """What a line comes to, in cents; refuses what no amount holds."""
    value = line.quantity * line.unit_price * (1 - line.discount)
    found: Decimal | None = money(value.quantize(CENT, ROUND_HALF_UP))
    return found or Decimal(0)
