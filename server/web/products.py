"""The catalogue's pages: products, price lists, taxes, and what stands on documents."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.imports import queries as import_queries
from server.imports.models import ImportRun
from server.imports.uploads import Received, SizeChecked
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound, WaymarkError
from server.kit.paging import Cursor
from server.orders import queries as orders
from server.orders import service as order_service
from server.products import exporting, queries, service
from server.products.fields import fields
from server.products.importing import routes as importing
from server.products.importing.target import TARGET
from server.products.models import PriceList, Product
from server.products.money import plain
from server.products.pricing import price_of
from server.products.queries import Customer
from server.products.routes import Filter, Search
from server.products.values import PRICE_LIST, PRODUCT
from server.territories.queries import active
from server.web.forms import Sent, given, text
from server.web.pages import attempt, go, render

router = APIRouter(include_in_schema=False)

ReadProducts = Annotated[Scope, requires("products:read")]
WriteProducts = Annotated[Scope, requires("products:write")]
ROWS = 50
CHIPS = (("Is sold", "active = yes"), ("Sold no more", "active = no"), ("Low stock", "stock < 10"))


@router.get("/products")
def show_products(
    request: Request,
    scope: ReadProducts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: str = "name",
    cursor: Cursor = None,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """The catalogue: filtered, searched, sorted, page by page."""
    error, found = None, queries.Listing([], None, 0)
    try:
        with attempt(session):
            found = queries.page(session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=ROWS)
    except WaymarkError as refused:
        error = refused

    def link(**changes: object) -> str:
        kept = {"filter": filter, "q": search, "sort": sort if sort != "name" else None} | changes
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/products?{query}" if query else "/products"

    return render(
        request, "products/list.html", scope, status=int(error.status) if error else 200, found=found,
        filter=filter or "", search=search or "", sort=sort, first=first, link=link, known=fields().values(),
        chips=[(label, term, term == filter) for label, term in CHIPS], error=error, plain=plain,
        prices=usual_prices(session, [row.product.id for row in found.rows]), tab="products",
        query=urlencode({name: value for name, value in (("filter", filter), ("q", search)) if value}),
        restorable=request.query_params.get("deleted"),
    )  # fmt: skip


def usual_prices(session: Session, product_ids: list[UUID]) -> dict[UUID, Any]:
    """What products cost everybody today, one of each."""
    book = queries.book_of(session, Customer(), product_ids)
    today = clock.now().date()
    return {one: found for one in product_ids if (found := price_of(book, one, Decimal(1), today))}


@router.get("/products/new")
def show_new(request: Request, scope: WriteProducts, session: Db) -> Response:
    """The form of a new product."""
    return form(request, scope, session, None, {"unit": "pc", "is_active": True})


def form(
    request: Request,
    scope: Scope,
    session: Session,
    product: Product | None,
    values: dict[str, Any],
    error: WaymarkError | None = None,
) -> Response:
    """The page of a product, with what was refused."""
    others = session.execute(
        select(Product.id, Product.name).where(Product.deleted_at.is_(None), Product.is_active).order_by(Product.name)
    ).all()
    return render(
        request, "products/detail.html", scope, status=int(error.status) if error else 200, product=product,
        values=values, error=error, may_write=scope.may("products:write"), plain=plain,
        categories=[("", "–"), *queries.categories(session)],
        taxes=[("", "–"), *((one.id, one.name) for one in queries.tax_classes(session))],
        others=[("", "–"), *((key, name) for key, name in others if product is None or key != product.id)],
        stock=queries.stock_of(session, [product.id]).get(product.id, []) if product else [],
        prices=[] if product is None else prices_of(session, product.id),
    )  # fmt: skip


def prices_of(session: Session, product_id: UUID) -> list[tuple[PriceList, Any]]:
    """The price lists that name a product."""
    found = []
    for one in queries.price_lists(session):
        found += [(one, price) for price, product in queries.prices_in(session, one.id) if product.id == product_id]
    return found


def wanted(sent: Any, session: Session) -> dict[str, object]:
    """The fields of the form; a new category is made on the way."""
    values: dict[str, object] = dict(given(sent, [name for name in PRODUCT if name != "is_active"]))
    values["is_active"] = "is_active" in sent
    fresh = text(sent, "new_category")
    if fresh:
        parent = text(sent, "category_id")
        values["category_id"] = service.category(session, fresh, UUID(parent) if parent else None).id
    return values


@router.post("/products/new")
def create(request: Request, scope: WriteProducts, session: Db, sent: Sent) -> Response:
    """Take a product into the catalogue."""
    try:
        with attempt(session):
            values = {name: value for name, value in wanted(sent, session).items() if value is not None}
            product = service.create(session, values)
    except WaymarkError as error:
        return form(request, scope, session, None, dict(sent), error)
    return go(f"/products/{product.id}")


def found_product(session: Session, product_id: UUID) -> Product:
    """The product; a deleted one is not there."""
    product = session.get(Product, product_id)
    if product is None or product.deleted_at is not None:
        raise NotFound("There is no such product.")
    return product


@router.get("/products/export.{kind}")
def export(
    kind: exporting.Format, scope: ReadProducts, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The catalogue as a file."""
    return exporting.answer(session, scope, kind, filter=filter, search=search)


@router.get("/products/import")
def show_import(request: Request, scope: WriteProducts, session: Db, run: UUID | None = None) -> Response:
    """Bring products, prices and stock in from a file: the upload, or what would become of it."""
    return import_page(request, scope, session, importing.find(session, run) if run else None)


def import_page(
    request: Request, scope: Scope, session: Session, run: ImportRun | None, error: WaymarkError | None = None
) -> Response:
    """The page of an import, with what was refused."""
    rows = import_queries.outcomes(session, run.id, limit=ROWS) if run else []
    return render(
        request, "products/import.html", scope, status=int(error.status) if error else 200, run=run, rows=rows,
        error=error, tab="import", columns=TARGET.columns,
        lists=[("", "–"), *((one.id, one.name) for one in queries.price_lists(session))],
    )  # fmt: skip


@router.post("/products/import", dependencies=[SizeChecked])
def upload(request: Request, scope: WriteProducts, upload: Received, session: Db) -> Response:
    """Take a file in and try it."""
    try:
        with attempt(session):
            run = importing.receive(session, scope, upload)
    except WaymarkError as error:
        return import_page(request, scope, session, None, error)
    return go(f"/products/import?run={run.id}")


@router.post("/products/import/{run_id}/{verb}")
def finish_import(request: Request, run_id: UUID, verb: str, scope: WriteProducts, session: Db) -> Response:
    """Apply an import, or take it back."""
    run = importing.find(session, run_id)
    try:
        with attempt(session):
            (importing.apply if verb == "apply" else importing.undo)(run_id, scope, session)
    except WaymarkError as error:
        session.refresh(run)
        return import_page(request, scope, session, run, error)
    return go(f"/products/import?run={run_id}")


@router.get("/products/{product_id}")
def show(request: Request, product_id: UUID, scope: ReadProducts, session: Db) -> Response:
    """One product."""
    product = found_product(session, product_id)
    return form(request, scope, session, product, {name: getattr(product, name) for name in PRODUCT})


@router.post("/products/{product_id}")
def edit(
    request: Request, product_id: UUID, scope: WriteProducts, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change a product that was seen at a revision; what others changed meanwhile is merged."""
    product = found_product(session, product_id)
    try:
        with attempt(session):
            service.edit(session, product_id, rev, wanted(sent, session))
    except WaymarkError as error:
        session.refresh(product)
        return form(
            request, scope, session, product, {name: getattr(product, name) for name in PRODUCT} | dict(sent), error
        )
    return go(f"/products/{product_id}")


@router.post("/products/{product_id}/stock")
def note_stock(request: Request, product_id: UUID, scope: WriteProducts, session: Db, sent: Sent) -> Response:
    """Note how much there is."""
    product = found_product(session, product_id)
    try:
        with attempt(session):
            service.note_stock(session, product_id, text(sent, "quantity"), warehouse=text(sent, "warehouse") or "")
    except WaymarkError as error:
        return form(request, scope, session, product, {name: getattr(product, name) for name in PRODUCT}, error)
    return go(f"/products/{product_id}")


@router.post("/products/{product_id}/delete")
def delete(product_id: UUID, _scope: WriteProducts, session: Db, rev: Annotated[int, Form()]) -> Response:
    """Take a product away; the list offers to bring it back."""
    service.delete(session, product_id, rev)
    return go(f"/products?deleted={product_id}")


@router.post("/products/{product_id}/restore")
def restore(product_id: UUID, _scope: WriteProducts, session: Db) -> Response:
    """Bring a deleted product back."""
    service.restore(session, product_id)
    return go(f"/products/{product_id}")


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
        names={one.id: one.name for one in lists}, plain=plain, may_write=scope.may("products:write"), tab="lists",
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
            begins = text(sent, "valid_from")
            if begins is None:
                raise Invalid("From: is missing.", help="Choose the first day.", field="valid_from")
            first = date.fromisoformat(begins)
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
        prices=queries.prices_in(session, one.id), plain=plain, may_write=scope.may("products:write"),
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
