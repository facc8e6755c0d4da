"""JSON API of the catalogue."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.files.service import answer
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Exact, Limit, Page
from server.products import joining, pictures, queries, service
from server.products.models import PriceList, TaxClass
from server.products.queries import Customer
from server.products.schemas import (
    CategoryMove,
    CategoryRead,
    CategoryWrite,
    LikeProduct,
    PictureWrite,
    PriceListFields,
    PriceListRead,
    PriceRead,
    PriceWrite,
    ProductFields,
    ProductRead,
    ProductWrite,
    RateRead,
    RateWrite,
    StockRead,
    StockWrite,
    TaxClassRead,
    TaxClassWrite,
    UseRead,
    UseWrite,
)
from server.records.joining import of_winner
from server.records.schemas import JoinRead, JoinWrite

router = APIRouter(prefix="/api/v1", tags=["products"])

ReadProducts = Annotated[Scope, requires("products:read")]
WriteProducts = Annotated[Scope, requires("products:write")]

Filter = Annotated[
    str | None, Query(max_length=4000, description="In the filter language, e.g. active = yes and stock < 10.")
]
Search = Annotated[str | None, Query(alias="q", max_length=200, description="Words, a number or a barcode.")]


def read(session: Session, scope: Scope, product_id: UUID) -> ProductRead:
    """One product with its stock."""
    row = queries.detail(session, scope, product_id)
    if row is None:
        raise NotFound("There is no such product.", id=str(product_id))
    stock = queries.stock_of(session, [product_id]).get(product_id, [])
    return ProductRead.of(row, stock, pictures.pictures_of(session, [product_id]).get(product_id))


@router.get("/products")
def list_products(
    scope: ReadProducts,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: str = "name",
    cursor: Cursor = None,
    limit: Limit = 50,
    exact: Exact = False,
) -> Page[ProductRead]:
    """The catalogue, page by page."""
    found = queries.page(
        session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=limit, exact=exact
    )
    ids = [row.product.id for row in found.rows]
    stock, shown = queries.stock_of(session, ids), pictures.pictures_of(session, ids)
    items = [ProductRead.of(row, stock.get(row.product.id, []), shown.get(row.product.id)) for row in found.rows]
    return Page(items=items, next_cursor=found.next_cursor, total=found.total, total_is_estimated=found.is_estimated)


@router.post("/products", status_code=201)
def create(body: ProductWrite, scope: WriteProducts, session: Db, response: Response) -> ProductRead:
    """Take a product into the catalogue."""
    fields = {name: value for name, value in body.given().items() if name != "id"}
    product = service.create(session, fields, id=body.id)
    response.headers["Location"] = f"/api/v1/products/{product.id}"
    return get(product.id, scope, session, response)


@router.get("/products/{product_id}")
def get(product_id: UUID, scope: ReadProducts, session: Db, response: Response) -> ProductRead:
    """One product."""
    found = read(session, scope, product_id)
    tag(response, found.rev)
    return found


@router.patch("/products/{product_id}")
def change(
    product_id: UUID, body: ProductFields, scope: WriteProducts, session: Db, base: BaseRevision, response: Response
) -> ProductRead:
    """Change fields; merged field by field, 412 with both values where one clashes."""
    service.edit(session, product_id, base, body.given())
    return get(product_id, scope, session, response)


@router.delete("/products/{product_id}", status_code=204)
def delete(product_id: UUID, _scope: WriteProducts, session: Db, base: BaseRevision) -> None:
    """Take a product away; orders keep their lines."""
    service.delete(session, product_id, base)


@router.post("/products/{product_id}/restore")
def restore(product_id: UUID, scope: WriteProducts, session: Db, response: Response) -> ProductRead:
    """Bring a deleted product back."""
    service.restore(session, product_id)
    return get(product_id, scope, session, response)


@router.get("/products/{product_id}/duplicates")
def list_duplicates(product_id: UUID, scope: ReadProducts, session: Db) -> Page[LikeProduct]:
    """Products that may be the same article, with the reason."""
    product = queries.find(session, scope, product_id)
    found = joining.alike(session, scope, product)
    return Page(items=[LikeProduct(id=one.id, number=one.number, name=one.name, why=why) for one, why in found])


@router.post("/products/{product_id}/merge", status_code=201)
def merge(product_id: UUID, body: JoinWrite, scope: WriteProducts, session: Db) -> JoinRead:
    """Let another product go into this one: its prices and stock follow, lines that name it mean this one.

    The same request twice is one merge; it can be undone for 30 days.
    """
    return JoinRead.of(joining.merge(session, scope, product_id, body.loser_id, body.choices, body.revs))


@router.get("/products/{product_id}/merges")
def list_merges(product_id: UUID, scope: ReadProducts, session: Db) -> Page[JoinRead]:
    """What was merged into a product and can be taken back, the latest first."""
    product = queries.find(session, scope, product_id)
    return Page(items=[JoinRead.of(one) for one in of_winner(session, "product", product.id)])


@router.post("/product-merges/{merge_id}/undo")
def undo_merge(merge_id: UUID, scope: WriteProducts, session: Db) -> JoinRead:
    """Take a merge back: both products are as before, but for what was edited since; refused after 30 days."""
    return JoinRead.of(*joining.undo(session, scope, merge_id))


@router.put("/products/{product_id}/stock")
def note_stock(product_id: UUID, body: StockWrite, _scope: WriteProducts, session: Db) -> StockRead:
    """Note how much there is in a warehouse; an older word than the known one changes nothing."""
    level = service.note_stock(session, product_id, body.quantity, body.as_of, body.warehouse)
    return StockRead.model_validate(level)


@router.get("/products/{product_id}/picture")
def picture(
    request: Request, product_id: UUID, _scope: ReadProducts, session: Db, small: Annotated[bool, Query()] = False
) -> Response:
    """The picture of a product; `small`: at most 480 pixels wide and high, once it is drawn."""
    return answer(pictures.picture_of(session, product_id), small=small, seen=request.headers.get("if-none-match"))


@router.put("/products/{product_id}/picture")
def set_picture(
    product_id: UUID, body: PictureWrite, scope: WriteProducts, session: Db, response: Response
) -> ProductRead:
    """Show a product with a picture that you sent to `/files`; it takes the place of the one before."""
    pictures.show_with(session, product_id, body.file_id, scope.user_id)
    return get(product_id, scope, session, response)


@router.delete("/products/{product_id}/picture", status_code=204)
def drop_picture(product_id: UUID, _scope: WriteProducts, session: Db) -> None:
    """Show a product without a picture."""
    pictures.show_without(session, product_id)


@router.get("/product-categories")
def list_categories(_scope: ReadProducts, session: Db) -> Page[CategoryRead]:
    """The branches of the catalogue."""
    return Page(items=[CategoryRead(id=one, path=path) for one, path in queries.categories(session)])


@router.post("/product-categories", status_code=201)
def add_category(body: CategoryWrite, _scope: WriteProducts, session: Db) -> CategoryRead:
    """Add a branch; one that is there stays."""
    branch = service.category(session, body.name, body.parent_id)
    return CategoryRead(id=branch.id, path=dict(queries.categories(session))[branch.id])


@router.put("/product-categories/{category_id}/parent")
def move_category(category_id: UUID, body: CategoryMove, _scope: WriteProducts, session: Db) -> CategoryRead:
    """Hang a branch elsewhere; refused below itself."""
    branch = service.move_category(session, category_id, body.parent_id)
    return CategoryRead(id=branch.id, path=dict(queries.categories(session))[branch.id])


@router.get("/tax-classes")
def list_tax_classes(_scope: ReadProducts, session: Db) -> Page[TaxClassRead]:
    """The tax classes with their rates."""
    return Page(items=[_tax_class(session, one) for one in queries.tax_classes(session)])


def _tax_class(session: Session, one: TaxClass) -> TaxClassRead:
    rates = queries.tax_rates(session).get(one.id, [])
    return TaxClassRead(id=one.id, name=one.name, rates=[RateRead.model_validate(rate) for rate in rates])


@router.post("/tax-classes", status_code=201)
def add_tax_class(body: TaxClassWrite, _scope: WriteProducts, session: Db) -> TaxClassRead:
    """Add a tax class; one that is there stays."""
    return _tax_class(session, service.tax_class(session, body.name))


@router.put("/tax-classes/{class_id}/rates")
def set_rate(class_id: UUID, body: RateWrite, _scope: WriteProducts, session: Db) -> TaxClassRead:
    """Say what a tax class means in a country from a day on."""
    service.set_rate(session, class_id, body.country, body.valid_from, body.percent)
    return _tax_class(session, session.get_one(TaxClass, class_id))


def read_list(session: Session, one: PriceList) -> PriceListRead:
    """A price list with whom it is for."""
    found = PriceListRead.model_validate(one, from_attributes=True)
    return found.model_copy(update={"uses": [UseRead.model_validate(use) for use in queries.uses_of(session, one.id)]})


@router.get("/price-lists")
def list_price_lists(_scope: ReadProducts, session: Db) -> Page[PriceListRead]:
    """The price lists."""
    return Page(items=[read_list(session, one) for one in queries.price_lists(session)])


@router.post("/price-lists", status_code=201)
def create_list(body: PriceListFields, _scope: WriteProducts, session: Db, response: Response) -> PriceListRead:
    """Begin a price list."""
    one = service.create_list(session, body.given())
    tag(response, one.rev)
    return read_list(session, one)


@router.get("/price-lists/{list_id}")
def get_list(list_id: UUID, _scope: ReadProducts, session: Db, response: Response) -> PriceListRead:
    """One price list."""
    one = service.found(session, PriceList, list_id, "price list")
    tag(response, one.rev)
    return read_list(session, one)


@router.patch("/price-lists/{list_id}")
def change_list(
    list_id: UUID, body: PriceListFields, _scope: WriteProducts, session: Db, base: BaseRevision, response: Response
) -> PriceListRead:
    """Change a price list; its currency stays once it has prices."""
    one = service.edit_list(session, list_id, base, body.given())
    tag(response, one.rev)
    return read_list(session, one)


@router.delete("/price-lists/{list_id}", status_code=204)
def delete_list(list_id: UUID, _scope: WriteProducts, session: Db, base: BaseRevision) -> None:
    """Take a price list away; refused while others rest on it."""
    service.delete_list(session, list_id, base)


@router.put("/price-lists/{list_id}/uses")
def use_list(list_id: UUID, body: list[UseWrite], _scope: WriteProducts, session: Db) -> PriceListRead:
    """Say for whom a price list is: accounts, classes, territories, or everybody."""
    service.use_list(session, list_id, [Customer(**use.model_dump()) for use in body])
    return read_list(session, session.get_one(PriceList, list_id))


@router.get("/price-lists/{list_id}/prices")
def list_prices(list_id: UUID, _scope: ReadProducts, session: Db) -> Page[PriceRead]:
    """The prices of a list."""
    return Page(items=[PriceRead.model_validate(price) for price, _ in queries.prices_in(session, list_id)])


@router.put("/price-lists/{list_id}/prices")
def set_price(list_id: UUID, body: PriceWrite, _scope: WriteProducts, session: Db) -> PriceRead:
    """Say what a product costs in a list from a quantity on."""
    price = service.set_price(session, list_id, body.product_id, body.unit_price, body.min_quantity)
    return PriceRead.model_validate(price)


@router.delete("/prices/{price_id}", status_code=204)
def drop_price(price_id: UUID, _scope: WriteProducts, session: Db) -> None:
    """Take a price out of its list."""
    service.drop_price(session, price_id)
