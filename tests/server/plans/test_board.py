"""The plan board: what a change would do, making it, two people at one board, and the way back."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from server.plans.models import PlanVersion, Route, Stop


@pytest.fixture
def world(session: Any, people: Any, make_account: Any) -> dict[str, Any]:
    """Rita has four accounts in a row east of home, one closed on Tuesdays; Otto has one."""
    hours = "Mo,We-Fr 08:00-17:00"
    rows = [
        make_account(f"A{k}", (9.5 + k / 50, 47.1), account_class="A", owner_id=people["rita"].id, opening_hours=hours)
        for k in range(4)
    ]
    rows.append(make_account("Otto's", (9.52, 47.12), account_class="B", owner_id=people["otto"].id))
    return {row.name: row for row in rows}


@pytest.fixture
def plan(world: Any, people: Any, plan_now: Any, monday: date) -> Any:
    """Both reps, Monday and Tuesday."""
    return plan_now(people["mona"], [people["rita"], people["otto"]], monday, 3)


@pytest.fixture
def board(clients: Any, plan: Any) -> dict[str, Any]:
    return look(clients["mona"], plan)


def path(plan: Any, rest: str = "") -> str:
    return f"/api/v1/plans/{plan.id}/board{rest}"


def look(client: Any, plan: Any) -> Any:
    answer = client.get(path(plan))
    assert answer.status_code == 200, answer.text
    return answer.json()


def stop_of(board: Any, name: str) -> tuple[Any, Any]:
    """A stop by the account's name, and its route."""
    return next((stop, route) for route in board["routes"] for stop in route["stops"] if stop["name"] == name)


def change(client: Any, plan: Any, base: int, **what: Any) -> Any:
    return client.post(path(plan, "/changes"), json={"base": base, "change": what})


def test_a_stranger_is_sent_away(client_for: Any, plan: Any) -> None:
    stranger = client_for(None)
    for method, rest in [
        ("get", ""), ("get", "/lines?day=2030-01-07"), ("get", "/offers?visit=x"), ("get", "/versions"),
        ("post", "/preview"), ("post", "/changes"), ("post", "/back"),
    ]:  # fmt: skip
        assert getattr(stranger, method)(path(plan, rest)).status_code == 401
    for method, rest in [("post", "again"), ("post", "copy"), ("get", f"compare/{plan.id}"), ("get", "scorecard")]:
        assert getattr(stranger, method)(f"/api/v1/plans/{plan.id}/{rest}").status_code == 401


def test_the_board_of_somebody_else_does_not_exist(clients: Any, plan: Any, board: Any) -> None:
    key = board["routes"][0]["stops"][0]["key"]
    for login in ("nora", "otto"):
        client = clients[login]
        assert client.get(path(plan)).status_code == 404
        assert client.get(path(plan, "/versions")).status_code == 404
        assert client.get(path(plan, f"/offers?visit={key}")).status_code == 404
        assert change(client, plan, 1, kind="take_out", visit=key).status_code == 404
        assert client.post(path(plan, "/back"), json={"base": 1, "to": 1}).status_code == 404
        for verb in ("again", "copy"):
            assert client.post(f"/api/v1/plans/{plan.id}/{verb}", json={}).status_code == 404
        assert client.get(f"/api/v1/plans/{plan.id}/scorecard").status_code == 404
        assert client.get(f"/api/v1/plans/{plan.id}/compare/{plan.id}").status_code == 404


def test_a_board_shows_every_shift_and_stop_with_its_times(board: Any, people: Any, monday: date) -> None:
    assert (board["version"], board["is_editable"], board["undo_to"]) == (1, True, None)
    assert [rep["name"] for rep in board["reps"]] == ["Otto", "Rita"]
    assert len(board["rep_days"]) == 6
    stop, route = stop_of(board, "A1")
    assert route["rep_day"].startswith(str(people["rita"].id))
    assert stop["windows"] == [[8 * 3600, 17 * 3600]]
    last = route["stops"][-1]
    assert last["slack_s"] == 17 * 3600 - route["last_drive_s"] - last["ends_s"], "the way home must fit too"
    assert sum(len(route["stops"]) for route in board["routes"]) == board["summary"]["visits"]


def test_a_preview_says_exactly_what_the_change_then_does(
    session: Any, clients: Any, plan: Any, board: Any, people: Any, monday: date
) -> None:
    stop, route = stop_of(board, "A1")
    wanted = {"kind": "place", "visit": stop["key"], "rep_day": f"{people['otto'].id}/{monday}", "at_s": 14 * 3600}
    seen = clients["mona"].post(path(plan, "/preview"), json={"change": wanted}).json()
    assert seen["is_possible"]
    assert seen["cautions"][0]["code"] == "other_rep"
    assert look(clients["mona"], plan) == board
    made = clients["mona"].post(path(plan, "/changes"), json={"base": 1, "change": wanted}).json()
    for name in ("drive_s", "value_s", "visits", "routes", "shifted"):
        assert made["effect"][name] == seen[name]
    after = look(clients["mona"], plan)
    moved, to = stop_of(after, "A1")
    assert (moved["starts_s"], to["rep_day"], moved["is_other_reps"]) == (14 * 3600, wanted["rep_day"], True)
    assert after["summary"]["drive_s"] - board["summary"]["drive_s"] == seen["drive_s"]
    assert after["summary"]["value_s"] - board["summary"]["value_s"] == seen["value_s"]
    for route in after["routes"]:
        told = next((r for r in seen["routes"] if r["rep_day"] == route["rep_day"]), None)
        if told:
            times = [(s["key"], s["starts_s"], s["ends_s"]) for s in route["stops"]]
            assert times == [(s["key"], s["starts_s"], s["ends_s"]) for s in told["stops"]]


def test_what_is_stored_are_the_rows_of_the_plan(session: Any, clients: Any, plan: Any, board: Any) -> None:
    stop, _ = stop_of(board, "A0")
    made = change(clients["mona"], plan, 1, kind="take_out", visit=stop["key"])
    assert made.status_code == 200
    (count,) = session.execute(select(func.count()).select_from(Stop).join(Route).where(Route.plan_id == plan.id)).one()
    assert count == board["summary"]["visits"] - 1
    waiting = next(one for one in made.json()["board"]["waiting"] if one["name"] == "A0")
    assert waiting["reasons"][0]["code"] == "taken_out"
    detail = clients["mona"].get(f"/api/v1/plans/{plan.id}").json()
    assert detail["summary"]["visits"] == sum(len(r["stops"]) for r in detail["routes"])
    assert detail["summary"]["drive_s"] == sum(r["drive_s"] for r in detail["routes"])


@pytest.mark.parametrize(("day", "at_s", "code"), [
    (1, None, "closed"), (0, 16 * 3600 + 3000, "window"),
])  # fmt: skip
def test_an_unlawful_drop_is_refused_with_the_reason_and_nothing_is_stored(
    session: Any, clients: Any, plan: Any, board: Any, people: Any, monday: date, day: int, at_s: int | None, code: str
) -> None:
    stop, _ = stop_of(board, "A2")
    rep_day = f"{people['rita'].id}/{monday + timedelta(days=day)}"
    wanted = {"kind": "place", "visit": stop["key"], "rep_day": rep_day, "at_s": at_s}
    seen = clients["mona"].post(path(plan, "/preview"), json={"change": wanted}).json()
    assert (seen["is_possible"], seen["refusal"]["code"], seen["refusal"]["name"]) == (False, code, "A2")
    refused = clients["mona"].post(path(plan, "/changes"), json={"base": 1, "change": wanted})
    assert (refused.status_code, refused.json()["reason"]) == (409, code)
    assert refused.json()["detail"] == seen["refusal"]["text"]
    assert look(clients["mona"], plan) == board


def test_the_second_of_two_people_is_told_what_changed_and_loses_nothing(clients: Any, plan: Any, board: Any) -> None:
    first, second = stop_of(board, "A0")[0], stop_of(board, "A3")[0]
    assert change(clients["mona"], plan, 1, kind="take_out", visit=first["key"]).status_code == 200
    late = change(clients["mona"], plan, 1, kind="pin", visit=second["key"])
    assert (late.status_code, late.json()["code"]) == (409, "board_changed")
    (told,) = late.json()["changes"]
    assert (told["kind"], told["who"], told["detail"]["name"]) == ("taken_out", "Mona", "A0")
    assert change(clients["mona"], plan, late.json()["version"], kind="pin", visit=second["key"]).status_code == 200


def test_a_double_click_counts_once(session: Any, clients: Any, plan: Any, board: Any) -> None:
    stop, _ = stop_of(board, "A0")
    wish = {"base": 1, "request": str(uuid4()), "change": {"kind": "take_out", "visit": stop["key"]}}
    answers = [clients["mona"].post(path(plan, "/changes"), json=wish) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert [a.json()["board"]["version"] for a in answers] == [2, 2]
    assert session.scalar(select(func.count()).select_from(PlanVersion).where(PlanVersion.plan_id == plan.id)) == 2


def test_undo_and_redo_walk_through_the_history_and_lose_nothing(clients: Any, plan: Any, board: Any) -> None:
    mona = clients["mona"]
    for base, name in ((1, "A0"), (2, "A1")):
        assert change(mona, plan, base, kind="take_out", visit=stop_of(board, name)[0]["key"]).status_code == 200
    states = [look(mona, plan)]
    for _ in range(2):
        there = states[-1]
        assert (
            mona.post(path(plan, "/back"), json={"base": there["version"], "to": there["undo_to"]}).status_code == 200
        )
        states.append(look(mona, plan))
    assert states[-1]["routes"] == board["routes"]
    assert states[-1]["undo_to"] is None
    for _ in range(2):
        there = states[-1]
        mona.post(path(plan, "/back"), json={"base": there["version"], "to": there["redo_to"]})
        states.append(look(mona, plan))
    assert states[-1]["routes"] == states[0]["routes"]
    assert states[-1]["redo_to"] is None
    history = mona.get(path(plan, "/versions")).json()["items"]
    assert [one["kind"] for one in history] == ["went_back"] * 4 + ["taken_out"] * 2 + ["computed"]
    assert {one["who"] for one in history[:-1]} == {"Mona"}


def test_a_pinned_stop_and_a_locked_route_do_not_move(clients: Any, plan: Any, board: Any, people: Any) -> None:
    mona = clients["mona"]
    stop, route = stop_of(board, "A0")
    assert change(mona, plan, 1, kind="pin", visit=stop["key"]).status_code == 200
    assert change(mona, plan, 2, kind="take_out", visit=stop["key"]).json()["reason"] == "pinned"
    assert change(mona, plan, 2, kind="pin", visit=stop["key"], is_on=False).status_code == 200
    assert change(mona, plan, 3, kind="lock", rep_days=[route["rep_day"]]).status_code == 200
    assert change(mona, plan, 4, kind="take_out", visit=stop["key"]).json()["reason"] == "locked"
    after = look(mona, plan)
    assert [d["id"] for d in after["rep_days"] if d["is_locked"]] == [route["rep_day"]]
    assert after["routes"] == board["routes"]


def test_any_account_can_be_added_placed_and_forgotten(
    clients: Any, plan: Any, board: Any, people: Any, make_account: Any, monday: date
) -> None:
    mona = clients["mona"]
    guest = make_account("Guest", (9.53, 47.11))
    added = change(mona, plan, 1, kind="add", account_id=str(guest.id)).json()
    (wish,) = [one for one in added["board"]["waiting"] if one["is_added"]]
    assert wish["name"] == "Guest"
    again = change(mona, plan, 2, kind="add", account_id=str(guest.id))
    assert (again.status_code, again.json()["field"]) == (422, "account_id")
    offers = mona.get(path(plan, f"/offers?visit={wish['key']}")).json()["items"]
    assert len(offers) == 6
    assert [o["drive_s"] for o in offers] == sorted(o["drive_s"] for o in offers)
    seen = mona.post(
        path(plan, "/preview"),
        json={"change": {"kind": "place", "visit": wish["key"], "rep_day": offers[0]["rep_day"]}},
    )
    assert seen.json()["drive_s"] == offers[0]["drive_s"]
    placed = change(mona, plan, 2, kind="place", visit=wish["key"], rep_day=offers[0]["rep_day"])
    assert placed.json()["board"]["summary"]["visits"] == board["summary"]["visits"] + 1
    assert change(mona, plan, 3, kind="take_out", visit=wish["key"]).status_code == 200
    assert change(mona, plan, 4, kind="drop", visit=wish["key"]).status_code == 200
    assert look(mona, plan)["routes"] == board["routes"]


def test_an_account_without_a_pin_cannot_be_added(clients: Any, plan: Any, make_account: Any) -> None:
    answer = change(clients["mona"], plan, 1, kind="add", account_id=str(make_account("Nowhere").id))
    assert (answer.status_code, answer.json()["detail"]) == (422, "Nowhere has no pin on the map yet.")
