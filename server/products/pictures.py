"""The picture of a product: one file, shown in the catalogue and beside the lines of an order."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from server.files import queries as files
from server.files import service as keeping
from server.files import store
from server.files.checking import need_openable
from server.files.models import StoredFile
from server.files.sniffing import PICTURES
from server.kit.errors import Invalid, NotFound
from server.products.models import Product
from server.products.service import found, tell

ENTITY = "product"
"""What such a file hangs on."""


def show_with(session: Session, product_id: UUID, file_id: UUID, by: UUID | None) -> StoredFile:
    """Show a product with a picture that somebody sent, in the place of the one it had.

    Refuses what is no picture, and one of too many pixels.
    """
    product = found(session, Product, product_id, "product")
    file = session.get(StoredFile, file_id)
    if file is not None and file.media_type not in PICTURES:
        if store.has(file.sha256):
            need_openable(store.path_of(file.sha256), file.name)
        raise Invalid(f"“{file.name}” is no picture.", help="Send a PNG, JPEG, WebP or GIF.", field="file")
    [picture] = keeping.attach(session, ENTITY, product_id, [file_id], by)
    tell(session, product)
    return picture


def show_without(session: Session, product_id: UUID) -> None:
    """Take the picture of a product away; a product without one stays as it is."""
    product = found(session, Product, product_id, "product")
    keeping.detach(session, ENTITY, [product_id])
    tell(session, product)


def pictures_of(session: Session, product_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The hashes of the pictures of some products; products without one are left out."""
    return {row_id: shown[0].sha256 for row_id, shown in files.of_rows(session, ENTITY, product_ids).items()}


def picture_of(session: Session, product_id: UUID) -> StoredFile:
    """The picture of a product; refuses a product that has none, or is not there."""
    product = session.get(Product, product_id)
    shown = files.of(session, ENTITY, product_id) if product is not None and product.deleted_at is None else []
    if not shown:
        raise NotFound("The product has no picture.", id=str(product_id))
    return shown[0]
