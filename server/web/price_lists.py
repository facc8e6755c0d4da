"""Pages of price lists, taxes, and what stands on documents."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.orders import queries as orders
from server.orders import service as order_service
from server.products import queries, service
from server.products.models import PriceList
from server.products.queries import Customer
from server.products.values import PRICE_LIST
from server.territories.queries import active
from server.web.forms import Sent, given, needed, text
from server.web.pages import attempt, go, render

router = APIRouter(include_in_schema=False)

ReadProducts = Annotated[Scope, requires("products:read")]
WriteProducts = Annotated[Scope, requires("products:write")]


@router.get("/price-lists")
def show_lists(request: Request, scope: ReadProducts, session: Db) -> Response:
    """The price lists, taxes, and what stands on documents."""
    return lists_page(request, scope, session)


def lists_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    lists = queries.price_lists(session)
    rates = queries.tax_rates(session)
    return render(
        request, "products/lists.html", scope, status=int(error.status) if error else 200, lists=lists, error=error,
        names={one.id: one.name for one in lists}, may_write=scope.may("products:write"), tab="lists",
        uses={one.id: use_names(session, one.id) for one in lists}, head=orders.letterhead(session),
        taxes=[(one, rates.get(one.id, [])) for one in queries.tax_classes(session)],
    )  # fmt: skip


def use_names(session: Session, list_id: UUID) -> list[str]:
    """For whom a list is, in words; an empty word is everybody."""
    found, areas = [], {one.id: one.name for one in active(session)}
    for use in queries.uses_of(session, list_id):
        if use.account_id:
            account = session.get(Account, use.account_id)
            found.append(account.name if account else "?")
        elif use.territory_id:
            found.append(areas.get(use.territory_id, "?"))
        else:
            found.append(use.account_class or "")
    return found


@router.post("/price-lists")
def create_list(request: Request, scope: WriteProducts, session: Db, sent: Sent) -> Response:
    """Begin a price list."""
    try:
        with attempt(session):
            one = service.create_list(session, list_fields(sent))
            if "everybody" in sent:
                service.use_list(session, one.id, [Customer()])
    except WaymarkError as error:
        return lists_page(request, scope, session, error)
    return go(f"/price-lists/{one.id}")


def list_fields(sent: Any) -> dict[str, object]:
    """The fields of a price list in the form."""
    values: dict[str, object] = dict(given(sent, [name for name in PRICE_LIST if name != "is_gross"]))
    return values | {"is_gross": "is_gross" in sent}


@router.post("/price-lists/taxes")
def set_tax(request: Request, scope: WriteProducts, session: Db, sent: Sent) -> Response:
    """Say what a tax class means in a country from a day on; a new name makes a new class."""
    try:
        with attempt(session):
            made = service.tax_class(session, text(sent, "tax_class"))
            first = needed(sent, "valid_from", date.fromisoformat)
            service.set_rate(session, made.id, text(sent, "country") or "", first, text(sent, "percent"))
    except WaymarkError as error:
        return lists_page(request, scope, session, error)
    return go("/price-lists#taxes")


@router.post("/price-lists/letterhead")
def set_letterhead(request: Request, scope: WriteProducts, session: Db, sent: Sent) -> Response:
    """Say what stands on every document."""
    names = ("address", "footer", "terms_en", "terms_de", "quote_days")
    try:
        with attempt(session):
            order_service.write_letterhead(session, **given(sent, names))
    except WaymarkError as error:
        return lists_page(request, scope, session, error)
    return go("/price-lists#letterhead")


def found_list(session: Session, list_id: UUID) -> PriceList:
    """The price list; a deleted one is not there."""
    one = session.get(PriceList, list_id)
    if one is None or one.deleted_at is not None:
        raise NotFound("There is no such price list.")
    return one


@router.get("/price-lists/{list_id}")
def show_list(request: Request, list_id: UUID, scope: ReadProducts, session: Db) -> Response:
    """One price list with its prices."""
    return list_page(request, scope, session, found_list(session, list_id))


def list_page(
    request: Request, scope: Scope, session: Session, one: PriceList, error: WaymarkError | None = None
) -> Response:
    """The page of a price list, with what was refused."""
    session.refresh(one)
    known = queries.uses_of(session, one.id)
    ids = [use.account_id for use in known if use.account_id]
    return render(
        request, "products/price_list.html", scope, status=int(error.status) if error else 200, one=one, error=error,
        prices=queries.prices_in(session, one.id), may_write=scope.may("products:write"),
        bases=[("", "–"), *((each.id, each.name) for each in queries.price_lists(session) if each.id != one.id)],
        areas=[(each.id, each.name) for each in active(session)],
        classes={use.account_class for use in known}, area_ids={use.territory_id for use in known},
        accounts=session.execute(select(Account.id, Account.name).where(Account.id.in_(ids))).all(),
        is_for_all=any(not (use.account_id or use.account_class or use.territory_id) for use in known),
    )  # fmt: skip


@router.post("/price-lists/{list_id}")
def edit_list(
    request: Request, list_id: UUID, scope: WriteProducts, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change a price list, its prices and whom it is for: what the form names."""
    one = found_list(session, list_id)
    try:
        with attempt(session):
            change_list(session, one, rev, sent)
    except WaymarkError as error:
        return list_page(request, scope, session, one, error)
    return go(f"/price-lists/{list_id}")


@router.post("/price-lists/{list_id}/delete")
def delete_list(
    request: Request, list_id: UUID, scope: WriteProducts, session: Db, rev: Annotated[int, Form()]
) -> Response:
    """Take a price list away; it lies in the bin."""
    one = found_list(session, list_id)
    try:
        with attempt(session):
            service.delete_list(session, list_id, rev)
    except WaymarkError as error:
        return list_page(request, scope, session, one, error)
    return go("/price-lists")


def change_list(session: Session, one: PriceList, rev: int, sent: Any) -> None:
    """One of the page's forms: a price, one that goes, whom the list is for, or the list itself."""
    if "code" in sent:
        product = queries.by_code(session, text(sent, "code") or "")
        if product is None:
            raise NotFound(f"“{text(sent, 'code') or ''}” is no number and no barcode.", field="code")
        service.set_price(session, one.id, product.id, text(sent, "unit_price"), text(sent, "min_quantity") or 1)
    elif dropped := text(sent, "drop"):
        service.drop_price(session, UUID(dropped))
    elif "uses" in sent:
        whom = [Customer(account_class=name) for name in sent.getlist("class")]
        whom += [Customer(territory_id=UUID(area)) for area in sent.getlist("area")]
        whom += [Customer(account_id=UUID(account)) for account in sent.getlist("account")]
        number = text(sent, "account_number")
        if number:
            account = session.scalars(
                select(Account).where(Account.number == number, Account.deleted_at.is_(None))
            ).first()
            if account is None:
                raise NotFound(f"There is no account with the number {number}.", field="account_number")
            whom.append(Customer(account_id=account.id))
        service.use_list(session, one.id, [*whom, *([Customer()] if "everybody" in sent else [])])
    else:
        service.edit_list(session, one.id, rev, list_fields(sent))
