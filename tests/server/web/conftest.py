"""Browsers: one that speaks HTTP with a cookie, and a real one against a real server."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import service
from server.accounts.models import Account, Site
from server.accounts.reviewing import proposals
from server.accounts.reviewing.proposals import NewPin
from server.accounts.service import NewAccount
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.service import create_user
from server.kit.database import transaction
from server.territories import service as territories
from tests.application import served

PASSWORD = "three words make one"
PAGE = {"accept": "text/html"}
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
]  # fmt: skip


@pytest.fixture
def browser_of(client_for: Callable[[User | None], TestClient]) -> Callable[[User], TestClient]:
    """A client that signed in on the page and keeps the cookie: `browser_of(rita)`."""

    def sign_in(user: User) -> TestClient:
        client = client_for(None)
        client.headers.update(PAGE)
        answer = client.post("/sign-in", data={"login": user.login, "password": PASSWORD})
        assert answer.status_code == 303
        return client

    return sign_in


def token_in(text: str) -> str:
    """The CSRF token of a page."""
    return text.split('name="_csrf" value="')[1].split('"')[0]


@pytest.fixture
def make_account(session: Session, make_user: Callable[..., User]) -> Callable[..., Account]:
    """Create accounts: `make_account("Müller AG", owner=rita)`."""
    maker = make_user("maker")

    def make(name: str, owner: User | None = None, **more: Any) -> Account:
        fields = {"name": name, **more} | ({"owner_id": owner.id} if owner else {})
        site = {"street": "Städtle 1", "city": "Vaduz", "lon": 9.52, "lat": 47.14}
        account = service.create(
            session, scope_of(session, maker, source="web"), NewAccount(fields, [site]), force=True
        )
        session.refresh(account)
        return account

    return make


@pytest.fixture
def company(empty_database: Engine) -> None:
    """A small company that is really stored: an admin, a rep with a territory, three accounts."""
    with transaction() as session:
        ada = create_user(session, login="ada", name="Ada Berger", role=Role.ADMIN, password=PASSWORD)
        rita = create_user(session, login="rita", name="Rita Frick", role=Role.REP, password=PASSWORD)
        area = territories.create(session, name="West", area=MultiPolygon([box(9.4, 47.0, 9.6, 47.3)]))
        territories.set_members(session, area.id, [rita.id], day=date(2020, 1, 1))
        scope = scope_of(session, ada, source="web")
        for index, name in enumerate(("Bäckerei Amann", "Garage Beck", "Hotel Zech")):
            site = {"street": f"Landstrasse {index + 1}", "city": "Vaduz", "lon": 9.5 + index / 100, "lat": 47.14}
            fields = {"name": name, "account_class": "ABC"[index], "number": f"K-{index}"}
            service.create(session, scope, NewAccount(fields, [site]), force=True)


def propose() -> None:
    """The rep proposes another place for each of her accounts."""
    with transaction() as session:
        rita = scope_of(session, session.scalars(select(User).where(User.login == "rita")).one(), source="phone")
        for site in session.scalars(select(Site).order_by(Site.street)).all():
            proposals.propose(session, rita, site.id, NewPin(LonLat(9.55, 47.15), None))


@pytest.fixture
def live_server(company: None) -> Iterator[str]:
    """The real server on a free port of this machine; the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(served(), host="127.0.0.1", port=port, log_level="warning"))
    is_up = threading.Event()
    start = server.startup

    async def startup(sockets: Any = None) -> None:
        await start(sockets)
        is_up.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert is_up.wait(20)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium. Not for the whole run: Playwright keeps an event loop in this thread while it is open."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def signed_in(chromium: Any, server: str, login: str) -> Any:
    """A browser context of a person of the company; a quarter of the pixels is a third less work for a map."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, device_scale_factor=0.5, base_url=server)
    answer = context.request.post("/sign-in", form={"login": login, "password": PASSWORD}, max_redirects=0)
    assert answer.status == 303
    return context


@pytest.fixture
def page(live_server: str, chromium: Any) -> Iterator[Any]:
    """A tab of Chromium, signed in as the admin; every request that leaves this machine fails the test."""
    context = signed_in(chromium, live_server, "ada")
    tab = context.new_page()
    tab.set_default_timeout(90_000)  # machines are shared: a page may take long and still be right
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("request", lambda request: faults.append(request.url) if is_outside(request.url, live_server) else None)
    yield tab
    context.close()
    assert faults == []


def is_outside(url: str, here: str) -> bool:
    """Whether a request goes anywhere but to our own server."""
    return not url.startswith((here, "data:", "blob:"))
