"""Reads of custom fields: what an object has, what of it can be filtered and searched."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Numeric,
    Select,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import Boolean, Text

from server.fields.models import TABLES, CustomField, FieldKind, Picklist, VisitType
from server.fields.values import as_it_is, in_words, shape_of
from server.kit.filtering import Field, Kind
from server.records.editing import CUSTOM
from server.records.merging import Json

type Column = InstrumentedAttribute[dict[str, Any]]


def fields_of(session: Session, object: str, *, archived: bool = False) -> list[CustomField]:
    """The fields of an object, in their order; archived ones only when asked for."""
    return fields_of_several(session, (object,), archived=archived)[object]


def fields_of_several(
    session: Session, objects: Collection[str], *, archived: bool = False
) -> dict[str, list[CustomField]]:
    """The fields of some objects, as `fields_of` has them, in one statement."""
    found: dict[str, list[CustomField]] = {one: [] for one in objects}
    for field in session.scalars(ALL_FIELDS if archived else FIELDS, {"objects": list(objects)}):
        found[field.object].append(field)
    return found


ALL_FIELDS = (
    select(CustomField)
    .where(CustomField.object == any_(bindparam("objects", type_=ARRAY(Text))), CustomField.deleted_at.is_(None))
    .order_by(func.coalesce(CustomField.section, ""), CustomField.position, CustomField.id)
)
FIELDS = ALL_FIELDS.where(CustomField.archived.is_(False))


def ever(session: Session, objects: Collection[str]) -> dict[tuple[str, str], CustomField]:
    """The fields of some objects by object and `custom.<key>`, also archived and deleted ones as they last were: old
    values are told by them."""
    statement = select(CustomField).where(CustomField.object.in_(objects))
    known = session.scalars(statement.order_by(CustomField.deleted_at.asc().nulls_last()))
    return {(one.object, CUSTOM + one.key): one for one in known}


def as_said(session: Session, object: str, name: str, value: Json) -> tuple[str, str]:
    """A field of an object and a value of it for a sentence; the company's own fields as it calls them."""
    custom = ever(session, (object,)).get((object, name))
    if custom is None:
        return name, as_it_is(value)
    return custom.label, in_words(shape_of(custom), value) or "–"


KINDS = {
    FieldKind.NUMBER: Kind.NUMBER,
    FieldKind.MONEY: Kind.NUMBER,
    FieldKind.DATE: Kind.DATE,
    FieldKind.FLAG: Kind.FLAG,
    FieldKind.CHOICE: Kind.CHOICE,
    FieldKind.CHOICES: Kind.CHOICE,
}
"""How the filter language sees the kinds; all others are texts."""


def filtering(session: Session, object: str, column: Column) -> Mapping[str, Field]:
    """The fields of an object for the filter language, as `custom.<key>`; `column` holds the values."""
    return {f"custom.{one.key}": filter_field(one, column) for one in fields_of(session, object)}


def filter_field(custom: CustomField, column: Column) -> Field:
    """One custom field for the filter language."""
    kind = FieldKind(custom.kind)
    name, words = f"custom.{custom.key}", column[custom.key].astext
    choices = tuple(str(one["value"]) for one in custom.choices)
    if kind == FieldKind.CHOICES:
        element = func.jsonb_array_elements_text(array_of(column, custom.key)).table_valued("value")
        element = element.render_derived(name=f"custom_{custom.key}")

        def some(condition: ColumnElement[bool]) -> ColumnElement[bool]:
            return select(literal(1)).select_from(element).where(condition).correlate(column.class_).exists()

        return Field(name, Kind.CHOICE, element.c.value, custom.label, choices, some)
    value: ColumnElement[Any] = words
    if kind == FieldKind.NUMBER:
        value = cast(words, Numeric)
    elif kind == FieldKind.MONEY:
        value = cast(column[(custom.key, "amount")].astext, Numeric)
    elif kind == FieldKind.DATE:
        value = cast(words, Date)
    elif kind == FieldKind.FLAG:
        value = cast(words, Boolean)
    return Field(name, KINDS.get(kind, Kind.TEXT), value, custom.label, choices if kind == FieldKind.CHOICE else ())


def array_of(column: Column, key: str) -> ColumnElement[Any]:
    """The list that a key holds; an empty one where it holds none."""
    value = column[key]
    return case((func.jsonb_typeof(value) == "array", value), else_=cast(literal("[]"), JSONB))


def found(session: Session, object: str, column: Column, folded: ColumnElement[str]) -> ColumnElement[bool] | None:
    """Whether a folded pattern for `like` is found in a searchable field; None when the object has none.

    The index over all texts finds candidates, the second condition leaves those that are searchable.
    """
    keys = session.scalars(
        select(CustomField.key).where(
            CustomField.object == object,
            CustomField.searchable,
            CustomField.archived.is_(False),
            CustomField.deleted_at.is_(None),
        )
    ).all()
    if not keys:
        return None
    words = func.custom_words(column, type_=Text)
    exact = or_(*(func.search_text(column[key].astext, type_=Text).like(folded) for key in keys))
    return and_(words.like(folded), exact)


def holding(session: Session, object: str) -> str | None:
    """The table whose column `custom` holds an object's values; None while there is none."""
    table = TABLES.get(object, object)
    there = text(
        "select 1 from information_schema.columns where table_schema = current_schema()"
        " and table_name = :table and column_name = 'custom'"
    )
    return table if session.execute(there, {"table": table}).first() else None


def in_use(session: Session, object: str, key: str, value: str | None = None) -> int:
    """How many rows of an object hold a value under a key, or this one choice."""
    table = holding(session, object)
    if table is None:
        return 0
    condition = "custom ? :key" if value is None else "(custom ->> :key = :value or custom -> :key ? :value)"
    statement = text(f"select count(*) from {table} where {condition}")  # noqa: S608 -- a name of our own
    count: int = session.execute(statement, {"key": key} | ({} if value is None else {"value": value})).scalar_one()
    return count


def picklists(session: Session) -> Sequence[Picklist]:
    """All pick lists by name."""
    return session.scalars(select(Picklist).where(Picklist.deleted_at.is_(None)).order_by(Picklist.name)).all()


def picklist(session: Session, name: str) -> list[tuple[str, str]]:
    """Value and label of each entry of a pick list; empty for one that does not exist."""
    return picklists_named(session, name)[name]


def picklists_named(session: Session, *names: str) -> dict[str, list[tuple[str, str]]]:
    """The same of some pick lists, in one statement."""
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
    for name, values in session.execute(NAMED, {"names": list(names)}):
        found[name] = [(one["value"], one["label"]) for one in values or ()]
    return found


NAMED = select(Picklist.name, Picklist.values).where(
    Picklist.name == any_(bindparam("names", type_=ARRAY(Text))), Picklist.deleted_at.is_(None)
)


def visit_types(session: Session, *, archived: bool = False) -> Sequence[VisitType]:
    """The visit types in their order."""
    return session.scalars(ALL_VISIT_TYPES if archived else VISIT_TYPES).all()


ALL_VISIT_TYPES: Select[VisitType] = (
    select(VisitType).where(VisitType.deleted_at.is_(None)).order_by(VisitType.position, VisitType.id)
)
VISIT_TYPES = ALL_VISIT_TYPES.where(VisitType.archived.is_(False))
