"""Why not, the running day and times to offer, as pages and in a real browser."""

from datetime import date, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from shapely.geometry import MultiPolygon, box
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import service as accounts
from server.accounts.models import Site
from server.accounts.service import NewAccount
from server.activities import service as activities
from server.activities.handovers import leaving
from server.activities.models import Appointment, Visit, VisitState
from server.activities.service import PlannedVisit
from server.auth import service as auth
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.service import create_user, set_team, set_working_day
from server.closures import service as absences
from server.closures.models import AbsenceKind, RepAbsence
from server.kit import clock
from server.kit.database import transaction
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.leads.models import LeadSource
from server.leads.taking import NewLead, take_in
from server.notifications.models import Notification
from server.plans import computing, service
from server.plans.models import Plan, PlanState, Unplanned
from server.plans.schemas import PlanRequest
from server.records.service import Actor
from server.territories import service as territories
from tests.server.web.conftest import PASSWORD, token_in

HOME = (9.50, 47.10)


def next_monday() -> date:
    today = clock.today(settings().zone)
    return today + timedelta(days=7 - today.weekday())


def compute(session: Session, plan: Plan) -> Plan:
    drawn = computing.prepare(session, plan)
    journey = computing.travel(session, drawn.points)
    return computing.store(session, plan.id, computing.work_out(plan, drawn, journey, lambda step: None))


def furnish(session: Session, *, service_s: int = 1_800) -> dict[str, Any]:
    """Mona manages Rita and Otto; on Monday both have a published day, Rita with a promise at 14:00."""
    people = {
        login: create_user(session, login=login, name=name, role=role, password=PASSWORD)
        for login, name, role in (("mona", "Mona Ospelt", Role.MANAGER), ("rita", "Rita Frick", Role.REP),
                                  ("otto", "Otto Beck", Role.REP))
    }  # fmt: skip
    set_team(session, "North", [user.id for user in people.values()])
    for login in ("rita", "otto"):
        set_working_day(session, people[login].id, {"home": HOME, "home_name": "Vaduz"})
        session.refresh(people[login])
    mona, monday = scope_of(session, people["mona"], source="web"), next_monday()
    made = [
        add(session, mona, f"Hotel {name}", people["rita"], k, service_s)
        for k, name in enumerate(("Adler", "Bären", "Krone", "Löwen", "Post", "Rössle"))
    ]
    add(session, mona, "Garage Beck", people["otto"], 2, service_s)
    promised(session, made[5], people["rita"], monday)
    plan = request(session, mona, people, monday)
    return {"people": people, "plan": plan, "accounts": made, "monday": monday, "scope": mona}


def add(session: Session, scope: Any, name: str, owner: User, k: int, service_s: int) -> Any:
    site = {"street": f"Landstrasse {k + 1}", "city": "Vaduz", "lon": 9.51 + k / 100, "lat": 47.10 + k % 2 / 50,
            "service_s": service_s, "opening_hours": "Mo-Fr 08:00-12:00, 13:00-17:00"}  # fmt: skip
    fields = {"name": name, "account_class": "AB"[k % 2], "owner_id": owner.id}
    return accounts.create(session, scope, NewAccount(fields, [site]), force=True)


def promised(session: Session, account: Any, rep: User, day: date) -> None:
    two = datetime(day.year, day.month, day.day, 14, tzinfo=ZoneInfo(settings().zone))
    site = activities.main_site(session, account.id)
    assert site is not None
    activities.plan_visit(session, PlannedVisit(
        account_id=account.id, site_id=site.id, rep_id=rep.id, day=day, zone=settings().zone, starts_at=two,
        ends_at=two + timedelta(minutes=30), appointment=Appointment.FIXED))  # fmt: skip


def request(session: Session, scope: Any, people: dict[str, User], day: date) -> Plan:
    wanted = PlanRequest(rep_ids=[people["rita"].id, people["otto"].id], first_day=day, days=1, steps=2_000)
    return compute(session, service.request(session, scope, wanted))


@pytest.fixture
def world(session: Session) -> dict[str, Any]:
    made = furnish(session)
    service.publish(session, made["scope"], made["plan"].id)
    return made


@pytest.mark.parametrize("path", ["/today", "/today/changes/{plan}", "/accounts/{account}/times"])
def test_the_pages_need_somebody_who_is_signed_in(client_for: Any, world: dict[str, Any], path: str) -> None:
    client = client_for(None)
    client.headers["accept"] = "text/html"
    answer = client.get(path.format(plan=world["plan"].id, account=world["accounts"][0].id))
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


def test_a_strangers_day_is_not_shown_and_not_changed(browser_of: Any, make_user: Any, world: dict[str, Any]) -> None:
    nora = browser_of(make_user("nora", Role.REP))
    assert nora.get(f"/today/changes/{world['plan'].id}").status_code == 404
    assert nora.get(f"/accounts/{world['accounts'][0].id}/times").status_code == 404
    page = nora.get(f"/today?day={world['monday']}&rep={world['people']['rita'].id}").text
    assert "Hotel" not in page
    body = {"_csrf": token_in(page), "day": str(world["monday"]), "rep_id": str(world["people"]["rita"].id)}
    for what in ("replan", "absence"):
        assert nora.post(f"/today/{what}", data=body).status_code == 404


def test_the_rest_of_the_day_is_proposed_accepted_and_taken_back(
    browser_of: Any, session: Session, world: dict[str, Any]
) -> None:
    mona, rita = browser_of(world["people"]["mona"]), world["people"]["rita"]
    page = mona.get(f"/today?day={world['monday']}&rep={rita.id}").text
    assert "Hotel Rössle" in page
    body = {"_csrf": token_in(page), "day": str(world["monday"]), "rep_id": str(rita.id)}
    answer = mona.post("/today/absence", data=body)
    assert answer.status_code == 303, answer.text
    url = answer.headers["location"]
    shown = mona.get(url).text
    assert "Otto Beck" in shown
    assert "Nothing has changed yet" in shown
    assert mona.get(url.replace("/today/changes", "/plans")).headers["location"] == url
    assert "somebody cannot work" in mona.get("/plans").text
    assert mona.post(f"{url}/accept", data=body).status_code == 303
    shown = mona.get(url).text
    assert "Undo" in shown
    assert shown.split('class="table reps"')[1].split("</table>")[0].count("→") >= 3, "also of what was accepted"
    page = mona.get(f"/today?day={world['monday']}&rep={rita.id}").text
    assert "Hotel Rössle" not in page
    assert "Rita Frick does not work on this day: Sick." in page
    assert "Rita Frick" in mona.get("/planning/days-off").text
    assert mona.post(f"{url}/undo", data=body).headers["location"].startswith("/today?day=")
    session.expire_all()
    page = mona.get(f"/today?day={world['monday']}&rep={rita.id}").text
    assert "Hotel Rössle" in page
    assert "does not work on this day" not in page
    proposal = mona.post("/today/replan", data=body | {"fill": "true"}).headers["location"]
    assert "Nothing changes for any customer." in mona.get(proposal).text or "later" in mona.get(proposal).text
    assert "→" in mona.get(proposal).text.split('class="table reps"')[1].split("</table>")[0]


def test_an_absence_that_is_known_is_not_written_twice_and_not_taken_back(
    browser_of: Any, session: Session, world: dict[str, Any]
) -> None:
    mona, rita = browser_of(world["people"]["mona"]), world["people"]["rita"]
    known = absences.be_absent(session, world["scope"], rita.id, world["monday"], world["monday"], AbsenceKind.TRAINING)
    page = mona.get(f"/today?day={world['monday']}&rep={rita.id}").text
    body = {"_csrf": token_in(page), "day": str(world["monday"]), "rep_id": str(rita.id)}
    assert mona.post("/today/replan", data=body).status_code == 422
    url = mona.post("/today/absence", data=body).headers["location"]
    assert mona.post(f"{url}/accept", data=body).status_code == 303
    assert mona.post(f"{url}/undo", data=body).status_code == 303
    session.expire_all()
    assert [one.id for one in session.scalars(select(RepAbsence).where(RepAbsence.deleted_at.is_(None)))] == [known.id]


def test_a_day_without_a_route_says_what_to_do(browser_of: Any, world: dict[str, Any]) -> None:
    mona, rita = browser_of(world["people"]["mona"]), world["people"]["rita"]
    tuesday = world["monday"] + timedelta(days=1)
    page = mona.get(f"/today?day={tuesday}&rep={rita.id}").text
    assert "Nothing is published for this day" in page
    body = {"_csrf": token_in(page), "day": str(tuesday), "rep_id": str(rita.id)}
    assert mona.post("/today/replan", data=body).status_code == 422


def test_a_time_is_chosen_and_promised(browser_of: Any, session: Session, world: dict[str, Any]) -> None:
    mona, account = browser_of(world["people"]["mona"]), world["accounts"][1]
    assert f"/accounts/{account.id}/times" in mona.get(f"/accounts/{account.id}").text
    page = mona.get(f"/accounts/{account.id}/times?first_day={world['monday']}&team=true").text
    slot = page.split('name="slot" value="')[1].split('"')[0]
    body = {"_csrf": token_in(page), "slot": slot, "minutes": "30", "objective": "Prices"}
    assert mona.post(f"/accounts/{account.id}/times", data=body).headers["location"] == f"/accounts/{account.id}"
    visit = session.scalars(select(Visit).where(Visit.objective == "Prices")).one()
    assert visit.appointment == Appointment.FIXED
    taken = mona.post(f"/accounts/{account.id}/times", data=body)
    assert taken.status_code == 409
    assert "no longer free" in taken.text
    assert mona.post(f"/accounts/{account.id}/times", data=body | {"slot": "nonsense"}).status_code == 422


@pytest.mark.parametrize("at", ["2030-01-01T10:00", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "noon"])
def test_a_time_that_is_none_of_the_list_is_refused_on_the_page(
    browser_of: Any, session: Session, world: dict[str, Any], at: str
) -> None:
    client = browser_of(world["people"]["mona"])
    url = f"/accounts/{world['accounts'][0].id}/times"
    sent = {"slot": f"{world['people']['rita'].id}|{at}", "minutes": "30", "_csrf": token_in(client.get(url).text)}
    assert client.post(url, data=sent, headers={"accept": "text/html"}).status_code == 422


def test_what_is_left_out_is_let_in_by_a_button(browser_of: Any, session: Session) -> None:
    world = furnish(session, service_s=5_400)
    mona = browser_of(world["people"]["mona"])
    page = mona.get(f"/plans/{world['plan'].id}").text
    assert "Apply and plan again" in mona.get(f"/plans/{world['plan'].id}/waiting").text
    left_out = session.scalars(select(Unplanned).where(Unplanned.plan_id == world["plan"].id)).first()
    assert left_out is not None
    body = {"_csrf": token_in(page), "unplanned_id": str(left_out.id), "choice": "0"}
    url = mona.post(f"/plans/{world['plan'].id}/relax", data=body).headers["location"]
    new = compute(session, session.get_one(Plan, url.removeprefix("/plans/")))
    assert new.state == PlanState.READY
    assert "Planned again with bent rules" in mona.get(url).text
    assert mona.post(f"/plans/{world['plan'].id}/relax", data=body | {"choice": "99"}).status_code == 422


@pytest.fixture
def company(empty_database: Any) -> dict[str, Any]:
    """The same world, really stored, for the browser; the admin is called ada like everywhere."""
    with transaction() as session:
        create_user(session, login="ada", name="Ada Berger", role=Role.ADMIN, password=PASSWORD)
        made = furnish(session)
        service.publish(session, made["scope"], made["plan"].id)
        return made


@pytest.mark.browser
def test_in_the_browser_a_sick_reps_day_is_given_to_a_neighbour_and_brought_back(
    page: Any, company: dict[str, Any]
) -> None:
    page.goto(f"/today?day={company['monday']}&rep={company['people']['rita'].id}")
    page.click("text=Propose who takes over")
    page.wait_for_url("**/today/changes/**")
    assert page.locator("tr", has_text="Hotel Rössle").locator("text=Otto Beck").count() > 0
    page.click("text=Accept")
    page.wait_for_selector("text=Accepted:")
    page.click("text=Undo")
    page.wait_for_url("**/today?day=**")
    assert page.locator(".day-stops li", has_text="Hotel Rössle").count() == 1


@pytest.mark.browser
def test_in_the_browser_a_time_is_found_for_the_team_and_promised(page: Any, company: dict[str, Any]) -> None:
    account = company["accounts"][0]
    page.goto(f"/accounts/{account.id}")
    page.click("text=Find a time")
    page.check("text=The whole team")
    page.click("text=Show times")
    page.wait_for_url("**team=true**")
    page.fill("#f-objective", "Prices of next year")
    page.locator(".slot").first.click()
    page.wait_for_url(f"**/accounts/{account.id}")
    assert page.locator("text=Prices of next year").count() > 0


def test_whoever_leaves_is_told_with_what_is_open_and_their_days_find_somebody(
    browser_of: Any, session: Session, make_user: Any, world: dict[str, Any]
) -> None:
    people, monday = world["people"], world["monday"]
    rita, ada = people["rita"], browser_of(make_user("ada", Role.ADMIN))
    area = territories.create(session, name="Unterland", area=MultiPolygon([box(8.0, 46.0, 8.1, 46.1)]))
    territories.set_members(session, area.id, [rita.id], day=date(2020, 1, 1))
    for company in ("Imhof", "Jenny"):
        take_in(session, NewLead({"company": company}, LeadSource.API)).lead.owner_id = rita.id
    session.flush()
    assert "has left" not in ada.get("/leads").text
    page = ada.get(f"/users/{rita.id}").text
    assert 'id="left"' not in page
    off = ada.post(f"/users/{rita.id}/active", data={"_csrf": token_in(page), "active": "false"})
    assert off.headers["location"].endswith("#left")
    page = ada.get(off.headers["location"]).text
    assert "6 accounts" in page
    assert "2 open leads" in page
    assert "Unterland" in page
    leads = f"/leads?{urlencode({'filter': 'state in (new, working, qualified) and owner = "rita"'})}"
    assert escape(leads) in page
    assert ada.get(leads).text.count("has left") == 2
    handing = ada.get(f"/handovers/new?owner={rita.id}").text
    assert "Rita Frick has 2 open leads as well; leads go along with no account." in handing
    assert escape(leads) in handing
    assert f"/today?day={monday}&amp;rep={rita.id}" in page
    assert f"/handovers/new?owner={rita.id}" in page
    told = session.scalars(select(Notification).where(Notification.kind == "leaver")).all()
    assert [(one.user_id, one.gaps["accounts"]) for one in told] == [(people["mona"].id, "6")]
    assert (told[0].gaps["leads"], told[0].gaps["territories"]) == ("2", "Unterland")
    leaving.tell(session)
    assert len(session.scalars(select(Notification).where(Notification.kind == "leaver")).all()) == 1

    mona = browser_of(people["mona"])
    page = mona.get(f"/today?day={monday}&rep={rita.id}").text
    assert "Hotel Rössle" in page
    assert "Rita Frick has left: nobody drives this day." in page
    assert 'id="replan"' not in page
    body = {"_csrf": token_in(page), "day": str(monday), "rep_id": str(rita.id)}
    assert mona.post("/today/replan", data=body).status_code == 404
    url = mona.post("/today/absence", data=body).headers["location"]
    assert "Rita Frick" in mona.get(url).text
    assert mona.post(f"{url}/accept", data=body).status_code == 303
    assert "Hotel Rössle" in mona.get(f"/today?day={monday}&rep={people['otto'].id}").text
    assert session.scalars(select(RepAbsence)).all() == []


def test_a_day_of_somebody_unknown_is_no_other_persons_day(browser_of: Any, world: dict[str, Any]) -> None:
    mona = browser_of(world["people"]["mona"])
    answer = mona.get(f"/today?day={world['monday']}&rep={world['people']['mona'].id}")
    assert answer.status_code == 404
    assert "There is no such rep whose days you plan." in answer.text
    assert "Hotel Rössle" not in answer.text


def test_today_tells_who_has_left(browser_of: Any, session: Session, world: dict[str, Any]) -> None:
    people, today = world["people"], clock.today(settings().zone)
    site = session.scalars(select(Site).where(Site.account_id == world["accounts"][0].id)).first()
    assert site is not None
    activities.plan_visit(session, PlannedVisit(site.account_id, site.id, people["rita"].id, today, "UTC"))
    mona = browser_of(people["mona"])
    assert "has left" not in mona.get("/home/today").text
    auth.change_user(session, people["rita"].id, {"active": False}, people["mona"].id)
    page = mona.get("/home/today").text
    assert "has left" in page
    assert "1 visit that nobody makes" in page


def test_visits_beside_the_plan_stand_on_the_running_day_at_their_time(
    browser_of: Any, session: Session, world: dict[str, Any]
) -> None:
    people, monday = world["people"], world["monday"]
    own = add(session, world["scope"], "Käserei Matt", people["rita"], 7, 1_800)
    when = datetime(monday.year, monday.month, monday.day, 12, 5, tzinfo=ZoneInfo(settings().zone))
    fact = activities.VisitReport(
        event_id=uuid7(), visit_id=uuid7(), account_id=own.id, rep_id=people["rita"].id, state=VisitState.DONE,
        day=monday, zone=settings().zone, occurred_at=when, outcome="nobody_there",
    )  # fmt: skip
    activities.record_visit(session, fact, Actor(user_id=people["rita"].id, source="api"))
    page = browser_of(people["mona"]).get(f"/today?day={monday}&rep={people['rita'].id}").text
    lines = page.split('class="day-stops"')[1].split("</ol>")[0].split("<li")[1:]
    assert len(lines) == 7
    mine = next(one for one in lines if "Käserei Matt" in one)
    assert "12:05" in mine
    assert "unplanned" in mine
    assert "nobody_there" in mine or "nobody there" in mine
    times = [one.split('class="time">')[1].split("<")[0] for one in lines]
    assert times == sorted(times)


def test_today_tells_what_is_late_and_what_came_last_and_marks_outcomes_apart(
    browser_of: Any, session: Session, world: dict[str, Any]
) -> None:
    people, now = world["people"], clock.now()
    day = clock.today(settings().zone)
    sites = [session.scalars(select(Site).where(Site.account_id == one.id)).one() for one in world["accounts"][:4]]

    def plan(site: Site, at: datetime) -> Visit:
        until = at + timedelta(minutes=30)
        wanted = PlannedVisit(site.account_id, site.id, people["rita"].id, day, settings().zone, at, until)
        return activities.plan_visit(session, wanted)

    plan(sites[0], now - timedelta(minutes=130, seconds=20))
    plan(sites[1], now - timedelta(minutes=30))
    done = [plan(sites[2], now - timedelta(hours=4)), plan(sites[3], now - timedelta(hours=3))]
    for visit, outcome, ago in ((done[0], "order", 60), (done[1], "nobody_there", 200)):
        fact = activities.VisitReport(
            event_id=uuid7(), visit_id=visit.id, account_id=visit.account_id, rep_id=visit.rep_id,
            state=VisitState.DONE, day=day, zone=settings().zone, occurred_at=now - timedelta(minutes=ago),
            outcome=outcome,
        )  # fmt: skip
        activities.record_visit(session, fact, Actor(user_id=visit.rep_id, source="api"))
    page = browser_of(people["mona"]).get("/home/today").text
    assert "2 stops are behind the plan, the first by 2 h" in page
    came = page.split("Came in today")[1]
    first, second = came.split('class="listed"')[1:3]
    assert "Krone" in first, "the latest first, although it was sent first"
    assert "Löwen" in second
    assert 'class="tag good"' in first
    assert 'class="tag warn"' in second
    assert first.split("<svg")[1].split("</svg>")[0] != second.split("<svg")[1].split("</svg>")[0]
