"""A quote or an order from a deal: what the deal is about becomes its lines."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.opportunities import queries as deals
from server.opportunities.models import OpportunityLine
from server.opportunities.pricing import HUNDRED, listed_prices
from server.orders.drafting import NewLine, NewOrder
from server.orders.models import Kind


def begun_from(session: Session, scope: Scope, deal_id: UUID, kind: Kind, id: UUID | None = None) -> NewOrder:
    """What a deal asks for: its account, its currency, its lines at the deal's prices, if the person sees them.

    A price that is the one of the account's lists is left to them; another one is the deal's.
    """
    deal = deals.find(session, scope, deal_id)
    scope.need_sees("opportunity", "amount")
    lines = deals.lines_of(session, [deal.id])
    listed = listed_prices(session, deal, lines, scope.zone)

    def line_of(line: OpportunityLine) -> NewLine:
        price = listed.get(line.position)
        fields: dict[str, Any] = {
            "text": line.name,
            "quantity": line.quantity,
            "discount_percent": line.discount * HUNDRED,
        }
        if line.tax_class_id:
            fields |= {"tax_class_id": line.tax_class_id}
        if price is not None and (price.unit_price, price.is_gross) == (line.unit_price, line.is_gross):
            return NewLine(line.product_id, fields=fields)
        agreed = fields | {"unit_price": line.unit_price}
        return NewLine(line.product_id, fields=agreed, is_agreed=True, is_gross=line.is_gross)

    fields = {"opportunity_id": deal.id, "site_id": deal.site_id}
    return NewOrder(deal.account_id, kind, [line_of(line) for line in lines], fields, deal.currency, id)
