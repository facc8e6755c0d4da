"""What the planner keeps of customers' likes, and of a segment that a plan is limited to."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import AccountRep
from server.accounts.pins import wkt
from server.activities import service as activities
from server.activities.models import Appointment, Visit
from server.activities.service import PlannedVisit
from server.demands.models import DemandOrigin
from server.demands.service import Wanted, ask
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


def test_a_customer_by_appointment_is_planned_at_an_agreed_time_and_otherwise_named(
    session: Session, people: Any, make_account: Any, monday: date, plan_now: Any, scope: Any, clients: Any
) -> None:
    rita = people["rita"]
    agreed, waiting, wanted = (
        make_account(name, (9.51 + k / 100, 47.1), account_class="A", by_appointment=True, owner_id=rita.id)
        for k, name in enumerate(("Agreed", "Waiting", "Wanted"))
    )
    site = activities.main_site(session, agreed.id)
    assert site is not None
    ten = datetime.combine(monday, time(10), ZoneInfo(settings().zone))
    activities.plan_visit(session, PlannedVisit(
        account_id=agreed.id, site_id=site.id, rep_id=rita.id, day=monday, zone=settings().zone,
        starts_at=ten, ends_at=ten + timedelta(minutes=30), appointment=Appointment.FIXED))  # fmt: skip
    ask(session, Wanted(wanted.id, DemandOrigin.TICKET, "1", "The oven is cold", mandatory=True))
    plan = plan_now(people["mona"], [rita], monday)
    stops = stops_of(plan)
    assert set(stops) == {agreed.id}
    assert wall(stops[agreed.id][1].starts_at) == "10:00"
    left = {one.account_id: one for one in plan.unplanned}
    assert len(left) == len(plan.unplanned), "due and asked for, it is named once"
    assert {one.reasons[0]["code"] for one in left.values()} == {"by_appointment"}
    assert {key for key, one in left.items() if one.mandatory} == {wanted.id}
    assert waiting.id in left
    body = {"base": 1, "change": {"kind": "add", "account_id": str(waiting.id)}}
    refused = clients["mona"].post(f"/api/v1/plans/{plan.id}/board/changes", json=body)
    assert refused.status_code == 422, "nor does anybody add it by hand"
    assert "Find a time" in refused.json()["help"]


def test_of_two_who_may_go_the_one_whom_the_customer_knows_comes_unless_the_way_is_much_longer(
    session: Session, people: Any, make_account: Any, monday: date, plan_now: Any
) -> None:
    rita, otto = people["rita"], people["otto"]
    shared = make_account("Shared", (9.53, 47.11), account_class="A", owner_id=None)
    session.add_all(AccountRep(account_id=shared.id, user_id=rep.id) for rep in (rita, otto))
    for rep, times in ((otto, 2), (rita, 1)):
        for k in range(times):
            day = monday - timedelta(days=100 + k)
            session.add(Visit(account_id=shared.id, rep_id=rep.id, day=day, zone=settings().zone, state="done"))
    session.flush()
    plan = plan_now(people["mona"], [rita, otto], monday)
    (route,) = plan.routes
    assert route.rep_id == otto.id
    assert route.stops[0].why.endswith("The usual rep comes.")
    shared.preferred_rep_id = rita.id
    session.flush()
    (asked,) = plan_now(people["mona"], [rita, otto], monday).routes
    assert asked.rep_id == rita.id, "whom the customer asked for wins over whoever came most"
    assert asked.stops[0].why.endswith("The rep comes whom the customer asked for.")
    assert asked.stops[0].because["preferred"] is True
    shared.preferred_rep_id = people["mona"].id
    session.flush()
    (route,) = plan_now(people["mona"], [rita, otto], monday).routes
    assert route.rep_id == otto.id, "who may not go there is not sent"
    shared.preferred_rep_id = None
    otto.rep_profile.home = wkt(LonLat(10.4, 47.3))
    session.flush()
    (route,) = plan_now(people["mona"], [rita, otto], monday).routes
    assert route.rep_id == rita.id
    assert route.stops[0].why.endswith("Another rep than the usual one comes.")


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
    plan = plan_now(people["mona"], [rita], monday, filter="name = Outside")
    assert set(stops_of(plan)) == {outside.id}
    body = {"rep_ids": [str(rita.id)], "first_day": str(monday), "filter": "name = "}
    refused = clients["mona"].post("/api/v1/plans", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "filter_invalid"), refused.text
    body = {"rep_ids": [str(rita.id)], "first_day": str(monday), "segment_id": str(outside.id)}
    assert clients["mona"].post("/api/v1/plans", json=body).status_code == 404
