"""What the planner keeps of customers' likes, and of a segment that a plan is limited to."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from server.kit.settings import settings
from server.plans.models import Plan, Stop
from server.segments import service as segments


def stops_of(plan: Plan) -> dict[Any, tuple[date, Stop]]:
    """By account: its day and its stop."""
    return {stop.account_id: (route.day, stop) for route in plan.routes for stop in route.stops}


def wall(at: datetime) -> str:
    """What the clocks on the wall show."""
    return at.astimezone(ZoneInfo(settings().zone)).strftime("%H:%M")


def test_a_customer_is_visited_on_a_welcome_day_and_at_a_welcome_time_unless_the_visit_is_late(
    session: Session, people: Any, make_account: Any, monday: date, plan_now: Any
) -> None:
    like = {"preferred_days": ["we"], "preferred_time": "afternoon", "owner_id": people["rita"].id}
    just_due, late = (monday - timedelta(days=days) for days in (28, 60))
    liked = make_account("Liked", (9.51, 47.1), account_class="B", last_visit_on=just_due, **like)
    pressing = make_account("Late", (9.52, 47.1), account_class="B", last_visit_on=late, **like)
    shut = make_account("Shut", (9.53, 47.1), account_class="B", last_visit_on=just_due,
                        opening_hours="Mo-Tu 08:00-11:00", **like)  # fmt: skip
    stops = stops_of(plan_now(people["mona"], [people["rita"]], monday, 5))
    assert stops[liked.id][0] == monday + timedelta(days=2)
    assert wall(stops[liked.id][1].starts_at) >= "13:00"
    assert stops[pressing.id][0] == monday, "late past its tolerance, it comes at once"
    assert stops[shut.id][0] <= monday + timedelta(days=1), "never open on a welcome day, it comes on another"


def test_a_plan_of_a_segment_visits_only_its_accounts(
    session: Session, people: Any, make_account: Any, monday: date, plan_now: Any, scope: Any, clients: Any
) -> None:
    rita = people["rita"]
    inside, outside = (
        make_account(name, (9.51, 47.1), account_class="B", owner_id=rita.id) for name in ("Inside", "Outside")
    )
    mine = segments.create(
        session, scope(people["mona"]), subject="account", name="Some", filter=None, is_static=True, members=[inside.id]
    )
    plan = plan_now(people["mona"], [rita], monday, segment_id=mine.id)
    assert set(stops_of(plan)) == {inside.id}
    assert outside.id not in {left.account_id for left in plan.unplanned}
    body = {"rep_ids": [str(rita.id)], "first_day": str(monday), "segment_id": str(outside.id)}
    assert clients["mona"].post("/api/v1/plans", json=body).status_code == 404
