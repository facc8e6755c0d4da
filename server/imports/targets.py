"""What a room tells the importer about its records: columns, rules for one row, and the statements for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.imports.models import ImportRun


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    """The row is left out."""
    WARNING = "warning"
    """The row is taken; the message says what was left out or mended."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about one row that its owner should know."""

    level: Severity
    field: str
    code: str
    message: str

    def document(self) -> dict[str, str]:
        """As it is stored."""
        return {"level": self.level, "field": self.field, "code": self.code, "message": self.message}


@dataclass(frozen=True)
class Checked:
    """What a row means."""

    values: dict[str, Any]
    """Field -> JSON value; only what the row says."""
    problems: list[Problem]


@dataclass(frozen=True)
class Column:
    """A field that a file may bring."""

    name: str
    label: str
    synonyms: tuple[str, ...] = ()
    """Titles under which files carry it, in any language; case, accents and punctuation do not count."""
    looks_like: Callable[[str], bool] | None = field(default=None)
    """Whether a value looks like this field; guesses columns with unknown titles."""
    writes: tuple[str, ...] = ()
    """The values that it brings, when they are not called as the column is."""
    behind: tuple[str, frozenset[str]] | None = None
    """A field, and titles that mean this one right behind it: `Nr` behind the street is the house number."""

    @property
    def values(self) -> tuple[str, ...]:
        """The values that it brings."""
        return self.writes or (self.name,)


@dataclass(frozen=True)
class Written:
    """A table that an import writes, and how its undo brings rows back."""

    name: str
    columns: tuple[str, ...]
    """What an import may change; the company's own fields as `custom.<key>`."""
    groups: tuple[frozenset[str], ...] = ()
    """Columns that only make sense together: when somebody has changed one since, an undo leaves them all."""
    followers: frozenset[str] = frozenset()
    """Columns that background work fills in from others of their group, e.g. a pin from an address."""
    derived: frozenset[str] = frozenset()
    """Columns that follow from other rows; brought up to date afterwards, and nobody's edit."""
    quiet: frozenset[str] = frozenset()
    """Columns that go without saying when something of their group is named."""
    unique: tuple[str, ...] = ()
    """Text columns in which no two living rows are alike."""


@dataclass(frozen=True)
class Advice:
    """A better meaning of the columns than the chosen one."""

    message: str
    mapping: dict[str, str]
    """Position of a column, as text -> field."""


@dataclass(frozen=True)
class Missing:
    """Something that new records cannot be without, and that no column of the file brings."""

    fields: tuple[str, ...]
    """One of them is enough."""
    label: str


type Progress = Callable[[int, int, Mapping[str, int]], None]
"""Told how many rows are done, of how many, and what was counted so far."""


class Target(Protocol):
    """A room's side of an import."""

    kind: str
    columns: tuple[Column, ...]
    keys: Mapping[str, str]
    """What records can be recognised by: name of the key -> its label."""
    ids: int
    """How many new ids a creation needs."""
    tables: tuple[Written, ...]
    """What an import writes; a record's own table comes first."""
    needs: tuple[tuple[str, ...], ...]
    """Columns that a new record cannot be without; of those in one group one is enough."""
    money: Sequence[str]
    """Amounts in the record's currency: rules leave their decimals as they are, the plan rounds them."""

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse options that cannot be."""

    def key_sql(self, key: str) -> str:
        """SQL expression over `c.values`: the text that a row is recognised by, null when it has none."""

    def current_sql(self) -> str:
        """SQL query with `:run`: row_no, id and doc (the present values by field) of the records that rows mean."""

    def refused_sql(self) -> str:
        """SQL query with `:run`: row_no and message of rows that contradict other records once they are planned."""

    def odd_sql(self) -> str:
        """SQL query with `:run`: row_no, field, code and message of rows that are taken and look odd beside others."""

    def reach(self, session: Session, run: ImportRun) -> Select[UUID] | None:
        """The records that whoever imports may change; None: all of them."""

    def places_sql(self) -> str:
        """SQL query with `:run`: row_no, field, entity, row_id, col: where the values that change are stored."""

    def row_rule(self, session: Session, run: ImportRun) -> Callable[[Mapping[str, str]], Checked]:
        """The rule that turns one row's cells, by field, into values and problems."""

    def advice(self, session: Session, sample: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> Sequence[Advice]:
        """Columns that look exchanged."""

    def write(self, session: Session, run: ImportRun, progress: Progress) -> None:
        """Write all rows with the actions `create` and `update`, set-based, and ask for the work that follows."""

    def records_sql(self) -> str:
        """SQL query: entity, row_id, record_id and label of every row of every record."""

    def causes_sql(self) -> str:
        """A query of `op_id`, `why` (`repaired`, `merged`: more than an edit) and `is_undone`, of every such change."""

    def in_use_sql(self) -> str:
        """SQL query: row_id of records that stay for a reason beside records that refer to them (`imports.resting`)."""

    def restored(self, session: Session, record_ids: Sequence[UUID]) -> None:
        """Bring what follows from restored records up to date."""
