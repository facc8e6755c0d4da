"""The page of a plan: who sees it, and what the server draws of its board."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from routing.export.tour import Span
from server.accounts.models import Account
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.service import set_team, set_working_day
from server.kit import clock
from server.kit.settings import settings
from server.plans import computing, queries, service
from server.plans.exporting import folders, sheets
from server.plans.models import Plan, Route
from server.plans.schemas import PlanRequest
from tests.server.web.conftest import token_in

PARTS = ("", "/waiting", "/history", "/scorecard", "/files", "/stops/{stop}", "/progress")


def next_monday() -> date:
    today = clock.today(settings().zone)
    return today + timedelta(days=7 - today.weekday())


@pytest.fixture
def people(session: Session, make_user: Callable[..., User]) -> dict[str, User]:
    """Mara manages Rita; Otto is a rep elsewhere."""
    made = {
        name: make_user(name, role) for name, role in (("mara", Role.MANAGER), ("rita", Role.REP), ("otto", Role.REP))
    }
    set_team(session, "North", [made["mara"].id, made["rita"].id])
    set_working_day(session, made["rita"].id, {"home": (9.5, 47.1), "home_name": "Vaduz"})
    session.refresh(made["rita"])
    return made


@pytest.fixture
def plan(session: Session, people: dict[str, User], make_account: Callable[..., Account]) -> Plan:
    """Rita's Monday with two visits."""
    for name in ("Hotel Zech", "Garage Beck"):
        make_account(name, people["rita"], account_class="A")
    scope = scope_of(session, people["mara"], source="web")
    wanted = PlanRequest(rep_ids=[people["rita"].id], first_day=next_monday(), days=2, steps=500)
    asked = service.request(session, scope, wanted)
    drawn = computing.prepare(session, asked)
    computed = computing.work_out(asked, drawn, computing.travel(session, drawn.points), lambda step: None)
    return computing.store(session, asked.id, computed)


def with_stop(plan: Plan, part: str) -> str:
    return part.format(stop=f"{plan.routes[0].rep_id}/{plan.routes[0].day}/1")


@pytest.mark.parametrize("part", [*PARTS, "/compare/00000000-0000-0000-0000-000000000000"])
def test_strangers_are_sent_to_sign_in(client_for: Callable[[User | None], TestClient], plan: Plan, part: str) -> None:
    answer = client_for(None).get(f"/plans/{plan.id}{with_stop(plan, part)}", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("part", PARTS)
def test_the_plan_of_somebody_else_does_not_exist(browser_of: Any, people: Any, plan: Plan, part: str) -> None:
    assert browser_of(people["otto"]).get(f"/plans/{plan.id}{with_stop(plan, part)}").status_code == 404


def test_forms_of_strangers_and_forged_ones_change_nothing(
    browser_of: Any, client_for: Any, people: Any, plan: Plan
) -> None:
    for verb in ("again", "copy"):
        assert client_for(None).post(f"/plans/{plan.id}/{verb}").status_code in (303, 401, 403)
        assert browser_of(people["mara"]).post(f"/plans/{plan.id}/{verb}").status_code == 403
        otto = browser_of(people["otto"])
        assert (
            otto.post(f"/plans/{plan.id}/{verb}", data={"_csrf": token_in(otto.get("/plans").text)}).status_code == 404
        )


def test_the_board_offers_what_its_state_allows(browser_of: Any, people: Any, plan: Plan) -> None:
    mara = browser_of(people["mara"])
    page = mara.get(f"/plans/{plan.id}").text
    assert "Plan the rest anew" in page
    assert "Change a copy" not in page
    mara.post(f"/plans/{plan.id}/publish", data={"_csrf": token_in(page)})
    page = mara.get(f"/plans/{plan.id}").text
    assert "Plan the rest anew" not in page
    assert "Change a copy" in page
    made = mara.post(f"/plans/{plan.id}/copy", data={"_csrf": token_in(page)})
    assert made.status_code == 303
    copied = mara.get(made.headers["location"]).text
    assert "Publishing takes the place of" in copied
    assert "Publishing takes the place of" not in page
    compared = mara.get(f"/plans/{plan.id}/compare/{made.headers['location'].rsplit('/', 1)[1]}").text
    assert "2 visits are the same" in compared


def test_the_history_says_who_did_what_in_the_readers_language(browser_of: Any, people: Any, plan: Plan) -> None:
    mara = browser_of(people["mara"])
    there = mara.get(f"/api/v1/plans/{plan.id}/board").json()
    key = there["routes"][0]["stops"][0]["key"]
    token = token_in(mara.get(f"/plans/{plan.id}").text)
    body = {"base": 1, "change": {"kind": "pin", "visit": key}}
    headers = {"x-csrf-token": token}
    assert mara.post(f"/api/v1/plans/{plan.id}/board/changes", json=body, headers=headers).status_code == 200
    name = there["routes"][0]["stops"][0]["name"]
    assert f"{name} pinned at Mon" in mara.get(f"/plans/{plan.id}/history").text
    german = mara.get(f"/plans/{plan.id}/history", headers={"accept-language": "de"}).text
    assert f"{name} angeheftet auf Mo" in german
    assert "Fahranteil" in mara.get(f"/plans/{plan.id}/scorecard", headers={"accept-language": "de"}).text


def test_planning_anew_leads_to_the_new_plans_progress(browser_of: Any, people: Any, plan: Plan) -> None:
    mara = browser_of(people["mara"])
    answer = mara.post(f"/plans/{plan.id}/again", data={"_csrf": token_in(mara.get(f"/plans/{plan.id}").text)})
    assert answer.status_code == 303
    assert "Waiting for a worker" in mara.get(answer.headers["location"]).text


def test_the_card_of_a_stop_says_why_and_leads_on(browser_of: Any, people: Any, plan: Plan) -> None:
    mara, stop = browser_of(people["mara"]), plan.routes[0].stops[0]
    path = f"/plans/{plan.id}{with_stop(plan, '/stops/{stop}')}"
    card = mara.get(path).text
    assert "For the plan it weighs as much as" in card
    assert f"/accounts/{stop.account_id}/times" in card
    assert "https://www.google.com/maps" in card
    assert "Navigate along the stops" in card
    assert mara.get(f"{path}9").status_code == 404
    german = mara.get(path, headers={"accept-language": "de"}).text
    assert "Für den Plan wiegt er so viel wie" in german


def test_the_files_of_a_published_plan_are_asked_for_all_days_or_for_one(
    session: Session, browser_of: Any, people: Any, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "root", lambda: tmp_path)
    mara = browser_of(people["mara"])
    assert "Write the files" not in mara.get(f"/plans/{plan.id}/files").text
    mara.post(f"/plans/{plan.id}/publish", data={"_csrf": token_in(mara.get(f"/plans/{plan.id}").text)})
    shown = mara.get(f"/plans/{plan.id}/files").text
    assert f'action="/plans/{plan.id}/exports"' in shown
    assert f'action="/plans/exports/{plan.first_day}"' in shown
    whole, span = f"/api/v1/plans/{plan.id}/zip", Span.of(plan.first_day, plan.days)
    asked = mara.post(f"/plans/{plan.id}/exports", data={"_csrf": token_in(shown)})
    assert asked.headers["location"] == f"/plans/{plan.id}?asked={span}"
    board = mara.get(asked.headers["location"]).text
    assert 'data-tab="files" ' in board, "it opens on the tab of the files"
    assert f'data-fragment="/plans/{plan.id}/files?asked={span}"' in board
    asked = mara.post(f"/plans/exports/{plan.first_day}", data={"_csrf": token_in(shown), "plan": str(plan.id)})
    assert asked.headers["location"] == f"/plans/{plan.id}?asked={plan.first_day}", "back to the plan, not to the list"
    assert whole not in shown
    assert "every 2s" not in shown
    assert 'hx-trigger="every 2s"' in mara.get(f"/plans/{plan.id}/files?asked={span}").text
    routes = queries.plan_view(session, scope_of(session, people["mara"], source="web"), plan.id).routes
    for login in {route.rep_login for route in routes}:
        put_manifest(tmp_path / str(span) / login, span, login, {route.day: "of another plan" for route in routes})
    assert whole not in mara.get(f"/plans/{plan.id}/files").text, "the files of another plan are not its own"
    for login in {route.rep_login for route in routes}:
        sources = {
            route.day: sheets.source_of((stop.visit_id or stop.account_id, stop.starts_at) for stop in route.stops)
            for route in routes
            if route.rep_login == login
        }
        put_manifest(tmp_path / str(span) / login, span, login, sources)
    there = mara.get(f"/plans/{plan.id}/files?asked={span}").text
    assert whole in there, "offered when everybody's files are there"
    assert "every 2s" not in there


def put_manifest(folder: Path, span: Span, login: str, sources: dict[date, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    days = [{"day": day.isoformat(), "source": source} for day, source in sources.items()]
    known = {"format": "waymark-export/2", "login": login, "span": str(span), "days": days, "files": []}
    (folder / "manifest.json").write_text(json.dumps(known))


def test_a_failed_plan_shows_its_filter_and_where_to_mend_it(
    browser_of: Any, session: Session, people: Any, plan: Plan
) -> None:
    plan.state, plan.error, plan.filter = "failed", "there is no segment “Zap” (at character 1)", 'in segment "Zap"'
    session.flush()
    page = browser_of(people["mara"]).get(f"/plans/{plan.id}").text
    assert "<code>in segment &#34;Zap&#34;</code>" in page
    wanted = "filter=in+segment+%22Zap%22"
    assert f'href="/accounts?{wanted}"' in page
    assert f'href="/plans?first_day={plan.first_day}&amp;{wanted}"' in page


def test_a_published_plan_without_visits_offers_no_files(
    browser_of: Any, session: Session, people: Any, plan: Plan
) -> None:
    plan.state = "published"
    session.execute(delete(Route).where(Route.plan_id == plan.id))
    session.expire_all()
    shown = browser_of(people["mara"]).get(f"/plans/{plan.id}/files?asked={plan.first_day}").text
    assert "Write the files" not in shown
    assert "every 2s" not in shown


def test_stretched_intervals_are_announced_on_the_plan(
    browser_of: Any, session: Session, people: Any, plan: Plan
) -> None:
    mara = browser_of(people["mara"])
    assert "more work than time" not in mara.get(f"/plans/{plan.id}").text
    plan.stretch = 1.23
    session.flush()
    page = mara.get(f"/plans/{plan.id}").text
    assert "lengthened by 23 %" in page
    assert f"/planning/capacity?first_day={plan.first_day}" in page
