"""Pages of planning as a whole: wanted visits, work and time, nights, days off, rules."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import cadence
from server.accounts.cadence import Interval
from server.activities.models import Visit
from server.auth.models import Role, User
from server.auth.service import set_working_day
from server.closures.models import RepAbsence, SiteClosure
from server.demands.models import DemandState, VisitDemand
from server.plans.night_models import NightRun
from server.plans.rules import rules
from tests.server.web.conftest import PAGE, token_in

type BrowserOf = Callable[[User], TestClient]
PAGES = ("demands", "capacity", "nights", "days-off", "rules")


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def rita(session: Session, make_user: Callable[..., User]) -> User:
    rita = make_user("rita", Role.REP)
    set_working_day(session, rita.id, {"home": (9.52, 47.14), "weekdays": list(range(7))})
    session.refresh(rita)
    return rita


def post(browser: TestClient, page: str, path: str, **form: Any) -> Any:
    """Send a form of a page."""
    return browser.post(path, data={"_csrf": token_in(browser.get(page).text), **form})


def test_strangers_are_sent_to_the_door_and_reps_see_what_is_theirs(
    client_for: Callable[[User | None], TestClient], browser_of: BrowserOf, rita: User, ada: User
) -> None:
    stranger = client_for(None)
    stranger.headers.update(PAGE)
    assert {stranger.get(f"/planning/{page}").status_code for page in PAGES} == {303}
    assert [browser_of(rita).get(f"/planning/{page}").status_code for page in PAGES] == [200, 200, 200, 200, 403]
    assert [browser_of(ada).get(f"/planning/{page}").status_code for page in PAGES] == [200] * 5


def test_a_visit_is_asked_for_on_the_accounts_page_and_taken_back(
    session: Session, browser_of: BrowserOf, make_account: Any, rita: User
) -> None:
    account = make_account("Bäckerei Amann", rita)
    browser, page = browser_of(rita), f"/accounts/{account.id}"
    assert post(browser, page, f"{page}/demands", sentence="The oven is cold", deadline="2030-01-07").status_code == 303
    demand = session.scalars(select(VisitDemand)).one()
    assert (demand.sentence, demand.deadline, demand.asked_by) == ("The oven is cold.", date(2030, 1, 7), rita.id)
    assert "The oven is cold." in browser.get(page).text
    assert "The oven is cold." in browser.get("/planning/demands").text
    refused = post(browser, page, f"{page}/demands", sentence="Look in", earliest="2030-01-08", deadline="2030-01-07")
    assert refused.status_code == 422
    assert "lies before the earliest day" in refused.text
    assert post(browser, page, f"{page}/demands/{demand.id}/withdraw").status_code == 303
    session.refresh(demand)
    assert demand.state == DemandState.WITHDRAWN


def test_a_site_is_closed_for_some_days_and_opened_again(
    session: Session, browser_of: BrowserOf, make_account: Any, rita: User
) -> None:
    account = make_account("Bäckerei Amann", rita)
    browser, page = browser_of(rita), f"/accounts/{account.id}"
    days = {"first_day": "2030-07-01", "last_day": "2030-07-14", "reason": "Company holidays"}
    assert post(browser, page, f"{page}/sites/{account.sites[0].id}/closures", **days).status_code == 303
    closure = session.scalars(select(SiteClosure)).one()
    assert "Company holidays" in browser.get(page).text
    assert post(browser, page, f"{page}/closures/{closure.id}/open").status_code == 303
    assert f"/closures/{closure.id}/open" not in browser.get(page).text


def test_two_reps_are_promised_to_one_appointment(
    session: Session, browser_of: BrowserOf, make_account: Any, make_user: Callable[..., User], ada: User, rita: User
) -> None:
    account, otto = make_account("Bäckerei Amann", rita), make_user("otto", Role.REP)
    browser, page = browser_of(ada), f"/accounts/{account.id}"
    form = {"rep_id": str(rita.id), "day": "2030-01-07", "at": "10:00", "minutes": "60", "appointment": "fixed"}
    assert post(browser, page, f"{page}/appointments", **form, with_id=str(rita.id)).status_code == 422
    assert post(browser, page, f"{page}/appointments", **form, with_id=str(otto.id)).status_code == 303
    visits = session.scalars(select(Visit)).all()
    assert {visit.rep_id for visit in visits} == {rita.id, otto.id}
    assert len({visit.meeting_id for visit in visits}) == 1


def test_an_absence_is_entered_and_a_wrong_one_is_refused_at_its_field(
    session: Session, browser_of: BrowserOf, ada: User, rita: User
) -> None:
    browser, page = browser_of(ada), "/planning/days-off"
    form = {"user_id": str(rita.id), "kind": "vacation", "first_day": "2030-07-08", "last_day": "2030-07-01"}
    refused = post(browser, page, f"{page}/absences", **form)
    assert refused.status_code == 422
    assert "lies before the first day" in refused.text
    assert post(browser, page, f"{page}/absences", **form | {"last_day": "2030-07-14"}).status_code == 303
    absence = session.scalars(select(RepAbsence)).one()
    assert "vacation" in browser.get(page).text
    assert post(browser, page, f"{page}/absences/{absence.id}/delete").status_code == 303


def test_calendars_and_own_days_are_kept(browser_of: BrowserOf, ada: User) -> None:
    browser, page = browser_of(ada), "/planning/days-off"
    assert post(browser, page, f"{page}/calendars", country="LI").status_code == 303
    assert post(browser, page, f"{page}/calendars", country="AT", part="8").status_code == 303
    assert post(browser, page, f"{page}/calendars", country="AT", part="99").status_code == 422
    assert post(browser, page, f"{page}/days", day="2030-05-10", name="Outing").status_code == 303
    shown = browser.get(page).text
    assert ">AT</span> · 8" in shown
    assert "Outing" in shown


def test_rules_are_set_and_refused(session: Session, browser_of: BrowserOf, ada: User, rita: User) -> None:
    browser, page = browser_of(ada), "/planning/rules"
    form = {"night_hour": "21", "night_days": "5", "night_steps": "9000", "hotel_min": "60", "night_is_on": "on"}
    assert post(browser, page, page, **form).status_code == 422
    assert post(browser, page, page, **form, night_weekdays="4").status_code == 303
    found = rules(session)
    assert (found.night_hour, found.night_steps, found.stretches, found.night_weekdays) == (21, 9000, False, [4])
    intervals = {"interval_A": "10", "tolerance_A": "30", "interval_B": "", "interval_C": "900"}
    assert post(browser, page, f"{page}/intervals", **intervals).status_code == 422
    assert post(browser, page, f"{page}/intervals", **intervals | {"interval_C": ""}).status_code == 303
    assert cadence.rules(session).of_class("A") == Interval(10, 0.3)
    assert post(browser, page, f"{page}/intervals", user_id=str(rita.id), interval_A="7").status_code == 303
    assert cadence.rules(session).of_class("A", rita.id) == Interval(7, 0.2)


def test_a_night_is_begun_and_shown_with_its_parts(
    session: Session, browser_of: BrowserOf, ada: User, rita: User
) -> None:
    browser, page = browser_of(ada), "/planning/nights"
    day = date.fromordinal(rita.created_at.date().toordinal()) + timedelta(days=3)
    assert post(browser, page, page, first_day=day.isoformat(), days="2").status_code == 303
    again = post(browser, page, page, first_day=day.isoformat(), days="2")
    assert again.status_code == 409
    assert "being planned already" in again.text
    run = session.scalars(select(NightRun)).one()
    shown = browser.get(f"/planning/nights/{run.id}/state").text
    assert "Rita" in shown
    assert "every 2s" in shown


def test_overtime_an_other_end_and_hotel_nights_are_entered(
    session: Session, browser_of: BrowserOf, ada: User, rita: User
) -> None:
    browser, page = browser_of(ada), f"/users/{rita.id}"
    form = {
        "shift_start": "08:00", "shift_end": "17:00", "overtime_min": "30", "overtime_cost": "3", "max_drive_h": "3.5",
        "nights_a_week": "2", "ends_elsewhere": "on", "end_name": "Office", "weekdays": "0",
    }  # fmt: skip
    refused = post(browser, page, f"{page}/working-day", **form)
    assert refused.status_code == 422
    assert "nobody knows where" in refused.text
    assert post(browser, page, f"{page}/working-day", **form, end_lon="9.5", end_lat="47.2").status_code == 303
    profile = rita.rep_profile
    assert profile is not None
    session.refresh(profile)
    assert (profile.overtime_s, profile.overtime_cost, profile.max_drive_s) == (1800, 3, 12_600)
    assert (profile.nights_a_week, profile.end_name) == (2, "Office")


def test_a_plan_of_what_was_drawn_says_so_and_of_how_many_accounts(
    browser_of: BrowserOf, make_account: Callable[..., Any], ada: User, rita: User
) -> None:
    make_account("Amann", rita, status="customer")
    browser = browser_of(ada)
    drawn = "in polygon (9.5 47.1, 9.6 47.1, 9.5 47.2)"
    page = browser.get("/plans", params={"filter": f"{drawn} and status = customer"}).text
    only = page.split('id="only"')[1].split("</div></div>")[0].split("icon-button")[0]
    assert ">In the outline drawn</span>" in only
    assert ">status = customer</span>" in only
    assert "<b>1 account</b>" in only
    assert ">in polygon" not in only
    wrong = browser.get("/plans", params={"filter": "clas = A"}).text
    assert "Did you mean" in wrong
