"""Compiles a filter's tree into a SQLAlchemy condition over the fields that a room declares."""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, cast, false, func, not_, or_
from sqlalchemy.types import Text

from server.kit.filtering.grammar import (
    All,
    AnyOf,
    Comparison,
    Emptiness,
    FilterError,
    Membership,
    Node,
    Not,
    Operator,
    Reach,
    Scalar,
    Today,
    Value,
)


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    FLAG = "flag"


@dataclass(frozen=True)
class Field:
    """One thing that can be filtered by."""

    name: str
    """As it is written in a filter."""
    kind: Kind
    column: ColumnElement[object]
    """Column or scalar expression over the room's `select`."""
    label: str
    """How people call it."""
    choices: tuple[str, ...] = ()
    """The values of a choice."""
    exists: Callable[[ColumnElement[bool]], ColumnElement[bool]] | None = None
    """For fields of child rows: wraps the condition, e.g. into EXISTS."""


type Reached = Callable[[Reach], ColumnElement[bool]]
"""The rows that are reached from a place within some minutes, where a room knows places."""


COMPARE: Mapping[Operator, Callable[[ColumnElement[object], object], ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column.is_distinct_from(value),
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


def compile_filter(
    node: Node, fields: Mapping[str, Field], *, today: date, reached: Reached | None = None
) -> ColumnElement[bool]:
    """The condition that a filter stands for.

    Raises
    ------
    FilterError
        For an unknown field, an unknown choice or a value of the wrong kind; says where.
    """
    match node:
        case All(children):
            return and_(*(compile_filter(child, fields, today=today, reached=reached) for child in children))
        case AnyOf(children):
            return or_(*(compile_filter(child, fields, today=today, reached=reached) for child in children))
        case Not(child):
            return not_(func.coalesce(compile_filter(child, fields, today=today, reached=reached), false()))
        case Reach(_minutes, _point, position):
            if reached is None:
                raise FilterError("these rows have no place to drive to", position)
            return reached(node)
        case Emptiness(name, position):
            field = known(name, fields, position)
            empty: ColumnElement[bool] = field.column.is_(None)
            if field.kind in (Kind.TEXT, Kind.CHOICE):
                empty = or_(empty, cast(field.column, Text) == "")
            return not_(field.exists(not_(empty))) if field.exists else empty
        case Membership(name, values, position):
            field = known(name, fields, position)
            return wrapped(field, or_(*(comparison(field, "=", value, today) for value in values)))
        case Comparison(name, operator, value, position):
            field = known(name, fields, position)
            if operator in ("!=", "!~") and field.exists:
                positive: Operator = "=" if operator == "!=" else "~"
                return not_(field.exists(comparison(field, positive, value, today)))
            return wrapped(field, comparison(field, operator, value, today))


def known(name: str, fields: Mapping[str, Field], position: int) -> Field:
    """The declared field of this name."""
    if name not in fields:
        raise FilterError(f"there is no field “{name}”", position, help="Known fields: " + ", ".join(sorted(fields)))
    return fields[name]


def wrapped(field: Field, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition, asked of the child rows where the field lives in them."""
    return field.exists(condition) if field.exists else condition


def comparison(field: Field, operator: Operator, value: Value, today: date) -> ColumnElement[bool]:
    """One comparison of a field with a value."""
    if operator in ("~", "!~"):
        if field.kind not in (Kind.TEXT, Kind.CHOICE) or not isinstance(value.value, str | Decimal):
            raise FilterError(f"“~” needs text, {field.name} is a {field.kind}", value.position)
        pattern = "%" + str(value.value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        like = cast(field.column, Text).ilike(pattern)
        return like if operator == "~" else not_(func.coalesce(like, false()))
    right = converted(field, value, today)
    if field.kind == Kind.TEXT and isinstance(right, str) and operator in ("=", "!="):
        return COMPARE[operator](func.lower(field.column), right.lower())
    return COMPARE[operator](field.column, right)


def converted(field: Field, value: Value, today: date) -> object:
    """The value as the field's kind wants it."""
    raw: Scalar = value.value
    match field.kind:
        case Kind.NUMBER if isinstance(raw, Decimal):
            return raw
        case Kind.DATE if isinstance(raw, date):
            return raw
        case Kind.DATE if isinstance(raw, Today):
            return shifted(today, raw, value.position)
        case Kind.TEXT if isinstance(raw, str | Decimal):
            return str(raw)
        case Kind.CHOICE if isinstance(raw, str | Decimal):
            for choice in field.choices:
                if choice.lower() == str(raw).lower():
                    return choice
            raise FilterError(
                f"{field.name} is never “{raw}”", value.position, help="One of: " + ", ".join(field.choices)
            )
        case Kind.FLAG if isinstance(raw, str) and raw.lower() in ("yes", "no", "true", "false"):
            return raw.lower() in ("yes", "true")
    raise FilterError(f"{field.name} needs a {field.kind}", value.position)


def shifted(day: date, by: Today, position: int) -> date:
    """A day moved by days, weeks or calendar months (the 31st becomes the month's last day)."""
    try:
        if by.unit != "months":
            return day + timedelta(days=by.amount * (7 if by.unit == "weeks" else 1))
        months = day.year * 12 + day.month - 1 + by.amount
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError) as error:
        raise FilterError("that date is out of range", position) from error
