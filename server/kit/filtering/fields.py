"""What a room declares so that its objects can be filtered: fields, relations to other rooms' rows, places."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select

from server.kit.filtering.nodes import FilterError, Inside, Near, Reach, Within


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    FLAG = "flag"


NEEDED: Mapping[Kind, tuple[str, str]] = {
    Kind.TEXT: ("{field} needs text", "Put text with spaces into quotes."),
    Kind.NUMBER: ("{field} needs a number", "For example 5000, 12.5"),
    Kind.DATE: ("{field} needs a day", "For example 2026-03-31, today - 30 days, this month, last quarter"),
    Kind.CHOICE: ("{field} needs one of its choices", ""),
    Kind.FLAG: ("{field} needs yes or no", ""),
}
"""What is refused where a value is of another kind, and the way out."""


def unfit(field: str, kind: Kind, position: int) -> FilterError:
    """What a field, or a sum of one, is compared with is no value of its kind."""
    needed, help = NEEDED[kind]
    return FilterError(needed.format(field=field), position, help=help)


@dataclass(frozen=True)
class Field:
    """One thing that can be filtered by."""

    name: str
    """As it is written in a filter."""
    kind: Kind
    column: Any
    """Column or scalar expression over the room's `select`."""
    label: str
    """How people call it."""
    choices: tuple[str, ...] = ()
    """The values of a choice."""
    exists: Callable[[ColumnElement[bool]], ColumnElement[bool]] | None = None
    """For fields of child rows: wraps the condition, e.g. into EXISTS."""
    values: Select[Any] | Sequence[str] | None = None
    """The texts that somebody is offered while typing, or selects them; only what they may know."""
    reads: Callable[[str], str | None] | None = None
    """What is stored for a text as people write it; raises `Invalid` for what cannot be. None: the text itself."""
    needs: Callable[[], str | None] | None = None
    """Why its values cannot be added up or compared with each other now; None: they can."""


@dataclass(frozen=True, eq=False)
class Relation:
    """Rows of another room that hang on the object: `order.state = paid`, `orders.sum(amount) > 5000`."""

    name: str
    """One of them, as it is written in a filter: `order`."""
    plural: str
    """Several of them: `orders`. Both words are understood."""
    label: str
    fields: Mapping[str, Field]
    """What can be asked of a row, over the columns of `rows`."""
    rows: Select[Any]
    """The living rows that the reader may know; the room's `visible_to(scope)`."""
    parent: ColumnElement[Any]
    """The column of a row that names the object."""
    key: ColumnElement[Any]
    """The object's own id."""
    day: ColumnElement[Any] | None = None
    """The day a row belongs to: what `over 24 months` looks at."""
    keyed: Callable[[Select[Any], ColumnElement[Any], tuple[ColumnElement[Any], ...]], Any] | None = None
    """Where rows may hang on something that was merged: selects parent and columns with the survivors' ids."""

    def selected(self, condition: ColumnElement[bool] | None, *columns: ColumnElement[Any]) -> Any:
        """The objects' ids, once for each row that fulfils a condition, with columns of the row."""
        rows = self.rows if condition is None else self.rows.where(condition)
        if self.keyed is not None:
            return self.keyed(rows, self.parent, columns)
        return rows.with_only_columns(self.parent.label("parent"), *columns)


class Places(Protocol):
    """A room that knows where its objects are."""

    def reached(self, reach: Reach) -> ColumnElement[bool]:
        """The rows that one drives to within some minutes."""
        ...

    def near(self, near: Near) -> ColumnElement[bool]:
        """The rows within some metres."""
        ...

    def inside(self, inside: Inside) -> ColumnElement[bool]:
        """The rows within a polygon."""
        ...

    def of_territory(self, within: Within) -> ColumnElement[bool]:
        """The rows of a territory."""
        ...


@dataclass(frozen=True)
class Vocabulary:
    """Everything that one kind of object can be asked, by one reader on one day."""

    fields: Mapping[str, Field]
    today: date
    relations: Mapping[str, Relation] = field(default_factory=dict)
    """By both of their names."""
    places: Places | None = None
    segment: Callable[[Within], ColumnElement[bool]] | None = None
    """The members of a saved segment."""
    one_by_one: bool = False
    """Rows of relations are looked up for each object, instead of once for all: right where few objects are judged."""
