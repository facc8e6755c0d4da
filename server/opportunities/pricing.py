"""What the lines of a deal cost: the price lists of its account, and the tax that their prices contain."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.accounts.values import country_code
from server.kit import clock
from server.kit.settings import settings
from server.opportunities.models import Opportunity, OpportunityLine
from server.products import queries as products
from server.products.models import Product
from server.products.pricing import Book, Priced, line_amount, price_of, rate_on
from server.products.queries import Customer
from server.products.totals import Item, Totals, totals
from server.regions.queries import country_at

HUNDRED = 100


def customer_of(account: Account) -> Customer:
    """What decides the price lists of an account."""
    return Customer(account.id, account.account_class, account.territory_id)


def country_of(session: Session, account_id: UUID, site_id: UUID | None = None) -> str:
    """Where an account is taxed: the country that the site names that is delivered to, or on whose ground its pin
    surely lies; else that of its main site, found likewise; else that of the map, when it shows a single one. Empty:
    nobody knows."""
    facts = select(Site.country, Site.pin, Site.uncertainty_m)
    statement = facts.where(Site.account_id == account_id, Site.deleted_at.is_(None))
    chosen = Site.is_main if site_id is None else or_(Site.is_main, Site.id == site_id)
    for one in session.execute(statement.where(chosen).order_by(Site.id != site_id)).all():
        named = country_code(one.country) if one.country else None
        if found := named or (one.pin is not None and country_at(session, one.pin, one.uncertainty_m or 0)):
            return found
    return accounts.home_country(session) or ""


def book_of(session: Session, deal: Opportunity, product_ids: Sequence[UUID]) -> Book:
    """The price lists of a deal's account, with the prices of some products."""
    account = session.get_one(Account, accounts.surviving(session, deal.account_id))
    return products.book_of(session, customer_of(account), product_ids)


def listed_prices(
    session: Session, deal: Opportunity, lines: Sequence[OpportunityLine], zone: str | None = None
) -> Mapping[int, Priced]:
    """What the lists of the deal's account say today of its lines, by position; without those that no list names."""
    ids = [line.product_id for line in lines if line.product_id]
    if not ids:
        return {}
    book, day = book_of(session, deal, ids), clock.today(zone or settings().zone)
    found = {
        line.position: price_of(book, line.product_id, line.quantity, day, deal.currency)
        for line in lines
        if line.product_id
    }
    return {position: price for position, price in found.items() if price is not None}


def tax(session: Session, deal: Opportunity, lines: Sequence[OpportunityLine]) -> None:
    """Say of each line which tax it has, its own class or its product's, and whether its price contains it, as the list
    says that names the product.
    """
    listed = listed_prices(session, deal, lines)
    if not listed and not any(line.tax_class_id for line in lines):
        return
    ids = {line.product_id for line in lines if line.product_id}
    rows = session.execute(select(Product.id, Product.tax_class_id).where(Product.id.in_(ids)))
    classes: dict[UUID | None, UUID | None] = {product_id: tax_class_id for product_id, tax_class_id in rows}
    rates, day = products.tax_rates(session), clock.today(settings().zone)
    country = country_of(session, accounts.surviving(session, deal.account_id), deal.site_id)
    for line in lines:
        line.is_gross = line.position in listed and listed[line.position].is_gross
        if line.position in listed or line.tax_class_id:
            tax_class_id = line.tax_class_id or classes.get(line.product_id)
            line.tax_percent = rate_on(rates.get(tax_class_id, ()) if tax_class_id else (), country, day)


def worth(line: OpportunityLine, currency: str) -> Decimal:
    """What a line comes to, in whole minor units of the currency; with the tax, if its price contains it."""
    return line_amount(line.unit_price, line.quantity, line.discount * HUNDRED, currency)


def sums(lines: Sequence[OpportunityLine], currency: str) -> Totals:
    """What lines come to; the deal is worth the net, whatever their prices contain."""
    return totals((Item(worth(line, currency), line.tax_percent, line.is_gross) for line in lines), currency)
