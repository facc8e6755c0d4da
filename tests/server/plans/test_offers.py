from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from server.activities.models import Appointment, Visit
from server.activities.service import main_site
from server.closures.models import RepAbsence, SiteClosure
from server.plans import service


@pytest.fixture
def world(session: Session, people: Any, make_account: Any, monday: date, plan_now: Any, scope: Any) -> dict[str, Any]:
    """Rita has a published Monday with two visits; somebody new is near the first of them."""
    rita = people["rita"]
    for k in range(2):
        make_account(f"Known {k}", (9.52 + k / 20, 47.10), account_class="B", owner_id=rita.id,
                     opening_hours="Mo-Fr 09:00-11:30")  # fmt: skip
    plan = plan_now(people["mona"], [rita], monday)
    service.publish(session, scope(people["mona"]), plan.id)
    return {"new": make_account("New", (9.521, 47.10), owner_id=rita.id, opening_hours="Mo-Fr 08:00-18:00")}


def find(client: Any, account: Any, **query: Any) -> Any:
    answer = client.get(f"/api/v1/accounts/{account.id}/times", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["days"]


def test_finding_a_time_needs_somebody_who_is_signed_in(client_for: Any, world: dict[str, Any]) -> None:
    url = f"/api/v1/accounts/{world['new'].id}/times"
    assert client_for(None).get(url).status_code == 401
    assert client_for(None).post(url, json={}).status_code == 401


def test_a_strangers_account_and_a_strangers_rep_have_no_times(
    clients: Any, people: Any, monday: date, world: dict[str, Any]
) -> None:
    url = f"/api/v1/accounts/{world['new'].id}/times"
    assert clients["nora"].get(url).status_code == 404
    body = {"rep_id": str(people["nora"].id), "starts_at": f"{monday}T10:00:00+01:00"}
    assert clients["mona"].post(url, json=body).status_code == 404


def test_a_planned_day_near_by_costs_less_than_an_empty_one_and_a_free_day_says_why(
    clients: Any, monday: date, world: dict[str, Any]
) -> None:
    days = {d["day"]: d for d in find(clients["mona"], world["new"], first_day=monday, days=7)}
    planned, empty = days[str(monday)], days[str(monday + timedelta(days=1))]
    assert (planned["is_planned"], empty["is_planned"]) == (True, False)
    assert planned["slots"][0]["detour_s"] < 300 < empty["slots"][0]["detour_s"]
    assert planned["slots"][0]["shade"] == "good"
    assert (days[str(monday + timedelta(days=5))]["shut"], days[str(monday + timedelta(days=5))]["slots"]) == (
        "not_working",
        [],
    )


def test_the_team_is_looked_at_when_asked_for(clients: Any, monday: date, world: dict[str, Any], people: Any) -> None:
    assert {d["rep_name"] for d in find(clients["mona"], world["new"], first_day=monday, days=1)} == {"Rita"}
    team = find(clients["mona"], world["new"], first_day=monday, days=1, team=True)
    assert {d["rep_name"] for d in team} == {"Rita", "Otto"}
    named = find(clients["mona"], world["new"], first_day=monday, days=1, rep_ids=[str(people["otto"].id)])
    assert {d["rep_name"] for d in named} == {"Otto"}


def test_a_chosen_time_becomes_a_promise_and_is_not_offered_twice(
    session: Session, clients: Any, monday: date, world: dict[str, Any], people: Any
) -> None:
    url = f"/api/v1/accounts/{world['new'].id}/times"
    best = find(clients["mona"], world["new"], first_day=monday, days=1)[0]["slots"][0]
    body = {"rep_id": str(people["rita"].id), "starts_at": best["starts_at"], "objective": "Show the new scale"}
    answer = clients["mona"].post(url, json=body)
    assert answer.status_code == 201, answer.text
    visit = session.get_one(Visit, answer.json()["id"])
    assert (visit.appointment, visit.objective, visit.day) == (Appointment.FIXED, "Show the new scale", monday)
    assert visit.planned_start_at == datetime.fromisoformat(best["starts_at"])
    again = clients["mona"].post(url, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "slot_taken")
    begin = datetime.fromisoformat(best["starts_at"])
    for slot in find(clients["mona"], world["new"], first_day=monday, days=1)[0]["slots"]:
        assert abs(datetime.fromisoformat(slot["starts_at"]) - begin) >= timedelta(minutes=30)


def test_a_time_that_nobody_offered_or_that_is_over_is_refused(
    clients: Any, monday: date, world: dict[str, Any], people: Any
) -> None:
    url = f"/api/v1/accounts/{world['new'].id}/times"
    for at, status in (
        (f"{monday}T23:00:00+01:00", 409),
        ("2020-01-01T10:00:00+01:00", 422),
        ("0001-01-01T00:00:00+14:00", 422),
        ("9999-12-31T23:59:59-12:00", 422),
    ):
        body = {"rep_id": str(people["rita"].id), "starts_at": at}
        assert clients["mona"].post(url, json=body).status_code == status


def test_too_many_days_too_far_ahead_and_an_account_without_a_pin_are_refused(
    clients: Any, monday: date, world: dict[str, Any], make_account: Any
) -> None:
    far = {"first_day": str(monday + timedelta(days=500))}
    answer = clients["mona"].get(f"/api/v1/accounts/{world['new'].id}/times", params=far)
    assert (answer.status_code, answer.json()["field"]) == (422, "first_day")
    assert clients["mona"].get(f"/api/v1/accounts/{world['new'].id}/times", params={"days": 99}).status_code == 422
    nowhere = make_account("Nowhere")
    answer = clients["mona"].get(f"/api/v1/accounts/{nowhere.id}/times")
    assert (answer.status_code, answer.json()["field"]) == (422, "account_id")


def test_a_rep_on_vacation_and_a_closed_site_have_no_times_and_say_why(
    session: Session, clients: Any, monday: date, world: dict[str, Any], people: Any
) -> None:
    tuesday, wednesday = monday + timedelta(days=1), monday + timedelta(days=2)
    session.add(RepAbsence(user_id=people["rita"].id, first_day=tuesday, last_day=tuesday, kind="vacation"))
    site = main_site(session, world["new"].id)
    assert site is not None
    session.add(SiteClosure(site_id=site.id, first_day=wednesday, last_day=wednesday, reason="Stocktaking"))
    session.flush()
    days = {d["day"]: (d["shut"], d["why"]) for d in find(clients["mona"], world["new"], first_day=monday, days=3)}
    assert days[str(tuesday)] == ("not_working", "On vacation")
    assert days[str(wednesday)] == ("closed", "Stocktaking")
    assert days[str(monday)] == (None, "")
