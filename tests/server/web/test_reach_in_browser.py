"""A manager asks for what is within a drive or an outline, on the map, with a mouse, and keeps what the map shows."""

import math
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from geo.types import LonLat
from server.accounts.models import Account
from server.accounts.pins import wkt
from server.activities.models import Visit, VisitState
from server.auth.models import User
from server.kit import clock
from server.kit.database import transaction
from server.tracks.models import TrackKind
from server.tracks.service import Report, TimedFix, keep


@pytest.mark.browser
def test_a_place_is_chosen_and_the_list_shows_the_minutes(page: Any) -> None:
    page.goto("/")
    page.wait_for_selector("#home[data-ready=true]")
    page.click("#reach button")
    assert page.is_visible("#reach [data-hint]")
    page.select_option("#reach select", "60")
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.15, box["y"] + box["height"] * 0.75)
    page.wait_for_selector("#reach button[aria-pressed=true]")
    page.wait_for_url(lambda url: "within+60+minutes" in url)
    page.wait_for_selector("#legend [data-legend=reached]", state="visible")
    page.goto("/?filter=within+30+minutes+of+9.50,+47.14")
    page.wait_for_selector("#listed .trip")
    assert page.locator("#listed .listed b").all_inner_texts() == ["Bäckerei Amann", "Garage Beck", "Hotel Zech"]
    assert page.input_value("#reach select") == "30"
    page.click("#reach button")
    page.wait_for_selector("#listed .trip", state="detached")
    assert page.get_attribute("#reach button", "aria-pressed") == "false"


@pytest.mark.browser
def test_an_outline_drawn_on_the_map_is_a_term_of_the_filter(page: Any) -> None:
    page.goto("/?by=overdue")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#legend [data-coloured=overdue]", state="visible")
    total = int(page.inner_text("#total"))
    page.click("#lasso button")
    box = page.locator("#map").bounding_box()
    corners = [(0.2, 0.3), (0.8, 0.3), (0.8, 0.9), (0.2, 0.9)]
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.wait_for_url(lambda url: "in+polygon" in url and "by=overdue" in url)
    page.wait_for_selector("#listed .chosen")
    drawn = page.locator("#listed .listed b").all_inner_texts()
    assert 0 < len(drawn) <= total
    page.reload()
    page.wait_for_selector("#listed .chosen")
    assert page.locator("#listed .listed b").all_inner_texts() == drawn
    assert page.get_attribute("#lasso button", "aria-pressed") == "true"
    page.click("#lasso button")
    page.wait_for_selector("#listed .chosen", state="detached")
    page.click("#lasso button")
    for x, y in at:
        page.mouse.click(x, y)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "in+polygon" in url)
    page.wait_for_selector("#listed .chosen")
    assert page.locator("#listed .listed b").all_inner_texts() == drawn


def visited_yesterday() -> str:
    """Two check-ins of Rita's on the day before, what her phone recorded between, and that day for the address."""
    with transaction() as session:
        rita = session.scalars(select(User).where(User.login == "rita")).one()
        yesterday = clock.now().date() - timedelta(days=1)
        accounts = session.scalars(select(Account).order_by(Account.name)).all()
        for k, account in enumerate(accounts[:2]):
            session.add(
                Visit(
                    account_id=account.id, rep_id=rita.id, zone="UTC", day=yesterday, state=VisitState.DONE,
                    checked_in_at=datetime.combine(yesterday, time(9 + k), tzinfo=UTC),
                    checkin=wkt(LonLat(9.5 + k / 100, 47.14)),
                )
            )  # fmt: skip
        between = [
            TimedFix(
                datetime.combine(yesterday, time(9, n), tzinfo=UTC), LonLat(9.5 + n / 1000, 47.14 + n % 3 / 500), 8.0
            )
            for n in range(10)
        ]
        report = Report(uuid4(), TrackKind.WAY, between[0].at, between)
        keep(session, rita.id, report, "UTC", between[0].at, between[-1].at, between)
    return yesterday.isoformat()


@pytest.mark.browser
def test_what_the_map_shows_is_in_its_address_and_is_kept_as_a_view(page: Any) -> None:
    day = visited_yesterday()
    page.goto("/#at=13/47.155/9.505")
    page.wait_for_selector("#home[data-ready=true]")
    page.click("#layers summary")
    page.fill("#day", day)
    page.wait_for_url(lambda url: f"day={day}" in url)
    page.wait_for_selector("#legend [data-recorded]", state="visible")
    page.uncheck("#layers [value=territories]")
    page.check("#rings")
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)
    page.wait_for_url(lambda url: "rings=9.50" in url and "layers=" in url)
    page.wait_for_selector("#legend [data-legend=rings]", state="visible")
    page.fill("#views [name=name]", "Yesterday")
    page.select_option("#views [name=sharing]", "team")
    page.click("#views form button")
    page.wait_for_selector("#views a:has-text('Yesterday')")
    page.fill("#views [name=name]", "Yesterday")
    assert page.inner_text("#views form button") == "Replace the view"
    assert page.input_value("#views [name=sharing]") == "team"
    page.fill("#views [name=name]", "Yesterday, mine")
    assert page.input_value("#views [name=sharing]") == "private", "what another view is shared with is not this one's"
    page.evaluate("document.querySelector('#views [data-mine]').remove()")  # as in a tab that was open before
    page.fill("#views [name=name]", "Yesterday")
    page.click("#views form button")
    page.wait_for_selector(".toast:has-text('already')")
    assert page.inner_text("#views form button") == "Replace the view"
    page.uncheck("#rings")
    page.wait_for_url(lambda url: "rings=" not in url)
    page.click("#views form button")
    page.click(".toast:has-text('is replaced') button")
    page.wait_for_selector("#views a[href*='rings=']")
    page.check("#rings")
    page.goto("/accounts")
    page.goto("/")
    page.wait_for_selector("#home[data-ready=true]")
    page.click("#layers summary")
    page.click("#views a:has-text('Yesterday')")
    page.wait_for_url(lambda url: f"day={day}" in url and "rings=9.50" in url and "at=13/47.15" in url)
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("#legend [data-legend=tracks]", state="visible")
    assert page.input_value("#day") == day
    assert not page.is_checked("#layers [value=territories]")
    assert page.is_checked("#rings")
    page.wait_for_selector("#map[data-idle=true]")
    pixels = 512 * 2**13 / 360
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 0.005 * pixels, y + 0.015 * pixels / math.cos(math.radians(47.15)))
    page.wait_for_selector(".hover-card:has-text('Bäckerei Amann')")
    page.click("#layers summary")
    page.click("[aria-label='Delete the view Yesterday']")
    page.wait_for_selector("#views:not(:has(a))")
    assert page.is_checked("#rings"), "the map stays as it is"
    page.click(".toast:has-text('is deleted') button")
    page.wait_for_selector("#views a:has-text('Yesterday')")


@pytest.mark.browser
def test_back_takes_away_one_choice_at_a_time_and_panning_is_none(page: Any) -> None:
    page.goto("/reports")
    page.goto("/")
    page.wait_for_selector("#home[data-ready=true]")
    page.click(".chip[data-term='class = A']")
    page.wait_for_url(lambda url: "class+%3D+A" in url)
    page.click(".chip[data-term='overdue > 0']")
    page.wait_for_url(lambda url: "overdue" in url)
    page.click("#layers summary")
    page.select_option("#layers [name=by]", "status")
    page.wait_for_selector("#legend [data-coloured=status]", state="visible")
    page.uncheck("#basemap")
    page.wait_for_url(lambda url: "basemap=off" in url)
    box = page.locator("#map").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 300)
    page.mouse.wheel(0, -300)
    page.wait_for_url(lambda url: "#at=" in url)
    page.go_back()
    page.wait_for_selector("#basemap:checked")
    assert "by=status" in page.url
    page.go_back()
    page.wait_for_selector("#legend [data-coloured=class]", state="visible")
    assert page.input_value("#layers [name=by]") == "class"
    page.go_back()
    page.wait_for_selector(".chip[data-term='overdue > 0'][aria-pressed=false]")
    assert page.get_attribute(".chip[data-term='class = A']", "aria-pressed") == "true"
    page.go_back()
    page.wait_for_selector(".chip[data-term='class = A'][aria-pressed=false]")
    page.go_forward()
    page.wait_for_selector(".chip[data-term='class = A'][aria-pressed=true]")
    page.go_back()
    page.go_back()
    page.wait_for_url("**/reports")


BOW_TIE = """async () => {
    const { loops } = await import("/static/js/lasso.js");
    return [loops([[0, 0], [2, 2], [2, 0], [0, 2]]).map((ring) => ring.length), loops([[0, 0], [2, 0], [2, 2]])];
}"""


@pytest.mark.browser
def test_an_outline_that_crosses_itself_is_drawn_as_it_is_taken(page: Any) -> None:
    page.goto("/?filter=in+polygon+(9.49+47.13,+9.53+47.15,+9.53+47.13,+9.49+47.15)")
    page.wait_for_selector("#home[data-ready=true]")
    halves, plain = page.evaluate(BOW_TIE)
    assert halves == [4, 4], "two triangles"
    assert plain == [[[0, 0], [2, 0], [2, 2], [0, 0]]]


@pytest.mark.browser
def test_a_wrong_link_says_what_is_wrong_once_and_shows_the_rest(page: Any) -> None:
    page.goto("/?filter=clas+%3D+A")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector("[data-error]:has-text('Did you mean “class”?')")
    page.wait_for_selector("#listed:has-text('cannot be read')")
    assert len(page.inner_text("[data-error]")) < 200
    assert not page.is_visible(".map-failed")
    page.goto("/?layers=foo+bar&by=nonsense")
    page.wait_for_selector("#home[data-ready=true]")
    page.wait_for_selector(".toast:has-text('foo, bar, nonsense')")
    assert page.is_checked("#layers [value=accounts]")
    assert page.input_value("#layers [name=by]") == "class"
