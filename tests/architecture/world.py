"""A world of one record of each object in each place, made once for a file, and the application's doors to it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

import pytest
from anyio.from_thread import BlockingPortal
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from server.auth.access import Requires
from server.auth.models import Role, User
from server.auth.service import create_user, set_team
from server.auth.tokens import create_api_token
from server.kit import clock
from server.kit.database import request_transaction
from server.opportunities import pipelines
from server.territories import service as territories
from tests.application import application, routes
from tests.conftest import requests_on

type ClientFor = Callable[[User | None], TestClient]
type Ids = dict[str, dict[str, str]]

PLACES = {"own": 9.82, "west": 9.25, "mate": 9.81, "north": 9.4, "east": 9.6}
OBJECTS = ("accounts", "contacts", "leads", "opportunities", "orders", "tickets")
NAMED = {"accounts": "name", "contacts": "last_name", "leads": "company", "opportunities": "name",
         "orders": "reference", "tickets": "subject"}  # fmt: skip
KINDS = {"accounts": "account", "contacts": "contact", "leads": "lead", "opportunities": "opportunity",
         "orders": "order", "tickets": "ticket"}  # fmt: skip
PARAMETERS = {"account_id": "accounts", "contact_id": "contacts", "lead_id": "leads", "deal_id": "opportunities",
              "order_id": "orders", "ticket_id": "tickets"}  # fmt: skip


@lru_cache(maxsize=1)
def requirements() -> list[tuple[APIRoute, str]]:
    """Each route with the permission that it requires."""
    return [
        (route, child.call.permission)
        for route in routes()
        for child in route.dependant.dependencies
        if isinstance(child.call, Requires)
    ]


def address(route: APIRoute, **known: str) -> str:
    """A route's path with something for every parameter."""
    fill = {"z": "9", "x": "269", "y": "179", "kind": "csv"} | known
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: fill.get(found[1], str(uuid4())), route.path)


@pytest.fixture(scope="module")
def session(engine: Engine) -> Iterator[Session]:
    """One transaction for all tests of this file: the world is made once, and is gone afterwards."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


@pytest.fixture(scope="module")
def ask(session: Session, portal: BlockingPortal) -> Iterator[ClientFor]:
    """Clients of the application on that transaction, on one event loop."""
    app = application()
    app.dependency_overrides[request_transaction] = requests_on(session)
    with ExitStack() as stack:

        def make(user: User | None) -> TestClient:
            client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
            client.portal = portal
            if user is not None:
                _, secret = create_api_token(session, user.id, "test", None, None)
                client.headers["Authorization"] = f"Bearer {secret}"
            stack.callback(client.close)
            return client

        yield make
    app.dependency_overrides.clear()


def person(session: Session, login: str, role: Role = Role.REP) -> User:
    return create_user(session, login=login, name=login.title(), role=role, password="three words make one")


@pytest.fixture(scope="module")
def people(session: Session) -> dict[str, User]:
    """Rita, her mate Tom, Nora beside her, Otto far away, and Ada."""
    made = {login: person(session, login) for login in ("rita", "tom", "nora", "otto")}
    made["ada"] = person(session, "ada", Role.ADMIN)
    set_team(session, "Field", [made["rita"].id, made["tom"].id])
    south = territories.create(session, name="South", area=MultiPolygon([box(9.2, 46.0, 9.5, 46.5)]))
    for name, login, west, east in (
        ("West", "rita", 9.2, 9.3),
        ("North", "nora", 9.35, 9.45),
        ("East", "otto", 9.5, 9.7),
    ):
        parent = None if name == "East" else south.id
        area = territories.create(
            session, name=name, area=MultiPolygon([box(west, 47.0, east, 47.2)]), parent_id=parent
        )
        territories.set_members(session, area.id, [made[login].id], day=date(2020, 1, 1))
    return made


@pytest.fixture(scope="module")
def world(session: Session, people: dict[str, User], ask: ClientFor) -> Ids:
    """One record of every object in each place, and a segment of each object; ids by object and place."""
    ada = ask(people["ada"])
    if not ada.get("/api/v1/pipelines").json()["items"]:
        pipelines.create_usual(session)
    owners = {"own": people["rita"], "mate": people["tom"]}
    made: Ids = {name: {} for name in (*OBJECTS, "segments")}

    def post(name: str, place: str, /, **body: Any) -> str:
        answer = ada.post(f"/api/v1/{name}", json=body)
        assert answer.status_code == 201, answer.text
        made[name][place] = answer.json()["id"]
        return made[name][place]

    queue = ada.post("/api/v1/ticket-queues", json={"name": "Help", "hours": "24/7"}).json()["id"]
    soon = (clock.now().date() + timedelta(days=30)).isoformat()
    for place, lon in PLACES.items():
        word = f"Zeppelin {place}"
        owner = {"owner_id": str(owners[place].id)} if place in owners else {}
        account = post("accounts", place, name=word, sites=[{"lon": lon, "lat": 47.1}], **owner)
        post("contacts", place, last_name=word, accounts=[{"account_id": account}])
        post("leads", place, company=word, lon=lon, lat=47.1, **owner)
        post("opportunities", place, name=word, account_id=account, close_on=soon, next_step="Call", next_step_on=soon)
        post("orders", place, account_id=account, reference=word)
        post("tickets", place, subject=word, body="Cold.", queue_id=queue, account_id=account)
    for name in OBJECTS:
        filter = f'{NAMED[name]} contains "Zeppelin"'
        post("segments", name, subject=KINDS[name], name=f"Airships {name}", filter=filter, sharing="all")
    return made
