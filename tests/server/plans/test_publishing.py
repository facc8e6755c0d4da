"""Publishing: stops become planned visits, later plans take the place of earlier ones."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from routing.export import bundle
from routing.export.tour import Span
from server.accounts.models import Site
from server.activities.models import Visit, VisitState
from server.kit.clock import now
from server.kit.errors import Conflict, NotFound
from server.plans import queries, service
from server.plans.exporting import sheets
from server.plans.models import Plan, PlanState


@pytest.fixture
def world(session: Any, people: Any, make_account: Any) -> None:
    for k in range(3):
        make_account(f"A{k}", (9.5 + k / 50, 47.1), account_class="A", owner_id=people["rita"].id)


def living(session: Any) -> list[Visit]:
    session.expire_all()
    return list(session.scalars(select(Visit).where(Visit.deleted_at.is_(None)).order_by(Visit.planned_start_at)))


@pytest.mark.usefixtures("world")
def test_stops_become_planned_visits_once(
    session: Any, people: Any, scope: Any, plan_now: Any, clients: Any, monday: date
) -> None:
    plan = plan_now(people["mona"], [people["rita"]], monday)
    assert queries.day_routes(session, monday) == ()
    for _ in range(2):
        answer = clients["mona"].post(f"/api/v1/plans/{plan.id}/publish")
        assert answer.json()["state"] == "published"
    visits = living(session)
    assert len(visits) == 3
    assert {v.state for v in visits} == {VisitState.PLANNED}
    (route,) = queries.day_routes(session, monday)
    assert [s.visit_id for s in route.stops] == [v.id for v in visits]
    assert [s.starts_at for s in route.stops] == [v.planned_start_at for v in visits]
    listed = clients["rita"].get(f"/api/v1/routes?first_day={monday}").json()["items"]
    assert [item["id"] for item in listed] == [str(route.id)]
    assert clients["otto"].get(f"/api/v1/routes?first_day={monday}").json()["items"] == []


@pytest.mark.usefixtures("world")
def test_a_later_plan_takes_the_place_of_the_earlier_and_keeps_the_visits_calendars_know(
    session: Any, people: Any, scope: Any, plan_now: Any, make_account: Any, monday: date
) -> None:
    mona = scope(people["mona"])
    first = service.publish(session, mona, plan_now(people["mona"], [people["rita"]], monday).id)
    before = {v.account_id: v.id for v in living(session)}
    make_account("New", (9.55, 47.1), account_class="A", owner_id=people["rita"].id)
    second = service.publish(session, mona, plan_now(people["mona"], [people["rita"]], monday).id)
    after = {v.account_id: v.id for v in living(session)}
    assert len(after) == 4
    assert {account: after[account] for account in before} == before
    (route,) = queries.day_routes(session, monday)
    assert route.plan_id == second.id != first.id


@pytest.mark.usefixtures("world")
def test_a_visit_that_has_begun_stays_when_the_day_is_planned_again(
    session: Any, people: Any, scope: Any, plan_now: Any, monday: date
) -> None:
    mona = scope(people["mona"])
    service.publish(session, mona, plan_now(people["mona"], [people["rita"]], monday).id)
    begun = living(session)[0]
    begun.state, at = VisitState.CHECKED_IN, begun.planned_start_at
    session.flush()
    service.publish(session, mona, plan_now(people["mona"], [people["rita"]], monday).id)
    kept = next(v for v in living(session) if v.id == begun.id)
    assert (kept.state, kept.planned_start_at) == (VisitState.CHECKED_IN, at)


@pytest.mark.usefixtures("world")
def test_deleting_a_published_plan_empties_the_calendar(
    session: Any, people: Any, scope: Any, plan_now: Any, clients: Any, monday: date
) -> None:
    plan = plan_now(people["mona"], [people["rita"]], monday)
    service.publish(session, scope(people["mona"]), plan.id)
    assert clients["mona"].delete(f"/api/v1/plans/{plan.id}").status_code == 204
    assert living(session) == []
    assert queries.day_routes(session, monday) == ()
    assert clients["mona"].get(f"/api/v1/plans/{plan.id}").status_code == 404


@pytest.mark.usefixtures("world")
def test_accounts_that_somebody_will_visit_anyway_are_not_planned_twice(
    session: Any, people: Any, scope: Any, plan_now: Any, monday: date
) -> None:
    service.publish(session, scope(people["mona"]), plan_now(people["mona"], [people["rita"]], monday).id)
    later = plan_now(people["mona"], [people["rita"]], monday + timedelta(days=1))
    assert later.summary["visits"] == 0
    assert later.summary["unplanned"] == 0


@pytest.mark.parametrize("state", [PlanState.QUEUED, PlanState.RUNNING, PlanState.FAILED])
def test_a_plan_that_is_not_ready_cannot_be_published(
    session: Any, people: Any, scope: Any, plan_now: Any, monday: date, state: PlanState
) -> None:
    plan: Plan = plan_now(people["mona"], [people["rita"]], monday)
    plan.state = state
    session.flush()
    with pytest.raises(Conflict):
        service.publish(session, scope(people["mona"]), plan.id)


@pytest.mark.usefixtures("world")
def test_a_plan_with_an_account_that_was_deleted_meanwhile_names_it(
    session: Any, people: Any, scope: Any, plan_now: Any, monday: date
) -> None:
    plan = plan_now(people["mona"], [people["rita"]], monday)
    session.execute(update(Site).where(Site.account_id == plan.routes[0].stops[0].account_id).values(deleted_at=now()))
    session.expire_all()
    with pytest.raises(Conflict, match="was deleted after the plan"):
        service.publish(session, scope(people["mona"]), plan.id)


@pytest.mark.usefixtures("world")
def test_the_same_plan_made_again_gives_the_same_bytes_and_a_plan_that_drops_a_visit_cancels_it(
    session: Any, people: Any, scope: Any, plan_now: Any, monday: date
) -> None:
    mona, span = scope(people["mona"]), Span.of(monday)

    def published() -> tuple[Any, list[bytes]]:
        service.publish(session, mona, plan_now(people["mona"], [people["rita"]], monday).id)
        session.expire_all()
        (tour,) = sheets.tours(session, span)
        return tour, [writer(tour) for writer in bundle.WRITERS.values()]

    before, first = published()
    _again, second = published()
    assert first == second
    dropped = living(session)[0]
    session.execute(update(Site).where(Site.account_id == dropped.account_id).values(deleted_at=now()))
    after, _third = published()
    assert [gone.visit_id for gone in after.withdrawn] == [str(dropped.id)]
    known = {stop.visit_id: stop.sequence for stop in before.days[0].stops}
    assert all(known[gone.visit_id] < gone.sequence for gone in after.withdrawn)
    assert all(known[stop.visit_id] <= stop.sequence for stop in after.days[0].stops)


@pytest.mark.usefixtures("world")
def test_the_same_night_on_a_copy_of_the_data_gives_the_same_bytes(
    session: Any, people: Any, scope: Any, plan_now: Any, monday: date
) -> None:
    mona, written = scope(people["mona"]), []
    for _copy in range(2):
        with session.begin_nested() as savepoint:
            service.publish(session, mona, plan_now(people["mona"], [people["rita"]], monday).id)
            (tour,) = sheets.tours(session, Span.of(monday))
            written.append([writer(tour) for writer in bundle.WRITERS.values()])
            savepoint.rollback()
        session.expire_all()
    assert written[0] == written[1]


@pytest.mark.usefixtures("world")
def test_a_plan_that_was_deleted_while_somebody_waited_for_it_is_not_there(
    session: Any, people: Any, plan_now: Any, monday: date
) -> None:
    plan = plan_now(people["mona"], [people["rita"]], monday)
    session.execute(
        update(Plan).where(Plan.id == plan.id).values(deleted_at=now()),
        execution_options={"synchronize_session": False},
    )
    with pytest.raises(NotFound):
        queries.lock(session, plan)


@pytest.mark.usefixtures("world")
def test_a_plan_whose_days_are_over_is_not_put_into_the_calendar(
    session: Any, people: Any, plan_now: Any, clients: Any, monday: date
) -> None:
    plan = plan_now(people["mona"], [people["rita"]], monday)
    plan.first_day -= timedelta(days=14)
    session.flush()
    answer = clients["mona"].post(f"/api/v1/plans/{plan.id}/publish")
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_not_ready")
    assert living(session) == []


@pytest.mark.usefixtures("world")
def test_a_plan_that_a_later_one_replaced_still_shows_its_stops_and_says_that_it_was_replaced(
    session: Any, people: Any, plan_now: Any, clients: Any, monday: date
) -> None:
    first, second = (plan_now(people["mona"], [people["rita"]], monday) for _ in range(2))
    for plan in (first, second):
        assert clients["mona"].post(f"/api/v1/plans/{plan.id}/publish").status_code == 200
    session.expire_all()
    (route,) = clients["mona"].get(f"/api/v1/plans/{first.id}").json()["routes"]
    assert len(route["stops"]) == 3
    assert queries.replaced(session, [first.id, second.id]) == {first.id}
    assert len(queries.day_routes(session, monday)) == 1
