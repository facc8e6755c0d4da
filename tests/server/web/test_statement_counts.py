"""Main pages ask the database a fixed number of times, however many rows they show."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from server.auth.models import Role, User

PAGES = (
    "/accounts",
    "/accounts?filter=class+%3D+A+and+visits.count()+%3D+0",
    "/accounts?q=shop",
    "/home/accounts",
    "/home/today",
    "/search?q=shop",
    "/segments",
    "/api/v1/accounts",
    "/api/v1/search?q=shop",
    "/api/v1/filters/account",
)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("path", PAGES)
def test_more_rows_mean_no_more_statements(
    path: str,
    engine: Engine,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Any],
) -> None:
    browser = browser_of(make_user("ada", Role.ADMIN))
    few = asked(engine, browser, path, make_account, 2)
    many = asked(engine, browser, path, make_account, 10)
    assert many <= few  # a search that finds enough does not ask for slips of the fingers
    assert few <= 24


def asked(engine: Engine, browser: TestClient, path: str, make_account: Callable[..., Any], count: int) -> int:
    """How many statements a page takes with some more accounts; the first request warms up what a process keeps."""
    for number in range(count):
        make_account(f"Shop {count}-{number}", account_class="A")
    browser.get(path)
    with statements(engine) as sent:
        assert browser.get(path).status_code == 200
    return len(sent)
