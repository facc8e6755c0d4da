"""What a kind of object can be asked, for people who build a filter by clicking."""

from collections.abc import Iterable

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit.errors import WaymarkError
from server.kit.filtering import (
    Field,
    FilterError,
    Kind,
    compile_filter,
    fits_phone,
    from_json,
    parse,
    to_json,
    write,
)
from server.segments import queries
from server.segments.models import Segment
from server.segments.schemas import FilterRead, FilterText, WordRead, WordsRead

OPERATORS = {
    Kind.TEXT: ["=", "!=", "contains", "starts with", "is empty", "is not empty"],
    Kind.NUMBER: ["=", "!=", "<", "<=", ">", ">=", "between", "is empty", "is not empty"],
    Kind.DATE: ["=", "<", "<=", ">", ">=", "between", "is empty", "is not empty"],
    Kind.CHOICE: ["=", "!=", "in", "not in", "is empty", "is not empty"],
    Kind.FLAG: ["="],
}
COMPARISONS = ["=", "!=", "<", "<=", ">", ">="]


def words(session: Session, scope: Scope, subject: str) -> WordsRead:
    """Everything that one kind of object can be asked by somebody."""
    kind = queries.subject_of(subject)
    scope.need(kind.permission)
    known = kind.language(session, scope)
    relations = {one.name: one for one in known.relations.values()}.values()
    fields = [word(field) for field in known.fields.values()]
    aggregates: list[WordRead] = []
    for one in relations:
        fields += [word(field, f"{one.name}.", one.label) for field in one.fields.values()]
        aggregates.append(total(f"{one.plural}.count()", one.label, one.label))
        numbers: Iterable[Field] = (field for field in one.fields.values() if field.kind == Kind.NUMBER)
        aggregates += [total(f"{one.plural}.sum({field.name})", field.label, one.label) for field in numbers]
    usable = queries.visible_to(scope).where(Segment.subject == subject).order_by(Segment.name)
    names = list(session.scalars(usable.with_only_columns(Segment.name)))
    return WordsRead(fields=fields, aggregates=aggregates, has_places=known.places is not None, segments=names)


def word(field: Field, prefix: str = "", group: str = "") -> WordRead:
    """A field with its operators."""
    return WordRead(
        name=prefix + field.name,
        label=field.label,
        kind=field.kind,
        operators=OPERATORS[field.kind],
        choices=list(field.choices),
        group=group,
        suggests=field.values is not None,
    )


def total(name: str, label: str, group: str) -> WordRead:
    """A count or a sum of rows."""
    return WordRead(
        name=name, label=label, kind="number", operators=COMPARISONS, choices=[], group=group, suggests=False
    )


def read(session: Session, scope: Scope, asked: FilterText) -> FilterRead:
    """A filter in its canonical form and as chips, or where it is wrong; an empty one asks for nothing."""
    kind = queries.subject_of(asked.subject)
    scope.need(kind.permission)
    if asked.tree is None and not (asked.text or "").strip():
        return FilterRead(text="", on_phone=True)
    try:
        tree = from_json(asked.tree) if asked.tree is not None else parse(asked.text or "")
        compile_filter(tree, kind.language(session, scope))
    except WaymarkError as error:
        position = error.position if isinstance(error, FilterError) else None
        near = error.details.get("suggestions", [])
        return FilterRead(error=error.message, help=error.help, position=position, suggestions=near)
    return FilterRead(text=write(tree), tree=to_json(tree), on_phone=fits_phone(tree))


def values(session: Session, scope: Scope, subject: str, name: str, begin: str) -> list[str]:
    """Values of a field that begin with a text, among those that the reader may know."""
    kind = queries.subject_of(subject)
    scope.need(kind.permission)
    known = kind.language(session, scope)
    field = known.fields.get(name)
    if field is None:
        first, _, rest = name.partition(".")
        field = known.relations[first].fields.get(rest) if first in known.relations else None
    if field is None or field.values is None:
        return []
    if not isinstance(field.values, Select):
        return [one for one in field.values if one.casefold().startswith(begin.casefold())][:12]
    fits = field.values.where(field.column.istartswith(begin, autoescape=True)).limit(2000)
    return sorted({str(one) for one in session.scalars(fits) if one})[:12]
