"""The field contests an account's territory; the effect in hours is told, and small ones decide themselves."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.auth.models import Role, User
from server.balance.models import TerritoryChallenge
from server.notifications.models import Notification
from server.web.language import Language

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]
API = "/api/v1/territory-challenges"


@pytest.fixture
def world(session: Session, client_for: ClientFor, make_user: MakeUser) -> dict[str, Any]:
    """West with two of Rita's accounts, East with none."""
    admin, rita = client_for(make_user()), make_user("rita", Role.REP)
    rows = []
    for name in ("Bakery", "Garage"):
        account = Account(name=name, currency="EUR", account_class="B", owner_id=rita.id)
        session.add(account)
        session.flush()
        session.add(Site(account_id=account.id, is_main=True, pin=wkt(LonLat(9.5, 47.5)), pin_state="placed"))
        rows.append(account)
    session.flush()
    areas = {}
    for name, west in (("West", 9), ("East", 10)):
        outline = [[west, 47], [west + 1, 47], [west + 1, 48], [west, 48], [west, 47]]
        body = {"name": name, "area": {"type": "Polygon", "coordinates": [outline]}}
        areas[name] = admin.post("/api/v1/territories", json=body).json()["id"]
    return {"admin": admin, "rita": client_for(rita), "accounts": rows, **areas}


def contest(world: dict[str, Any], who: str = "rita", number: int = 0, reason: str = "It is on my way") -> Any:
    body = {"account_id": str(world["accounts"][number].id), "to_id": world["East"], "reason": reason}
    return world[who].post(API, json=body)


def test_strangers_contest_nothing_and_neither_do_reps_for_others(
    world: dict[str, Any], client_for: ClientFor, make_user: MakeUser
) -> None:
    assert client_for(None).post(API, json={}).status_code == 401
    world["otto"] = client_for(make_user("otto", Role.REP))
    assert contest(world, "otto").status_code == 404


def test_a_manager_sees_the_hours_of_both_and_an_accepted_account_stays_there(
    session: Session, world: dict[str, Any]
) -> None:
    made = contest(world)
    assert made.status_code == 201, made.text
    effect = made.json()["effect"]
    assert effect["from_before"] == pytest.approx(2 * effect["hours"])
    assert (effect["to_before"], effect["to_after"]) == (0, effect["hours"])
    assert contest(world).status_code == 409
    path = f"{API}/{made.json()['id']}/decision"
    assert world["rita"].post(path, json={"accepts": True}).status_code == 403
    assert world["admin"].post(path, json={"accepts": True, "answer": "Right"}).json()["state"] == "accepted"
    account = world["accounts"][0]
    session.refresh(account)
    assert (str(account.territory_id), account.territory_is_fixed) == (world["East"], True)
    assert world["admin"].post(path, json={"accepts": False}).status_code == 409


def test_a_decided_challenge_says_who_decided_and_when_also_without_an_answer(
    session: Session, world: dict[str, Any]
) -> None:
    made = contest(world).json()
    assert world["admin"].post(f"{API}/{made['id']}/decision", json={"accepts": False}).status_code == 200
    decided = session.get_one(TerritoryChallenge, UUID(made["id"])).decided_at
    page = world["rita"].get("/territories/challenges", headers={"accept": "text/html"}).text
    told = page.split("data-decided>")[1].split("</p>")[0]
    assert told == f"Ada, {Language('en').moment(decided)}"


def test_small_challenges_are_decided_by_the_rule(session: Session, world: dict[str, Any]) -> None:
    rule = {"accept_h": 100, "refuse_h": 100}
    assert world["admin"].put("/api/v1/challenge-rule", json=rule).json() == rule
    first = contest(world).json()
    assert (first["state"], first["by_rule"]) == ("accepted", True)
    second = contest(world, number=1).json()
    assert (second["state"], second["by_rule"]) == ("refused", True)
    assert contest(world, number=1, reason=" ").status_code == 422
    assert {one["state"] for one in world["rita"].get(API).json()["items"]} == {"accepted", "refused"}


def test_the_field_sees_what_it_contested_and_nobody_else_does(
    world: dict[str, Any], client_for: ClientFor, make_user: MakeUser
) -> None:
    contest(world)
    assert len(world["rita"].get(API).json()["items"]) == 1
    assert client_for(make_user("otto", Role.REP)).get(API).json()["items"] == []


def test_who_decides_hears_of_a_challenge_and_who_contested_of_the_decision(
    session: Session, world: dict[str, Any], make_user: MakeUser, client_for: ClientFor
) -> None:
    nora = make_user("nora", Role.REP)
    told = select(Notification).where(Notification.kind == "challenge").order_by(Notification.made_at)
    made = contest(world).json()
    (one,) = session.scalars(told).all()
    assert one.user_id not in (nora.id, world["accounts"][0].owner_id)
    assert one.channel == "digest"
    assert (one.gaps["account"], one.gaps["to"]) == ("Bakery", "East")
    world["admin"].headers["accept"] = "text/html"
    assert "Contested territories that wait for a decision: 1" in world["admin"].get("/home/today").text
    assert "waiting for a decision: 1" in world["admin"].get("/territories").text
    assert "wait for a decision" not in client_for(nora).get("/home/today").text
    assert world["admin"].post(f"{API}/{made['id']}/decision", json={"accepts": False}).status_code == 200
    assert session.scalars(told).all()[-1].user_id == world["accounts"][0].owner_id
    assert "Contested territories that wait" not in world["admin"].get("/home/today").text


def test_the_form_begins_with_the_nearest_territory_and_its_hours(world: dict[str, Any]) -> None:
    outline = [[19, 47], [20, 47], [20, 48], [19, 48], [19, 47]]
    body = {"name": "Aland", "area": {"type": "Polygon", "coordinates": [outline]}}
    far = world["admin"].post("/api/v1/territories", json=body).json()["id"]
    account = world["accounts"][0].id
    page = world["rita"].get(f"/territories/challenges?account={account}", headers={"accept": "text/html"}).text
    choices = page.split('id="c-to"')[1].split("</select>")[0]
    assert choices.index(world["East"]) < choices.index(far), "the nearest, not the first by name"
    assert "East</dt><dd>0 →" in page
    url = f"/territories/challenges/effect?account_id={account}&to_id={far}"
    assert "Aland</dt><dd>0 →" in world["rita"].get(url).text
