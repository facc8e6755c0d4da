"""Questions that are put many times a second: prepared once in each connection, and put by the driver's own library.

What a session and a cursor do around a statement takes several times as long as the answer of a short one. Here nothing
is done but that: for reading only, and where it pays.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

from psycopg import Connection, Error, errors
from psycopg.adapt import Transformer
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import ClauseElement, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from server.kit.database import engine

DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
BEGIN = (
    b"begin isolation level repeatable read, read only;"
    b" set local plan_cache_mode = force_generic_plan; set local statement_timeout = '20s'"
)
"""A plan is made once, whatever is asked: these statements walk along indexes."""
WELL = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
FORGOTTEN = (b"26000", b"0A000")
"""The driver lets go of all that is prepared behind a rollback of its own, or a plan does not fit the tables any more.
Both are met before anything was read: the moment may begin once more."""
NUMBERS = count()


class Question:
    """A statement with named parameters, compiled once."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=DIALECT)
        self.sql = str(compiled).encode()
        self.fixed = compiled.params
        self.order: list[str] = list(getattr(compiled, "positiontup", None) or ())

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The parameters in their order, as text."""
        return [spelled(values[name] if name in values else self.fixed[name]) for name in self.order]


@lru_cache(maxsize=256)
def worded(sql: str) -> Question:
    """A question out of its SQL, made once."""
    return Question(text(sql))


def spelled(value: Any) -> bytes | None:
    """A value as PostgreSQL reads it; lists are of numbers, ids and plain words."""
    match value:
        case None:
            return None
        case bool():
            return b"t" if value else b"f"
        case bytes():
            return b"\\x" + value.hex().encode()
        case list():
            return f"{{{','.join(map(str, value))}}}".encode()
        case _:
            return str(value).encode()


class Asking:
    """One moment of the database, within which questions are put; see `asking`."""

    def __init__(self, connection: Connection[Any], names: dict[Question, bytes]) -> None:
        self.connection, self.names = connection, names
        self.has_read = False

    def ask(self, question: Question, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        pgconn, arguments = self.connection.pgconn, question.arguments(values)
        result = pgconn.exec_prepared(self.prepared(question), arguments)
        if not self.has_read and result.error_field(DiagnosticField.SQLSTATE) in FORGOTTEN:
            checked(pgconn.exec_(b"rollback"))
            self.names.clear()
            checked(pgconn.exec_(BEGIN))
            result = pgconn.exec_prepared(self.prepared(question), arguments)
        checked(result)
        self.has_read = True
        loader = Transformer(self.connection)
        loader.set_pgresult(result)
        return loader.load_rows(0, result.ntuples, tuple)

    def prepared(self, question: Question) -> bytes:
        """The name of a question in this connection."""
        name = self.names.get(question)
        if name is None:
            name = b"question_%d" % next(NUMBERS)
            checked(self.connection.pgconn.prepare(name, question.sql))
            self.names[question] = name
        return name


def checked(result: PGresult) -> PGresult:
    """A result; raises what the database has against the question."""
    if result.status not in WELL:
        raise errors.error_from_result(result)
    return result


@contextmanager
def asking() -> Iterator[Asking]:
    """One moment of the database for several questions, on a connection of the pool.

    Raises what the driver raises; questions are prepared anew after that.
    """
    held = engine().raw_connection()
    connection: Any = held.driver_connection
    names = held.info.setdefault("questions", {})
    try:
        checked(connection.pgconn.exec_(BEGIN))
        yield Asking(connection, names)
        checked(connection.pgconn.exec_(b"commit"))
    except Error:
        names.clear()
        raise
    finally:
        if connection.closed:
            held.invalidate()
        elif connection.pgconn.transaction_status != TransactionStatus.IDLE:
            connection.pgconn.exec_(b"rollback")
        held.close()
