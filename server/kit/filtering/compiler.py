"""Compiles a filter's tree into a SQLAlchemy condition over what a room declares.

A condition is true or it is not: comparing with something empty is not true, so its negation is. `x != v` is
`not x = v`, and `not` of anything is its exact complement. Of rows that hang on the object one must fulfil the
condition; `!=`, `not in` and `is empty` say that none does.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Exists,
    Numeric,
    and_,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.types import Text

from server.kit.errors import Invalid
from server.kit.filtering.aggregates import aggregate, asks_whether, within_time
from server.kit.filtering.dates import day_of, days_of, shifted
from server.kit.filtering.fields import Field, Kind, Relation, Vocabulary, unfit
from server.kit.filtering.nodes import (
    Aggregate,
    All,
    AnyOf,
    Between,
    Comparison,
    Emptiness,
    FilterError,
    Inside,
    Membership,
    Moment,
    Near,
    Node,
    Not,
    Operator,
    Period,
    Reach,
    Related,
    Scalar,
    Spatial,
    Value,
    Visited,
    Within,
)

NEGATIVE: Mapping[Operator, Operator] = {"!=": "=", "!~": "~", "!^": "^"}
LAST_VISIT = "last_visit"

COMPARE: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


def compile_filter(node: Node, vocabulary: Vocabulary) -> ColumnElement[bool]:
    """The condition that a filter stands for.

    Raises
    ------
    FilterError
        For an unknown field, an unknown choice or a value of the wrong kind; says where.
    """
    match node:
        case All(children):
            return and_(*(compile_filter(child, vocabulary) for child in children))
        case AnyOf(children):
            return or_(*(compile_filter(child, vocabulary) for child in children))
        case Not(child):
            return complement(compile_filter(child, vocabulary))
        case Reach() | Near() | Inside() | Within():
            return spatial(node, vocabulary)
        case Related(name, child, position):
            relation = related(name, vocabulary, position)
            return exists(relation, compile_filter(child, of_rows(relation, vocabulary)), vocabulary)
        case Aggregate():
            relation = related(node.relation, vocabulary, node.position)
            rows = of_rows(relation, vocabulary)
            where = compile_filter(node.where, rows) if node.where is not None else None
            whether = asks_whether(node)
            if whether is not None:
                there = exists(relation, within_time(node, relation, where, vocabulary.today), vocabulary)
                return there if whether else complement(there)
            field = known(node.field, rows.fields, node.position) if node.field else None
            return aggregate(node, relation, field, where, vocabulary)
        case Visited(since, position):
            field = known(LAST_VISIT, vocabulary.fields, position)
            day = since.value if isinstance(since, Value) else shifted(vocabulary.today, -since.amount, since.unit)
            return comparison(field, ">=", Value(day, position), vocabulary.today)
        case Emptiness(name, position) if name in vocabulary.relations and name not in vocabulary.fields:
            return complement(exists(vocabulary.relations[name], None, vocabulary))
    return about(node, vocabulary)


def about(node: Comparison | Between | Membership | Emptiness, vocabulary: Vocabulary) -> ColumnElement[bool]:
    """A condition on one field: the object's own, or `relation.field`."""
    name, today = node.field, vocabulary.today
    relation = None
    if name not in vocabulary.fields:
        first, _, rest = name.partition(".")
        if rest and first in vocabulary.relations:
            relation = vocabulary.relations[first]
            field = known(rest, relation.fields, node.position, before=f"{first}.")
        else:
            field = known(name, vocabulary.fields, node.position, more=vocabulary.relations)
    else:
        field = vocabulary.fields[name]

    def wrapped(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        inner = field.exists(condition) if field.exists else condition
        return exists(relation, inner, vocabulary) if relation is not None else inner

    match node:
        case Emptiness():
            return complement(wrapped(filled(field)))
        case Membership(_, values):
            return wrapped(or_(*(comparison(field, "=", value, today) for value in values)))
        case Between(_, low, high):
            return wrapped(and_(comparison(field, ">=", low, today), comparison(field, "<=", high, today)))
        case Comparison(_, operator, value):
            positive = NEGATIVE.get(operator, operator)
            condition = wrapped(comparison(field, positive, value, today))
            return complement(condition) if operator in NEGATIVE else condition


def complement(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """What does not fulfil a condition; what is unknown does not. EXISTS is never unknown: it becomes an anti-join."""
    if isinstance(condition, Exists):
        return not_(condition)
    return not_(func.coalesce(condition, false()))


def exists(relation: Relation, condition: ColumnElement[bool] | None, vocabulary: Vocabulary) -> ColumnElement[bool]:
    """Some row of the relation fulfils a condition."""
    rows = relation.selected(condition).subquery()
    there = select(literal(1)).where(rows.c[0] == relation.key)
    if vocabulary.one_by_one:
        there = there.offset(literal_column("0"))  # nothing can be made of it but a look-up for each object
    elif relation.keyed is not None:
        # The planner takes two hundred objects to be behind any union, and would look all of them up one by one. What
        # compares otherwise than by "=" keeps it from gathering them first; it is true of whatever is equal.
        there = there.where(rows.c[0] <= relation.key)
    return there.exists()


def filled(field: Field) -> ColumnElement[bool]:
    """The field holds something."""
    there: ColumnElement[bool] = field.column.is_not(None)
    return and_(there, cast(field.column, Text) != "") if field.kind in (Kind.TEXT, Kind.CHOICE) else there


def of_rows(relation: Relation, vocabulary: Vocabulary) -> Vocabulary:
    """What can be asked of a relation's rows."""
    return Vocabulary(relation.fields, vocabulary.today)


def related(name: str, vocabulary: Vocabulary, position: int) -> Relation:
    """The declared relation of this name."""
    if name not in vocabulary.relations:
        raise unknown(f"there is no relation “{name}”", name, vocabulary.relations, position)
    return vocabulary.relations[name]


def known(
    name: str,
    fields: Mapping[str, Field],
    position: int,
    *,
    before: str = "",
    more: Mapping[str, Relation] | None = None,
) -> Field:
    """The declared field of this name."""
    if name in fields:
        return fields[name]
    if more and name in more:
        relation = more[name]
        raise FilterError(
            f"“{name}” is not a field but rows of their own",
            position,
            help=f"For example {relation.name} is not empty or {relation.plural}.count() > 0. "
            + named(f"{relation.name}.{field}" for field in relation.fields),
        )
    names = [before + one for one in fields]
    if more:
        names += [f"{one.name}.{field}" for one in dict.fromkeys(more.values()) for field in one.fields]
    raise unknown(f"there is no field “{before}{name}”", before + name, names, position)


MOST_LISTED = 12
"""Names that a refusal lists; of more, those most like the one that was written."""


def unknown(message: str, name: str, names: Iterable[str], position: int) -> FilterError:
    """There is nothing of a name, with what was perhaps meant."""
    known = sorted(set(names))
    near = [
        one for one in get_close_matches(name, known, n=1, cutoff=0.6) if get_close_matches(last(name), [last(one)])
    ]
    listed = known if len(known) <= MOST_LISTED else [*get_close_matches(name, known, n=MOST_LISTED, cutoff=0), "…"]
    return FilterError(
        message,
        position,
        help=f"Did you mean “{near[0]}”?" if near else named(listed),
        suggestions=near,
    )


def named(names: Iterable[str]) -> str:
    """The names that there are; nothing where there are none."""
    known = ", ".join(names)
    return f"Known: {known}." if known else ""


def last(name: str) -> str:
    """A name without what stands before its last dot."""
    return name.rpartition(".")[2]


def spatial(node: Spatial, vocabulary: Vocabulary) -> ColumnElement[bool]:
    """What lies somewhere, or belongs somewhere."""
    if isinstance(node, Within) and node.kind == "segment":
        if vocabulary.segment is None:
            raise FilterError("these rows have no segments", node.position)
        return vocabulary.segment(node)
    if vocabulary.places is None:
        raise FilterError("these rows have no place on the map", node.position)
    match node:
        case Reach():
            return vocabulary.places.reached(node)
        case Near():
            return vocabulary.places.near(node)
        case Inside():
            return vocabulary.places.inside(node)
        case Within():
            return vocabulary.places.of_territory(node)


def comparison(field: Field, operator: Operator, value: Value, today: date) -> ColumnElement[bool]:
    """One comparison of a field with a value; the negative operators are complements of these."""
    if operator in ("~", "^"):
        return matching(field, operator, value)
    if isinstance(value.value, Period) and field.kind == Kind.DATE:
        first, last = days_of(value.value, today, value.position)
        if operator == "=":
            return and_(field.column >= first, field.column <= last)
        return COMPARE[operator](field.column, first if operator in ("<", ">=") else last)
    right = converted(field, value, today)
    if operator != "=" and field.kind in (Kind.FLAG, Kind.CHOICE):
        raise FilterError(f"{field.name} knows only = and !=", value.position)
    if field.kind == Kind.TEXT and isinstance(right, str) and operator == "=":
        return COMPARE[operator](func.lower(field.column), right.lower())
    return COMPARE[operator](field.column, right)


def matching(field: Field, operator: Operator, value: Value) -> ColumnElement[bool]:
    """The field's text contains a text, or begins with it; capitals do not matter."""
    if field.kind not in (Kind.TEXT, Kind.CHOICE):
        word = "contains" if operator == "~" else "starts with"
        raise FilterError(f"“{word}” needs text, and {field.name} holds none", value.position)
    if not isinstance(value.value, str | Decimal):
        raise unfit(field.name, Kind.TEXT, value.position)
    text = str(value.value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return cast(field.column, Text).ilike(f"%{text}%" if operator == "~" else f"{text}%")


def converted(field: Field, value: Value, today: date) -> object:
    """The value as the field's kind wants it."""
    raw: Scalar = value.value
    match field.kind:
        case Kind.NUMBER if isinstance(raw, Decimal):
            return literal(raw, Numeric)
        case Kind.DATE if isinstance(raw, date):
            return raw
        case Kind.DATE if isinstance(raw, Moment):
            return day_of(raw, today, value.position)
        case Kind.TEXT if isinstance(raw, str | Decimal):
            return str(raw) if field.reads is None else read(field.reads, str(raw), value.position)
        case Kind.CHOICE if isinstance(raw, str | Decimal):
            for choice in field.choices:
                if choice.lower() == str(raw).lower():
                    return choice
            near = get_close_matches(str(raw).lower(), [one.lower() for one in field.choices], n=1)
            help = f"Did you mean “{near[0]}”? " if near else ""
            raise FilterError(
                f"{field.name} is never “{raw}”",
                value.position,
                help=help + f"One of: {', '.join(field.choices)}.",
                suggestions=near,
            )
        case Kind.FLAG if isinstance(raw, str) and raw.lower() in ("yes", "no", "true", "false"):
            return raw.lower() in ("yes", "true")
    raise unfit(field.name, field.kind, value.position)


def read(reads: Callable[[str], str | None], written: str, position: int) -> str | None:
    """What is stored for a text as people write it."""
    try:
        return reads(written)
    except Invalid as error:
        raise FilterError(error.message, position, help=error.help) from error
