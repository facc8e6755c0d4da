"""A plan from the wish to the files, in a real browser: planned, dragged, planned anew, published, downloaded."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from server.accounts.models import Account
from server.auth.models import Role, User
from server.auth.service import create_user, set_working_day
from server.kit.database import transaction
from server.plans import jobs
from server.plans.exporting import folders
from server.plans.exporting import jobs as export_jobs
from server.plans.models import Plan, Route

pytestmark = pytest.mark.browser


@pytest.fixture
def reps(company: None) -> list[str]:
    """Rita and Otto, both with a home and hours; all accounts are Rita's."""
    with transaction() as session:
        rita = session.scalars(select(User).where(User.login == "rita")).one()
        otto = create_user(session, login="otto", name="Otto Ospelt", role=Role.REP)
        for rep in (rita, otto):
            set_working_day(session, rep.id, {"home": (9.5, 47.13), "home_name": "Vaduz"})
        for account in session.scalars(select(Account)):
            account.owner_id = rita.id
        return [str(rita.id), str(otto.id)]


def board(page: Any) -> None:
    page.wait_for_selector("#board[data-ready]", timeout=30_000)


def stored(plan_id: str) -> list[tuple[str, int]]:
    """Rep and number of stops of every route."""
    with transaction() as session:
        routes = session.scalars(select(Route).where(Route.plan_id == UUID(plan_id)))
        return sorted((str(route.rep_id), len(route.stops)) for route in routes)


def search_little(plan_id: str) -> str:
    """Let a waiting plan be searched by steps: a page does not ask for so few."""
    with transaction() as session:
        plan = session.get_one(Plan, UUID(plan_id))
        plan.seconds, plan.steps = None, 300
    return plan_id


def drag(page: Any, block: Any, lane: Any, share: float) -> None:
    """Carry a stop to a place on a lane, and wait for what it would do."""
    start, end = block.bounding_box(), lane.bounding_box()
    page.mouse.move(start["x"] + 4, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 20, start["y"] + start["height"] / 2 + 12, steps=3)
    page.mouse.move(end["x"] + end["width"] * share, end["y"] + end["height"] / 2, steps=5)


def test_a_week_is_planned_dragged_planned_anew_published_and_downloaded(
    reps: list[str], page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "root", lambda: tmp_path / "exports")
    rita, otto = reps
    page.goto("/plans")
    page.select_option("select[name=days]", "2")
    page.click("text=Compute plan")
    page.wait_for_selector("text=Waiting for a worker")
    plan_id = page.url.rsplit("/", 1)[1]
    jobs.compute(search_little(plan_id))
    board(page)
    page.locator("#board-days button").nth(1).click()
    lanes = {rep: page.locator(f".lane[data-rep-day^='{rep}']") for rep in reps}
    before = lanes[rita].locator(".block").count()
    name = lanes[rita].locator(".block span").first.inner_text()
    drag(page, lanes[rita].locator(".block").first, lanes[otto], 0.6)
    page.wait_for_selector("#effect:has-text('is not an account of this rep')")
    assert name in page.inner_text("#effect")
    assert dict(stored(plan_id))[rita] == before
    page.mouse.up()
    page.wait_for_selector(".toast:has-text('Changed.')")
    assert dict(stored(plan_id)) == {rita: before - 1, otto: 1}
    page.click(".toast button")
    page.wait_for_selector(".toast:has-text('Back to version 1')")
    assert dict(stored(plan_id)) == {rita: before}
    page.click("#board-redo")
    page.wait_for_selector(".toast:has-text('Back to version 2')")
    lanes[otto].locator(".block").click()
    page.click("#stop-card button:has-text('Pin this stop')")
    page.wait_for_selector("#stop-card .tag:has-text('pinned')")
    page.click("text=Plan the rest anew")
    page.wait_for_selector("text=Waiting for a worker")
    again = page.url.rsplit("/", 1)[1]
    assert again != plan_id
    jobs.plan_rest(search_little(again))
    board(page)
    assert dict(stored(again))[otto] == 1
    page.click("text=Publish")
    page.wait_for_selector("text=Change a copy")
    board(page)
    page.click("#board-tabs button:has-text('Files')")
    page.locator("button:has-text('Write the files of this day now')").first.click()
    with transaction() as session:
        day = session.get_one(Plan, UUID(again)).first_day
    page.wait_for_selector("text=They appear here by themselves")
    export_jobs.export_rep(day.isoformat(), rita)
    with page.expect_download() as download:
        page.locator("a.tag:has-text('ICS')").first.click()
    assert b"BEGIN:VEVENT" in Path(download.value.path()).read_bytes()
    page.screenshot(path=tmp_path / "done.png")


def test_a_stop_moves_by_keyboard_and_a_refused_drop_says_why(reps: list[str], page: Any) -> None:
    page.goto("/plans")
    page.select_option("select[name=days]", "2")
    page.click("text=Compute plan")
    page.wait_for_selector("text=Waiting for a worker")
    plan_id = page.url.rsplit("/", 1)[1]
    jobs.compute(search_little(plan_id))
    board(page)
    page.locator("#board-days button").nth(1).click()
    block = page.locator(".block").first
    start = block.get_attribute("aria-label")
    block.focus()
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector("#effect .tag:has-text('driving')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast:has-text('Changed.')")
    assert page.locator(f".block[aria-label='{start}']").count() == 0
    lane = page.locator(".lane:not(.off)").first
    drag(page, page.locator(".block").first, lane, 0.995)
    page.wait_for_selector("#effect.refused")
    page.mouse.up()
    page.wait_for_selector(".toast:has-text('Not possible')")
    page.fill("#board-add", "Zech")
    page.click("#board-found button")
    page.wait_for_selector(".toast:has-text('on the board already. Look for it')")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    board(page)
    assert page.locator(".listed-stop").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def many(board: dict[str, Any]) -> dict[str, Any]:
    """The same board with fifty reps, each with the first one's days."""
    days, routes, reps = board["rep_days"], board["routes"], []
    shifts, copies = [], []
    for k in range(50):
        rep = f"00000000-0000-4000-8000-{k:012d}"
        reps.append({"id": rep, "name": f"Rep {k:02d}"})
        for day in board["days"]:
            name = f"{rep}/{day}"
            shifts.append({**days[0], "id": name, "rep_id": rep, "day": day})
            stops = [{**routes[0]["stops"][0], "key": f"{name}/{n}"} for n in range(9)]
            copies.append({**routes[0], "rep_day": name, "stops": stops})
    return {**board, "reps": reps, "rep_days": shifts, "routes": copies}


def test_of_fifty_reps_only_those_that_are_seen_are_drawn(reps: list[str], page: Any) -> None:
    page.goto("/plans")
    page.select_option("select[name=days]", "5")
    page.click("text=Compute plan")
    page.wait_for_selector("text=Waiting for a worker")
    jobs.compute(search_little(page.url.rsplit("/", 1)[1]))

    def with_fifty(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=many(answer.json()))

    page.route("**/board", with_fifty)
    page.reload()
    board(page)
    assert page.locator(".board-row").count() == 50
    assert 0 < page.locator(".block").count() < 50 * 5 * 9 / 2
    assert page.locator(".board-row").last.locator(".block").count() == 0
    page.locator(".board-row").last.scroll_into_view_if_needed()
    page.wait_for_selector(".board-row:last-child .block")
    assert page.locator(".board-row").first.locator(".block").count() == 0
