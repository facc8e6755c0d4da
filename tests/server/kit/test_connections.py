"""Idle connections: one that the server has ended is replaced before anybody works on it. And what errors say."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError

from server.kit import database

WHICH = text("select pg_backend_pid()")


def test_a_connection_that_died_while_it_lay_idle_is_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = database.engine.__wrapped__()
    with pool.connect() as connection:
        first = connection.scalar(WHICH)
    with pool.connect() as connection:
        assert connection.scalar(WHICH) == first
    with engine.begin() as other:
        other.execute(text("select pg_terminate_backend(:pid)"), {"pid": first})
    monkeypatch.setattr(database, "FRESH_S", 0.0)
    with pool.connect() as connection:
        assert connection.scalar(WHICH) != first
    pool.dispose()


def test_an_error_of_the_database_does_not_tell_what_was_sent_to_it(engine: Engine) -> None:
    pool = database.engine.__wrapped__()
    with pool.connect() as connection, pytest.raises(DataError) as told:
        connection.execute(text("select length(:said), 1 / (:none - 0)"), {"said": "Ada is ill", "none": 0})
    assert "Ada" not in str(told.value)
    assert "division by zero" in str(told.value)
    pool.dispose()
