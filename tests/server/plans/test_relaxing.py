from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.plans import again, computing, copies, queries, rest
from server.plans.models import Plan, PlanOccasion, Stop, Unplanned


def full_day(people: Any, make_account: Any) -> None:
    """Six visits of ninety minutes for a day of nine hours with a break: one too many."""
    for k in range(6):
        make_account(f"Account {k}", (9.50 + k / 1000, 47.10), account_class="B", owner_id=people["rita"].id,
                     service_s=5_400)  # fmt: skip


def compute(session: Session, plan: Plan) -> Plan:
    """Do in the test's own transaction what the job does."""
    return computing.store(session, plan.id, rest.work_out(plan, rest.prepare(session, plan), lambda step: None))


def the_left_out(session: Session, plan: Plan) -> tuple[Unplanned, list[tuple[str, ...]]]:
    """The one visit that was left out, and the kinds of its ways out."""
    one = session.scalars(select(Unplanned).where(Unplanned.plan_id == plan.id)).one()
    return one, [tuple(change["kind"] for change in way["changes"]) for way in one.relaxations]


def change(client: Any, plan: Plan, **what: Any) -> None:
    board = client.get(f"/api/v1/plans/{plan.id}/board").json()
    body = {"base": board["version"], "change": what}
    answer = client.post(f"/api/v1/plans/{plan.id}/board/changes", json=body)
    assert answer.status_code == 200, answer.text


def stops_on(client: Any, plan: Plan) -> dict[str, dict[str, Any]]:
    board = client.get(f"/api/v1/plans/{plan.id}/board").json()
    return {stop["key"]: stop | {"rep_day": r["rep_day"]} for r in board["routes"] for stop in r["stops"]}


def test_relaxing_a_plan_needs_somebody_who_is_signed_in(
    client_for: Any, people: Any, monday: Any, plan_now: Any
) -> None:
    plan = plan_now(people["mona"], [people["rita"]], monday)
    body = {"unplanned_id": str(plan.id)}
    assert client_for(None).post(f"/api/v1/plans/{plan.id}/relaxations", json=body).status_code == 401


def test_a_strangers_plan_is_not_relaxed(
    session: Session, clients: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    full_day(people, make_account)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    left_out = session.scalars(select(Unplanned).where(Unplanned.plan_id == plan.id)).one()
    body = {"unplanned_id": str(left_out.id)}
    assert clients["nora"].post(f"/api/v1/plans/{plan.id}/relaxations", json=body).status_code == 404
    other = plan_now(people["mona"], [people["otto"]], monday)
    assert clients["mona"].post(f"/api/v1/plans/{other.id}/relaxations", json=body).status_code == 404


def test_what_is_left_out_says_what_would_let_it_in_and_choosing_it_plans_it(
    session: Session, clients: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    full_day(people, make_account)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    read = clients["mona"].get(f"/api/v1/plans/{plan.id}").json()
    left_out = read["unplanned"][0]
    kinds = [tuple(c["kind"] for c in one["changes"]) for one in left_out["relaxations"]]
    assert ("overtime",) in kinds
    choice = kinds.index(("overtime",))
    assert left_out["relaxations"][choice]["text"].endswith(f"overtime (Rita, {monday:%a %d %b}).")
    body = {"unplanned_id": left_out["id"], "choice": choice}
    answer = clients["mona"].post(f"/api/v1/plans/{plan.id}/relaxations", json=body)
    assert answer.status_code == 202
    assert (answer.json()["occasion"], answer.json()["based_on"]) == ("relaxed", str(plan.id))
    new = compute(session, session.get_one(Plan, answer.json()["id"]))
    view = queries.plan_view(session, computing.scope_of(session, people["mona"], source="api"), new.id)
    assert left_out["account_id"] in {str(s.account_id) for r in view.routes for s in r.stops}
    assert len(view.routes[0].stops) == 6
    assert new.occasion == PlanOccasion.RELAXED


def test_a_second_bent_rule_keeps_the_first(
    session: Session, scope: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    full_day(people, make_account)
    make_account("One more", (9.51, 47.10), account_class="C", owner_id=people["rita"].id, service_s=3_600)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    for planned in (6, 7):
        left_out = session.scalars(select(Unplanned).where(Unplanned.plan_id == plan.id).order_by(Unplanned.id)).first()
        assert left_out is not None
        kinds = [tuple(c["kind"] for c in one["changes"]) for one in left_out.relaxations]
        plan = again.plan_again(session, scope(people["mona"]), plan.id, left_out.id, kinds.index(("overtime",)))
        compute(session, plan)
        stops = session.scalars(select(Stop).join(Stop.route).where(Stop.route.has(plan_id=plan.id))).all()
        assert len(stops) == planned


def test_an_offer_that_does_not_exist_is_refused(
    session: Session, clients: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    full_day(people, make_account)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    left_out = session.scalars(select(Unplanned).where(Unplanned.plan_id == plan.id)).one()
    body = {"unplanned_id": str(left_out.id), "choice": 99}
    answer = clients["mona"].post(f"/api/v1/plans/{plan.id}/relaxations", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "choice")


def test_a_stop_carries_what_brought_it_as_data(
    session: Session, clients: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    make_account("Müller", (9.51, 47.10), account_class="A", owner_id=people["rita"].id)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    stop = clients["mona"].get(f"/api/v1/plans/{plan.id}").json()["routes"][0]["stops"][0]
    assert stop["because"]["value_s"] > 0
    assert {"detour_s", "overdue_days", "appointment", "mandatory", "origin"} <= stop["because"].keys()


def test_a_bent_plan_keeps_what_people_fixed_and_its_copies_and_later_plans_keep_the_bent_rule(
    session: Session, clients: Any, scope: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    full_day(people, make_account)
    mona = clients["mona"]
    plan = plan_now(people["mona"], [people["rita"]], monday)
    first = next(iter(stops_on(mona, plan)))
    change(mona, plan, kind="pin", visit=first)
    pinned_at = stops_on(mona, plan)[first]["starts_s"]
    left_out, kinds = the_left_out(session, plan)
    bent = compute(session, again.plan_again(session, scope(people["mona"]), plan.id, left_out.id,
                                             kinds.index(("overtime",))))  # fmt: skip
    later = compute(session, copies.request(session, scope(people["mona"]), bent.id, steps=500))
    copy = copies.copy(session, scope(people["mona"]), later.id)
    for one in (bent, later, copy):
        stops = stops_on(mona, one)
        assert len(stops) == 6
        assert (stops[first]["is_pinned"], stops[first]["starts_s"]) == (True, pinned_at)
        assert one.adjustments is not None
        assert [way["visit"] for way in one.adjustments["relaxations"]] == [left_out.key]


def test_a_way_out_that_needs_a_locked_day_or_a_pinned_stop_is_refused(
    session: Session, clients: Any, scope: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    full_day(people, make_account)
    mona = clients["mona"]
    plan = plan_now(people["mona"], [people["rita"]], monday)
    change(mona, plan, kind="lock", rep_days=[f"{people['rita'].id}/{monday}"])
    left_out, _ = the_left_out(session, plan)
    body = {"unplanned_id": str(left_out.id)}
    answer = mona.post(f"/api/v1/plans/{plan.id}/relaxations", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "choice")
    assert "is locked" in answer.json()["detail"]


def test_what_people_took_out_themselves_is_offered_no_way_back(
    session: Session, clients: Any, people: Any, monday: Any, plan_now: Any, make_account: Any
) -> None:
    make_account("Müller", (9.51, 47.10), account_class="A", owner_id=people["rita"].id)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    change(clients["mona"], plan, kind="take_out", visit=next(iter(stops_on(clients["mona"], plan))))
    left_out, kinds = the_left_out(session, plan)
    assert ([reason["code"] for reason in left_out.reasons], kinds) == (["taken_out"], [])
