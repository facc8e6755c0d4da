"""Rights hold at every door: built from the application's own routes, so that a new route is tested by being there.

The harm: a list obeyed the rights, its export was written a month later and did not; nobody compares two doors by hand.
"""

import csv
import io
import re
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth import rights, sessions
from server.auth.access import scope_of
from server.auth.models import Role, User, WebSession
from server.auth.roles import levels_of
from server.sync.models import SyncItem
from server.sync.pulling import buckets, entities
from tests.architecture.world import (
    KINDS,
    NAMED,
    OBJECTS,
    PARAMETERS,
    PLACES,
    ClientFor,
    Ids,
    address,
    ask,
    people,
    person,
    requirements,
    session,
    world,
)

__all__ = ["ask", "people", "session", "world"]

REACH = {
    "none": set[str](),
    "own": {"own"},
    "territory": {"own", "west"},
    "team": {"own", "west", "mate"},
    "region": {"own", "west", "mate", "north"},
    "all": set(PLACES),
}
"""Rita owns one; West is hers; Tom is in her team; North lies beside West in the same sales region; East is Otto's."""
OFF_PHONES = {"all": {"mate"}}
"""Whoever sees everything carries all territories along, but not what others own outside of them."""
TILES = ("accounts", "leads", "opportunities", "tickets")
PAGES = {
    "accounts": ("/accounts", "/home/accounts"),
    "contacts": ("/contacts",),
    "leads": ("/leads",),
    "opportunities": ("/pipeline", "/pipeline/list"),
    "orders": ("/orders",),
    "tickets": ("/tickets",),
}
"""What people look at: lists, the board, the list beside the map."""
ASKED = {"channel": "mail", "purpose": "marketing", "stage": str(uuid4())}
"""What some routes want to be asked."""
TILE = "9/269/179"
"""Holds all places, at a zoom where each is drawn for itself."""


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


def in_segment(client: TestClient, name: str, world: Ids) -> set[str]:
    answer = client.get(f"/api/v1/segments/{world['segments'][name]}/members")
    assert answer.status_code == 200, answer.text
    return places_of(set(answer.json()["items"]), world[name])


def on_page(client: TestClient, path: str) -> set[str]:
    answer = client.get(path, params={"q": "Zeppelin"}, headers={"accept": "text/html"})
    assert answer.status_code == 200, path
    return {place for place in PLACES if f"Zeppelin {place}" in answer.text}


def on_phone(session: Session, user: User, of: dict[str, str]) -> set[str]:
    """The accounts whose documents a phone of somebody gets."""
    scope = scope_of(session, user, source="sync")
    account = entities.BY_NAME["account"]
    held = select(SyncItem.id).where(
        SyncItem.bucket_id.in_([one.id for one in buckets.subscriptions(session, scope)]),
        SyncItem.e == account.code,
        SyncItem.op == "P",
        SyncItem.id.in_(map(UUID, of.values())),
    )
    return places_of({str(one) for one in entities.rows(session, scope, account, session.scalars(held))}, of)


def doors(client: TestClient, session: Session, user: User, world: Ids) -> dict[str, set[str]]:
    """What of the world is seen through each door."""
    found = {"accounts phone": on_phone(session, user, world["accounts"])}
    for name in OBJECTS:
        found[f"{name} list"] = in_list(client, name, world)
        found[f"{name} filter"] = in_list(client, name, world, filter=f'{NAMED[name]} contains "Zeppelin"')
        found[f"{name} segment"] = in_segment(client, name, world)
        found[f"{name} export"] = in_export(client, name)
        found[f"{name} search"] = in_search(client, KINDS[name], world[name])
        found |= {f"page {path}": on_page(client, path) for path in PAGES[name]}
        if name in TILES:
            found[f"{name} tile"] = in_tile(client, name)
        found[f"{name} record"] = readable(client, f"/api/v1/{name}/{{}}", world[name])
    found["timeline"] = readable(client, "/api/v1/accounts/{}/timeline", world["accounts"])
    return found


def readable(client: TestClient, path: str, of: dict[str, str]) -> set[str]:
    return {place for place, row_id in of.items() if client.get(path.format(row_id)).status_code == 200}


def test_every_door_shows_the_same_rows(session: Session, people: dict[str, User], world: Ids, ask: ClientFor) -> None:
    rita = ask(people["rita"])
    wrong = {}
    for level in ("own", "territory", "team", "region", "all"):
        grant(session, people["ada"], level)
        seen = doors(rita, session, people["rita"], world)
        assert len(seen) > 40
        expected = dict.fromkeys(seen, REACH[level]) | {"accounts phone": REACH[level] - OFF_PHONES.get(level, set())}
        wrong |= {f"{level}: {door}": sorted(there) for door, there in seen.items() if there != expected[door]}
    rights.remove_role(session, "rep", people["ada"].id)
    assert wrong == {}


def test_whoever_views_as_somebody_sees_through_every_door_what_that_person_sees(
    session: Session, people: dict[str, User], world: Ids, ask: ClientFor
) -> None:
    token = sessions.open_session(session, people["ada"], None)
    web = session.get_one(WebSession, sessions.digest(token))
    ada = ask(None)
    ada.cookies.set(sessions.COOKIE, token)
    forged = {"x-csrf-token": web.csrf}
    assert doors(ada, session, people["ada"], world)["orders list"] == REACH["all"]
    assert ada.post(f"/users/{people['rita'].id}/view-as", headers=forged).status_code == 303
    seen, hers = (doors(client, session, people["rita"], world) for client in (ada, ask(people["rita"])))
    assert seen == hers
    assert set(map(frozenset, seen.values())) == {frozenset(REACH["territory"])}
    assert ada.post("/users/view-as/stop", headers=forged).status_code == 303


def test_no_route_reads_a_record_that_is_somebody_elses(people: dict[str, User], world: Ids, ask: ClientFor) -> None:
    rita = ask(people["rita"])
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
def test_a_route_refuses_every_role_without_its_permission(role: Role, session: Session, ask: ClientFor) -> None:
    client = ask(person(session, f"some {role}".replace(" ", "_"), role))
    granted = levels_of(role)
    refused, open_doors = 0, []
    for route, permission in requirements():
        if permission in granted or route.path.startswith(("/sync/", "/att/")):
            continue
        for method in route.methods - {"HEAD"}:
            answer = client.request(method, address(route))
            refused += 1
            if answer.status_code != 403:
                open_doors.append(f"{method} {route.path}: {answer.status_code}")
    assert refused > 5
    assert not open_doors, "\n".join(open_doors)
