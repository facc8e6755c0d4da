"""JSON API of quotes, orders and credit notes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.routes import chunks
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Exact, Limit, Page
from server.orders import exporting, feeding, mailing, printing, queries, service
from server.orders.models import Order
from server.orders.schemas import (
    CurrencyWrite,
    HabitRead,
    HabitWrite,
    LetterheadRead,
    LetterheadWrite,
    LineFields,
    LineWrite,
    MailWrite,
    OrderFields,
    OrderListed,
    OrderRead,
    OrderWrite,
    QuantitiesWrite,
    ReasonWrite,
)
from server.orders.service import OnCurrency

router = APIRouter(prefix="/api/v1", tags=["orders"])

ReadOrders = Annotated[Scope, requires("orders:read")]
WriteOrders = Annotated[Scope, requires("orders:write")]
ExportOrders = Annotated[Scope, requires("orders:export")]
WriteProducts = Annotated[Scope, requires("products:write")]

Filter = Annotated[
    str | None, Query(max_length=4000, description="In the filter language, e.g. kind = order and gross > 1000.")
]
Search = Annotated[str | None, Query(alias="q", max_length=200, description="Number, reference or account.")]


def read(session: Session, order: Order) -> OrderRead:
    """A document in full."""
    return OrderRead.whole(queries.row_of(session, order), queries.lines_of(session, order.id))


def answer(session: Session, order: Order, response: Response) -> OrderRead:
    """A document in full, with its revision in the answer's ETag."""
    session.flush()
    session.refresh(order)
    tag(response, order.rev)
    return read(session, order)


@router.get("/orders")
def list_orders(
    scope: ReadOrders,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    account_id: UUID | None = None,
    opportunity_id: UUID | None = None,
    sort: str = "-day",
    cursor: Cursor = None,
    limit: Limit = 50,
    exact: Exact = False,
) -> Page[OrderListed]:
    """The quotes, orders and credit notes you may see, the latest first."""
    found = queries.page(
        session, scope, filter=filter, search=search, account_id=account_id, opportunity_id=opportunity_id, sort=sort,
        cursor=cursor, limit=limit, exact=exact,
    )  # fmt: skip
    items = [OrderListed.of(row) for row in found.rows]
    return Page(items=items, next_cursor=found.next_cursor, total=found.total, total_is_estimated=found.is_estimated)


@router.get("/orders/export.{kind}")
def export(
    kind: exporting.Format, scope: ExportOrders, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The lines of the documents you may export as CSV or XLSX; no limit."""
    file = exporting.export(session, scope, kind, filter=filter, search=search)
    name = f"orders-{accounts.today_of(scope).isoformat()}.{kind}"
    return StreamingResponse(
        chunks(file),
        media_type=exporting.MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/orders", status_code=201)
def create(body: OrderWrite, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """Begin a quote or an order; sent again with the same id it is the same one."""
    order = service.draft(session, scope, body.wanted())
    response.headers["Location"] = f"/api/v1/orders/{order.id}"
    return answer(session, order, response)


@router.get("/orders/{order_id}")
def get(order_id: UUID, scope: ReadOrders, session: Db, response: Response) -> OrderRead:
    """One document with its lines, taxes and reasons."""
    return answer(session, queries.find(session, scope, order_id), response)


@router.patch("/orders/{order_id}")
def change(
    order_id: UUID, body: OrderFields, scope: WriteOrders, session: Db, base: BaseRevision, response: Response
) -> OrderRead:
    """Change fields; merged field by field, 412 with both values where one clashes."""
    return answer(session, service.edit(session, scope, order_id, base, body.given()), response)


@router.delete("/orders/{order_id}", status_code=204)
def delete(order_id: UUID, scope: WriteOrders, session: Db, base: BaseRevision) -> None:
    """Throw a draft away."""
    service.delete(session, scope, order_id, base)


@router.post("/orders/{order_id}/restore")
def restore(order_id: UUID, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """Bring a draft back that was thrown away."""
    service.restore(session, scope, order_id)
    return get(order_id, scope, session, response)


@router.post("/orders/{order_id}/lines", status_code=201)
def add_line(order_id: UUID, body: LineWrite, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """Add a line to a draft; answers with the whole document and its new totals."""
    service.add_line(session, scope, order_id, body.wanted())
    return get(order_id, scope, session, response)


@router.patch("/orders/{order_id}/lines/{line_id}")
def change_line(
    order_id: UUID, line_id: UUID, body: LineFields, scope: WriteOrders, session: Db, base: BaseRevision,
    response: Response,
) -> OrderRead:  # fmt: skip
    """Change a line (If-Match: the line's `rev`); a null `unit_price` asks the price lists again."""
    service.change_line(session, scope, order_id, line_id, base, body.given())
    return get(order_id, scope, session, response)


@router.delete("/orders/{order_id}/lines/{line_id}")
def remove_line(
    order_id: UUID, line_id: UUID, scope: WriteOrders, session: Db, base: BaseRevision, response: Response
) -> OrderRead:
    """Take a line out of a draft."""
    service.remove_line(session, scope, order_id, line_id, base)
    return get(order_id, scope, session, response)


@router.put("/orders/{order_id}/currency")
def change_currency(
    order_id: UUID, body: CurrencyWrite, scope: WriteOrders, session: Db, response: Response
) -> OrderRead:
    """Change a draft's currency: refused once there are lines, or every line is priced anew."""
    order = service.change_currency(session, scope, order_id, body.currency, OnCurrency(body.on))
    return answer(session, order, response)


@router.post("/orders/{order_id}/place")
def place(order_id: UUID, scope: WriteOrders, session: Db, base: BaseRevision, response: Response) -> OrderRead:
    """Send a quote, place an order or a credit note: it gets its number."""
    return answer(session, service.place(session, scope, order_id, base), response)


@router.post("/orders/{order_id}/accept")
def accept(order_id: UUID, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """The customer takes a quote."""
    return answer(session, service.accept(session, scope, order_id), response)


@router.post("/orders/{order_id}/decline")
def decline(order_id: UUID, body: ReasonWrite, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """The customer does not take a quote."""
    return answer(session, service.decline(session, scope, order_id, body.reason), response)


@router.post("/orders/{order_id}/order", status_code=201)
def order_from(order_id: UUID, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """Make an order of a quote; both stay, and asking again gives the same order."""
    return answer(session, service.order_from(session, scope, order_id), response)


@router.post("/orders/{order_id}/copy", status_code=201)
def copy(order_id: UUID, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """A new draft like this one, at today's prices."""
    return answer(session, service.copy(session, scope, order_id), response)


@router.post("/orders/{order_id}/confirm")
def confirm(order_id: UUID, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """The company will deliver."""
    return answer(session, service.confirm(session, scope, order_id), response)


@router.post("/orders/{order_id}/deliver")
def deliver(order_id: UUID, body: QuantitiesWrite, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """Goods have arrived: all that is open, or so much more of some lines."""
    return answer(session, service.deliver(session, scope, order_id, body.lines), response)


@router.post("/orders/{order_id}/cancel")
def cancel(order_id: UUID, body: ReasonWrite, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """Call an order off before anything was delivered."""
    return answer(session, service.cancel(session, scope, order_id, body.reason), response)


@router.post("/orders/{order_id}/credit", status_code=201)
def credit(order_id: UUID, body: QuantitiesWrite, scope: WriteOrders, session: Db, response: Response) -> OrderRead:
    """Begin a credit note for some lines of an order, or for all that is left of it."""
    return answer(session, service.credit(session, scope, order_id, body.lines, body.reason), response)


@router.get("/orders/{order_id}/document.pdf")
def document(order_id: UUID, scope: ReadOrders, session: Db) -> Response:
    """The document as a PDF; the same document is the same bytes."""
    scope.need_sees("order", "totals")
    order = queries.find(session, scope, order_id)
    paper = printing.paper_of(session, order)
    headers = {"Content-Disposition": f'inline; filename="{paper.file_name}"'}
    return Response(printing.render(paper), media_type="application/pdf", headers=headers)


@router.post("/orders/{order_id}/mail", status_code=202)
def mail(order_id: UUID, body: MailWrite, scope: WriteOrders, session: Db) -> dict[str, str]:
    """Mail the document to the customer; the same document goes to the same address once."""
    message = mailing.send(session, scope, order_id, body.to, body.message)
    return {"message_id": str(message.id), "state": message.state}


@router.get("/accounts/{account_id}/order-habit")
def get_habit(account_id: UUID, scope: ReadOrders, session: Db) -> HabitRead:
    """How often an account orders, and what its orders change by themselves."""
    _need_account(session, scope, account_id, "orders:read")
    rhythm = feeding.rhythm_of(session, account_id, accounts.today_of(scope))
    return HabitRead.of(feeding.habit_of(session, account_id), rhythm)


@router.put("/accounts/{account_id}/order-habit")
def set_habit(account_id: UUID, body: HabitWrite, scope: WriteOrders, session: Db) -> HabitRead:
    """Say what an account's orders change by themselves."""
    _need_account(session, scope, account_id, "orders:write")
    feeding.set_habit(session, account_id, value_follows=body.value_follows, asks_for_visits=body.asks_for_visits)
    return get_habit(account_id, scope, session)


def _need_account(session: Session, scope: Scope, account_id: UUID, permission: str) -> None:
    reach = accounts.visible_to(scope, permission).where(Account.id == account_id)
    if session.scalars(reach).one_or_none() is None:
        raise NotFound("There is no such account.", id=str(account_id))


@router.get("/letterhead")
def get_letterhead(scope: ReadOrders, session: Db) -> LetterheadRead:
    """What stands on every document."""
    return LetterheadRead.model_validate(queries.letterhead(session))


@router.put("/letterhead")
def set_letterhead(body: LetterheadWrite, scope: WriteProducts, session: Db) -> LetterheadRead:
    """Say what stands on every document."""
    return LetterheadRead.model_validate(service.write_letterhead(session, **body.given()))
