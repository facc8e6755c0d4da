"""Two products that are the same article become one: chosen field by field, taken back for 30 days.

Lines of orders and deals keep the product that they were written with, as they were printed; what is asked of them
goes by the one that lives on (`queries.standing`). Prices, stock and the picture are hung on the winner where it has
none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.files.models import FileUse
from server.kit.errors import Conflict
from server.products import pictures, queries, service
from server.products.models import Price, Product, StockLevel
from server.products.values import LONGEST_DESCRIPTION, PRODUCT
from server.records import joining
from server.records.joining import Choice, Fields, Proposal, Side
from server.records.models import Record, RecordMerge
from server.records.revising import cleaned, require_revision
from server.records.together import both_texts

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
    longest={"description": LONGEST_DESCRIPTION},
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
    reach = queries.visible_to(scope, "products:write")
    service.in_turn(session)
    try:
        winner, loser = joining.both(session, reach, Product, winner_id, loser_id, "product")
    except joining.AlreadyMerged:
        if (done := joining.latest(session, "product", winner_id, loser_id)) is None:
            raise
        return done
    if winner.unit != loser.unit:
        raise Conflict(
            f"“{winner.name}” is counted in {winner.unit}, “{loser.name}” in {loser.unit}.",
            help="Give both the same unit first; their prices and quantities mean different things.",
            field="unit",
        )
    for row, rev in zip((winner, loser), revs or (), strict=False):
        require_revision(row, rev, called=row.name)
    wished = {name: choice for name, _, choice in proposed(session, scope, winner, loser)} | dict(choices)
    values = joining.chosen_values(FIELDS, winner, loser, wished)
    if values.get("description"):
        values["description"] = cleaned(PRODUCT, "description", values["description"])
    moved = take_over(session, winner.id, loser.id)
    values |= {"successor_id": succeeded(session, winner, loser, values.get("successor_id", winner.successor_id))}
    made = joining.join(session, FIELDS, winner, loser, values, by=scope.user_id, moved=moved)
    for row in (winner, loser):
        service.tell(session, row)
    return made


def succeeded(session: Session, winner: Product, loser: Product, after: UUID | None) -> UUID | None:
    """What succeeds the winner: not the loser, but what succeeds that; nothing where that would lead back."""
    after = loser.successor_id if after == loser.id else after
    return None if leads_back(session, winner.id, after) else after


def leads_back(session: Session, product_id: UUID, after: UUID | None) -> bool:
    """Whether a product would succeed itself."""
    try:
        if after is not None:
            service.refuse_circle(session, Product, "successor_id", product_id, after, "")
    except service.Circular:
        return True
    return False


def take_over(session: Session, winner_id: UUID, loser_id: UUID) -> dict[str, Sequence[UUID | str]]:
    """Hang on the winner what it has none of: the loser's prices in lists that do not name it, stock in warehouses
    that have none of it, the picture; and what names the loser as its successor.
    """
    named = select(Price.price_list_id).where(Price.product_id == winner_id, Price.deleted_at.is_(None))
    there = select(StockLevel.warehouse).where(StockLevel.product_id == winner_id, StockLevel.deleted_at.is_(None))
    has_picture = winner_id in pictures.pictures_of(session, [winner_id])
    return {
        "price": hung(session, Price, loser_id, winner_id, Price.price_list_id.not_in(named)),
        "stock_level": hung(session, StockLevel, loser_id, winner_id, StockLevel.warehouse.not_in(there)),
        "picture": [] if has_picture else shown_by(session, loser_id, winner_id),
        "successor": list(
            session.scalars(
                update(Product)
                .where(Product.successor_id == loser_id, Product.id != winner_id)
                .values(successor_id=winner_id)
                .returning(Product.id)
            )
        ),
    }


def hung(session: Session, kind: type[Price | StockLevel], loser_id: UUID, winner_id: UUID, which: Any) -> list[str]:
    """Hang the loser's living rows of a kind on the winner; returns their ids, each with its revision."""
    rows = update(kind).where(kind.product_id == loser_id, kind.deleted_at.is_(None), which)
    moved = session.execute(rows.values(product_id=winner_id).returning(kind.id, kind.rev))
    return [f"{row_id} {rev}" for row_id, rev in moved]


def shown_by(session: Session, one_id: UUID, other_id: UUID, only: Iterable[UUID] | None = None) -> list[UUID]:
    """Let pictures of one product, all or some, show another; returns which."""
    statement = update(FileUse).where(FileUse.entity == pictures.ENTITY, FileUse.row_id == one_id)
    chosen = statement if only is None else statement.where(FileUse.file_id.in_(list(only)))
    return list(session.scalars(chosen.values(row_id=other_id).returning(FileUse.file_id)))


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

    def check(product: Product) -> None:
        service.check(session, {"number": product.number, "ean": product.ean}, product.id)

    kept = joining.part(session, FIELDS, made, winner, loser, by=scope.user_id, check=check)
    stayed = [
        word
        for kind, name, word in ((Price, "price", "Prices"), (StockLevel, "stock_level", "Stock"))
        if not give_back(session, kind, made.moved.get(name, ()), winner.id, loser.id)
    ]
    pictured = [UUID(one) for one in made.moved.get("picture", ())]
    if len(shown_by(session, winner.id, loser.id, pictured)) < len(pictured):
        stayed.append("Picture")
    heirs = [UUID(one) for one in made.moved.get("successor", ())]
    mine = Product.id.in_(heirs), Product.successor_id == winner.id
    session.execute(update(Product).where(*mine).values(successor_id=loser.id))
    session.expire_all()
    for row in (winner, loser):
        if leads_back(session, row.id, row.successor_id):  # the other end was written since
            row.successor_id = None
            session.flush()
            stayed.append(PRODUCT["successor_id"].label)
    for row in (winner, loser):
        service.tell(session, row)
    return made, (*joining.labels_of(FIELDS, kept), *stayed)


def give_back(
    session: Session, kind: type[Price | StockLevel], moved: Sequence[str], winner_id: UUID, loser_id: UUID
) -> bool:
    """Hang rows that a merge moved on the loser again; what was changed since stays. Returns whether all went back."""
    revs = {UUID(row_id): int(rev) for row_id, rev in (one.split() for one in moved)}
    mine: type[Record] = kind
    there = session.execute(select(mine.id, mine.rev).where(mine.id.in_(revs), kind.product_id == winner_id)).all()
    same = [row_id for row_id, rev in there if rev == revs[row_id]]
    session.execute(update(kind).where(mine.id.in_(same)).values(product_id=loser_id))
    return len(same) == len(revs)
