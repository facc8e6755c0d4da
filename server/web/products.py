"""The catalogue's pages."""

from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.files import service as files
from server.files import store
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.filtering.listing import Listing
from server.kit.paging import Cursor, Exact
from server.kit.settings import settings
from server.products import exporting, joining, pictures, queries, service
from server.products.fields import fields
from server.products.models import PriceList, Product
from server.products.pricing import price_of
from server.products.queries import Customer
from server.products.routes import Filter, Search
from server.products.values import PRODUCT
from server.web.forms import Sent, given, read, text
from server.web.joining import merges_into
from server.web.pages import attempt, go, render
from server.web.pairs import PRODUCTS

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
    exact: Exact = False,
) -> Response:
    """The catalogue: filtered, searched, sorted, page by page."""
    error, found = None, Listing[queries.Row]([])
    try:
        with attempt(session):
            found = queries.page(
                session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=ROWS, exact=exact
            )
    except WaymarkError as refused:
        error = refused

    def link(**changes: object) -> str:
        kept = {"filter": filter, "q": search, "sort": sort if sort != "name" else None} | changes
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/products?{query}" if query else "/products"

    return render(
        request, "products/list.html", scope, status=int(error.status) if error else 200, found=found,
        filter=filter or "", search=search or "", sort=sort, first=first, link=link, known=fields().values(),
        chips=[(label, term, term == filter) for label, term in CHIPS], error=error,
        prices=usual_prices(session, [row.product.id for row in found.rows]), tab="products",
        shown=pictures.pictures_of(session, [row.product.id for row in found.rows]),
        query=urlencode({name: value for name, value in (("filter", filter), ("q", search)) if value}),
        restorable=request.query_params.get("deleted"),
    )  # fmt: skip


def usual_prices(session: Session, product_ids: list[UUID]) -> dict[UUID, Any]:
    """What products cost everybody today, one of each."""
    book = queries.book_of(session, Customer(), product_ids)
    today = clock.today(settings().zone)
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
        values=values, error=error, may_write=scope.may("products:write"),
        categories=[("", "–"), *queries.categories(session)],
        taxes=[("", "–"), *((one.id, one.name) for one in queries.tax_classes(session))],
        others=[("", "–"), *((key, name) for key, name in others if product is None or key != product.id)],
        stock=queries.stock_of(session, [product.id]).get(product.id, []) if product else [],
        prices=[] if product is None else prices_of(session, product.id),
        alike=joining.alike(session, scope, product) if product and scope.may("products:write") else [],
        merges=merges_into(session, PRODUCTS, product) if product else [],
        picture=pictures.pictures_of(session, [product.id]).get(product.id) if product else None,
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
        values["category_id"] = service.category(session, fresh, read(sent, "category_id", UUID)).id
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
    """The product, or the one that it was merged into; a deleted one is not there."""
    product = queries.standing(session, session.get(Product, product_id))
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
def show_import(_scope: WriteProducts) -> Response:
    """Products come in by the page of all imports."""
    return go("/imports?kind=products")


@router.get("/products/{product_id}")
def show(request: Request, product_id: UUID, scope: ReadProducts, session: Db) -> Response:
    """One product."""
    product = found_product(session, product_id)
    if product.id != product_id:
        return go(f"/products/{product.id}")
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


@router.post("/products/{product_id}/picture")
def set_picture(
    request: Request, product_id: UUID, scope: WriteProducts, session: Db, file: Annotated[UploadFile, File()]
) -> Response:
    """Show a product with a picture."""
    product, name = found_product(session, product_id), file.filename or "picture"
    try:
        with attempt(session):
            kept = files.keep(session, store.take(name, file.file.read()), name, scope.user_id)
            pictures.show_with(session, product_id, kept.id, scope.user_id)
    except WaymarkError as error:
        return form(request, scope, session, product, {name: getattr(product, name) for name in PRODUCT}, error)
    return go(f"/products/{product_id}")


@router.post("/products/{product_id}/picture/delete")
def drop_picture(product_id: UUID, _scope: WriteProducts, session: Db) -> Response:
    """Show a product without a picture."""
    pictures.show_without(session, product_id)
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
