"""One embedded database for a whole test run, one database per worker, one rolled-back transaction per test."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

os.environ.setdefault("KIVY_NO_ARGS", "1")
os.environ.setdefault("KIVY_NO_CONSOLELOG", "1")
from tests import home

if "WAYMARK_TESTS" not in os.environ:  # workers of a parallel run find it; never the data of whoever runs the tests
    os.environ["WAYMARK_TESTS"] = str(home.make())
HOME = Path(os.environ["WAYMARK_TESTS"])
os.environ["WAYMARK_HOME"] = str(HOME)
os.environ["TMPDIR"] = tempfile.tempdir = str(HOME / "tmp")
os.environ.pop("WAYMARK_DATABASE_URL", None)
os.environ["WAYMARK_SYNC_READS_PER_MINUTE"] = "1000000"  # phones under test sync without end

from server import migrations  # noqa: E402
from server.auth import service as auth  # noqa: E402
from server.auth.models import Role, User  # noqa: E402
from server.kit import database, embedded  # noqa: E402
from server.kit.database import request_transaction  # noqa: E402
from server.roads import graphs as roads  # noqa: E402

PASSWORD = "three words make one"
settings.register_profile("waymark", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("waymark")
"""Machines are shared: how long an example takes says nothing."""
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A fifth of a second for each person of each test would be most of some tests."""


def pytest_configure(config: pytest.Config) -> None:
    """The controller of a parallel run (or the only process) owns the cluster."""
    if not hasattr(config, "workerinput"):
        url = embedded.ensure(HOME)
        admin = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("alter system set fsync = off"))
            connection.execute(text("alter system set synchronous_commit = off"))
            connection.execute(text("alter system set full_page_writes = off"))
            connection.execute(text("select pg_reload_conf()"))
            connection.execute(text("drop database if exists template_waymark"))
            connection.execute(text("create database template_waymark"))
        admin.dispose()
        template = create_engine(make_url(url).set(database="template_waymark"))
        migrations.upgrade(template)
        template.dispose()


def pytest_collection_finish() -> None:
    """What is loaded now stays to the end: the collector, an eighth of a run's time, need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the cluster that this run started."""
    if not hasattr(config, "workerinput"):
        roads.stop_all()
        home.remove(HOME)


@pytest.fixture(scope="session")
def database_url(worker_id: str) -> Iterator[str]:
    """A migrated database of this worker's own."""
    name = f"test_{worker_id}"
    url = make_url(embedded.ensure(HOME))
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"drop database if exists {name} with (force)"))
        connection.execute(text(f"create database {name} template template_waymark strategy file_copy"))
    yield url.set(database=name).render_as_string(hide_password=False)
    admin.dispose()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The name of the xdist worker, `master` when there is none."""
    return getattr(request.config, "workerinput", {}).get("workerid", "master")


@pytest.fixture(scope="session")
def engine(database_url: str, worker_id: str) -> Iterator[Engine]:
    """The engine of this worker's database; the program's own engine is this one. Its files have a home too."""
    own = HOME / worker_id
    own.mkdir(exist_ok=True)
    os.environ["WAYMARK_DATABASE_URL"], os.environ["WAYMARK_HOME"] = database_url, str(own)
    from server.kit.settings import settings

    settings.cache_clear()
    database.engine.cache_clear()
    engine = database.engine()
    with engine.begin() as connection:
        connection.execute(text("create schema seeds"))
        connection.execute(text("create table seeds.picklist as table public.picklist"))
    yield engine
    roads.stop_all()
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose transaction is rolled back after the test; commits inside become savepoints."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


EMPTYING = """
    do $$
    declare name regclass;
    begin
        for name in
            select oid from pg_class
            where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 0
              and relname not in ('spatial_ref_sys', 'alembic_version', 'sync_meta')
        loop
            -- what is left of many rows would mislead the planner, and be read by tests that count pages
            if pg_relation_size(name) > 65536 or name = 'sync_item'::regclass then
                execute format('truncate only %s cascade', name);
            else
                execute format('delete from only %s', name);
            end if;
        end loop;
        perform setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
        from pg_sequences where schemaname = 'public' and last_value is not null;
    end $$
"""
"""Most of the two hundred tables are empty after a test: to truncate them all is a thousand new files."""


@pytest.fixture
def empty_database(engine: Engine) -> Iterator[Engine]:
    """For tests that really commit: every table is emptied afterwards, but for the pick lists of a new database."""
    yield engine
    with engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text(EMPTYING))
        connection.execute(text("set local session_replication_role = origin"))
        connection.execute(text("insert into public.picklist table seeds.picklist"))


@pytest.fixture
def make_user(session: Session) -> Callable[..., User]:
    """Create users: `make_user("rita", Role.REP)`."""

    def make(login: str = "ada", role: Role = Role.ADMIN, **more: object) -> User:
        return auth.create_user(session, login=login, name=login.title(), role=role, password=PASSWORD, **more)

    return make


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords with little work; `test_passwords.py` looks at the real parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "hasher", lambda: CHEAP)
        yield


@pytest.fixture(scope="session")
def app(engine: Engine) -> FastAPI:
    """The application on this worker's database."""
    from tests.application import application  # the controller of a parallel run has no use for it

    return application()


def requests_on(session: Session) -> Callable[[], Iterator[Session]]:
    """Requests that run in savepoints of one transaction: what fails is taken back, what ends well stays in it."""

    def in_test() -> Iterator[Session]:
        savepoint = session.begin_nested()
        try:
            yield session
        except BaseException:
            savepoint.rollback()
            raise
        session.flush()
        if savepoint.is_active:
            savepoint.commit()
        session.expire_all()

    return in_test


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """One event loop for the clients of all tests: each request would start a thread and a loop of its own."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def client_for(app: FastAPI, portal: BlockingPortal, session: Session) -> Iterator[Callable[[User | None], TestClient]]:
    """A client of the real application on the test's transaction, signed in by API token as a user (or nobody)."""
    from server.auth.tokens import create_api_token

    app.dependency_overrides[request_transaction] = requests_on(session)
    clients: list[TestClient] = []

    def make(user: User | None) -> TestClient:
        client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        client.portal = portal
        if user is not None:
            _, secret = create_api_token(session, user.id, "test", None, None)
            client.headers["Authorization"] = f"Bearer {secret}"
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()
    app.dependency_overrides.clear()
