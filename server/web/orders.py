"""Quotes and orders: the list, the document with its lines, what becomes of it, and an account's trade."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound, WaymarkError
from server.kit.filtering.listing import Listing
from server.kit.ids import uuid7
from server.kit.paging import Cursor, Exact
from server.mail.queries import configured
from server.opportunities import queries as deals
from server.orders import feeding, insights, mailing, queries, service
from server.orders.dealing import begun_from
from server.orders.fields import fields
from server.orders.models import Kind, Order, State
from server.orders.routes import Filter, Search
from server.orders.service import NewLine, NewOrder, OnCurrency
from server.products import queries as products
from server.products.pictures import pictures_of
from server.records.currencies import digits
from server.web.deals import deal_page
from server.web.forms import Sent, fitting, given, needed, read, text
from server.web.pages import attempt, go, render

router = APIRouter(include_in_schema=False)

ReadOrders = Annotated[Scope, requires("orders:read")]
WriteOrders = Annotated[Scope, requires("orders:write")]
ROWS = 50

LOOKS = {
    State.DRAFT: ("pencil", ""), State.SENT: ("send", "info"), State.ACCEPTED: ("check", "good"),
    State.DECLINED: ("x", "bad"), State.EXPIRED: ("clock-alert", "warn"), State.PLACED: ("inbox", "info"),
    State.CONFIRMED: ("check", "info"), State.PARTLY_DELIVERED: ("truck", "warn"), State.DELIVERED: ("truck", "good"),
    State.CANCELLED: ("ban", "bad"), State.CREDITED: ("undo-2", "bad"),
}  # fmt: skip
"""Icon and tint of each state."""

CHIPS = (
    ("Orders", "kind = order"),
    ("Quotes", "kind = quote"),
    ("Drafts", "state = draft"),
    ("Waiting for an answer", "state = sent"),
    ("To deliver", "state in (placed, confirmed, partly_delivered)"),
    ("Last 30 days", "day >= today - 30 days"),
)


@router.get("/orders")
def show_orders(
    request: Request,
    scope: ReadOrders,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: str = "-day",
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    exact: Exact = False,
) -> Response:
    """The list: filtered, searched, sorted, page by page."""
    error, found = None, Listing[queries.Row]([])
    try:
        with attempt(session):
            found = queries.page(
                session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=ROWS, exact=exact
            )
    except WaymarkError as refused:
        error = refused

    def link(**changes: object) -> str:
        kept = {"filter": filter, "q": search, "sort": sort if sort != "-day" else None} | changes
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/orders?{query}" if query else "/orders"

    return render(
        request, "orders/list.html", scope, status=int(error.status) if error else 200, found=found,
        filter=filter or "", search=search or "", sort=sort, first=first, link=link,
        known=scope.askable("order", fields()).values(),
        chips=[(label, term, term == filter) for label, term in CHIPS], looks=LOOKS, error=error, digits=digits,
        query=urlencode({name: value for name, value in (("filter", filter), ("q", search)) if value}),
        restorable=request.query_params.get("deleted"),
    )  # fmt: skip


@router.get("/orders/new")
def show_new(
    request: Request,
    scope: WriteOrders,
    session: Db,
    q: str = "",
    account_id: UUID | None = None,
    kind: Kind = Kind.ORDER,
) -> Response:
    """Choose the account of a new quote or order."""
    found = accounts.page(session, scope, search=q or None, limit=12)
    chosen = session.get(Account, account_id) if account_id else None
    return render(request, "orders/new.html", scope, q=q, found=found, kind=kind, id=uuid7(), chosen=chosen)


@router.post("/orders/new")
def create(request: Request, scope: WriteOrders, session: Db, sent: Sent) -> Response:
    """Begin a quote or an order; the same form sent twice begins one."""
    account_id, deal_id = needed(sent, "account_id", UUID), read(sent, "opportunity_id", UUID)
    kind, id = read(sent, "kind", Kind) or Kind.ORDER, read(sent, "id", UUID)
    if deal_id is None:
        return go(f"/orders/{service.draft(session, scope, NewOrder(account_id, kind, id=id)).id}")
    try:
        with attempt(session):
            order = service.draft(session, scope, begun_from(session, scope, deal_id, kind, id))
    except WaymarkError as error:  # the lines are changed where they stand
        return deal_page(request, scope, session, deal_id, error=error)
    return go(f"/orders/{order.id}")


def shown(session: Session, scope: Scope, order: Order) -> dict[str, Any]:
    """What the document's page shows."""
    session.flush()
    session.refresh(order)
    lines = queries.lines_of(session, order.id)
    known = products.stock_of(session, [line.product_id for line in lines if line.product_id])
    may_write = scope.may("orders:write")
    return {
        "order": order,
        "row": queries.row_of(session, order),
        "lines": lines,
        "numbers": queries.product_numbers(session, [line.product_id for line in lines if line.product_id]),
        "sums": queries.sums(order, lines) if scope.sees("order", "totals") else None,
        "stock": known,
        "places": digits(order.currency),
        "is_draft": order.state == State.DRAFT,
        "may_write": may_write,
        "looks": LOOKS,
        "taxes": products.tax_classes(session),
        "pictures": pictures_of(session, [line.product_id for line in lines if line.product_id]),
    }


def document(
    request: Request, scope: Scope, session: Session, order: Order, error: WaymarkError | None = None
) -> Response:
    """A fragment: the lines and totals of a document, with what was refused."""
    values = shown(session, scope, order) | {"error": error}
    return render(request, "orders/document.html", scope, status=int(error.status) if error else 200, **values)


@router.get("/orders/{order_id}")
def show(request: Request, order_id: UUID, scope: ReadOrders, session: Db) -> Response:
    """One document: its lines, totals, what can be done with it."""
    return page(request, scope, session, queries.find(session, scope, order_id))


def page(request: Request, scope: Scope, session: Session, order: Order, error: WaymarkError | None = None) -> Response:
    """The page of a document, with what was refused."""
    account = session.get_one(Account, accounts.surviving(session, order.account_id))
    codes = {order.currency, *(one.currency for one in products.price_lists(session))}
    sites = accounts.sites_of(session, [account.id])
    values = shown(session, scope, order) | {
        "error": error,
        "account": account,
        "following": queries.following(session, scope, order),
        "currencies": [(code, code) for code in sorted(codes)],
        "sites": [(one.id, one.name or one.street or one.city or "–") for one in sites],
        "has_mail": configured(session) is not None,
        "mailed": request.query_params.get("mailed"),
    }
    return render(request, "orders/detail.html", scope, status=int(error.status) if error else 200, **values)


@router.get("/orders/{order_id}/find")
def find_products(
    request: Request, order_id: UUID, scope: WriteOrders, session: Db, code: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """A fragment: products that fit what is typed."""
    order = queries.find(session, scope, order_id)
    found = products.page(session, scope, search=code, filter="active = yes", limit=8) if code.strip() else None
    pictures = pictures_of(session, [row.product.id for row in found.rows]) if found else {}
    return render(request, "orders/found.html", scope, found=found, order=order, code=code, pictures=pictures)


@router.post("/orders/{order_id}/lines")
def add_line(request: Request, order_id: UUID, scope: WriteOrders, session: Db, sent: Sent) -> Response:
    """Add a line: a number, a barcode or a chosen product, else the words themselves as free text."""
    order = queries.find(session, scope, order_id)
    code, product_id = text(sent, "code"), text(sent, "product_id")
    values: dict[str, object] = {
        name: value for name, value in given(sent, ("quantity", "unit_price")).items() if value
    }
    try:
        with attempt(session):
            if product_id:
                new = NewLine(fitting("product_id", product_id, UUID), fields=values)
            elif "free" in sent:
                new = NewLine(fields={"text": code} | values)
            else:
                new = NewLine(code=code, fields=values)
            service.add_line(session, scope, order_id, new)
    except WaymarkError as error:
        return document(request, scope, session, order, error)
    return document(request, scope, session, order)


@router.post("/orders/{order_id}/lines/{line_id}")
def change_line(
    request: Request, order_id: UUID, line_id: UUID, scope: WriteOrders, session: Db, sent: Sent,
    rev: Annotated[int, Form()],
) -> Response:  # fmt: skip
    """Change a line, or take it out; answers with the lines and totals as they are then."""
    order = queries.find(session, scope, order_id)
    changes = given(sent, ("text", "quantity", "unit_price", "discount_percent", "tax_class_id"))
    try:
        with attempt(session):
            if "remove" in sent:
                service.remove_line(session, scope, order_id, line_id, rev)
            else:
                service.change_line(session, scope, order_id, line_id, rev, changes)
    except WaymarkError as error:
        return document(request, scope, session, order, error)
    return document(request, scope, session, order)


@router.post("/orders/{order_id}/edit")
def edit(
    request: Request, order_id: UUID, scope: WriteOrders, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change what stands around the lines."""
    order = queries.find(session, scope, order_id)
    names = ("reference", "day", "valid_until", "wanted_on", "language", "payment_terms", "note", "internal_note",
             "site_id", "country")  # fmt: skip
    try:
        with attempt(session):
            service.edit(session, scope, order_id, rev, given(sent, names))
            currency = text(sent, "currency")
            if currency and currency != order.currency:
                on = OnCurrency.REPRICE if "reprice" in sent else OnCurrency.REFUSE
                service.change_currency(session, scope, order_id, currency, on)
    except WaymarkError as error:
        return page(request, scope, session, order, error)
    return go(f"/orders/{order_id}")


@router.post("/orders/{order_id}/do/{verb}")
def do(request: Request, order_id: UUID, verb: str, scope: WriteOrders, session: Db, sent: Sent) -> Response:
    """One step of a document: place, accept, decline, order, copy, confirm, deliver, cancel, credit, delete, mail."""
    order = queries.find(session, scope, order_id)
    try:
        with attempt(session):
            return go(step(session, scope, order, verb, sent))
    except WaymarkError as error:
        return page(request, scope, session, order, error)


def step(session: Session, scope: Scope, order: Order, verb: str, sent: Any) -> str:
    """Do one step; gives where the browser goes on."""
    reason = text(sent, "reason")
    plain_steps = {"accept": service.accept, "order": service.order_from, "copy": service.copy,
                   "confirm": service.confirm, "deliver": service.deliver}  # fmt: skip
    if verb in plain_steps:
        much = quantities(sent) if verb == "deliver" else None
        done = service.deliver(session, scope, order.id, much) if much else plain_steps[verb](session, scope, order.id)
    elif verb == "place":
        done = service.place(session, scope, order.id, read(sent, "rev", int) or 0)
    elif verb == "decline":
        done = service.decline(session, scope, order.id, reason)
    elif verb == "cancel":
        done = service.cancel(session, scope, order.id, reason)
    elif verb == "credit":
        done = service.credit(session, scope, order.id, quantities(sent), reason)
    elif verb == "delete":
        service.delete(session, scope, order.id, read(sent, "rev", int) or 0)
        return f"/orders?deleted={order.id}"
    elif verb == "mail":
        mailing.send(session, scope, order.id, text(sent, "to") or "", text(sent, "message"))
        return f"/orders/{order.id}?mailed=1"
    else:
        raise NotFound("There is no such step.")
    return f"/orders/{done.id}"


def quantities(sent: Any) -> dict[UUID, Decimal] | None:
    """How much of which line a form names; None when it names none."""
    found = {}
    for name, value in sent.items():
        if name.startswith("much-") and isinstance(value, str) and value.strip():
            try:
                found[UUID(name.removeprefix("much-"))] = Decimal(value.strip().replace(",", "."))
            except (ValueError, ArithmeticError) as error:
                raise Invalid(f"“{value}” is not a quantity.", help="Write it like 12.") from error
    return found or None


@router.post("/orders/{order_id}/restore")
def restore(order_id: UUID, scope: WriteOrders, session: Db) -> Response:
    """Bring a draft back."""
    service.restore(session, scope, order_id)
    return go(f"/orders/{order_id}")


@router.get("/orders/of-deal/{deal_id}")
def show_of_deal(request: Request, deal_id: UUID, scope: ReadOrders, session: Db) -> Response:
    """A fragment: the quotes and orders of a deal, and the way to new ones."""
    deal = deals.find(session, scope, deal_id)
    found = queries.page(session, scope, opportunity_id=deal_id, limit=20).rows
    return render(
        request, "orders/of_deal.html", scope, deal=deal, found=found, looks=LOOKS, id=uuid7(), quote_id=uuid7(),
        may_write=scope.may("orders:write"),
    )  # fmt: skip


@router.get("/accounts/{account_id}/trade")
def show_trade(request: Request, account_id: UUID, scope: ReadOrders, session: Db) -> Response:
    """A fragment: an account's orders, what it buys, and what its orders change by themselves."""
    account = find_account(session, scope, account_id, "orders:read")
    today = accounts.today_of(scope)
    rhythm = feeding.rhythm_of(session, account_id, today)
    found = insights.insights(session, account_id, today)
    if not scope.sees("order", "totals"):
        found = replace(found, months=[], other_currencies=[], top=[])
    most = max((month.net for month in found.months), default=Decimal(0))
    return render(
        request, "orders/trade.html", scope, account=account, latest=insights.latest(session, scope, account_id),
        found=found, most=most, rhythm=rhythm, habit=feeding.habit_of(session, account_id), looks=LOOKS,
        may_write=scope.may("orders:write"), id=uuid7(), quote_id=uuid7(),
        year=sum((month.net for month in found.months[-12:]), Decimal(0)),
        year_before=sum((month.net for month in found.months[:-12]), Decimal(0)),
    )  # fmt: skip


def find_account(session: Session, scope: Scope, account_id: UUID, permission: str) -> Account:
    """The account, when the permission reaches it."""
    statement = accounts.visible_to(scope, permission).where(Account.id == account_id)
    account = session.scalars(statement).one_or_none()
    if account is None:
        raise NotFound("There is no such account.")
    return account


@router.post("/accounts/{account_id}/trade")
def set_habit(request: Request, account_id: UUID, scope: WriteOrders, session: Db, sent: Sent) -> Response:
    """Say what an account's orders change by themselves."""
    find_account(session, scope, account_id, "orders:write")
    feeding.set_habit(
        session, account_id, value_follows="value_follows" in sent, asks_for_visits="asks_for_visits" in sent
    )
    return show_trade(request, account_id, scope, session)
