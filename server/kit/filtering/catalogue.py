"""What all rooms declare, put together: so a low room filters by rows of rooms above it without importing them.

`server/segments/catalogue.py` puts it together; `app` and `worker` hand it in with `use`. A room asks
`vocabulary(session, scope, "ticket", fields(today), today=today)` and compiles with the answer.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from server.kit.filtering.fields import Field, Places, Relation, Vocabulary
from server.kit.filtering.nodes import Within

type Reader = Any
"""Who asks: the `Scope` of a room above; the kit only hands it on."""
type Language = Callable[[Session, Reader], Vocabulary]
type DeclareRelation = Callable[[Session, Reader, date], Relation | None]
"""None when the reader may not know such rows at all."""
type FindSegment = Callable[[Session, Reader, str, Within], ColumnElement[bool]]
"""The members of a segment of one kind of object."""


@dataclass(frozen=True)
class Subject:
    """A kind of object that can be filtered, put into segments and listed."""

    name: str
    """`account`, `ticket`, ..."""
    label: str
    """Several of them, as people say: Accounts."""
    permission: str
    """Needed to read them."""
    path: str
    """The page with their list; takes `?filter=`."""
    page: str
    """The page of one, with `{id}`."""
    language: Language
    """What a reader may ask of them."""
    visible: Callable[[Reader], Any]
    """Selects those that a reader may see."""
    key: Any
    """The column of their id."""
    title: Any
    """The column of their name."""
    relations: tuple[DeclareRelation, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All subjects by name."""

    subjects: Mapping[str, Subject] = field(default_factory=dict)
    segment: FindSegment | None = None


class OnDemand(Mapping[str, Relation]):
    """Relations that are declared when somebody first asks for one: most filters ask for none."""

    def __init__(self, declare: Callable[[], Mapping[str, Relation]]) -> None:
        self.declared = cache(declare)

    def __getitem__(self, name: str) -> Relation:
        return self.declared()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.declared())

    def __len__(self) -> int:
        return len(self.declared())


_in_use = [Catalogue()]


def use(catalogue: Catalogue) -> None:
    """Hand the catalogue in, once for a process."""
    _in_use[0] = catalogue


def catalogue() -> Catalogue:
    """The catalogue of this process; without one there are no relations."""
    return _in_use[0]


def vocabulary(
    session: Session,
    reader: Reader,
    subject: str,
    fields: Mapping[str, Field],
    *,
    today: date,
    places: Places | None = None,
) -> Vocabulary:
    """What one kind of object can be asked by a reader: the room's own fields, and what other rooms know of it.

    A field that is hidden from the reader is none.
    """
    known = catalogue()
    find = known.segment

    def declared() -> Mapping[str, Relation]:
        relations: dict[str, Relation] = {}
        rooms = known.subjects.get(subject)
        for declare in rooms.relations if rooms else ():
            relation = declare(session, reader, today)
            if relation is not None:
                relation = replace(relation, fields=reader.askable(relation.name, relation.fields))
                relations |= {relation.name: relation, relation.plural: relation}
        return relations

    def members(within: Within) -> ColumnElement[bool]:
        assert find is not None
        return find(session, reader, subject, within)

    return Vocabulary(reader.askable(subject, fields), today, OnDemand(declared), places, members if find else None)
