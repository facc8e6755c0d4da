"""A small world to filter in, and a second, plain Python reading of the language to hold the compiler against."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Date, Integer, MetaData, Numeric, String, Table, select

from server.kit.filtering import Field, Kind, Relation, Vocabulary
from server.kit.filtering import nodes as n
from server.kit.filtering.dates import day_of, days_of, days_over

TODAY = date(2026, 3, 15)
METADATA = MetaData()
SHOP = Table(
    "filter_shop", METADATA, Column("id", Integer, primary_key=True), Column("name", String), Column("kind", String),
    Column("worth", Numeric(12, 2)), Column("seen", Date), prefixes=["TEMPORARY"],
)  # fmt: skip
DEAL = Table(
    "filter_deal", METADATA, Column("id", Integer, primary_key=True), Column("shop", Integer), Column("state", String),
    Column("amount", Numeric(12, 2)), Column("day", Date), prefixes=["TEMPORARY"],
)  # fmt: skip
SHOP_FIELDS = {
    one.name: one
    for one in (
        Field("name", Kind.TEXT, SHOP.c.name, "Name"),
        Field("kind", Kind.CHOICE, SHOP.c.kind, "Kind", ("A", "B", "C")),
        Field("worth", Kind.NUMBER, SHOP.c.worth, "Worth"),
        Field("last_visit", Kind.DATE, SHOP.c.seen, "Seen"),
    )
}
DEAL_FIELDS = {
    one.name: one
    for one in (
        Field("state", Kind.CHOICE, DEAL.c.state, "State", ("open", "won", "lost")),
        Field("amount", Kind.NUMBER, DEAL.c.amount, "Amount"),
        Field("day", Kind.DATE, DEAL.c.day, "Day"),
    )
}
DEALS = Relation("deal", "deals", "Deals", DEAL_FIELDS, select(DEAL), DEAL.c.shop, SHOP.c.id, DEAL.c.day)
VOCABULARY = Vocabulary(SHOP_FIELDS, TODAY, {"deal": DEALS, "deals": DEALS})


@dataclass(frozen=True)
class Row:
    """A row with its related rows."""

    id: int
    values: dict[str, Any]
    deals: tuple["Row", ...] = field(default=())


def holds(node: n.Node, row: Row, fields: dict[str, Field] = SHOP_FIELDS) -> bool:
    """Whether a row fulfils a filter, read off the words of the language."""
    match node:
        case n.All(children):
            return all(holds(child, row, fields) for child in children)
        case n.AnyOf(children):
            return any(holds(child, row, fields) for child in children)
        case n.Not(child):
            return not holds(child, row, fields)
        case n.Related(_, child):
            return any(holds(child, deal, DEAL_FIELDS) for deal in row.deals)
        case n.Aggregate():
            return aggregate_holds(node, row)
        case n.Visited(since):
            assert isinstance(since, n.Value)
            return compares(row.values["last_visit"], ">=", since.value)
        case n.Emptiness("deal" | "deals"):
            return not row.deals
        case n.Comparison(name, "!=" | "!~" | "!^" as operator, value):
            return not holds(n.Comparison(name, operator[1:], value), row, fields)  # type: ignore[arg-type]
        case n.Emptiness(name):
            return not any(value not in (None, "") for value in values_of(name, row))
        case n.Membership(name, wanted):
            return any(compares(value, "=", one.value) for value in values_of(name, row) for one in wanted)
        case n.Between(name, low, high):
            return any(
                compares(value, ">=", low.value) and compares(value, "<=", high.value) for value in values_of(name, row)
            )
        case n.Comparison(name, operator, value):
            return any(compares(one, operator, value.value) for one in values_of(name, row))
    raise AssertionError(node)


def values_of(name: str, row: Row) -> list[Any]:
    """The values that a field has: one of the row itself, or one of each related row."""
    if name in row.values:
        return [row.values[name]]
    return [deal.values[name.partition(".")[2]] for deal in row.deals]


def compares(left: Any, operator: str, right: Any) -> bool:
    """One comparison; nothing is ever true of what is empty."""
    if left is None:
        return False
    if isinstance(right, n.Period):
        first, last = days_of(right, TODAY)
        return {"=": first <= left <= last, "<": left < first, "<=": left <= last, ">": left > last,
                ">=": left >= first}[operator]  # fmt: skip
    if isinstance(right, n.Moment):
        right = day_of(right, TODAY)
    if isinstance(left, str):
        left, right = left.lower(), str(right).lower()
        if operator in ("~", "^"):
            return right in left if operator == "~" else left.startswith(right)
    return {"=": left == right, "!=": left != right, "<": left < right, "<=": left <= right, ">": left > right,
            ">=": left >= right}[operator]  # fmt: skip


def aggregate_holds(node: n.Aggregate, row: Row) -> bool:
    """What the related rows come to, compared."""
    deals = [one for one in row.deals if node.where is None or holds(node.where, one, DEAL_FIELDS)]
    if node.over is not None:
        first, last = days_over(node.over, TODAY)
        deals = [one for one in deals if one.values["day"] is not None and first <= one.values["day"] <= last]
    if node.function == "count":
        total: Any = Decimal(len(deals))
    else:
        amounts = [one.values[node.field or ""] for one in deals if one.values[node.field or ""] is not None]
        total = (
            sum(amounts, Decimal(0))
            if node.function == "sum"
            else None
            if not amounts
            else {"min": min, "max": max, "avg": lambda all: sum(all) / len(all)}[node.function](amounts)
        )
    if total is None:
        return node.operator == "!="
    return compares(total, node.operator, node.value.value)
