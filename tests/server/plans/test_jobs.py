"""The job: it shows its progress and its failures, and running twice is running once."""

from typing import Any

import pytest
from sqlalchemy import func, select

from routing.solve import UnlawfulPlan
from server.kit.database import transaction
from server.plans import computing, queries, service
from server.plans.jobs import compute
from server.plans.models import Plan, PlanState, Route, Stop


def stored(plan_id: Any) -> Plan:
    with transaction() as session:
        return session.get_one(Plan, plan_id)


def count(table: Any) -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_request_waits_in_the_queue_until_a_worker_computes_it_and_running_twice_changes_nothing(
    committed: dict[str, Any],
) -> None:
    with transaction() as session:
        waiting = "select args from procrastinate_jobs where task_name = 'plans.compute'"
        (arguments,) = session.connection().exec_driver_sql(waiting).scalars()
    assert arguments == {"plan_id": str(committed["plan_id"])}
    for _ in range(2):
        compute(plan_id=str(committed["plan_id"]))
        plan = stored(committed["plan_id"])
        assert plan.state == PlanState.READY
        assert plan.progress is None
        assert (count(Route), count(Stop)) == (1, 4)


def test_a_worker_that_died_while_storing_leaves_nothing_behind(committed: dict[str, Any]) -> None:
    key = committed["plan_id"]
    with transaction() as session:
        drawn = computing.prepare(session, session.get_one(Plan, key))
        journey = computing.travel(session, drawn.points)
        computed = computing.work_out(session.get_one(Plan, key), drawn, journey, lambda step: None)
        computing.store(session, key, computed)
        computing.store(session, key, computed)
        session.get_one(Plan, key).state = PlanState.RUNNING
    compute(plan_id=str(key))
    assert (count(Route), count(Stop)) == (1, 4)


def test_a_failure_is_written_on_the_plan_with_the_way_out(committed: dict[str, Any]) -> None:
    with transaction() as session:
        session.get_one(type(committed["rita"]), committed["rita"].id).rep_profile.home = None
    compute(plan_id=str(committed["plan_id"]))
    plan = stored(committed["plan_id"])
    assert plan.state == PlanState.FAILED
    assert plan.error == "Rita has no place to start from."
    assert plan.error_help == "Set the rep's home and working hours under Users."


def test_a_plan_deleted_while_it_is_computed_is_not_stored(
    committed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    travel = computing.travel

    def and_meanwhile(session: Any, *asked: Any) -> computing.Journey:
        with transaction() as other:
            service.delete(other, committed["mona"], committed["plan_id"])
        return travel(session, *asked)

    monkeypatch.setattr(computing, "travel", and_meanwhile)
    compute(plan_id=str(committed["plan_id"]))
    assert count(Route) == 0
    assert stored(committed["plan_id"]).deleted_at is not None


def test_a_plan_that_the_verifier_refuses_is_never_stored(
    committed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise UnlawfulPlan("somebody would be in two places")

    monkeypatch.setattr(computing, "solve", refuse)
    compute(plan_id=str(committed["plan_id"]))
    plan = stored(committed["plan_id"])
    assert plan.state == PlanState.FAILED
    assert plan.error == "The planner stopped with a fault of its own."
    assert count(Route) == 0


def test_a_published_plan_is_not_computed_again(committed: dict[str, Any]) -> None:
    compute(plan_id=str(committed["plan_id"]))
    with transaction() as session:
        service.publish(session, committed["mona"], committed["plan_id"])
        day = session.get_one(Plan, committed["plan_id"]).first_day
        before = queries.day_routes(session, day)
    compute(plan_id=str(committed["plan_id"]))
    with transaction() as session:
        assert queries.day_routes(session, day) == before
