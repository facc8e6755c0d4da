"""Changes that wait for a day: nothing moves before it, and what cannot be done then says why."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Role, User
from server.balance import saving, service
from server.kit import clock
from server.kit.errors import Conflict, NotFound
from server.kit.settings import settings
from server.territories.models import Territory, TerritoryChange
from tests.server.balance.conftest import CHANGES, MakeUser, do, drawn, named, place_of, square


def test_a_territory_drawn_from_a_later_day_moves_nothing_before(
    session: Session, client: TestClient, bakery: Account, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    rita, today = make_user("rita", Role.REP), clock.today(settings().zone)
    drawn(client, "Old", square(9))
    monday = today + timedelta(days=7)
    wish = {
        "kind": "create",
        "name": "New",
        "area": square(9.5, 10.5),
        "others_give_way": True,
        "members": [str(rita.id)],
    }
    seen = do(client, wish, preview=True, apply_on=monday.isoformat())
    assert (seen["apply_on"], seen["effects"]["accounts"], seen["notes"]) == (monday.isoformat(), 1, [])
    made = do(client, wish, apply_on=monday.isoformat(), why="Next week")
    assert [one["name"] for one in client.get("/api/v1/territories").json()["items"]] == ["Old"]
    assert place_of(session, bakery) == "Old"
    page = client.get("/territories", headers={"Accept": "text/html"}).text
    assert "data-waiting" in page
    assert "1 account will move" in page
    assert client.post(f"{CHANGES}/{made['id']}/undo").status_code == 409

    assert saving.due(session, monday - timedelta(days=1)) == []
    (waiting,) = saving.due(session, monday)
    monkeypatch.setattr(clock, "today", lambda zone: monday)
    service.apply_due(session, waiting, monday)
    assert place_of(session, bakery) == "New"
    (member,) = client.get(f"/api/v1/territories/{named(client, 'New')['id']}/members").json()["items"]
    assert (member["name"], member["valid_from"]) == ("Rita", monday.isoformat())
    (line,) = [one for one in client.get(CHANGES).json()["items"] if one["why"]]
    assert (line["kind"], line["state"], line["why"], line["accounts"]) == ("create", "applied", "Next week", 1)
    assert saving.due(session, monday) == []
    assert client.post(f"{CHANGES}/{made['id']}/undo").status_code == 204, "it is the change that was asked for"
    assert place_of(session, bakery) == "Old"


def test_what_waits_for_a_day_is_called_off_or_says_why_it_was_not_done(session: Session, client: TestClient) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    old = drawn(client, "Old", square(9))
    take = {"kind": "delete", "territory_id": old["id"], "rev": old["rev"]}
    first = do(client, take, apply_on=monday.isoformat())
    assert client.delete(f"{CHANGES}/{first['id']}").status_code == 204
    assert saving.due(session, monday) == []
    do(client, take, apply_on=monday.isoformat())
    do(client, {"kind": "reshape", "territory_id": old["id"], "name": "Other"})
    (waiting,) = saving.due(session, monday)
    service.apply_due(session, waiting, monday)
    assert named(client, "Other"), "somebody else was first: it is kept, not done"
    (kept,) = [one for one in client.get(CHANGES).json()["items"] if one["state"] == "kept"]
    assert kept["id"] == str(waiting)
    saving.fail(session, UUID(do(client, take | {"rev": None}, apply_on=monday.isoformat())["id"]), "Why not.")
    assert client.get(CHANGES).json()["items"][0]["trouble"] == "Why not."
    page = client.get("/territories", headers={"Accept": "text/html"}).text
    assert page.count("data-failed") == 2, "at the territories, not only in their history"
    assert "Why not." in page.split("data-failed")[1].split("</div></div>")[0] + page.split("data-failed")[2]
    told = client.get("/api/v1/notifications").json()["items"]
    assert [one["kind"] for one in told] == ["territory"] * 2, "whoever set the day is told, of both"
    assert all("Old" in one["text"] or "Other" in one["text"] for one in told)
    assert told[0]["link"].startswith("/territories?kept=")
    people = {"kind": "members", "territory_id": old["id"], "members": []}
    refused = client.post(CHANGES, json={"operation": people, "apply_on": monday.isoformat()})
    assert (refused.status_code, refused.json()["detail"]) == (422, "This cannot wait for a day.")
    refused = client.post(CHANGES, json={"operation": take | {"rev": None}, "apply_on": "2001-01-01"})
    assert (refused.status_code, refused.json()["detail"]) == (422, "That day has passed.")


def test_what_waits_is_recounted_says_who_changed_its_territory_since_and_is_set_anew(
    session: Session, client: TestClient, bakery: Account
) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    old = drawn(client, "Old", square(9, 11))
    line = {"type": "LineString", "coordinates": [[9.6, 46], [9.6, 49]]}
    wish = {"kind": "split", "territory_id": old["id"], "rev": old["rev"], "line": line, "name": "East"}
    made = do(client, wish, apply_on=monday.isoformat(), why="Spring")

    def told() -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in client.get(CHANGES).json()["items"] if one["id"] == made["id"])
        return found

    assert (told()["accounts"], told()["trouble"]) == (1, "")
    bakery.territory_is_fixed = True
    session.flush()
    assert told()["accounts"] == 0, "as it is now, not as it was when the day was set"
    bakery.territory_is_fixed = False
    session.flush()

    name = {"kind": "reshape", "territory_id": old["id"], "name": "Older"}
    do(client, name)
    since = "Ada changed “Older” after this was set: it will not be done on its day, but kept."
    assert (told()["accounts"], told()["trouble"]) == (1, since)
    again = {"kind": "kept", "change_id": made["id"]}
    seen = do(client, again, preview=True, apply_on=monday.isoformat())
    assert (seen["effects"]["accounts"], {one["name"] for one in seen["parts"]}) == (1, {"East", "Older"})
    tuesday = monday + timedelta(days=1)
    assert do(client, again, apply_on=tuesday.isoformat())["id"] == made["id"], "it stays the same change"
    assert (told()["trouble"], told()["apply_on"], told()["why"]) == ("", tuesday.isoformat(), "Spring")

    do(client, {"kind": "give", "to_id": drawn(client, "New", square(20))["id"], "ground": square(9.5, 11)})
    assert told()["accounts"] == 0
    assert told()["trouble"] == f"{since} The line does not cut “Older” in two."
    german = client.get("/territories", headers={"Accept": "text/html", "Accept-Language": "de"}).text
    notice = german.split("data-waiting")[1].split("</div></div>")[0]
    assert "Ada hat «Older» geändert, seit dies angesetzt wurde" in notice
    assert f'data-day="{tuesday.isoformat()}"' in notice
    assert "Konten" not in notice, "what cannot be done moves nothing"
    assert client.post(CHANGES, json={"operation": again}).status_code == 422
    assert told()["state"] == "waiting"


def test_a_change_for_a_day_whose_territory_is_taken_away_says_which_and_by_whom(
    session: Session, client: TestClient
) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    old = drawn(client, "Old", square(9))
    made = do(client, {"kind": "give", "to_id": old["id"], "ground": square(9.5, 11)}, apply_on=monday.isoformat())
    do(client, {"kind": "delete", "territory_id": old["id"], "rev": old["rev"]})
    with pytest.raises(NotFound, match="Ada took “Old” away") as refused:
        service.apply_due(session, UUID(made["id"]), monday)
    assert "Undo that in the history" in refused.value.help


def test_a_second_click_waits_not_twice_and_whoever_may_no_more_is_not_obeyed(
    session: Session, client: TestClient
) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    wish = {"kind": "create", "name": "New", "area": square(9)}
    made = do(client, wish, apply_on=monday.isoformat())
    again = client.post(CHANGES, json={"operation": wish, "apply_on": monday.isoformat()})
    assert (again.status_code, again.json()["detail"]) == (409, "The same change waits already.")
    setter = session.get_one(User, session.get_one(TerritoryChange, UUID(made["id"])).actor_id)
    setter.active = False
    session.flush()
    with pytest.raises(Conflict, match="who set the day, may not change territories any more"):
        service.apply_due(session, UUID(made["id"]), monday)
    assert "New" not in [one.name for one in session.scalars(select(Territory))]
