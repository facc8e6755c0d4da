"""The rules of a draft: beginning one, its lines and their prices, its currency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.opportunities.models import Opportunity
from server.opportunities.pricing import country_of, customer_of
from server.orders import pricing, queries
from server.orders.errors import CurrencyFixed, IdTaken, NeedsCredit, NotADraft, ProductGone
from server.orders.models import Kind, Order, OrderLine, State
from server.orders.values import AFTERWARDS, DOCUMENT, LINE
from server.products import queries as products
from server.products.models import Product, TaxClass
from server.records.revising import cleaned, require_revision, revised
from server.records.values import currency as clean_currency


class OnCurrency(StrEnum):
    """What happens to prices when the currency changes."""

    REFUSE = "refuse"
    REPRICE = "reprice"
    """Lines are priced anew from the customer's lists; prices set by hand are refused."""


@dataclass(frozen=True)
class NewLine:
    """A line that somebody wants."""

    product_id: UUID | None = None
    code: str | None = None
    """Number or barcode, instead of the id."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """By the names in `values.LINE`; a `unit_price` is one that a person has set."""
    id: UUID | None = None
    is_agreed: bool = False
    """The unit price was agreed in a deal, rather than set in this document."""
    is_gross: bool = False
    """A unit price that a person has set contains the tax."""


@dataclass(frozen=True)
class NewOrder:
    """A document that somebody begins."""

    account_id: UUID
    kind: Kind = Kind.ORDER
    lines: Sequence[NewLine] = ()
    fields: Mapping[str, object] = field(default_factory=dict)
    """By the names in `values.DOCUMENT`."""
    currency: str | None = None
    """None: the first in which the customer has prices."""
    id: UUID | None = None
    """Made by the client: the same id again is the same document."""
    flags: Sequence[str] | None = None
    """Taken down by a phone: what is odd about it. It is taken wherever the account has gone. None: anything else."""


def draft(session: Session, scope: Scope, new: NewOrder) -> Order:
    """Begin a quote or an order; the same id again gives the one that is there.

    Refuses accounts out of reach, products without price, and quantities that cannot be sold.
    """
    if new.kind is Kind.CREDIT:
        raise NeedsCredit("A credit note is made from its order.", help="Open the order and credit its lines.")
    need_words(scope, new.fields, *(line.fields for line in new.lines))
    account = _account(session, scope, new)
    if new.id:  # the second of two clicks sees what the first one stored
        one_at_a_time(session, f"order:{new.id}")
    known = session.get(Order, new.id) if new.id else None
    if known is not None:
        return _same(scope, known, account, new.kind)
    given = {name: cleaned(DOCUMENT, name, value) for name, value in new.fields.items() if value is not None}
    order = _begun(session, scope, account, new, given)
    session.add(order)
    session.flush()
    check_references(session, order, given)
    for line in new.lines:
        _new_line(session, order, line)
    pricing.count(session, order)
    return order


def need_words(scope: Scope, *given: Mapping[str, object]) -> None:
    """Refuse fields that the role keeps somebody from: notes, and prices that somebody sets by hand."""
    scope.need_changes("order", [name for one in given for name, value in one.items() if value not in (None, "")])


def _account(session: Session, scope: Scope, new: NewOrder) -> Account:
    standing = accounts.surviving(session, new.account_id)
    asked = select(Account) if new.flags is not None else accounts.visible_to(scope, "orders:write")
    account = session.scalars(asked.where(Account.id == standing)).one_or_none()
    if account is None:
        raise NotFound("There is no such account.", field="account_id")
    if new.flags is None:
        accounts.hold(session, account.id)
    return account


def _same(scope: Scope, known: Order, account: Account, kind: Kind) -> Order:
    is_ours = known.owner_id == scope.user_id or scope.may("orders:import")
    if (known.account_id, known.kind) != (account.id, kind) or known.deleted_at is not None or not is_ours:
        raise IdTaken("This id belongs to another document.", help="Make a new id.", field="id")
    return known


def _begun(session: Session, scope: Scope, account: Account, new: NewOrder, given: dict[str, Any]) -> Order:
    zone = scope.zone or settings().zone
    day: date = given.get("day") or clock.today(zone)
    head = queries.letterhead(session)
    customer = customer_of(account)
    currency = clean_currency(new.currency) if new.currency else None
    if currency is None:
        currency = next(iter(products.currencies_of(session, customer, day)), account.currency)
    language = given.get("language") or (scope.language if scope.language in ("en", "de") else "en")
    order = Order(
        kind=new.kind.value,
        state=State.DRAFT.value,
        account_id=account.id,
        flags=list(new.flags or ()),
        currency=currency,
        zone=zone,
        **{
            "owner_id": scope.user_id,
            "day": day,
            "language": language,
            "country": country_of(session, account.id, given.get("site_id")),
            "payment_terms": (head.terms_de if language == "de" else head.terms_en) or None,
            "valid_until": day + timedelta(days=head.quote_days) if new.kind is Kind.QUOTE else None,
        }
        | given,
    )
    if new.id is not None:
        order.id = new.id
    return order


def check_references(session: Session, order: Order, given: Mapping[str, Any]) -> None:
    """Refuse a site of somebody else, an owner who does not exist, a quote that ends before it begins."""
    site_id, owner_id = given.get("site_id"), given.get("owner_id")
    if site_id is not None:
        site = session.get(Site, site_id)
        if site is None or site.deleted_at or accounts.surviving(session, site.account_id) != order.account_id:
            raise Invalid("Delivered to: the site does not belong to the account.", field="site_id")
    if owner_id is not None:
        owner = session.get(User, owner_id)
        if owner is None or owner.deleted_at is not None:
            raise Invalid("Whose sale: there is no such person.", field="owner_id")
    deal = session.get(Opportunity, given["opportunity_id"]) if given.get("opportunity_id") else None
    if given.get("opportunity_id") and (
        deal is None or deal.deleted_at or accounts.surviving(session, deal.account_id) != order.account_id
    ):
        raise Invalid("Deal: there is no such deal of this account.", field="opportunity_id")
    if order.valid_until is not None and order.valid_until < order.day:
        raise Invalid(
            f"The quote would end on {order.valid_until}, before its day {order.day}.",
            help="Choose a later day.",
            field="valid_until",
        )


def edit(session: Session, scope: Scope, order_id: UUID, base_rev: int, changes: Mapping[str, object]) -> Order:
    """Change fields of a document seen at a revision; merged field by field.

    A new day or country prices a draft's lines anew. What has left the house changes only in what stays in it.
    """
    order = queries.locked(session, scope, order_id)
    scope.need_changes("order", changes)
    written = revised(session, order, DOCUMENT, base_rev, changes, called=name_of(order))
    if order.state != State.DRAFT and (late := sorted(written.keys() - AFTERWARDS)):
        raise NotADraft(
            f"{name_of(order)} is {order.state}; {DOCUMENT[late[0]].label.lower()} cannot change any more.",
            help="Copy it into a new draft.",
            field=late[0],
        )
    if written.get("day", order.day) is None:
        raise Invalid("Day: is missing.", field="day")
    for name, value in written.items():
        setattr(order, name, value)
    check_references(session, order, written)
    if {"day", "country"} & written.keys():
        pricing.price(session, order, queries.lines_of(session, order.id))
    pricing.count(session, order)
    return order


def name_of(order: Order) -> str:
    """How people call a document: its number, else what it is."""
    return order.number or f"the draft {order.kind}"


def drafted(session: Session, scope: Scope, order_id: UUID) -> Order:
    """A draft, locked for a change. Refuses what has left the house."""
    order = queries.locked(session, scope, order_id)
    if order.state != State.DRAFT:
        raise NotADraft(f"{name_of(order)} is {order.state}.", help="Copy it into a new draft, and change that.")
    return order


def add_line(session: Session, scope: Scope, order_id: UUID, new: NewLine) -> OrderLine:
    """Add a line to a draft; the same id again gives the one that is there."""
    order = drafted(session, scope, order_id)
    known = session.get(OrderLine, new.id) if new.id else None
    if known is not None:
        if known.order_id != order.id:
            raise IdTaken("This id belongs to another line.", help="Make a new id.", field="id")
        return known
    if order.kind == Kind.CREDIT:
        raise NeedsCredit("A credit note takes lines of its order only.", help="Change their quantities.")
    need_words(scope, new.fields)
    line = _new_line(session, order, new)
    pricing.count(session, order)
    return line


def change_line(
    session: Session, scope: Scope, order_id: UUID, line_id: UUID, base_rev: int, changes: Mapping[str, object]
) -> OrderLine:
    """Change a line of a draft seen at a revision. A `unit_price` of null asks the lists again."""
    order = drafted(session, scope, order_id)
    need_words(scope, changes)
    line = _line(session, order, line_id)
    unprice = "unit_price" in changes and changes["unit_price"] in (None, "")
    wanted = {name: value for name, value in changes.items() if not (unprice and name == "unit_price")}
    written = revised(session, line, LINE, base_rev, wanted, called=line.text)
    for name, value in written.items():
        setattr(line, name, value)
    if "unit_price" in written:
        line.by_hand, line.price_reason = True, []
    if unprice:
        line.by_hand = line.product_id is None
    pricing.check_quantity(session, order, line)
    pricing.price(session, order, [line])
    pricing.count(session, order)
    return line


def remove_line(session: Session, scope: Scope, order_id: UUID, line_id: UUID, base_rev: int) -> None:
    """Take a line out of a draft."""
    order = drafted(session, scope, order_id)
    line = _line(session, order, line_id)
    require_revision(line, base_rev, called=line.text)
    line.deleted_at = clock.now()
    pricing.count(session, order)


def change_currency(session: Session, scope: Scope, order_id: UUID, currency: str, on: OnCurrency) -> Order:
    """Change the currency of a draft. With lines it is refused, or every line is priced anew."""
    order = drafted(session, scope, order_id)
    wanted = clean_currency(currency)
    lines = queries.lines_of(session, order.id)
    if wanted == order.currency:
        return order
    if order.kind == Kind.CREDIT:
        raise CurrencyFixed("A credit note is in the currency of its order.", field="currency")
    if lines and on is OnCurrency.REFUSE:
        raise CurrencyFixed(
            f"The lines are priced in {order.currency}.",
            help=f"Send on=reprice to price them anew in {wanted}, or begin another document.",
            field="currency",
        )
    by_hand = [line.text for line in lines if line.by_hand]
    if by_hand:
        raise CurrencyFixed(
            f"The price of “{by_hand[0]}” was set by hand in {order.currency}.",
            help=f"Take such lines away, or let the lists price them, before you change to {wanted}.",
            field="currency",
        )
    order.currency = wanted
    pricing.price(session, order, lines)
    pricing.count(session, order)
    return order


def _line(session: Session, order: Order, line_id: UUID) -> OrderLine:
    line = session.get(OrderLine, line_id, with_for_update=True, populate_existing=True)
    if line is None or line.deleted_at is not None or line.order_id != order.id:
        raise NotFound("There is no such line.", id=str(line_id))
    return line


def _new_line(session: Session, order: Order, new: NewLine) -> OrderLine:
    product = _product(session, new)
    given = {name: cleaned(LINE, name, value) for name, value in new.fields.items() if value is not None}
    if product is None and "text" not in given:
        raise Invalid("Text: is missing.", help="Name a product, or say in words what is sold.", field="text")
    usual: dict[str, Any] = {"quantity": Decimal(1), "unit_price": Decimal(0), "discount_percent": Decimal(0)}
    if product is not None:
        quantity = max(product.min_quantity, product.quantity_step)
        usual |= {"quantity": quantity, "text": product.name, "unit": product.unit}
        usual |= {"tax_class_id": product.tax_class_id}
    last = select(func.max(OrderLine.position)).where(OrderLine.order_id == order.id)
    line = OrderLine(
        order_id=order.id,
        position=(session.scalar(last) or 0) + 1,
        product_id=product.id if product else None,
        by_hand=product is None or "unit_price" in given,
        is_gross=new.is_gross,
        price_reason=[{"kind": "deal", "value": ""}] if new.is_agreed and "unit_price" in given else [],
        amount=Decimal(0),
        **usual | given,
    )
    if new.id is not None:
        line.id = new.id
    if product is None and line.tax_class_id is None:
        line.tax_class_id = session.scalar(
            select(TaxClass.id).where(TaxClass.deleted_at.is_(None)).order_by(TaxClass.created_at, TaxClass.id).limit(1)
        )
    pricing.check_quantity(session, order, line)
    pricing.price(session, order, [line])
    session.add(line)
    session.flush()
    return line


def _product(session: Session, new: NewLine) -> Product | None:
    if new.product_id is None and new.code is None:
        return None
    asked = session.get(Product, new.product_id) if new.product_id else products.by_code(session, new.code or "")
    known = products.standing(session, asked)
    if known is None:
        what = f"“{new.code}” is no number and no barcode" if new.code else "There is no such product"
        raise NotFound(f"{what}.", help="Search the catalogue for it.", field="product_id")
    if known.deleted_at is None and known.is_active:
        return known
    successor = session.get(Product, known.successor_id) if known.successor_id else None
    raise ProductGone(
        f"“{known.name}” ({known.number}) is sold no more.",
        help=f"Take “{successor.name}” ({successor.number})." if successor else "Take another product.",
        product_id=str(known.id),
        successor_id=str(successor.id) if successor else None,
    )
