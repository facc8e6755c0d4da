"""A quote or an order from a deal: what the deal is about becomes its lines."""

from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.opportunities import queries as deals
from server.orders.drafting import NewLine, NewOrder
from server.orders.models import Kind

HUNDRED = 100


def begun_from(session: Session, scope: Scope, deal_id: UUID, kind: Kind, id: UUID | None = None) -> NewOrder:
    """What a deal asks for: its account, its currency, its lines at the deal's prices, if the person sees them."""
    deal = deals.find(session, scope, deal_id)
    scope.need_sees("opportunity", "amount")
    lines = [
        NewLine(
            product_id=line.product_id,
            fields={
                "text": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "discount_percent": line.discount * HUNDRED,
            },
        )
        for line in deals.lines_of(session, [deal.id])
    ]
    fields = {"opportunity_id": deal.id, "site_id": deal.site_id}
    return NewOrder(deal.account_id, kind, lines, fields, deal.currency, id)
