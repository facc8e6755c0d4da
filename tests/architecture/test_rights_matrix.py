"""Rights hold at every door: built from the application's own routes, so that a new route is tested by being there.

The harm: a list obeyed the rights, its export was written a month later and did not; nobody compares two doors by hand.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy.orm import Session

from server.app import create_app
from server.auth import rights
from server.auth.access import Requires
from server.auth.models import Role, User
from server.auth.roles import levels_of
from server.auth.service import set_team
from server.kit import clock
from server.opportunities import pipelines
from server.territories import service as territories

type ClientFor = Callable[[User | None], TestClient]
type Ids = dict[str, dict[str, str]]

PLACES = {"own": 9.82, "west": 9.25, "mate": 9.81, "north": 9.4, "east": 9.6}
REACH = {
    "none": set[str](),
    "own": {"own"},
    "territory": {"own", "west"},
    "team": {"own", "west", "mate"},
    "region": {"own", "west", "mate", "north"},
    "all": set(PLACES),
}
"""Rita owns one; West is hers; Tom is in her team; North lies beside West in the same sales region; East is Otto's."""
OBJECTS = ("accounts", "contacts", "leads", "opportunities", "orders", "tickets")
NAMED = {"accounts": "name", "contacts": "last_name", "leads": "company", "opportunities": "name",
         "orders": "reference", "tickets": "subject"}  # fmt: skip
TILES = ("accounts", "leads", "opportunities")
PARAMETERS = {"account_id": "accounts", "contact_id": "contacts", "lead_id": "leads", "deal_id": "opportunities",
              "order_id": "orders", "ticket_id": "tickets"}  # fmt: skip
ASKED = {"channel": "mail", "purpose": "marketing", "stage": str(uuid4())}
"""What some routes want to be asked."""
TILE = "9/269/179"
"""Holds all places, at a zoom where each is drawn for itself."""


def requirements() -> Iterator[tuple[APIRoute, str]]:
    """Each route with the permission that it requires."""
    for context in iter_route_contexts(create_app().routes):
        route = context.route
        if isinstance(route, APIRoute):
            for child in route.dependant.dependencies:
                if isinstance(child.call, Requires):
                    yield route, child.call.permission


def address(route: APIRoute, **known: str) -> str:
    """A route's path with something for every parameter."""
    fill = {"z": "9", "x": "269", "y": "179", "kind": "csv"} | known
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: fill.get(found[1], str(uuid4())), route.path)


@pytest.fixture
def people(session: Session, make_user: Callable[..., User]) -> dict[str, User]:
    """Rita, her mate Tom, Nora beside her, Otto far away, and Ada."""
    made = {login: make_user(login, Role.REP) for login in ("rita", "tom", "nora", "otto")}
    made["ada"] = make_user("ada")
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


@pytest.fixture
def world(session: Session, people: dict[str, User], client_for: ClientFor) -> Ids:
    """One record of every object in each place; ids by object and place."""
    ada = client_for(people["ada"])
    if not ada.get("/api/v1/pipelines").json()["items"]:
        pipelines.create_usual(session)
    owners = {"own": people["rita"], "mate": people["tom"]}
    made: Ids = {name: {} for name in OBJECTS}

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
    return made


def grant(session: Session, ada: User, level: str) -> None:
    """Let reps read and export everything at a level."""
    levels = {f"{name}:{action}": level for name in OBJECTS for action in ("read", "export")}
    rights.change_role(session, "rep", levels=levels, fields={}, actor=ada.id)


def places_of(ids: set[str], of: dict[str, str]) -> set[str]:
    return {place for place, row_id in of.items() if row_id in ids}


def in_list(client: TestClient, name: str, world: Ids, **asked: str) -> set[str]:
    answer = client.get(f"/api/v1/{name}", params={"limit": "50", **asked})
    assert answer.status_code == 200, answer.text
    return places_of({row["id"] for row in answer.json()["items"]}, world[name])


def in_export(client: TestClient, name: str) -> set[str]:
    answer = client.get(f"/api/v1/{name}/export.csv")
    assert answer.status_code == 200, answer.text
    cells = {cell for row in csv.reader(io.StringIO(answer.text)) for cell in row}
    return {place for place in PLACES if f"Zeppelin {place}" in cells}


def in_tile(client: TestClient, name: str) -> set[str]:
    answer = client.get(f"/tiles/{name}/{TILE}")
    assert answer.status_code in (200, 204), answer.text
    return {place for place in PLACES if f"Zeppelin {place}".encode() in answer.content}


def in_search(client: TestClient, kind: str, of: dict[str, str]) -> set[str]:
    hits = client.get("/api/v1/search", params={"q": "Zeppelin", "limit": "100"}).json()
    return places_of({hit["id"] for hit in hits if hit["kind"] == kind}, of)


@pytest.mark.parametrize("level", ["own", "territory", "team", "region", "all"])
def test_every_door_shows_the_same_rows(
    level: str, session: Session, people: dict[str, User], world: Ids, client_for: ClientFor
) -> None:
    grant(session, people["ada"], level)
    rita = client_for(people["rita"])
    kinds = {"accounts": "account", "contacts": "contact", "leads": "lead", "opportunities": "opportunity",
             "orders": "order", "tickets": "ticket"}  # fmt: skip
    found: dict[str, set[str]] = {}
    for name in OBJECTS:
        found[f"{name} list"] = in_list(rita, name, world)
        found[f"{name} found"] = in_list(rita, name, world, q="Zeppelin")
        found[f"{name} filter"] = in_list(rita, name, world, filter=f'{NAMED[name]} contains "Zeppelin"')
        found[f"{name} export"] = in_export(rita, name)
        found[f"{name} search"] = in_search(rita, kinds[name], world[name])
        if name in TILES:
            found[f"{name} tile"] = in_tile(rita, name)
        found[f"{name} record"] = {
            place for place, row_id in world[name].items() if rita.get(f"/api/v1/{name}/{row_id}").status_code == 200
        }
    found["timeline"] = {
        place
        for place, row_id in world["accounts"].items()
        if rita.get(f"/api/v1/accounts/{row_id}/timeline").status_code == 200
    }
    wrong = {door: sorted(seen) for door, seen in found.items() if seen != REACH[level]}
    assert wrong == {}


def test_no_route_reads_a_record_that_is_somebody_elses(
    people: dict[str, User], world: Ids, client_for: ClientFor
) -> None:
    rita = client_for(people["rita"])
    granted = levels_of(Role.REP)
    asked, open_doors = 0, []
    for route, permission in requirements():
        parameters = re.findall(r"\{(\w+)", route.path)
        if "GET" not in route.methods or permission not in granted or not parameters or parameters[0] not in PARAMETERS:
            continue
        known = {parameters[0]: world[PARAMETERS[parameters[0]]]["east"]}
        answer = rita.get(address(route, **known), params=ASKED, headers={"accept": "text/html"})
        asked += 1
        if answer.status_code not in (403, 404):
            open_doors.append(f"{route.path}: {answer.status_code}")
    assert asked > 30
    assert not open_doors, "\n".join(open_doors)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_a_route_refuses_every_role_without_its_permission(
    role: Role, make_user: Callable[..., User], client_for: ClientFor
) -> None:
    client = client_for(make_user("somebody", role))
    granted = levels_of(role)
    refused, open_doors = 0, []
    for route, permission in requirements():
        if permission in granted or route.path.startswith("/sync/"):
            continue
        for method in route.methods - {"HEAD"}:
            answer = client.request(method, address(route))
            refused += 1
            if answer.status_code != 403:
                open_doors.append(f"{method} {route.path}: {answer.status_code}")
    assert refused > 5
    assert not open_doors, "\n".join(open_doors)
