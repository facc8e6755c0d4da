"""Planning the rest anew, copies of published plans, two plans side by side, and figures that agree with the rows."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from server.activities.models import Visit, VisitState
from server.kit.database import transaction
from server.plans import computing, copies, jobs, rest, scorecard, service
from server.plans.models import Plan, PlanBasis, PlanState


@pytest.fixture
def world(people: Any, make_account: Any) -> None:
    for k in range(6):
        at = (9.5 + (k * 7 % 5) / 50, 47.1 + k / 200)
        make_account(f"A{k}", at, account_class="A", owner_id=people["rita"].id, service_s=3600)


@pytest.fixture
def plan(world: None, people: Any, plan_now: Any, monday: date) -> Any:
    return plan_now(people["mona"], [people["rita"], people["otto"]], monday, 2)


@pytest.fixture
def computed(session: Any) -> Callable[[str], Plan]:
    """Do in the test's own transaction what the job does."""

    def work(plan_id: str) -> Plan:
        plan = session.get_one(Plan, plan_id)
        there = rest.prepare(session, plan)
        return computing.store(session, plan.id, rest.work_out(plan, there, lambda step: None))

    return work


def board(client: Any, plan_id: Any) -> Any:
    return client.get(f"/api/v1/plans/{plan_id}/board").json()


def change(client: Any, plan_id: Any, **what: Any) -> None:
    base = board(client, plan_id)["version"]
    answer = client.post(f"/api/v1/plans/{plan_id}/board/changes", json={"base": base, "change": what})
    assert answer.status_code == 200, answer.text


def times(there: Any) -> dict[str, tuple[str, int]]:
    return {stop["key"]: (route["rep_day"], stop["starts_s"]) for route in there["routes"] for stop in route["stops"]}


def test_the_rest_is_planned_into_a_new_plan_and_what_people_fixed_stays(
    clients: Any, plan: Any, people: Any, computed: Any, monday: date
) -> None:
    mona, before = clients["mona"], times(board(clients["mona"], plan.id))
    first, second, third = sorted(before)[:3]
    change(mona, plan.id, kind="place", visit=first, rep_day=f"{people['otto'].id}/{monday}", at_s=14 * 3600)
    change(mona, plan.id, kind="pin", visit=first)
    change(mona, plan.id, kind="take_out", visit=second)
    locked = f"{people['rita'].id}/{monday + timedelta(days=1)}"
    change(mona, plan.id, kind="place", visit=third, rep_day=locked)
    change(mona, plan.id, kind="lock", rep_days=[locked])
    stands = times(board(mona, plan.id))
    answer = mona.post(f"/api/v1/plans/{plan.id}/again", json={"steps": 500})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    found = board(mona, computed(answer.json()["id"]).id)
    after = times(found)
    assert after[first] == (f"{people['otto'].id}/{monday}", 14 * 3600)
    assert second not in after
    assert {k: v for k, v in after.items() if v[0] == locked} == {k: v for k, v in stands.items() if v[0] == locked}
    assert found["undo_to"] == 1
    assert [d["id"] for d in found["rep_days"] if d["is_locked"]] == [locked]
    assert times(board(mona, plan.id)) == stands


def test_the_job_does_its_work_once(committed: Any) -> None:
    jobs.compute(str(committed["plan_id"]))
    with transaction() as session:
        made = copies.request(session, committed["mona"], committed["plan_id"], steps=500).id
    for _ in range(2):
        jobs.plan_rest(str(made))
    with transaction() as session:
        plan = session.get_one(Plan, made)
        assert (plan.state, plan.summary["visits"], plan.based_on) == (PlanState.READY, 4, committed["plan_id"])


def test_a_published_plan_is_changed_through_a_copy_and_begun_visits_stay(
    session: Any, clients: Any, plan: Any, people: Any, scope: Any
) -> None:
    mona = clients["mona"]
    service.publish(session, scope(people["mona"]), plan.id)
    key = next(iter(times(board(mona, plan.id))))
    body = {"base": 1, "change": {"kind": "take_out", "visit": key}}
    refused = mona.post(f"/api/v1/plans/{plan.id}/board/changes", json=body)
    assert (refused.status_code, refused.json()["code"]) == (404, "no_board")
    begun = session.scalars(select(Visit).order_by(Visit.planned_start_at)).first()
    begun.state, at = VisitState.DONE, begun.planned_start_at
    session.flush()
    copy = mona.post(f"/api/v1/plans/{plan.id}/copy").json()
    there = board(mona, copy["id"])
    assert times(there) == times(board(mona, plan.id))
    (pinned,) = [s for r in there["routes"] for s in r["stops"] if s["is_pinned"]]
    assert pinned["visit_state"] == "done"
    other = next(k for k in times(there) if k != pinned["key"])
    change(mona, copy["id"], kind="take_out", visit=other)
    assert mona.post(f"/api/v1/plans/{copy['id']}/publish").json()["state"] == "published"
    session.expire_all()
    living = session.scalars(select(Visit).where(Visit.deleted_at.is_(None))).all()
    assert len(living) == len(times(there)) - 1
    assert [(v.id, v.planned_start_at) for v in living if v.state == VisitState.DONE] == [(begun.id, at)]


def test_a_stop_given_to_another_rep_goes_into_that_reps_calendar_with_the_account(
    session: Any, clients: Any, plan: Any, people: Any, monday: date
) -> None:
    mona = clients["mona"]
    key = next(iter(times(board(mona, plan.id))))
    change(mona, plan.id, kind="place", visit=key, rep_day=f"{people['otto'].id}/{monday}")
    assert mona.post(f"/api/v1/plans/{plan.id}/publish").status_code == 200
    (visit,) = session.scalars(select(Visit).where(Visit.rep_id == people["otto"].id)).all()
    assert clients["otto"].get(f"/api/v1/accounts/{visit.account_id}").status_code == 200


def test_two_plans_are_compared_visit_by_visit(clients: Any, plan: Any, people: Any, monday: date) -> None:
    mona = clients["mona"]
    copy = mona.post(f"/api/v1/plans/{plan.id}/copy").json()["id"]
    first, second = sorted(times(board(mona, plan.id)))[:2]
    change(mona, copy, kind="place", visit=first, rep_day=f"{people['otto'].id}/{monday}")
    change(mona, copy, kind="take_out", visit=second)
    found = mona.get(f"/api/v1/plans/{plan.id}/compare/{copy}").json()
    kinds = sorted((d["kind"], d["is_other_rep"]) for d in found["differences"])
    assert kinds == [("moved", True), ("only_first", False)]
    assert found["first"]["visits"] == found["second"]["visits"] + 1 == 6
    assert found["same"] + found["retimed"] == 4
    assert found["second"]["drive_s"] == sum(r["drive_s"] for r in board(mona, copy)["routes"])


def test_the_scorecard_agrees_with_the_rows_of_the_plan(
    session: Any, clients: Any, plan: Any, people: Any, scope: Any
) -> None:
    mona = clients["mona"]
    service.publish(session, scope(people["mona"]), plan.id)
    visits = session.scalars(select(Visit).order_by(Visit.planned_start_at)).all()
    for late_min, visit in zip((5, 20, -1), visits, strict=False):
        visit.state, visit.checked_in_at = VisitState.DONE, visit.planned_start_at + timedelta(minutes=late_min)
        visit.done_at = visit.checked_in_at + timedelta(minutes=70)
    session.flush()
    card = mona.get(f"/api/v1/plans/{plan.id}/scorecard").json()
    total, detail = card["total"], mona.get(f"/api/v1/plans/{plan.id}").json()
    assert total["visits"] == detail["summary"]["visits"] == 6
    assert total["drive_s"] == detail["summary"]["drive_s"] == sum(r["drive_s"] for r in detail["routes"])
    assert total["distance_m"] == detail["summary"]["distance_m"]
    assert total["service_s"] == detail["summary"]["service_s"] == 6 * 3600
    assert total["value_s"] == detail["summary"]["prize_s"]
    assert total["drive_s"] + total["service_s"] + total["wait_s"] == total["work_s"]
    assert total["drive_share"] == pytest.approx(total["drive_s"] / total["work_s"])
    for name in ("visits", "drive_s", "work_s", "value_s", "done"):
        assert sum(rep["score"][name] for rep in card["reps"]) == total[name]
    assert (total["done"], total["arrived"], total["dwell_s"]) == (3, 3, 600)
    assert total["punctual_share"] == pytest.approx(2 / 3)
    assert scorecard.PUNCTUAL_S == 900


def test_a_plan_of_an_earlier_program_is_shown_and_says_why_it_cannot_be_changed(
    session: Any, clients: Any, plan: Any
) -> None:
    session.execute(delete(PlanBasis).where(PlanBasis.plan_id == plan.id))
    there = board(clients["mona"], plan.id)
    assert (there["is_editable"], there["version"], len(times(there))) == (False, None, 6)
    refused = clients["mona"].post(f"/api/v1/plans/{plan.id}/copy")
    assert (refused.status_code, refused.json()["code"]) == (404, "no_board")
