"""Visit demand: asked for once, planned with its reason, closed by the visit."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.activities import service as activities
from server.activities.models import VisitState
from server.auth.access import scope_of
from server.demands import queries, service
from server.demands.models import DemandOrigin, DemandState, VisitDemand
from server.demands.service import AskedElsewhere, Wanted
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.plans import service as plans
from server.plans.models import Route, Stop

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
"""The id of no row."""


def wish(account: Any, key: str = "7", **more: Any) -> Wanted:
    return Wanted(account.id, DemandOrigin.TICKET, key, more.pop("sentence", "The oven is cold"), **more)


def stops_of(session: Any, plan: Any) -> list[Stop]:
    return list(session.scalars(select(Stop).join(Route).where(Route.plan_id == plan.id)))


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    for method, path in [
        ("get", "/api/v1/demands"),
        ("put", "/api/v1/demands"),
        ("delete", f"/api/v1/demands/{NOBODY}"),
    ]:
        assert getattr(client_for(None), method)(path).status_code == 401


def test_demand_at_somebody_elses_account_does_not_exist(
    session: Any, people: Any, clients: Any, make_account: Any
) -> None:
    account = make_account("Amann", (9.51, 47.1), owner_id=people["nora"].id)
    demand = service.ask(session, wish(account))
    body = {"account_id": str(account.id), "sentence": "Look in", "origin_key": "1"}
    assert clients["rita"].get("/api/v1/demands").json()["items"] == []
    assert clients["rita"].put("/api/v1/demands", json=body).status_code == 404
    assert clients["rita"].delete(f"/api/v1/demands/{demand.id}").status_code == 404
    assert [one["sentence"] for one in clients["nora"].get("/api/v1/demands").json()["items"]] == ["The oven is cold."]


def test_feeding_the_same_origin_twice_changes_nothing(session: Any, people: Any, make_account: Any) -> None:
    account = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    first = service.ask(session, wish(account))
    session.refresh(first)
    revision = first.rev
    again = service.ask(session, wish(account))
    session.refresh(again)
    assert (again.id, again.rev) == (first.id, revision)
    assert session.scalars(select(VisitDemand)).all() == [first]


def test_a_withdrawn_demand_that_is_asked_for_again_is_open(session: Any, people: Any, make_account: Any) -> None:
    account = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    demand = service.ask(session, wish(account))
    assert service.withdraw(session, DemandOrigin.TICKET, "7")
    assert not service.withdraw(session, DemandOrigin.TICKET, "7")
    assert demand.state == DemandState.WITHDRAWN
    assert service.ask(session, wish(account, sentence="Cold again")).state == DemandState.OPEN


def test_an_origin_wants_one_visit_at_one_account(session: Any, people: Any, make_account: Any) -> None:
    service.ask(session, wish(make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)))
    with pytest.raises(AskedElsewhere, match="another account"):
        service.ask(session, wish(make_account("Beck", (9.52, 47.1), owner_id=people["rita"].id)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sentence": "  "}, "sentence"),
        ({"sentence": "x" * 301}, "sentence"),
        ({"earliest": date(2030, 1, 8), "deadline": date(2030, 1, 7)}, "deadline"),
        ({"prize_s": -1}, "prize_s"),
        ({"service_s": 5}, "service_s"),
        ({"rep_ids": (uuid4(),)}, "rep_ids"),
        ({"site_id": uuid4()}, "site_id"),
    ],
)
def test_a_demand_that_makes_no_sense_is_refused_by_field(
    session: Any, people: Any, make_account: Any, change: dict[str, Any], field: str
) -> None:
    account = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    with pytest.raises(Invalid) as refused:
        service.ask(session, wish(account, **change))
    assert refused.value.details["field"] == field


def test_an_account_that_does_not_exist_wants_nothing(session: Any) -> None:
    with pytest.raises(NotFound):
        service.ask(session, Wanted(uuid4(), DemandOrigin.API, "1", "Look in"))


def test_a_demand_is_planned_with_its_reason_and_closed_by_the_visit(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita = people["rita"]
    account = make_account("On demand only", (9.51, 47.1), owner_id=rita.id)
    demand = service.ask(session, wish(account, deadline=monday + timedelta(days=1), service_s=2700))
    plan = plan_now(people["mona"], [rita], monday, days=5)
    (stop,) = stops_of(session, plan)
    assert stop.why.startswith("The oven is cold.")
    assert stop.why.count("The oven is cold") == 1
    assert stop.because["origin"] == "The oven is cold."
    assert stop.starts_at.date() <= monday + timedelta(days=1)
    assert (stop.ends_at - stop.starts_at).total_seconds() == 2700
    plans.publish(session, scope_of(session, people["mona"], source="api"), plan.id)
    assert (demand.state, demand.visit_id) == (DemandState.PLANNED, stop.visit_id)
    assert stop.visit_id is not None
    report(session, account, rita, stop.visit_id, VisitState.DONE)
    assert demand.state == DemandState.DONE
    assert service.ask(session, wish(account)).state == DemandState.DONE, "a ticket that is settled stays so"


def test_a_visit_that_falls_through_leaves_the_demand_open(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita = people["rita"]
    account = make_account("On demand only", (9.51, 47.1), owner_id=rita.id)
    demand = service.ask(session, wish(account))
    mona = scope_of(session, people["mona"], source="api")
    plan = plan_now(people["mona"], [rita], monday)
    plans.publish(session, mona, plan.id)
    (stop,) = stops_of(session, plan)
    assert stop.visit_id is not None
    report(session, account, rita, stop.visit_id, VisitState.MISSED)
    assert (demand.state, demand.visit_id) == (DemandState.OPEN, None)
    other = plan_now(people["mona"], [rita], monday)
    plans.publish(session, mona, other.id)
    assert demand.state == DemandState.PLANNED
    plans.delete(session, mona, other.id)
    assert demand.state == DemandState.OPEN


def test_a_demand_joins_the_visit_that_is_due_anyway(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    account = make_account("Due", (9.51, 47.1), account_class="A", owner_id=people["rita"].id)
    service.ask(session, wish(account))
    (stop,) = stops_of(session, plan_now(people["mona"], [people["rita"]], monday))
    assert stop.prize_s > service.USUAL_PRIZE_S


def test_a_demand_that_must_be_served_and_cannot_is_missing_like_a_promise(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    account = make_account("At night", (9.51, 47.1), owner_id=people["rita"].id, opening_hours="Mo-Su 22:00-23:00")
    service.ask(session, wish(account, mandatory=True))
    plan = plan_now(people["mona"], [people["rita"]], monday)
    assert plan.summary["missing_promises"] == 1


def test_only_the_reps_that_are_named_go(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    account = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    service.ask(session, wish(account, rep_ids=(people["otto"].id,)))
    assert stops_of(session, plan_now(people["mona"], [people["rita"]], monday)) == []


def test_lists_come_page_by_page_with_the_nearest_deadline_first(
    session: Any, people: Any, clients: Any, make_account: Any, monday: date
) -> None:
    account = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    for key, days in [("late", 9), ("soon", 1), ("never", None)]:
        deadline = None if days is None else monday + timedelta(days=days)
        service.ask(session, wish(account, key=key, deadline=deadline))
    seen, cursor = [], None
    while len(seen) < 3:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        answer = clients["rita"].get("/api/v1/demands", params=query).json()
        seen += [one["origin_key"] for one in answer["items"]]
        cursor = answer["next_cursor"]
    assert (seen, cursor) == (["soon", "late", "never"], None)
    scope = scope_of(session, people["rita"], source="api")
    assert len(queries.of_account(session, scope, account.id)) == 3


def report(session: Any, account: Any, rep: Any, visit_id: Any, state: VisitState) -> None:
    """Take down what happened at a visit."""
    visit = activities.VisitReport(
        event_id=uuid7(), visit_id=visit_id, account_id=account.id, rep_id=rep.id, state=state,
        day=clock.today("Europe/Vaduz"), zone="Europe/Vaduz", occurred_at=clock.now(),
    )  # fmt: skip
    activities.record_visit(session, visit, scope_of(session, rep, source="api").actor)
