"""What a room tells the importer about its records: columns, rules for one row, and the statements for all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

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


class Target(Protocol):
    """A room's side of an import."""

    kind: str
    columns: tuple[Column, ...]
    keys: Mapping[str, str]
    """What records can be recognised by: name of the key -> its label."""
    ids: int
    """How many new ids a creation needs."""

    def key_sql(self, key: str) -> str:
        """SQL expression over `c.values`: the text that a row is recognised by, null when it has none."""

    def current_sql(self) -> str:
        """SQL query with `:run`: row_no, id and doc (the present values by field) of the records that rows mean."""

    def row_rule(self, session: Session, run: ImportRun) -> Callable[[Mapping[str, str]], Checked]:
        """The rule that turns one row's cells, by field, into values and problems."""

    def write(self, session: Session, run: ImportRun) -> None:
        """Write all rows with the actions `create` and `update`, set-based, and ask for the work that follows."""
