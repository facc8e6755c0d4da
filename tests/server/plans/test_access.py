"""Who may plan whose days."""

from datetime import date
from typing import Any

import pytest


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    for method, path in [
        ("get", "/api/v1/plans"),
        ("post", "/api/v1/plans"),
        ("get", "/api/v1/routes?first_day=2030-01-07"),
    ]:
        assert getattr(client_for(None), method)(path).status_code == 401


def test_the_plan_of_somebody_else_does_not_exist(people: Any, clients: Any, plan_now: Any, monday: date) -> None:
    plan = plan_now(people["mona"], [people["rita"]], monday)
    path = f"/api/v1/plans/{plan.id}"
    assert [clients[login].get(path).status_code for login in ("mona", "rita", "otto", "nora")] == [200, 200, 404, 404]
    assert clients["otto"].delete(path).status_code == 404
    assert clients["nora"].post(f"{path}/publish").status_code == 404


def test_lists_hold_what_somebody_may_see(people: Any, clients: Any, plan_now: Any, monday: date) -> None:
    own = plan_now(people["rita"], [people["rita"]], monday)
    both = plan_now(people["mona"], [people["rita"], people["otto"]], monday)

    def seen(login: str) -> set[str]:
        return {item["id"] for item in clients[login].get("/api/v1/plans").json()["items"]}

    assert seen("mona") == {str(own.id), str(both.id)}
    assert seen("rita") == {str(own.id)}
    assert seen("otto") == set()


@pytest.mark.parametrize(("asker", "rep", "status"), [
    ("rita", "rita", 202), ("rita", "otto", 404), ("mona", "otto", 202), ("mona", "nora", 404), ("mona", "mona", 404),
])  # fmt: skip
def test_reps_plan_for_themselves_and_managers_for_their_team(
    people: Any, clients: Any, monday: date, asker: str, rep: str, status: int
) -> None:
    body = {"rep_ids": [str(people[rep].id)], "first_day": monday.isoformat()}
    answer = clients[asker].post("/api/v1/plans", json=body)
    assert answer.status_code == status, answer.text
    if status == 202:
        assert answer.json()["state"] == "queued"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first_day": "2020-01-06"}, "first_day"),
        ({"days": 9}, "days"),
        ({"rep_ids": []}, "rep_ids"),
        ({"engine": "magic"}, "engine"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_field(
    people: Any, clients: Any, monday: date, change: dict[str, Any], field: str
) -> None:
    body = {"rep_ids": [str(people["rita"].id)], "first_day": monday.isoformat()} | change
    answer = clients["mona"].post("/api/v1/plans", json=body)
    assert answer.status_code == 422
    assert field in answer.text


def test_a_weekend_on_which_nobody_works_is_refused(people: Any, clients: Any, monday: date) -> None:
    saturday = monday.fromordinal(monday.toordinal() + 5)
    body = {"rep_ids": [str(people["rita"].id)], "first_day": saturday.isoformat(), "days": 2}
    answer = clients["mona"].post("/api/v1/plans", json=body)
    assert answer.status_code == 422
    assert "works on these days" in answer.json()["detail"]


def test_a_rep_without_a_home_is_refused_by_name(session: Any, people: Any, clients: Any, monday: date) -> None:
    people["otto"].rep_profile.home = None
    session.flush()
    body = {"rep_ids": [str(people["otto"].id)], "first_day": monday.isoformat()}
    answer = clients["mona"].post("/api/v1/plans", json=body)
    assert answer.status_code == 422
    assert "Otto has no place to start from" in answer.json()["detail"]


def test_a_rep_sees_her_own_days_of_a_published_plan_and_nothing_of_the_others(
    people: Any, clients: Any, plan_now: Any, make_account: Any, monday: date
) -> None:
    for k, login in enumerate(("rita", "otto")):
        make_account(f"Account of {login}", (9.5 + 0.01 * k, 47.1), account_class="A", owner_id=people[login].id)
    plan = plan_now(people["mona"], [people["rita"], people["otto"]], monday)
    path = f"/api/v1/plans/{plan.id}"
    assert clients["rita"].get(path).status_code == 404
    assert clients["mona"].post(f"{path}/publish").status_code == 200
    seen = clients["rita"].get(path).json()
    assert {route["rep_id"] for route in seen["routes"]} == {str(people["rita"].id)}
    assert {one["account_name"] for one in seen["unplanned"]} <= {"Account of rita"}
    assert clients["rita"].delete(path).status_code == 404
    assert len(clients["mona"].get(path).json()["routes"]) == 2
