"""A target told by a table of fields: the rule of a row and all statements follow from titles, rules and types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select, text
from sqlalchemy.orm import Session

from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.auth.roles import Level
from server.imports import statements
from server.imports.models import ImportRun
from server.imports.statements import Field, Key
from server.imports.targets import Advice, Checked, Column, Problem, Progress, Severity, Written
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.kit.spreadsheets import NOTHING, unquoted
from server.records.revising import wire

CELLS = text(
    "select distinct cells[:place] from import_row where run_id = :run and problem is null and cells[:place] <> ''"
)


class Declared:
    """What all targets of this make have in common; a room says the rest."""

    kind: str
    object: ClassVar[str]
    """As custom fields and field rights call it; without either: its name."""
    table: ClassVar[str]
    permission: ClassVar[str]
    """What reaches the records that somebody may change."""
    label: ClassVar[str]
    """SQL over `t`: how people call a record."""
    fields: ClassVar[tuple[Field, ...]]
    keys_by_name: ClassVar[Mapping[str, Key]]
    has_own = False
    """Whether the company can add fields."""
    ids = 1
    money: Sequence[str] = ()
    first: ClassVar[Sequence[str]] = ()
    """Statements before the rows are written."""
    more: ClassVar[Sequence[str]] = ()
    """Statements that follow when the rows are written; with `:run`, and `:actor`, `:now`, `:zone`, `:currency`."""
    made: ClassVar[Mapping[str, str]] = {}
    """Columns of a new record that no field writes: SQL over `o`."""
    filled: ClassVar[tuple[str, ...]] = ()
    """Columns that `more` writes."""
    beside: ClassVar[tuple[Written, ...]] = ()
    groups: ClassVar[tuple[frozenset[str], ...]] = ()
    derived: ClassVar[frozenset[str]] = frozenset()
    either: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Fields of which a new record needs one."""
    instead: ClassVar[Mapping[str, str]] = {}
    """Needed fields that follow from others when no column brings them."""

    def __init__(self, own: Sequence[Field] = ()) -> None:
        self.every = (*self.fields, *own)
        self.columns: tuple[Column, ...] = tuple(
            Column(f.name, f.label, f.known_as, f.looks_like, f.brings) for f in self.every if f.is_offered
        )
        self.keys: Mapping[str, str] = {name: key.label for name, key in self.keys_by_name.items()}
        stored = dict.fromkeys([*(f.value for f in self.fields if f.is_stored), *self.filled, *(f.value for f in own)])
        unique = tuple(f.value for f in self.fields if f.is_unique)
        main = Written(self.table, tuple(stored), self.groups, derived=self.derived, unique=unique)
        self.tables: tuple[Written, ...] = (main, *self.beside)
        needed = ((f.name, *self.instead.get(f.name, "").split()) for f in self.fields if f.is_needed)
        self.needs: tuple[tuple[str, ...], ...] = (*self.either, *needed)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """There is nothing to choose."""

    def key_sql(self, key: str) -> str:
        """The chosen key; a row without one goes by the next that it has."""
        return statements.key_sql(self.keys_by_name, key)

    def current_sql(self) -> str:
        """The records that rows mean, with their present values."""
        return statements.current_sql(self.table, self.fields, self.keys_by_name, has_own=self.has_own)

    def refused_sql(self) -> str:
        """New records that lack something, and numbers that another record has."""
        return statements.refused_sql(self.table, self.fields, self.label)

    def odd_sql(self) -> str:
        """Nothing looks odd beside other rows."""
        return statements.NOTHING_ODD

    def reach(self, session: Session, run: ImportRun) -> Select[UUID] | None:
        """The records that the importer may change; the command line may change all."""
        scope = importer(session, run)
        if scope is None or scope.level(self.permission) >= Level.ALL:
            return None
        return self.within_reach(scope)

    def within_reach(self, scope: Scope) -> Select[UUID]:
        """The ids of the records that somebody may change."""
        raise NotImplementedError

    def places_sql(self) -> str:
        """Each value lies in the record's own row."""
        return statements.places_sql(self.table, self.fields)

    def records_sql(self) -> str:
        """All records."""
        return f"select '{self.table}' as entity, t.id as row_id, t.id as record_id, {self.label} as label from {self.table} t"  # noqa: S608, E501

    def causes_sql(self) -> str:
        """None: nothing here is repaired in one go, and a merge counts as an edit."""
        return "select null::uuid as op_id, null::text as why, false as is_undone where false"

    def in_use_sql(self) -> str:
        """No record stays for a reason of its own."""
        return statements.NONE_IN_USE

    def restored(self, session: Session, record_ids: Sequence[UUID]) -> None:
        """Nothing follows."""

    def advice(self, session: Session, sample: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> Sequence[Advice]:
        """Nothing looks exchanged."""
        return ()

    def around(self, session: Session, run: ImportRun) -> Any:
        """What `complete` wants to know of the company."""
        return None

    def complete(self, values: dict[str, Any], problems: list[Problem], around: Any) -> None:
        """What belongs together in one row."""

    def row_rule(self, session: Session, run: ImportRun) -> Callable[[Mapping[str, str]], Checked]:
        """The rule of one row; what its cells name is looked up once for the whole file."""
        scope = importer(session, run)
        by_name = {one.name: one for one in self.every}
        found: dict[str, Mapping[str, Sequence[UUID]]] = {}
        helps: dict[str, Mapping[str, str]] = {}
        for place, name in run.mapping.items():
            link = by_name[name].link if name in by_name else None
            if link is not None:
                cells = session.scalars(CELLS, {"run": run.id, "place": int(place) + 1}).all()
                named = [unquoted(cell) for cell in cells]
                found[name] = link.find(session, scope, named)
                if link.known is not None:
                    helps[name] = link.known(session, [cell for cell in named if not found[name].get(cell)])
        around = self.around(session, run)

        def rule(row: Mapping[str, str]) -> Checked:
            reader = Reader(row, by_name, found, helps)
            self.complete(reader.values, reader.problems, around)
            return Checked(reader.values, reader.problems)

        return rule

    def write(self, session: Session, run: ImportRun, progress: Progress) -> None:
        """Write all rows, then what follows from them."""
        rows = statements.write_sql(self.table, self.fields, self.made, has_own=self.has_own)
        given = {"run": run.id, "actor": run.actor, "now": clock.now(), "zone": settings().zone}
        given["currency"] = run.currency
        for statement in (*self.first, *rows, *self.more):
            wanted = {name: value for name, value in given.items() if f":{name}" in statement}
            session.execute(text(statement), wanted)
        session.expire_all()
        self.follow(session, run)
        progress(run.row_count, run.row_count, run.counts)

    def follow(self, session: Session, run: ImportRun) -> None:
        """What the room does when rows are written."""


def importer(session: Session, run: ImportRun) -> Scope | None:
    """The rights of whoever imports; None on the command line."""
    user = session.get(User, run.actor) if run.actor else None
    return scope_of(session, user, source="import") if user else None


@dataclass
class Reader:
    """One row, each field on its own."""

    row: Mapping[str, str]
    fields: Mapping[str, Field]
    found: Mapping[str, Mapping[str, Sequence[UUID]]]
    helps: Mapping[str, Mapping[str, str]]
    """What to write instead of a cell that names nothing, by field and cell."""

    def __post_init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []
        for name, cell in self.row.items():
            written = unquoted(cell)
            if written.lower() in NOTHING:
                continue
            if self.fields[name].link is not None:
                self.look_up(self.fields[name], written)
            else:
                self.keep(self.fields[name], written)

    def keep(self, field: Field, written: str) -> None:
        """A value that its rule takes; what it refuses is left out with a warning, or an error where it matters."""
        try:
            cleaned = wire(field.clean(written))
        except Invalid as error:
            is_bad = field.is_needed or field.is_strict
            words = f"{field.label}: {error.message.rstrip('.')}{'.' if is_bad else '; left out.'} {error.help}".strip()
            self.problems.append(
                Problem(Severity.ERROR if is_bad else Severity.WARNING, field.name, "not_accepted", words)
            )
            return
        if cleaned not in (None, "", [], {}):
            before = self.values.get(field.value)
            if isinstance(before, list) and isinstance(cleaned, list):
                cleaned = [*before, *(one for one in cleaned if one not in before)]
            self.values[field.value] = cleaned

    def look_up(self, field: Field, written: str) -> None:
        """The record that a cell names. None, or several, are an error: nothing is hung on the wrong one."""
        assert field.link is not None
        ids = self.found.get(field.name, {}).get(written, ())
        if len(ids) == 1:
            self.values[field.value] = str(ids[0])
            return
        shown, link = written[:80], field.link
        if ids:
            words = f"{field.label}: “{shown}” means {len(ids)} {link.many}. Write {link.by} instead."
            self.problems.append(Problem(Severity.ERROR, field.name, "ambiguous", words))
        else:
            help = self.helps.get(field.name, {}).get(written, link.help)
            where = "" if link.is_shared else " within your reach"
            words = f"{field.label}: there is no {link.one} “{shown}”{where}. {help}".strip()
            self.problems.append(Problem(Severity.ERROR, field.name, "unknown", words))


def ids_by_cell(session: Session, statement: str, cells: Sequence[str], **more: Any) -> dict[str, list[UUID]]:
    """What cells name, by a query with `:cells` that says cell, id and rank: of each cell what has the least rank."""
    found: dict[str, list[UUID]] = {}
    best = f"select distinct cell, id from (select r.*, min(rank) over (partition by cell) as best from ({statement}) r) b where rank = best"  # noqa: S608, E501
    for cell, row_id in session.execute(text(best), {"cells": list(cells), **more}):
        found.setdefault(cell, []).append(row_id)
    return found
