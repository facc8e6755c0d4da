"""Counts, sums and extremes of the rows that hang on an object, grouped once for all objects."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Numeric, and_, false, func, literal, not_, select

from server.kit.filtering.dates import day_of, days_over
from server.kit.filtering.fields import Field, Kind, Relation, Vocabulary, unfit
from server.kit.filtering.nodes import Aggregate, FilterError, Moment, Operator

NOTHING = {"count": Decimal(0), "sum": Decimal(0)}
"""What no rows come to; the extremes and the mean of nothing are empty."""


def asks_whether(node: Aggregate) -> bool | None:
    """Whether a count only asks if there is any row (true) or none (false); None: it asks how many."""
    value = node.value.value
    if node.function != "count" or not isinstance(value, Decimal):
        return None
    known: dict[tuple[str, int], bool] = {
        ("=", 0): False, ("<=", 0): False, ("<", 1): False, ("!=", 0): True, (">", 0): True, (">=", 1): True,
    }  # fmt: skip
    return known.get((node.operator, int(value))) if value == int(value) else None


def within_time(
    node: Aggregate, relation: Relation, where: ColumnElement[bool] | None, today: date
) -> ColumnElement[bool] | None:
    """Which of the rows an aggregate looks at; None: all."""
    conditions = [] if where is None else [where]
    if node.over is not None:
        if relation.day is None:
            raise FilterError(f"{relation.plural} have no day to look back from", node.position)
        first, last = days_over(node.over, today, node.position)
        conditions.append(relation.day.between(first, last))
    return and_(*conditions) if conditions else None


def aggregate(
    node: Aggregate,
    relation: Relation,
    field: Field | None,
    where: ColumnElement[bool] | None,
    vocabulary: Vocabulary,
) -> ColumnElement[bool]:
    """The objects whose rows come to what is asked; an object without rows counts and sums to 0."""
    today = vocabulary.today
    value = wanted(node, field, today)
    if field is not None and field.needs is not None and (trouble := field.needs()) is not None:
        raise FilterError(trouble, node.position, help="An admin enters rates under Stages, lists and rates.")
    columns = (field.column.label("amount"),) if field is not None else ()
    rows = relation.selected(within_time(node, relation, where, today), *columns).subquery()
    total: ColumnElement[Any] = func.count()
    if node.function != "count":
        total = getattr(func, node.function)(rows.c.amount)
    if node.function == "sum":
        total = func.coalesce(total, literal(0, Numeric))
    holds = compared(total, node.operator, value)
    if vocabulary.one_by_one:
        answer = select(func.coalesce(holds, false())).where(rows.c[0] == relation.key)
        return answer.correlate_except(rows).scalar_subquery()
    nothing_holds = of_nothing(node, value)
    having = func.coalesce(holds, false())
    groups = select(rows.c[0].label("parent")).group_by(rows.c[0])
    groups = groups.having(not_(having) if nothing_holds else having)
    found = groups.subquery()
    there = select(literal(1)).where(found.c.parent == relation.key).exists()
    return not_(there) if nothing_holds else there


def wanted(node: Aggregate, field: Field | None, today: date) -> Decimal | date:
    """The value to compare with, of the kind that the aggregate has."""
    raw, at = node.value.value, node.value.position
    kind = field.kind if field is not None else Kind.NUMBER
    if field is not None and field.exists is not None:
        raise FilterError(f"{field.name} has several values, so it cannot be added up", node.position)
    if node.function in ("sum", "avg") and kind != Kind.NUMBER:
        raise FilterError(f"{node.function} needs numbers, and {node.field} holds none", node.position)
    if kind not in (Kind.NUMBER, Kind.DATE):
        raise FilterError(f"{node.function} needs numbers or days, and {node.field} holds none", node.position)
    if kind == Kind.DATE and isinstance(raw, Moment):
        return day_of(raw, today, at)
    if kind == Kind.DATE and isinstance(raw, date):
        return raw
    if kind == Kind.NUMBER and isinstance(raw, Decimal):
        return raw
    raise unfit(f"{node.relation}.{node.function}(...)", kind, at)


def compared(total: ColumnElement[Any], operator: Operator, value: Decimal | date) -> ColumnElement[bool]:
    """The comparison inside HAVING."""
    match operator:
        case "=":
            return total == value
        case "!=":
            return total.is_distinct_from(value)
        case "<":
            return total < value
        case "<=":
            return total <= value
        case ">":
            return total > value
        case ">=":
            return total >= value
    raise ValueError(f"an aggregate cannot be compared with {operator}")


def of_nothing(node: Aggregate, value: Decimal | date) -> bool:
    """Whether an object without rows fulfils the comparison."""
    nothing = NOTHING.get(node.function)
    if nothing is None or not isinstance(value, Decimal):
        return node.operator == "!="
    return {
        "=": nothing == value,
        "!=": nothing != value,
        "<": nothing < value,
        "<=": nothing <= value,
        ">": nothing > value,
        ">=": nothing >= value,
    }[node.operator]
