"""Work against time: the formula, the stretch and what it does to a plan, days that are not ordinary."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from geo.types import LonLat
from server.accounts import cadence
from server.accounts.cadence import Interval
from server.accounts.models import Account
from server.accounts.opening_hours import holiday_hours
from server.accounts.pins import wkt
from server.auth.access import scope_of, system_scope
from server.closures import service as closures
from server.closures.models import AbsenceKind, RepAbsence
from server.demands.models import DemandOrigin
from server.demands.service import Wanted, ask
from server.kit.errors import Invalid
from server.plans import overload
from server.plans.build import WHOLE_DAY, open_windows, shifts_of
from server.plans.models import PlanState, Route, Stop
from server.plans.night_models import PlanningRules
from server.plans.queries import unplanned_of
from tests.server.plans.test_planning import reasons, stops

SHIFT_S = 9 * 3600 - 2700
"""08:00 to 17:00 less 45 minutes of lunch."""
LONG_S = 4 * 3600
"""Visits so long that few accounts are more than anybody has time for."""


def fill(make_account: Any, owner: Any, counts: dict[str, int]) -> None:
    """Accounts by class around one town."""
    for name, count in counts.items():
        for k in range(count):
            at = (9.5 + 0.001 * k, 47.1)
            make_account(f"{name}{k:03}", at, account_class=name, owner_id=owner.id, service_s=LONG_S)


def part_of(session: Any, people: Any, monday: date, name: str = "Rita") -> overload.Part:
    report = overload.report(session, scope_of(session, people["mona"], source="api"), monday)
    return next(part for part in report.parts if part.name == name)


def test_the_report_reconciles_with_the_capacity_formula(
    session: Any, people: Any, make_account: Any, monday: date
) -> None:
    fill(make_account, people["rita"], {"A": 10, "B": 15, "C": 20})
    one = make_account("Wants more", (9.52, 47.1), owner_id=people["rita"].id, service_s=LONG_S)
    ask(session, Wanted(one.id, DemandOrigin.TICKET, "1", "The oven is cold"))
    part = part_of(session, people, monday)
    load = part.load
    visit_s = LONG_S + load.drive_s
    wanted = sum(count * 84 / days * visit_s for count, days in [(10, 14), (15, 28), (20, 84)])
    assert load.wanted_s == pytest.approx(wanted, rel=0.01)
    assert load.capacity_s == pytest.approx(60 * SHIFT_S, rel=0.01)
    assert load.fixed_s == pytest.approx(visit_s, rel=0.01)
    assert load.stretch == pytest.approx(wanted / (60 * SHIFT_S - visit_s), rel=0.01)
    stretched = sum(count * 84 / (days * load.stretch) * visit_s for count, days in [(10, 14), (15, 28), (20, 84)])
    assert stretched + load.fixed_s == pytest.approx(load.capacity_s, rel=0.01)
    assert load.stretch > 1


def test_two_parts_of_the_same_name_keep_their_own_work(
    session: Any, people: Any, make_account: Any, monday: date
) -> None:
    people["otto"].name = people["rita"].name
    session.flush()
    make_account("Hers", (9.5, 47.1), account_class="A", owner_id=people["rita"].id)
    for k in range(3):
        make_account(f"His {k}", (9.6, 47.1), account_class="A", owner_id=people["otto"].id)
    report = overload.report(session, scope_of(session, people["mona"], source="api"), monday)
    wanted = sorted(part.load.wanted_s for part in report.parts)
    assert len(wanted) == 2
    assert wanted[1] == pytest.approx(3 * wanted[0])


def test_everybody_slips_in_proportion_and_the_ways_out_fit(
    session: Any, people: Any, make_account: Any, monday: date
) -> None:
    fill(make_account, people["rita"], {"A": 8, "B": 15, "C": 50})
    part = part_of(session, people, monday)
    never_seen = {slip.account_class for slip in part.slips}
    assert never_seen == set(), "who was never visited is due at once, stretched or not"
    for account in session.scalars(select(Account)):
        account.last_visit_on = monday
    session.flush()
    part = part_of(session, people, monday)
    by_class = {slip.account_class: slip for slip in part.slips}
    for name, usual in [("A", 14), ("B", 28), ("C", 84)]:
        assert by_class[name].stretched_days == round(usual * part.load.stretch)
        assert by_class[name].days == by_class[name].stretched_days - usual
    assert part.ways_out is not None
    assert part.ways_out.missing_s == pytest.approx(part.load.wanted_s - part.load.free_s)
    assert part.ways_out.c_interval_days is not None
    assert part.ways_out.c_interval_days > 84 * part.load.stretch
    assert [one.name for one in part.ways_out.neighbours] == ["Otto"]
    assert part_of(session, people, monday, "Otto").ways_out is None


def test_a_plan_stretches_all_intervals_alike_and_says_so(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    fill(make_account, people["rita"], {"A": 20, "B": 20})
    soon = make_account("Soon", (9.51, 47.1), account_class="A", owner_id=people["rita"].id,
                        last_visit_on=monday - timedelta(days=14))  # fmt: skip
    plan = plan_now(people["mona"], [people["rita"]], monday)
    assert plan.stretch > 1.3
    assert soon.name not in {*stops(session, plan), *reasons(session, plan)}, "it is due later than usual"
    session.add(PlanningRules(stretches=False))
    session.flush()
    other = plan_now(people["mona"], [people["rita"]], monday)
    assert other.stretch == 1
    assert soon.name in {*stops(session, other), *reasons(session, other)}


def test_an_interval_is_the_accounts_own_else_its_owners_else_the_companys(
    session: Any, people: Any, make_account: Any
) -> None:
    rita = people["rita"].id
    account = make_account("Amann", (9.5, 47.1), account_class="A", owner_id=rita)

    def days() -> Interval | None:
        return cadence.rules(session).of(account)

    assert days() == Interval(14, 0.2)
    cadence.set_interval(session, None, "A", Interval(21, 0.1))
    assert days() == Interval(21, 0.1)
    cadence.set_interval(session, rita, "A", Interval(10, 0.3))
    assert days() == Interval(10, 0.3)
    account.interval_days = 5
    assert days() == Interval(5, 0.3)
    cadence.set_interval(session, rita, "A", None)
    assert days() == Interval(5, 0.1)


def test_lists_show_the_same_interval_as_plans_use(session: Any, people: Any, clients: Any, make_account: Any) -> None:
    account = make_account("Amann", (9.5, 47.1), account_class="A", owner_id=people["rita"].id)
    for user_id, days in ((None, 21), (people["rita"].id, 10)):
        cadence.set_interval(session, user_id, "A", Interval(days, 0.2))
        assert clients["rita"].get(f"/api/v1/accounts/{account.id}").json()["interval_days"] == days


def test_nobody_works_on_holidays_but_when_the_company_says_so(session: Any, people: Any) -> None:
    closures.keep_calendar(session, "LI")
    assumption = date(2028, 8, 15)

    def works() -> bool:
        off = closures.queries.days_off(session, [people["rita"].id], assumption, assumption)
        return bool(shifts_of(people["rita"], [assumption], "Europe/Vaduz", off))

    assert not works()
    closures.set_company_day(session, assumption, "Fair", is_working=True)
    assert works()
    closures.set_company_day(session, assumption, "Outing")
    assert not works()


def test_a_holiday_of_another_country_is_kept_by_reps_who_have_its_calendar(session: Any, people: Any) -> None:
    closures.keep_calendar(session, "LI")
    austria = closures.keep_calendar(session, "AT", "8")
    national_day = date(2028, 10, 26)
    reps = [people["rita"].id, people["otto"].id]
    closures.set_calendar(session, system_scope(), people["rita"].id, austria.id)
    off = closures.queries.days_off(session, reps, national_day, national_day)
    assert [off.of_rep(rep, national_day) for rep in reps] == ["Nationalfeiertag", None]
    assert off.holiday_at("AT", national_day) == "Nationalfeiertag"
    assert off.holiday_at("Österreich", national_day) == "Nationalfeiertag"
    assert off.holiday_at(None, national_day) is None
    first, last = date(2028, 10, 1), date(2028, 12, 31)
    closures.set_company_day(session, date(2028, 11, 3), "Outing")
    closures.set_company_day(session, date(2028, 12, 8), "Fair", is_working=True)
    session.add(RepAbsence(user_id=reps[1], first_day=first, last_day=date(2028, 10, 5), kind=AbsenceKind.TRAINING))
    session.flush()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for rep in reps:
        whole, alone = (
            closures.queries.days_off(session, reps, first, last),
            closures.queries.days_off_of(session, rep, first, last),
        )
        told = [alone.of_rep(rep, day) for day in days]
        assert told == [whole.of_rep(rep, day) for day in days], "what a phone is told is what plans go by"
        assert len({*told}) > 3


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("Mo-Fr 08:00-17:00; PH off", ()),
        ("Mo-Fr 08:00-17:00; PH 10:00-12:00", ((600, 720),)),
        ("Mo-Fr 08:00-17:00", None),
        ("24/7", ((0, 1440),)),
        ("Mo-Su,PH 09:00-10:00", ((540, 600),)),
    ],
)
def test_opening_hours_say_what_holds_on_public_holidays(hours: str, expected: Any) -> None:
    assert holiday_hours(hours) == expected


def test_a_site_that_says_nothing_of_holidays_is_closed_on_them() -> None:
    day = date(2028, 8, 15)
    assert open_windows(None, day) == WHOLE_DAY
    assert open_windows(None, day, is_holiday=True) == ()
    assert open_windows("Mo-Su 08:00-17:00", day, is_holiday=True) == ()
    assert open_windows("24/7", day, is_holiday=True) == WHOLE_DAY


def test_a_closed_site_is_left_out_with_the_reason(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    account = make_account("Amann", (9.51, 47.1), account_class="A", owner_id=people["rita"].id)
    scope = scope_of(session, people["rita"], source="api")
    closed = closures.close_site(session, scope, account.sites[0].id, monday, monday + timedelta(days=2), "Renovation")
    plan = plan_now(people["mona"], [people["rita"]], monday)
    texts = [reason["text"] for one in unplanned_of(session, plan.id) for reason in one.reasons]
    assert f"{monday:%a %d %b}: Renovation." in texts
    week = plan_now(people["mona"], [people["rita"]], monday, days=5)
    assert stops(session, week)["Amann"].starts_at.date() >= monday + timedelta(days=3)
    closures.open_site(session, scope, closed.id)
    assert "Amann" in stops(session, plan_now(people["mona"], [people["rita"]], monday))


def test_a_second_click_makes_no_second_absence_and_no_second_closure(
    session: Any, people: Any, make_account: Any, monday: date
) -> None:
    scope, rita = system_scope(), people["rita"]
    absences = [closures.be_absent(session, scope, rita.id, monday, monday, AbsenceKind.SICK) for _ in range(2)]
    site = make_account("Amann", (9.51, 47.1)).sites[0]
    closed = [closures.close_site(session, scope, site.id, monday, monday, "Inventory") for _ in range(2)]
    assert (len({one.id for one in absences}), len({one.id for one in closed})) == (1, 1)
    closures.be_back(session, scope, absences[0].id)
    assert closures.be_absent(session, scope, rita.id, monday, monday, AbsenceKind.SICK).id != absences[0].id


def test_a_plan_for_days_of_vacation_is_refused_with_the_reason(
    session: Any, people: Any, clients: Any, monday: date
) -> None:
    mona = scope_of(session, people["mona"], source="api")
    closures.be_absent(session, mona, people["rita"].id, monday, monday, AbsenceKind.VACATION)
    body = {"rep_ids": [str(people["rita"].id)], "first_day": monday.isoformat(), "days": 1}
    answer = clients["mona"].post("/api/v1/plans", json=body)
    assert answer.status_code == 422
    assert "On vacation" in answer.json()["detail"]


def test_overtime_and_another_end_of_the_day_reach_the_plan(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    profile = people["rita"].rep_profile
    profile.end_point, profile.end_name, profile.overtime_s = wkt(LonLat(9.55, 47.2)), "Office", 1800
    session.flush()
    (shift,) = shifts_of(people["rita"], [monday], "Europe/Vaduz")
    assert (shift.end_name, shift.end, shift.overtime_s) == ("Office", LonLat(9.55, 47.2), 1800)
    make_account("Amann", (9.51, 47.1), account_class="A", owner_id=people["rita"].id)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    (route,) = session.scalars(select(Route).where(Route.plan_id == plan.id))
    assert (route.start_anchor["name"], route.end_anchor["name"]) == ("Vaduz", "Office")
    assert plan.state == PlanState.READY
    assert session.scalars(select(Stop).where(Stop.route_id == route.id)).one().demand_ids == []


def test_the_report_is_for_those_who_plan(client_for: Any, people: Any, clients: Any, make_account: Any) -> None:
    make_account("Amann", (9.51, 47.1), account_class="A", owner_id=people["nora"].id)
    assert client_for(None).get("/api/v1/capacity").status_code == 401
    parts = {one["name"] for one in clients["mona"].get("/api/v1/capacity").json()["parts"]}
    assert parts == {"Rita", "Otto"}
    table = clients["mona"].get("/api/v1/capacity/slips.csv")
    assert table.status_code == 200
    assert table.text.lstrip("\ufeff").startswith("number,name,account_class")


def test_absences_are_the_managers_and_closures_the_reps_business(
    session: Any, client_for: Any, people: Any, clients: Any, make_account: Any, monday: date
) -> None:
    body = {"user_id": str(people["rita"].id), "kind": "sick", "first_day": str(monday), "last_day": str(monday)}
    assert client_for(None).post("/api/v1/absences", json=body).status_code == 401
    assert [clients[who].post("/api/v1/absences", json=body).status_code for who in ("rita", "mona")] == [403, 201]
    assert clients["mona"].post("/api/v1/absences", json=body | {"user_id": str(people["nora"].id)}).status_code == 404
    assert len(clients["rita"].get("/api/v1/absences").json()["items"]) == 1
    assert clients["nora"].get("/api/v1/absences").json()["items"] == []
    site = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id).sites[0]
    days = {"first_day": str(monday), "last_day": str(monday - timedelta(days=1)), "reason": "Away"}
    assert clients["otto"].post(f"/api/v1/sites/{site.id}/closures", json=days).status_code == 404
    refused = clients["rita"].post(f"/api/v1/sites/{site.id}/closures", json=days)
    assert (refused.status_code, refused.json()["field"]) == (422, "last_day")


@pytest.mark.parametrize(("country", "part", "field"), [("QQ", "", "country"), ("LI", "9", "part")])
def test_a_place_without_known_holidays_is_refused(session: Any, country: str, part: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        closures.keep_calendar(session, country, part)
    assert refused.value.details["field"] == field


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_report_looks_no_further_than_a_year(people: Any, clients: Any, day: str) -> None:
    answer = clients["mona"].get(f"/api/v1/capacity?first_day={day}")
    assert (answer.status_code, answer.json().get("field")) == (422, "first_day")
