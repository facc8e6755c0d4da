"""What a plan holds: who is visited, when, and why somebody is not."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from routing.solve import DEFAULT_ENGINE
from server.accounts.models import Site
from server.activities.models import Appointment, Visit
from server.activities.service import PlannedVisit, plan_visit
from server.plans import queries
from server.plans.models import Plan, Unplanned

ZONE = "Europe/Vaduz"


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(ZONE))


def stops(session: Any, plan: Plan) -> dict[str, Any]:
    """Stops by account name, as the routes hold them."""
    routes = queries._routes(session, select(queries.Route).where(queries.Route.plan_id == plan.id))
    return {stop.account_name: stop for route in routes for stop in route.stops}


def reasons(session: Any, plan: Plan) -> dict[str, str]:
    return {u.account_name: u.reasons[0]["code"] for u in queries.unplanned_of(session, plan.id)}


def test_accounts_are_visited_when_their_interval_runs_out(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita = people["rita"].id
    make_account("Due", (9.51, 47.1), account_class="A", owner_id=rita, last_visit_on=monday - timedelta(days=20))
    make_account("Never seen", (9.52, 47.1), account_class="C", owner_id=rita)
    make_account("Just seen", (9.53, 47.1), account_class="A", owner_id=rita, last_visit_on=monday - timedelta(days=3))
    make_account("No cadence", (9.54, 47.1), owner_id=rita)
    make_account("Otto's", (9.55, 47.1), account_class="A", owner_id=people["otto"].id)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    found = stops(session, plan)
    assert set(found) == {"Due", "Never seen"}
    assert found["Due"].overdue_days == 6
    assert "6 days overdue" in found["Due"].why
    assert plan.summary["visits"] == 2
    assert plan.estimated


def test_opening_hours_are_kept_to_the_end_of_the_visit(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita = people["rita"].id
    for name, hours in [("Late", "Mo 15:00-15:30"), ("Closed", "Tu-Fr 08:00-17:00"), ("Short", "Mo 10:00-10:20")]:
        make_account(name, (9.51, 47.1), account_class="A", owner_id=rita, opening_hours=hours, service_s=1800)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    assert stops(session, plan)["Late"].starts_at == local(monday, 15)
    assert reasons(session, plan) == {"Closed": "closed", "Short": "window_too_short"}


def test_an_appointment_is_kept_and_a_hopeless_one_is_named(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita = people["rita"].id
    kept = make_account("Promised", (9.6, 47.2), owner_id=rita)
    hopeless = make_account("At night", (9.6, 47.2), owner_id=rita)
    for account, hour in [(kept, 11), (hopeless, 22)]:
        planned = PlannedVisit(
            account_id=account.id, site_id=account.sites[0].id, rep_id=rita, day=monday, zone=ZONE,
            starts_at=local(monday, hour), ends_at=local(monday, hour, 45), appointment=Appointment.FIXED,
        )  # fmt: skip
        plan_visit(session, planned)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    stop = stops(session, plan)["Promised"]
    assert (stop.starts_at, stop.ends_at) == (local(monday, 11), local(monday, 11, 45))
    assert stop.appointment == "fixed"
    assert stop.visit_id is not None
    assert reasons(session, plan) == {"At night": "no_window_reachable"}
    assert plan.summary["missing_promises"] == 1


def test_an_account_without_a_pin_is_named_and_not_forgotten(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    make_account("Nowhere", account_class="A", owner_id=people["rita"].id, street="Somewhere 1")
    plan = plan_now(people["mona"], [people["rita"]], monday)
    assert reasons(session, plan) == {"Nowhere": "no_pin"}


def test_everybody_left_out_has_a_reason_when_the_day_is_too_short(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    for k in range(12):
        make_account(f"A{k:02}", (9.5 + k / 200, 47.1), account_class="B", owner_id=people["rita"].id, service_s=3600)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    found, left_out = stops(session, plan), reasons(session, plan)
    assert len(found) + len(left_out) == 12
    assert len(left_out) >= 4
    assert set(left_out.values()) <= {"lower_value", "no_time_left"}
    texts = [u.reasons[0]["text"] for u in queries.unplanned_of(session, plan.id)]
    assert not any("/" in text for text in texts), "people read names, not keys"


def test_a_route_has_times_in_order_and_a_drawn_leg_for_every_drive(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    for k in range(5):
        make_account(f"A{k}", (9.5 + k / 50, 47.1), account_class="A", owner_id=people["rita"].id)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    (route,) = queries._routes(session, select(queries.Route).where(queries.Route.plan_id == plan.id))
    assert len(route.legs) == len(route.stops) + 1
    assert all(leg.polyline6 for leg in route.legs)
    assert all(leg.estimated for leg in route.legs), "there is no road graph in this test"
    moments = [
        route.leaves_at,
        *(t for s in route.stops for t in (s.arrives_at, s.starts_at, s.ends_at)),
        route.returns_at,
    ]
    assert moments == sorted(moments)
    assert route.leaves_at >= local(monday, 8)
    assert route.returns_at <= local(monday, 17)
    assert route.break_starts_at is not None
    assert local(monday, 11, 30) <= route.break_starts_at <= local(monday, 13, 30)
    assert route.drive_s == sum(leg.seconds for leg in route.legs)


def test_the_same_request_gives_the_same_plan(
    people: Any, make_account: Any, plan_now: Any, session: Any, monday: date
) -> None:
    for k in range(9):
        make_account(f"A{k}", (9.5 + k / 50, 47.1 + k % 3 / 50), account_class="A", owner_id=people["rita"].id)
    first, second = (
        {
            name: stop.starts_at
            for name, stop in stops(session, plan_now(people["mona"], [people["rita"]], monday)).items()
        }
        for _ in range(2)
    )
    assert first == second


def test_an_account_is_visited_twice_in_a_week_only_with_its_interval_between(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    make_account("Weekly twice", (9.51, 47.1), interval_days=3, owner_id=people["rita"].id)
    plan = plan_now(people["mona"], [people["rita"]], monday, days=5)
    routes = queries._routes(session, select(queries.Route).where(queries.Route.plan_id == plan.id))
    days = [route.day for route in routes for _ in route.stops]
    assert len(days) == 2
    assert (days[1] - days[0]).days >= 3


def test_what_is_left_out_goes_with_the_plan(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    make_account("Nowhere", account_class="A", owner_id=people["rita"].id, street="Somewhere 1")
    plan = plan_now(people["mona"], [people["rita"]], monday)
    session.delete(plan)
    session.flush()
    assert session.scalars(select(Unplanned)).all() == []
    assert session.scalars(select(Visit)).all() == []


def test_a_place_of_which_only_the_town_is_known_is_planned_with_a_warning(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita = people["rita"].id
    for name, grade, metres in (("Town", "locality", 2000.0), ("Sure", "rooftop", 8.0), ("List", "given", 787.0)):
        account = make_account(name, (9.51, 47.1), account_class="A", owner_id=rita)
        site = session.get_one(Site, account.sites[0].id)
        site.grade, site.uncertainty_m = grade, metres
    session.flush()
    plan = plan_now(people["mona"], [people["rita"]], monday)
    found = {name: (stop.cautions, stop.entry) for name, stop in stops(session, plan).items()}
    assert found == {"Town": (["locality"], None), "Sure": ([], None), "List": (["unsure"], None)}
    assert "Approximate place: only the town is known." in stops(session, plan)["Town"].caution


def test_a_plan_is_made_by_the_default_engine_unless_another_one_is_asked_for(
    clients: Any, people: Any, monday: date
) -> None:
    wish = {"rep_ids": [str(people["rita"].id)], "first_day": str(monday), "steps": 10}
    plain, other = (
        clients["mona"].post("/api/v1/plans", json=wish | more).json() for more in ({}, {"engine": "ortools"})
    )
    assert (plain["engine"], other["engine"]) == (DEFAULT_ENGINE, "ortools")
