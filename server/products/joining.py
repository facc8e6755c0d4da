"""Two products that are the same article become one: chosen field by field, taken back for 30 days.

Lines of orders and deals keep the product that they were written with, as they were printed; what is asked of them
goes by the one that lives on (`queries.standing`). Prices, stock and the picture are hung on the winner where it has
none.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.files.models import FileUse
from server.kit.errors import Conflict
from server.products import pictures, queries, service
from server.products.models import Price, Product, StockLevel
from server.products.values import PRODUCT
from server.records import joining
from server.records.joining import Choice, Fields, Proposal, Side, both_texts
from server.records.models import Record, RecordMerge
from server.records.revising import cleaned, require_revision

LIKE = 0.6
"""Least similarity (trigrams) of two names."""


def stays(winner: Product, loser: Product) -> Side:
    """What is the winner's by right; the loser's only where the winner has none."""
    return "winner"


def active(winner: Product, loser: Product) -> Side:
    """What is sold under one of the two numbers is sold."""
    return "loser" if loser.is_active and not winner.is_active else "winner"


FIELDS = Fields(
    "product",
    {
        "name": ("name",), "number": ("number",), "ean": ("ean",), "category_id": ("category_id",),
        "pack_size": ("pack_size",), "min_quantity": ("min_quantity",), "quantity_step": ("quantity_step",),
        "tax_class_id": ("tax_class_id",), "is_active": ("is_active",), "successor_id": ("successor_id",),
        "description": ("description",),
    },
    labels={name: rule.label for name, rule in PRODUCT.items()},
    both={"description": both_texts("description")},
    prefers={"number": stays, "is_active": active},
)  # fmt: skip


def alike(session: Session, scope: Scope, product: Product, *, limit: int = 5) -> list[tuple[Product, str]]:
    """Products that may be the same article, with the reason: one name, or names and numbers much alike."""
    near = func.similarity(func.search_text(Product.name), func.search_text(product.name))
    bare = func.regexp_replace(func.lower(Product.number), "[^a-z0-9]|^0+", "", "g")
    own = func.regexp_replace(func.lower(product.number), "[^a-z0-9]|^0+", "", "g")
    same_number = bare == own
    close = func.search_text(Product.name).op("%")(func.search_text(product.name)) & (near >= LIKE)
    statement = queries.visible_to(scope).where(Product.id != product.id, Product.unit == product.unit)
    rows = session.execute(
        statement.where(close | same_number)
        .add_columns(near, same_number)
        .order_by(same_number.desc(), near.desc(), Product.id)
        .limit(limit)
    )
    return [(one, "same number, spelled otherwise" if same else "similar name") for one, _score, same in rows]


def proposed(session: Session, scope: Scope, winner: Product, loser: Product) -> list[Proposal]:
    """Each field, whether both sides agree in it, and the side that is proposed."""
    return joining.proposed(session, FIELDS, winner, loser, lambda names: scope.may_change("product", names))


def merge(
    session: Session,
    scope: Scope,
    winner_id: UUID,
    loser_id: UUID,
    choices: Mapping[str, Choice],
    revs: tuple[int, int] | None = None,
) -> RecordMerge:
    """Let one product go into another; the same wish twice is one merge.

    Fields that are not chosen are as `proposed`. Refuses products that are counted in different units, one that went
    into a third, and a choice made on older revisions.
    """
    scope.need("products:write")
    done = joining.latest(session, "product", winner_id, loser_id)
    if done is not None:
        return done
    reach = queries.visible_to(scope, "products:write")
    service.in_turn(session)
    winner, loser = joining.both(session, reach, Product, winner_id, loser_id, "product")
    if winner.unit != loser.unit:
        raise Conflict(
            f"“{winner.name}” is counted in {winner.unit}, “{loser.name}” in {loser.unit}.",
            help="Give both the same unit first; their prices and quantities mean different things.",
            field="unit",
        )
    for row, rev in zip((winner, loser), revs or (), strict=False):
        require_revision(row, rev, called=row.name)
    wished = {name: choice for name, _, choice in proposed(session, scope, winner, loser)} | dict(choices)
    values = succeeded(winner, loser, joining.chosen_values(FIELDS, winner, loser, wished))
    if values.get("description"):
        values["description"] = cleaned(PRODUCT, "description", values["description"])
    moved = take_over(session, winner.id, loser.id)
    made = joining.join(session, FIELDS, winner, loser, values, by=scope.user_id, moved=moved)
    for row in (winner, loser):
        service.tell(session, row)
    return made


def succeeded(winner: Product, loser: Product, values: dict[str, Any]) -> dict[str, Any]:
    """The values without a successor that would be the winner itself."""
    after = values.get("successor_id", winner.successor_id)
    if after == loser.id:
        after = loser.successor_id
    return values | {"successor_id": None if after == winner.id else after}


def take_over(session: Session, winner_id: UUID, loser_id: UUID) -> dict[str, list[UUID]]:
    """Hang on the winner what it has none of: the loser's prices in lists that do not name it, stock in warehouses
    that have none of it, the picture; and what names the loser as its successor.
    """
    named = select(Price.price_list_id).where(Price.product_id == winner_id, Price.deleted_at.is_(None))
    there = select(StockLevel.warehouse).where(StockLevel.product_id == winner_id, StockLevel.deleted_at.is_(None))
    has_picture = winner_id in pictures.pictures_of(session, [winner_id])
    return {
        "price": hung(session, Price, loser_id, winner_id, Price.price_list_id.not_in(named)),
        "stock_level": hung(session, StockLevel, loser_id, winner_id, StockLevel.warehouse.not_in(there)),
        "picture": [] if has_picture else [loser_id] * shown_by(session, loser_id, winner_id),
        "successor": list(
            session.scalars(
                update(Product)
                .where(Product.successor_id == loser_id, Product.id != winner_id)
                .values(successor_id=winner_id)
                .returning(Product.id)
            )
        ),
    }


def hung(session: Session, kind: type[Price | StockLevel], loser_id: UUID, winner_id: UUID, which: Any) -> list[UUID]:
    """Hang the loser's living rows of a kind on the winner; returns their ids."""
    rows = update(kind).where(kind.product_id == loser_id, kind.deleted_at.is_(None), which)
    return list(session.scalars(rows.values(product_id=winner_id).returning(kind.id)))


def shown_by(session: Session, one_id: UUID, other_id: UUID) -> int:
    """Let the picture of one product show another; returns how many pictures that were."""
    statement = update(FileUse).where(FileUse.entity == pictures.ENTITY, FileUse.row_id == one_id)
    return len(session.scalars(statement.values(row_id=other_id).returning(FileUse.file_id)).all())


def undo(session: Session, scope: Scope, merge_id: UUID) -> tuple[RecordMerge, tuple[str, ...]]:
    """Take a merge back; also names what was edited since and stays as it is.

    Refuses after 30 days, where the winner has gone into a third or is deleted, and where number or barcode is taken.
    """
    scope.need("products:write")
    made = joining.merge_of(session, "product", merge_id)
    if made.undone_at is not None:
        return made, ()
    service.in_turn(session)
    winner, loser = joining.apart(session, made, Product, Product.id.is_not(None), "product")

    def check() -> None:
        service.check(session, {"number": loser.number, "ean": loser.ean}, loser.id)

    kept = joining.part(session, FIELDS, made, winner, loser, by=scope.user_id, check=check)
    for kind, name in ((Price, "price"), (StockLevel, "stock_level")):
        give_back(session, kind, [UUID(one) for one in made.moved.get(name, ())], winner.id, loser.id)
    if made.moved.get("picture"):
        shown_by(session, winner.id, loser.id)
    heirs = [UUID(one) for one in made.moved.get("successor", ())]
    mine = Product.id.in_(heirs), Product.successor_id == winner.id
    session.execute(update(Product).where(*mine).values(successor_id=loser.id))
    session.expire_all()
    for row in (winner, loser):
        service.tell(session, row)
    return made, joining.labels_of(FIELDS, kept)


def give_back(
    session: Session, kind: type[Price | StockLevel], ids: Iterable[UUID], winner_id: UUID, loser_id: UUID
) -> None:
    """Hang rows that a merge moved on the loser again, where the winner still has them."""
    mine: type[Record] = kind
    rows = update(kind).where(mine.id.in_(list(ids)), kind.product_id == winner_id)
    session.execute(rows.values(product_id=loser_id))
