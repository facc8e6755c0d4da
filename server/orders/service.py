"""The states of quotes, orders and credit notes: sending, accepting, placing, delivering, cancelling, crediting."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.orders import feeding, pricing, queries
from server.orders.drafting import (
    NewLine,
    NewOrder,
    OnCurrency,
    add_line,
    change_currency,
    change_line,
    draft,
    edit,
    name_of,
    remove_line,
)
from server.orders.errors import NeedsCredit, NoTaxRate, NothingInIt, WrongState
from server.orders.models import Kind, Letterhead, Order, OrderLine, OrderNumber, State
from server.products.money import plain
from server.records.revising import require_revision
from server.webhooks import service as webhooks

__all__ = [
    "NewLine",
    "NewOrder",
    "OnCurrency",
    "add_line",
    "change_currency",
    "change_line",
    "draft",
    "edit",
    "remove_line",
]

SOLD = (State.PLACED, State.CONFIRMED, State.PARTLY_DELIVERED, State.DELIVERED)
"""Orders of which something can be taken back."""
LETTERS = {Kind.QUOTE: "Q", Kind.ORDER: "O", Kind.CREDIT: "C"}
"""What numbers begin with."""
COPIED = ("product_id", "text", "quantity", "unit", "unit_price", "is_gross", "by_hand", "price_reason",
          "discount_percent", "tax_class_id", "tax_percent", "amount")  # fmt: skip
HEAD = ("account_id", "site_id", "opportunity_id", "currency", "country", "language", "reference", "payment_terms",
        "note")  # fmt: skip


def tell(session: Session, order: Order) -> Order:
    """Write a change down and tell webhooks of the document's revision."""
    session.flush()
    session.refresh(order)
    webhooks.announce(session, order.kind, str(order.id), str(order.rev))
    return order


def next_number(session: Session, kind: Kind, year: int) -> str:
    """The next number of a kind and year. Whoever wants one waits for whoever has taken the last one: no gaps."""
    taken = insert(OrderNumber).values(kind=kind.value, year=year, last=1)
    taken = taken.on_conflict_do_update(index_elements=["kind", "year"], set_={"last": OrderNumber.last + 1})
    last = session.scalar(taken.returning(OrderNumber.last))
    return f"{LETTERS[kind]}-{year}-{last:05d}"


def place(session: Session, scope: Scope, order_id: UUID, base_rev: int | None = None) -> Order:
    """Send a quote, place an order or a credit note: it gets its number, and its lines stay as they are.

    Placing it again changes nothing. Refuses an empty one, and lines whose tax nobody knows.
    """
    order = queries.locked(session, scope, order_id)
    kind = Kind(order.kind)
    if order.state == (State.SENT if kind is Kind.QUOTE else State.PLACED):
        return order
    need(order, State.DRAFT)
    if base_rev is not None:
        require_revision(order, base_rev, called=name_of(order))
    lines = queries.lines_of(session, order.id)
    if not lines:
        raise NothingInIt(f"{name_of(order).capitalize()} has no lines.", help="Add what is sold first.")
    untaxed = [line.text for line in lines if line.tax_percent is None]
    if untaxed:
        raise NoTaxRate(
            f"No tax rate is known for “{untaxed[0]}” in {order.country or 'this country'} on {order.day}.",
            help="Give the product a tax class and the class a rate, or choose the country.",
            field="tax_class_id",
        )
    if kind is Kind.QUOTE and order.valid_until is not None and order.valid_until < clock.today(order.zone):
        raise Invalid(f"The quote ended on {order.valid_until}.", help="Choose a later day.", field="valid_until")
    order.number = next_number(session, kind, order.day.year)
    order.state = (State.SENT if kind is Kind.QUOTE else State.PLACED).value
    order.placed_at = clock.now()
    if kind is Kind.ORDER:
        _quote_won(session, order)
        feeding.settle(session, order)
    if kind is Kind.CREDIT:
        _take_back(session, order)
    return tell(session, order)


def _quote_won(session: Session, order: Order) -> None:
    quote = session.get(Order, order.quote_id, with_for_update=True) if order.quote_id else None
    if quote is not None and quote.state in (State.SENT, State.EXPIRED):
        quote.state, quote.closed_at = State.ACCEPTED.value, clock.now()
        tell(session, quote)


def _take_back(session: Session, credit: Order) -> None:
    sold = need_left(session, credit)
    lines = queries.lines_of(session, sold.id)
    taken = queries.credited(session, [line.id for line in lines], drafts=False)
    if all(taken.get(line.id, Decimal(0)) >= line.quantity for line in lines):
        sold.state, sold.closed_at = State.CREDITED.value, clock.now()
        tell(session, sold)


def need_left(session: Session, credit: Order) -> Order:
    """The order of a credit note, locked. Refuses what another credit note has taken back in the meantime."""
    sold = session.get_one(Order, credit.credits_id, with_for_update=True, populate_existing=True)
    need(sold, *SOLD)
    lines = queries.lines_of(session, sold.id)
    taken = queries.credited(session, [line.id for line in lines])
    for line in lines:
        if (much := taken.get(line.id, Decimal(0))) > line.quantity:
            raise NeedsCredit(
                f"“{line.text}”: {plain(much)} {line.unit} would be taken back of {plain(line.quantity)}.",
                help=f"Another credit note of {sold.number} has taken it back in the meantime.",
                field="quantity",
            )
    return sold


def need(order: Order, *states: State) -> None:
    """Refuse what cannot be done where the document stands."""
    if order.state not in states:
        raise WrongState(
            f"{name_of(order).capitalize()} is {order.state.replace('_', ' ')}.",
            help=f"This can be done while it is {' or '.join(state.replace('_', ' ') for state in states)}.",
            state=order.state,
        )


def accept(session: Session, scope: Scope, quote_id: UUID) -> Order:
    """The customer takes a quote. Refuses one whose days are over."""
    quote = _quote(session, scope, quote_id)
    if quote.state == State.ACCEPTED:
        return quote
    need(quote, State.SENT)
    quote.state, quote.closed_at = State.ACCEPTED.value, clock.now()
    return tell(session, quote)


def decline(session: Session, scope: Scope, quote_id: UUID, reason: str | None) -> Order:
    """The customer does not take a quote."""
    quote = _quote(session, scope, quote_id)
    need(quote, State.SENT, State.EXPIRED)
    quote.state, quote.reason, quote.closed_at = State.DECLINED.value, reason, clock.now()
    return tell(session, quote)


def _quote(session: Session, scope: Scope, quote_id: UUID) -> Order:
    quote = queries.locked(session, scope, quote_id)
    if quote.kind != Kind.QUOTE:
        raise WrongState(f"{name_of(quote).capitalize()} is no quote.", help="Open a quote.")
    return quote


def order_from(session: Session, scope: Scope, quote_id: UUID) -> Order:
    """Make an order of a quote: the same lines at the same prices. Both stay; asking again gives the same order."""
    quote = _quote(session, scope, quote_id)
    need(quote, State.SENT, State.ACCEPTED)
    living = select(Order).where(
        Order.quote_id == quote.id, Order.deleted_at.is_(None), Order.state != State.CANCELLED.value
    )
    known = session.scalars(living).first()
    if known is not None:
        return known
    order = _copied(session, scope, quote, Kind.ORDER)
    order.quote_id = quote.id
    if quote.state == State.SENT:
        accept(session, scope, quote_id)
    return tell(session, order)


def copy(session: Session, scope: Scope, order_id: UUID) -> Order:
    """A new draft like a quote or an order, priced as of today."""
    source = queries.locked(session, scope, order_id)
    if source.kind == Kind.CREDIT:
        raise NeedsCredit("A credit note is made from its order.", help="Open the order and credit its lines.")
    order = _copied(session, scope, source, Kind(source.kind))
    pricing.price(session, order, queries.lines_of(session, order.id))
    pricing.count(session, order)
    return order


def _copied(session: Session, scope: Scope, source: Order, kind: Kind) -> Order:
    day = clock.today(source.zone)
    order = Order(
        kind=kind.value, state=State.DRAFT.value, owner_id=source.owner_id or scope.user_id, day=day, zone=source.zone,
        **{name: getattr(source, name) for name in HEAD},
    )  # fmt: skip
    if kind is Kind.QUOTE:
        order.valid_until = day + timedelta(days=queries.letterhead(session).quote_days)
    session.add(order)
    session.flush()
    for line in queries.lines_of(session, source.id):
        session.add(
            OrderLine(order_id=order.id, position=line.position, **{name: getattr(line, name) for name in COPIED})
        )
    pricing.count(session, order)
    return order


def confirm(session: Session, scope: Scope, order_id: UUID) -> Order:
    """The company will deliver a placed order."""
    order = _sold(session, scope, order_id)
    if order.state == State.CONFIRMED:
        return order
    need(order, State.PLACED)
    order.state = State.CONFIRMED.value
    return tell(session, order)


def _sold(session: Session, scope: Scope, order_id: UUID) -> Order:
    order = queries.locked(session, scope, order_id)
    if order.kind != Kind.ORDER:
        raise WrongState(f"{name_of(order).capitalize()} is no order.", help="Open an order.")
    return order


def deliver(session: Session, scope: Scope, order_id: UUID, much: Mapping[UUID, Decimal] | None = None) -> Order:
    """Goods have arrived: all that is open, or so much more of some lines. Refuses more than was ordered."""
    order = _sold(session, scope, order_id)
    need(order, State.PLACED, State.CONFIRMED, State.PARTLY_DELIVERED)
    lines = {line.id: line for line in queries.lines_of(session, order.id)}
    if much is None:
        much = {line.id: line.quantity - line.delivered for line in lines.values()}
    for line_id, quantity in much.items():
        line = lines.get(line_id)
        if line is None:
            raise NotFound("There is no such line.", id=str(line_id))
        if quantity < 0 or line.delivered + quantity > line.quantity:
            raise Invalid(
                f"“{line.text}”: {plain(quantity)} {line.unit} cannot be delivered.",
                help=f"{plain(line.quantity - line.delivered)} of {plain(line.quantity)} are open.",
                field="delivered",
            )
        line.delivered += quantity
    is_whole = all(line.delivered == line.quantity for line in lines.values())
    has_any = any(line.delivered for line in lines.values())
    if has_any:
        order.state = (State.DELIVERED if is_whole else State.PARTLY_DELIVERED).value
        order.closed_at = clock.now() if is_whole else None
    return tell(session, order)


def cancel(session: Session, scope: Scope, order_id: UUID, reason: str | None) -> Order:
    """Call an order off before anything of it was delivered; its number stays taken."""
    order = _sold(session, scope, order_id)
    if order.state == State.CANCELLED:
        return order
    need(order, State.PLACED, State.CONFIRMED)
    taken = queries.credited(session, [line.id for line in queries.lines_of(session, order.id)])
    if any(taken.values()):
        raise Conflict(
            f"A credit note takes lines of {order.number} back.", help="Delete its draft, or credit all of the order."
        )
    order.state, order.reason, order.closed_at = State.CANCELLED.value, reason, clock.now()
    return tell(session, order)


def credit(
    session: Session,
    scope: Scope,
    order_id: UUID,
    much: Mapping[UUID, Decimal] | None = None,
    reason: str | None = None,
) -> Order:
    """Begin a credit note for some of an order's lines, or for all that is left: negative, at the order's prices."""
    sold = _sold(session, scope, order_id)
    need(sold, *SOLD)
    lines = {line.id: line for line in queries.lines_of(session, sold.id)}
    taken = queries.credited(session, lines)
    if much is None:
        much = {line.id: left for line in lines.values() if (left := line.quantity - taken.get(line.id, Decimal(0)))}
    if not much or not any(much.values()):
        raise NothingInIt(f"Nothing of {sold.number} is left to take back.", help="Look at its credit notes.")
    note = Order(
        kind=Kind.CREDIT.value, state=State.DRAFT.value, credits_id=sold.id, owner_id=sold.owner_id,
        day=clock.today(sold.zone), zone=sold.zone, reason=reason, **{name: getattr(sold, name) for name in HEAD},
    )  # fmt: skip
    session.add(note)
    session.flush()
    for line_id, quantity in much.items():
        line = lines.get(line_id)
        if line is None:
            raise NotFound("There is no such line.", id=str(line_id))
        if not quantity:
            continue
        copied = {name: getattr(line, name) for name in COPIED} | {"quantity": -quantity}
        back = OrderLine(order_id=note.id, position=line.position, credits_line_id=line.id, **copied)
        pricing.check_quantity(session, note, back)
        pricing.price(session, note, [back])
        session.add(back)
        session.flush()
    pricing.count(session, note)
    return note


def delete(session: Session, scope: Scope, order_id: UUID, base_rev: int) -> Order:
    """Throw a draft away; it can be restored. Refuses what has a number."""
    order = queries.locked(session, scope, order_id)
    need(order, State.DRAFT)
    require_revision(order, base_rev, called=name_of(order))
    order.deleted_at = clock.now()
    session.flush()
    return order


def restore(session: Session, scope: Scope, order_id: UUID) -> Order:
    """Bring a draft back that was thrown away. Refuses a credit note for what was taken back meanwhile."""
    gone = session.get(Order, order_id, with_for_update=True, populate_existing=True)
    if gone is None:
        raise NotFound("There is no such order.", id=str(order_id))
    gone.deleted_at = None
    session.flush()
    order = queries.locked(session, scope, order_id)
    if order.kind == Kind.CREDIT and order.state == State.DRAFT:
        need_left(session, order)
    return order


def expire(session: Session, today: date | None = None) -> int:
    """Quotes whose last day is over have expired; gives how many."""
    day = today or clock.now().date() + timedelta(days=1)  # no zone of the world is further
    ended = select(Order).where(
        Order.kind == Kind.QUOTE, Order.state == State.SENT, Order.deleted_at.is_(None), Order.valid_until < day
    )
    count = 0
    for quote in session.scalars(ended.order_by(Order.id).with_for_update(skip_locked=True)).all():
        if quote.valid_until is not None and quote.valid_until < (today or clock.today(quote.zone)):
            quote.state, quote.closed_at = State.EXPIRED.value, clock.now()
            tell(session, quote)
            count += 1
    return count


def write_letterhead(session: Session, **fields: object) -> Letterhead:
    """Say what stands on every document, and what a new one begins with."""
    head = session.scalars(select(Letterhead).with_for_update()).first()
    if head is None:
        head = queries.letterhead(session)
        session.add(head)
    for name in ("address", "footer", "terms_en", "terms_de"):
        if name in fields:
            written = str(fields[name] or "").strip()
            if len(written) > 2000:
                raise Invalid(f"{len(written):,} characters are too many.", help="At most 2,000 fit.", field=name)
            setattr(head, name, written)
    if fields.get("quote_days") is not None:
        days = int(str(fields["quote_days"])) if str(fields["quote_days"]).isdigit() else 0
        if not 1 <= days <= 365:
            raise Invalid("A quote is valid for 1 to 365 days.", field="quote_days")
        head.quote_days = days
    session.flush()
    return head
