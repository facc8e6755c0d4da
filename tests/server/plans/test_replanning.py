from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities import service as activities
from server.activities.models import Appointment, Visit, VisitState
from server.activities.service import PlannedVisit, VisitReport
from server.closures.models import RepAbsence
from server.kit import clock
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.plans import queries, service
from server.plans.models import Plan, PlanState, Route
from server.records.service import Actor

type At = Callable[[int, int], datetime]


@pytest.fixture
def at(monday: date) -> At:
    """A time of the running day."""
    return lambda hour, minute: datetime(
        monday.year, monday.month, monday.day, hour, minute, tzinfo=ZoneInfo(settings().zone)
    )


@pytest.fixture
def world(session: Session, people: Any, make_account: Any, monday: date, plan_now: Any, scope: Any) -> dict[str, Any]:
    """Rita has four visits on Monday morning and a promise at 14:00; Otto has two visits of his own."""
    rita, otto = people["rita"], people["otto"]
    names = {}
    for k in range(4):
        names[f"r{k}"] = make_account(f"Rita {k}", (9.51 + k / 100, 47.10), account_class="A" if k == 0 else "B",
                                      owner_id=rita.id, opening_hours="Mo-Fr 08:00-13:00")  # fmt: skip
    for k in range(2):
        names[f"o{k}"] = make_account(f"Otto {k}", (9.52 + k / 100, 47.12), account_class="B", owner_id=otto.id)
    names["promise"] = make_account("Promise", (9.53, 47.11), account_class="C", owner_id=rita.id)
    two = datetime(monday.year, monday.month, monday.day, 14, tzinfo=ZoneInfo(settings().zone))
    promise = names["promise"]
    site = activities.main_site(session, promise.id)
    assert site is not None
    visit = activities.plan_visit(session, PlannedVisit(
        account_id=promise.id, site_id=site.id, rep_id=rita.id, day=monday, zone=settings().zone,
        starts_at=two, ends_at=two + timedelta(minutes=30), appointment=Appointment.FIXED))  # fmt: skip
    plan = plan_now(people["mona"], [rita, otto], monday)
    service.publish(session, scope(people["mona"]), plan.id)
    return {**names, "visit": visit, "plan": plan, "mona": scope(people["mona"])}


def stops_of(session: Session, rep: Any, day: date) -> list[Any]:
    return [stop for route in queries.day_routes(session, day, [rep.id]) for stop in route.stops]


def report(session: Session, stop: Any, rep: Any, state: VisitState, when: datetime) -> None:
    fact = VisitReport(event_id=uuid7(), visit_id=stop.visit_id, account_id=stop.account_id, rep_id=rep.id,
                       state=state, day=when.date(), zone=settings().zone, occurred_at=when)  # fmt: skip
    activities.record_visit(session, fact, Actor(user_id=rep.id, source="api"))


@pytest.mark.parametrize("path", ["replan", "absence"])
def test_changing_a_day_needs_somebody_who_is_signed_in(client_for: Any, people: Any, monday: date, path: str) -> None:
    url = f"/api/v1/days/{monday}/reps/{people['rita'].id}/{path}"
    assert client_for(None).post(url, json={}).status_code == 401
    assert client_for(None).get(f"/api/v1/days/{monday}/reps/{people['rita'].id}/warnings").status_code == 401


@pytest.mark.parametrize("path", ["replan", "absence"])
def test_a_strangers_day_is_not_changed(
    clients: Any, people: Any, monday: date, world: dict[str, Any], path: str
) -> None:
    url = f"/api/v1/days/{monday}/reps/{people['rita'].id}/{path}"
    assert clients["nora"].post(url, json={}).status_code == 404
    assert clients["nora"].get(f"/api/v1/days/{monday}/reps/{people['rita'].id}/warnings").status_code == 404


def test_the_rest_of_a_late_day_is_proposed_without_what_is_over_and_accepted_by_publishing(
    session: Session, clients: Any, people: Any, monday: date, at: At, world: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rita = people["rita"]
    before = stops_of(session, rita, monday)
    report(session, before[0], rita, VisitState.DONE, at(9, 0))
    report(session, before[1], rita, VisitState.EN_ROUTE, at(10, 30))
    monkeypatch.setattr(clock, "now", lambda: at(10, 30))
    answer = clients["mona"].post(f"/api/v1/days/{monday}/reps/{rita.id}/replan", json={"fill": False})
    assert answer.status_code == 201, answer.text
    proposal = answer.json()
    assert proposal["plan"]["occasion"] == "running_day"
    changed = {c["account_name"]: c["effect"] for c in proposal["changes"]}
    assert before[0].account_name not in changed
    assert "later" in changed.values()
    assert [s.id for s in stops_of(session, rita, monday)] == [s.id for s in before]
    published = clients["mona"].post(f"/api/v1/plans/{proposal['plan']['id']}/publish")
    assert published.status_code == 200, published.text
    after = stops_of(session, rita, monday)
    assert [s.account_id for s in after[:2]] == [s.account_id for s in before[:2]]
    assert (after[0].starts_at, after[0].visit_state) == (before[0].starts_at, "done")
    assert {s.visit_id for s in after} <= {s.visit_id for s in before}
    promise = next(s for s in after if s.account_name == "Promise")
    assert promise.starts_at == at(14, 0)
    assert all(s.starts_at >= at(10, 30) for s in after[1:])


def test_taking_a_changed_day_back_brings_the_known_day_back(
    session: Session, clients: Any, people: Any, monday: date, at: At, world: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rita = people["rita"]
    before = [(s.visit_id, s.starts_at) for s in stops_of(session, rita, monday)]
    monkeypatch.setattr(clock, "now", lambda: at(11, 30))
    plan = clients["mona"].post(f"/api/v1/days/{monday}/reps/{rita.id}/replan", json={}).json()["plan"]
    clients["mona"].post(f"/api/v1/plans/{plan['id']}/publish")
    assert [(s.visit_id, s.starts_at) for s in stops_of(session, rita, monday)] != before
    assert clients["mona"].delete(f"/api/v1/plans/{plan['id']}").status_code == 204
    session.expire_all()
    assert [(s.visit_id, s.starts_at) for s in stops_of(session, rita, monday)] == before
    times = {v.id: v.planned_start_at for v in session.scalars(select(Visit).where(Visit.rep_id == rita.id))}
    assert {visit: times[visit] for visit, _ in before} == dict(before)


def test_a_change_that_a_later_plan_replaced_is_not_taken_back(
    session: Session, clients: Any, people: Any, monday: date, at: At, world: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(clock, "now", lambda: at(11, 30))
    url = f"/api/v1/days/{monday}/reps/{people['rita'].id}/replan"
    ids = []
    for _ in range(2):
        ids.append(clients["mona"].post(url, json={}).json()["plan"]["id"])
        assert clients["mona"].post(f"/api/v1/plans/{ids[-1]}/publish").status_code == 200
    answer = clients["mona"].delete(f"/api/v1/plans/{ids[0]}")
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_overtaken")
    assert clients["mona"].delete(f"/api/v1/plans/{ids[1]}").status_code == 204


def test_a_pinned_stop_keeps_its_time(
    session: Session, clients: Any, people: Any, monday: date, at: At, world: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rita = people["rita"]
    pin = stops_of(session, rita, monday)[-1]
    monkeypatch.setattr(clock, "now", lambda: at(8, 30))
    body = {"pinned": [str(pin.id)], "position": {"lon": 9.6, "lat": 47.2}}
    answer = clients["mona"].post(f"/api/v1/days/{monday}/reps/{rita.id}/replan", json=body)
    assert pin.account_name not in {c["account_name"] for c in answer.json()["changes"]}
    wrong = clients["mona"].post(f"/api/v1/days/{monday}/reps/{rita.id}/replan", json={"pinned": [str(rita.id)]})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "pinned")


def test_a_day_without_a_route_or_in_the_past_is_refused(
    clients: Any, people: Any, monday: date, world: dict[str, Any]
) -> None:
    rita = people["rita"].id
    for day in (monday - timedelta(days=30), monday + timedelta(days=5), monday + timedelta(days=1)):
        for what in ("replan", "absence"):
            answer = clients["mona"].post(f"/api/v1/days/{day}/reps/{rita}/{what}", json={})
            assert (answer.status_code, answer.json()["field"]) == (422, "day")
    own = {"neighbour_ids": [str(rita)]}
    assert clients["mona"].post(f"/api/v1/days/{monday}/reps/{rita}/absence", json=own).status_code == 422
    nobody = clients["mona"].post(f"/api/v1/days/{monday}/reps/{rita}/absence", json={"neighbour_ids": []})
    assert nobody.json()["field"] == "neighbour_ids"


def test_a_sick_reps_promises_go_to_a_neighbour_and_come_back_with_undo(
    session: Session, clients: Any, people: Any, monday: date, world: dict[str, Any]
) -> None:
    rita, otto = people["rita"], people["otto"]
    before = {rep.id: [s.visit_id for s in stops_of(session, rep, monday)] for rep in (rita, otto)}
    answer = clients["mona"].post(f"/api/v1/days/{monday}/reps/{rita.id}/absence", json={})
    assert answer.status_code == 201, answer.text
    changes = {c["account_name"]: c for c in answer.json()["changes"]}
    assert changes["Promise"]["after"]["rep_name"] == "Otto"
    assert changes["Promise"]["options"][0]["rep_name"] == "Otto"
    assert changes["Promise"]["options"][0]["detour_s"] > 0
    assert changes["Rita 1"]["effect"] == "removed"
    assert [o["rep_name"] for o in changes["Rita 1"]["options"]] == ["Otto"], "also who could go where nobody must"
    plan = session.get_one(Plan, answer.json()["plan"]["id"])
    assert plan.state == PlanState.READY
    clients["mona"].post(f"/api/v1/plans/{plan.id}/publish")
    session.expire_all()
    assert "Promise" in {s.account_name for s in stops_of(session, otto, monday)}
    assert stops_of(session, rita, monday) == []
    assert session.get_one(Visit, world["visit"].id).rep_id == otto.id
    clients["mona"].delete(f"/api/v1/plans/{plan.id}")
    session.expire_all()
    assert {rep.id: [s.visit_id for s in stops_of(session, rep, monday)] for rep in (rita, otto)} == before
    assert session.get_one(Visit, world["visit"].id).rep_id == rita.id
    assert session.get_one(Visit, world["visit"].id).planned_start_at is not None
    shown = session.scalars(select(Route).where(Route.day == monday, Route.deleted_at.is_(None))).all()
    assert {route.plan_id for route in shown} == {world["plan"].id}


def test_the_clock_warns_of_a_promise_and_says_until_when_to_leave(
    session: Session, clients: Any, people: Any, monday: date, at: At, world: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rita = people["rita"]
    url = f"/api/v1/days/{monday}/reps/{rita.id}/warnings"
    for stop in stops_of(session, rita, monday):
        if stop.account_name != "Promise":
            report(session, stop, rita, VisitState.DONE, at(12, 0))
    monkeypatch.setattr(clock, "now", lambda: at(13, 30))
    found = clients["mona"].get(url).json()["warnings"]
    assert [(w["alarm"], w["account_name"]) for w in found] == [("leave_by", "Promise")]
    assert at(13, 40) < datetime.fromisoformat(found[0]["at"]) < at(14, 0)
    assert found[0]["text"].startswith("Leave by 13:")
    monkeypatch.setattr(clock, "now", lambda: at(15, 0))
    found = clients["mona"].get(url).json()["warnings"]
    assert [(w["alarm"], w["account_name"]) for w in found] == [("late", "Promise")]
    assert found[0]["late_s"] > 3600


def test_a_neighbour_on_vacation_takes_nothing_over(
    session: Session, clients: Any, people: Any, monday: date, world: dict[str, Any]
) -> None:
    session.add(RepAbsence(user_id=people["otto"].id, first_day=monday, last_day=monday, kind="vacation"))
    session.add(RepAbsence(user_id=people["rita"].id, first_day=monday, last_day=monday, kind="sick"))
    session.flush()
    answer = clients["mona"].post(f"/api/v1/days/{monday}/reps/{people['rita'].id}/absence", json={})
    assert (answer.status_code, answer.json()["field"]) == (422, "neighbour_ids")


def test_a_proposal_is_refused_when_a_visit_that_it_plans_has_begun_meanwhile(
    session: Session,
    clients: Any,
    people: Any,
    monday: date,
    world: dict[str, Any],
    at: At,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at(9, 0))
    first, *_ = stops_of(session, people["rita"], monday)
    url = f"/api/v1/days/{monday}/reps/{people['rita'].id}/replan"
    proposal = clients["mona"].post(url, json={}).json()["plan"]
    report(session, first, people["rita"], VisitState.DONE, at(9, 5))
    answer = clients["mona"].post(f"/api/v1/plans/{proposal['id']}/publish")
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_overtaken")
    assert first.account_name in answer.json()["detail"]
    again = clients["mona"].post(url, json={}).json()["plan"]
    assert clients["mona"].post(f"/api/v1/plans/{again['id']}/publish").json()["state"] == "published"


def test_the_second_of_two_proposals_for_one_day_is_refused_after_the_first_was_accepted(
    clients: Any, people: Any, monday: date, world: dict[str, Any], at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at(9, 0))
    days = f"/api/v1/days/{monday}/reps/{people['rita'].id}"
    first, second = (clients["mona"].post(f"{days}/{what}", json={}).json()["plan"] for what in ("absence", "replan"))
    monkeypatch.setattr(clock, "now", lambda: at(9, 1))
    assert clients["mona"].post(f"/api/v1/plans/{first['id']}/publish").json()["state"] == "published"
    answer = clients["mona"].post(f"/api/v1/plans/{second['id']}/publish")
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_overtaken")
