"""Pages of the sales core ask the database a fixed number of times, however many rows they show."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from server.auth.access import system_scope
from server.auth.models import Role, User
from server.kit.ids import uuid7
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
    "/pipeline/deals/{deal}",
    "/pipeline/deals/{deal}/products?line_name=thing",
    "/products",
    "/products/{product}",
    "/white-space",
    "/review",
    "/imports/{run}",
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
MOST = {"/accounts/{id}": 27, "/pipeline/deals/{deal}": 37, "/white-space": 31}
"""The page of an account shows what eleven rooms know; white space asks for both kinds of ground where one is empty."""
ONE_OF = {
    "deal": "insert into opportunity (id, name, account_id, owner_id, pipeline_id, stage_id, close_on)"
    " values (:id, 'Of many products', :account, :owner, :pipeline, :stage, current_date) returning id",
    "product": "insert into product (id, number, name) values (:id, 'P1', 'Thing') returning id",
    "run": "insert into import_run (id, kind, file_name, sha256, size, format, header, state, actor)"
    " values (:id, 'accounts', 'shops.csv', 'none', 1, 'csv', array['Name'], 'done', :owner) returning id",
}
"""What has a page of its own; `ROWS` hang on it."""
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
    "insert into product (id, number, name) select gen_random_uuid(), 'P' || 100 * :count + n, 'Thing ' || n"
    " from generate_series(1, :count) n",
    "insert into opportunity_line (id, opportunity_id, product_id, position, name, quantity, unit_price)"
    " select gen_random_uuid(), :deal, id, 100 * :count + row_number() over (), name, 1, 10 from product limit :count",
    "insert into import_row (run_id, row_no, cells) select :run, 100 * :count + n, array['Shop ' || n]"
    " from generate_series(1, :count) n",
    "insert into import_outcome (run_id, row_no, values, problems, new_ids, action)"
    """ select :run, 100 * :count + n, '{"name": "Shop"}', '[]', '{}', 'create' from generate_series(1, :count) n""",
    "update site set pin_state = 'review' where account_id in (select id from account where name like 'Shop %-%')",
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
    values |= {
        name: session.scalar(
            text(row), {key: value for key, value in {**values, "id": uuid7()}.items() if f":{key}" in row}
        )
        for name, row in ONE_OF.items()
    }
    found = []
    for count in (2, 10):
        for number in range(count):
            make_account(f"Shop {count}-{number}", account_class="A")
        for row in ROWS:
            wanted = {**values, "count": count}
            session.execute(text(row), {name: value for name, value in wanted.items() if f":{name}" in row})
        found.append({path: asked(engine, browser, path.format(id=account.id, **values)) for path in PAGES})
    few, many = found
    # A search that finds enough does not ask for slips of the fingers.
    assert {path: count for path, count in many.items() if count > few[path]} == {}
    assert {path: count for path, count in few.items() if count > MOST.get(path, 21)} == {}


def asked(engine: Engine, browser: TestClient, path: str) -> int:
    """How many statements a page takes; the first request warms up what a process keeps."""
    browser.get(path)
    with statements(engine) as sent:
        assert browser.get(path).status_code == 200, path
    return len(sent)
