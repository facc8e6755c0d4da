"""A quote or an order from a deal: what the deal is about becomes its lines."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope
from server.kit import clock
from server.kit.settings import settings
from server.opportunities import queries as deals
from server.opportunities.models import Opportunity, OpportunityLine
from server.orders.drafting import NewLine, NewOrder
from server.orders.models import Kind
from server.orders.pricing import customer_of
from server.products import queries as products
from server.products.pricing import Priced, price_of

HUNDRED = 100


def begun_from(session: Session, scope: Scope, deal_id: UUID, kind: Kind, id: UUID | None = None) -> NewOrder:
    """What a deal asks for: its account, its currency, its lines at the deal's prices, if the person sees them.

    A price that is the one of the account's lists is left to them; another one is the deal's.
    """
    deal = deals.find(session, scope, deal_id)
    scope.need_sees("opportunity", "amount")
    lines = deals.lines_of(session, [deal.id])
    listed = listed_prices(session, scope, deal, lines)

    def line_of(line: OpportunityLine) -> NewLine:
        price = listed.get(line.id)
        fields = {"text": line.name, "quantity": line.quantity, "discount_percent": line.discount * HUNDRED}
        if price is not None and price.unit_price == line.unit_price:
            return NewLine(line.product_id, fields=fields)
        return NewLine(line.product_id, fields=fields | {"unit_price": line.unit_price}, is_agreed=True)

    fields = {"opportunity_id": deal.id, "site_id": deal.site_id}
    return NewOrder(deal.account_id, kind, [line_of(line) for line in lines], fields, deal.currency, id)


def listed_prices(
    session: Session, scope: Scope, deal: Opportunity, lines: Sequence[OpportunityLine]
) -> Mapping[UUID, Priced]:
    """What the lists of the deal's account say today of its lines, by line; without those that no list names."""
    ids = [line.product_id for line in lines if line.product_id]
    if not ids:
        return {}
    account = session.get_one(Account, accounts.surviving(session, deal.account_id))
    book, day = products.book_of(session, customer_of(account), ids), clock.today(scope.zone or settings().zone)
    found = {
        line.id: price_of(book, line.product_id, line.quantity, day, deal.currency) for line in lines if line.product_id
    }
    return {line_id: price for line_id, price in found.items() if price is not None}
