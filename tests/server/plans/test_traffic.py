"""What a plan makes of the traffic of its weekdays and hours."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from server.kit import clock
from server.plans import basis, service
from server.regions.models import Region
from server.roads.models import RoadFactor

RUSH = {7: 1.8, 8: 2.0, 9: 1.8}


@pytest.fixture
def rush_hour(session: Session) -> None:
    """A region in which Monday mornings are slow."""
    session.add(
        Region(name="valley", sha256="0" * 64, version=1, state="ready", source="test", licence="ODbL 1.0",
               attribution=["© OpenStreetMap contributors"], bbox=[9.0, 46.9, 10.0, 47.4])
    )  # fmt: skip
    for hour, factor in RUSH.items():
        session.add(RoadFactor(region="valley", weekday=0, hour=hour, factor=factor, drives=40, learned_at=clock.now()))
    session.flush()


@pytest.mark.usefixtures("rush_hour")
def test_a_drive_in_the_rush_hour_takes_longer_than_the_same_drive_on_a_quiet_day(
    session: Session, people: Any, make_account: Any, monday: date, plan_now: Any, scope: Any, clients: Any
) -> None:
    rita = people["rita"]
    make_account("Early", (9.70, 47.1), account_class="A", owner_id=rita.id, opening_hours="Mo-Fr 09:00-09:50")
    new = make_account("New", (9.71, 47.1), owner_id=rita.id, opening_hours="Mo-Fr 08:00-18:00")
    took, drives, plans = [], [], []
    for day in (monday, monday + timedelta(days=1)):
        plan = plan_now(people["mona"], [rita], day)
        (route,) = plan.routes
        first = route.stops[0]
        assert first.starts_at == first.arrives_at, "the departure is put off until it is just in time"
        took.append((first.arrives_at - route.leaves_at).total_seconds())
        drives.append(first.drive_s)
        plans.append(plan)
    assert took[1] == drives[1]
    assert 1.7 * took[1] < took[0] < 2.05 * took[1], "the clock follows the hours"
    assert drives[0] == took[0], "the minutes shown are the minutes driven"
    (slow,) = plans[0].routes
    board = clients["mona"].get(f"/api/v1/plans/{plans[0].id}/board").json()
    score = clients["mona"].get(f"/api/v1/plans/{plans[0].id}/scorecard").json()["total"]
    assert slow.drive_s == sum(leg["seconds"] for leg in slow.legs) == board["routes"][0]["drive_s"]
    assert plans[0].summary["drive_s"] == slow.drive_s == score["drive_s"]
    kept = basis.load(session, plans[0].id)
    assert kept is not None
    assert kept.problem.rep_days[0].pace is not None, "the board changes the plan in the same traffic"
    service.publish(session, scope(people["mona"]), plans[0].id)
    answer = clients["mona"].get(f"/api/v1/accounts/{new.id}/times", params={"first_day": str(monday), "days": 1})
    (offered,) = answer.json()["days"]
    assert offered["is_planned"]
    assert offered["slots"], "what is planned keeps its times beside a new promise"
