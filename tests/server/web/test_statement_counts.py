"""Pages of the sales core ask the database a fixed number of times, however many rows they show."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from server.auth.access import system_scope
from server.auth.models import Role, User
from server.opportunities import pipelines
from server.tickets import queues

PAGES = (
    "/accounts",
    "/accounts?filter=class+%3D+A+and+visits.count()+%3D+0",
    "/accounts?q=shop",
    "/accounts/{id}",
    "/accounts/{id}/timeline",
    "/home/accounts",
    "/home/today",
    "/search?q=shop",
    "/segments",
    "/pipeline",
    "/pipeline/list",
    "/orders",
    "/tickets",
    "/leads",
    "/contacts",
    "/tasks",
    "/calendar",
    "/api/v1/accounts",
    "/api/v1/opportunities",
    "/api/v1/orders",
    "/api/v1/contacts",
    "/api/v1/leads",
    "/api/v1/search?q=shop",
    "/api/v1/filters/account",
)
MOST = {"/accounts/{id}": 56}
"""The page of an account shows what eleven rooms know."""
ROWS = (
    "insert into contact (id, last_name) select gen_random_uuid(), 'Person ' || n from generate_series(1, :count) n",
    "insert into contact_account (id, contact_id, account_id) select gen_random_uuid(), id, :account from contact c"
    " where not exists (select from contact_account where contact_id = c.id)",
    "insert into opportunity (id, name, account_id, owner_id, pipeline_id, stage_id, close_on)"
    " select gen_random_uuid(), 'Deal ' || n, :account, :owner, :pipeline, :stage, current_date"
    " from generate_series(1, :count) n",
    "insert into sales_order (id, kind, account_id, owner_id, currency, day, zone, reference) select gen_random_uuid(),"
    " 'order', :account, :owner, 'EUR', current_date, 'UTC', 'R' || n from generate_series(1, :count) n",
    "insert into ticket (id, number, queue_id, account_id, assignee_id, subject, source, opened_at)"
    " select gen_random_uuid(), 10000 * :count + n, :queue, :account, :owner, 'Broken ' || n, 'web', now()"
    " from generate_series(1, :count) n",
    "insert into lead (id, company, owner_id) select gen_random_uuid(), 'Firm ' || n, :owner"
    " from generate_series(1, :count) n",
    "insert into activity (id, kind, account_id, owner_id, subject, zone, starts_at, ends_at, at)"
    " select gen_random_uuid(), (array['call', 'task'])[1 + n % 2], :account, :owner, 'About ' || n, 'UTC',"
    " now(), now(), now() from generate_series(1, :count) n",
    "insert into note (id, account_id, author_id, text) select gen_random_uuid(), :account, :owner, 'Said ' || n"
    " from generate_series(1, :count) n",
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


def test_more_rows_mean_no_more_statements(
    session: Session,
    engine: Engine,
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
    make_account: Callable[..., Any],
) -> None:
    ada = make_user("ada", Role.ADMIN)
    browser, account = browser_of(ada), make_account("Shop of many", account_class="A")
    board = pipelines.create_usual(session)
    first = text("select id from stage where pipeline_id = :board order by position limit 1")
    values = {
        "account": account.id, "owner": ada.id, "pipeline": board.id,
        "stage": session.scalar(first, {"board": board.id}),
        "queue": queues.create(session, system_scope(), {"name": "Service"}).id,
    }  # fmt: skip
    found = []
    for count in (2, 10):
        for number in range(count):
            make_account(f"Shop {count}-{number}", account_class="A")
        for row in ROWS:
            wanted = {**values, "count": count}
            session.execute(text(row), {name: value for name, value in wanted.items() if f":{name}" in row})
        found.append({path: asked(engine, browser, path, account.id) for path in PAGES})
    few, many = found
    # A search that finds enough does not ask for slips of the fingers.
    assert {path: count for path, count in many.items() if count > few[path]} == {}
    assert {path: count for path, count in few.items() if count > MOST.get(path, 24)} == {}


def asked(engine: Engine, browser: TestClient, path: str, account_id: UUID) -> int:
    """How many statements a page takes; the first request warms up what a process keeps."""
    browser.get(path.format(id=account_id))
    with statements(engine) as sent:
        assert browser.get(path.format(id=account_id)).status_code == 200, path
    return len(sent)
