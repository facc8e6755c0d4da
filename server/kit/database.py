"""The database: one engine per process, one transaction per request or job, committed only at the edge."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from time import monotonic
from typing import Annotated, Any

from fastapi import Depends
from psycopg import Connection, OperationalError, _queries, sql
from sqlalchemy import Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from server.kit import embedded
from server.kit.settings import settings

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


_queries.MAX_CACHED_STATEMENT_LENGTH, _queries.MAX_CACHED_STATEMENT_PARAMS = 65_536, 1_000
"""The driver reads statements up to this length, and with so many parameters, for their places once, others each time
that they are asked: that was a seventh of the work of telling a phone that there is nothing new. That question has up
to 6,000 characters, one of the timeline 30,000 and 421 parameters."""


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)


def database_url() -> str:
    """Where the database is; starts the embedded one when no other is set."""
    configured = settings().database_url
    if configured is None:
        return embedded.ensure(settings().home)
    for scheme in ("postgresql://", "postgres://"):
        if configured.startswith(scheme):
            return "postgresql+psycopg://" + configured.removeprefix(scheme)
    return configured


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process."""
    made = create_engine(
        database_url(),
        pool_size=settings().database_pool,
        max_overflow=settings().database_pool,
        pool_timeout=20,
        pool_use_lifo=True,  # few that are busy know their statements' plans and have the tables' descriptions at hand
        hide_parameters=True,  # a log is no place for what customers said
        connect_args={"connect_timeout": 10, "application_name": "waymark", "prepare_threshold": 1},
    )
    event.listen(made, "connect", remember)
    event.listen(made, "checkin", put_back)
    event.listen(made, "checkout", still_there)
    if settings().database_url is None:
        event.listen(made, "do_connect", connect_again)
    return made


FRESH_S = 1.0
"""A connection that answered so lately is not asked whether it is still there."""


KNOWN_STATEMENTS = 300
"""How many statements a connection keeps prepared: reading and planning one of an account's page takes three times
as long as answering it."""


def remember(dbapi_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    """Have a new connection keep its statements: the second time that one is put it is prepared."""
    raw: Any = dbapi_connection
    raw.prepared_max = KNOWN_STATEMENTS


def put_back(dbapi_connection: object, record: ConnectionPoolEntry) -> None:
    """Note when a connection was used last."""
    record.info["used_at"] = monotonic()


def still_there(dbapi_connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: object) -> None:
    """Ask a connection that has lain idle whether it is still there; it and its elders are replaced where it is not."""
    used_at = record.info.get("used_at")
    if used_at is None or monotonic() - used_at < FRESH_S:
        return
    try:
        engine().dialect.do_ping(dbapi_connection)
    except OperationalError as error:
        raise InvalidatePoolError from error


def connect_again(
    dialect: Dialect, record: object, arguments: tuple[Any, ...], options: dict[str, Any]
) -> DBAPIConnection:
    """Connect to the embedded database; one that was killed is started again first."""
    try:
        return dialect.connect(*arguments, **options)
    except OperationalError:
        if not embedded.revive(settings().home):
            raise
        return dialect.connect(*arguments, **options)


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work for jobs and commands: committed at the end, rolled back on any error."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


def request_transaction() -> Iterator[Session]:
    """One transaction per request; it is committed before the response leaves."""
    with transaction() as session:
        yield session


Db = Annotated[Session, Depends(request_transaction, scope="function")]
"""A handler's session: `def handler(session: Db)`."""


def raw_connection(session: Session) -> Connection[Any]:
    """The psycopg connection under a session, inside the session's transaction."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, Connection):
        raise TypeError("the session does not run on psycopg")
    return connection


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows with COPY inside the session's transaction; returns how many."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
