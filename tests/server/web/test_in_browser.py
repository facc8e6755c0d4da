"""What only a real browser shows: maps, keyboard, chips, fragments, barriers."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error
from sqlalchemy import update

from server.accounts.models import Account
from server.kit.database import transaction
from tests.application import routes
from tests.server.web.conftest import PASSWORD, propose

pytestmark = pytest.mark.browser
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
"""What axe-core asks of a page: WCAG 2.1, levels A and AA."""


def test_the_map_draws_and_its_chips_choose_the_list(page: Any, tmp_path: Path) -> None:
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.wait_for_selector("#map[data-idle]")
    page.wait_for_selector("#home[data-ready]")
    assert page.inner_text("#total") == "3"
    page.click('.chip[data-term="class = A"]')
    page.wait_for_selector("#total:text-is('1')")
    assert page.inner_text("#listed .listed b") == "Bäckerei Amann"
    assert "filter=class+%3D+A" in page.url
    page.click("#listed .listed")
    page.wait_for_selector(".maplibregl-popup a")
    page.screenshot(path=tmp_path / "map.png")
    page.click("[data-theme-toggle]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_search_and_keys_lead_everywhere(page: Any) -> None:
    page.goto("/users")
    page.keyboard.press("/")
    page.keyboard.type("garage")
    page.wait_for_selector("#found a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/accounts/[0-9a-f-]{36}"))
    assert page.inner_text("#facts h2") == "Garage Beck"
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/accounts")
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")


def test_an_account_is_edited_in_place_and_its_pin_placed_by_hand(page: Any) -> None:
    page.goto("/accounts?q=zech")
    page.click("td.col-name a")
    page.wait_for_selector("#site-map[data-idle]")
    page.click("#facts button")
    page.fill("#f-phone", "+423 232 00 00")
    page.click("#facts button.primary")
    page.wait_for_selector("#facts a[href^='tel:']")
    page.wait_for_selector("#site-map[data-idle]")
    page.click("[data-place]")
    handle = page.wait_for_selector(".map-marker")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 11, box["y"] + 11)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40, steps=4)
    page.mouse.up()
    page.wait_for_selector(".toast")
    with transaction() as session:
        account = session.query(Account).filter_by(name="Hotel Zech").one()
        assert account.phone == "+423 232 00 00"
        assert account.sites[0].grade == "manual"


def test_what_was_changed_meanwhile_is_in_sight_however_far_down_one_saved(page: Any) -> None:
    page.goto("/accounts?q=zech")
    page.click("td.col-name a")
    page.click("#facts [hx-get$='/edit']")
    page.fill("#f-phone", "+423 111 11 11")
    with transaction() as session:
        session.execute(update(Account).where(Account.name.ilike("%zech%")).values(phone="+423 222 22 22"))
    page.click("#facts form button.primary")
    page.wait_for_selector("#facts [role=alert]")
    page.wait_for_function("document.querySelector('#facts [role=alert]').getBoundingClientRect().top > 0")
    assert page.locator("#facts [role=alert]").bounding_box()["y"] < page.viewport_size["height"]


def test_a_form_on_its_way_is_not_sent_twice(page: Any) -> None:
    page.goto("/duplicates")
    held_back = page.evaluate("""() => {
      const form = document.querySelector("form[action='/duplicates/search']"), seen = [];
      addEventListener("submit", (event) => seen.push(event.defaultPrevented));
      form.requestSubmit();
      form.requestSubmit();
      return seen;
    }""")
    assert held_back == [False, True]


FEW_OPERATIONS = "document.querySelectorAll('.operation').forEach((one, at) => at < 20 || one.remove())"
"""The reference of the API has four hundred that look alike."""


def pages() -> list[str]:
    """Every page that an address without names in it leads to; what is a part of a page has no head."""
    paths = {route.path for route in routes() if "GET" in route.methods and not route.include_in_schema}
    return sorted(path for path in paths if "{" not in path and not path.startswith(("/tiles", "/sign")))


def test_the_filter_over_the_map_stays_one_row_on_narrow_screens(page: Any) -> None:
    boxes = "all.map((one) => one.getBoundingClientRect()).filter((box) => box.width)"
    middles = f"(all) => {boxes}.map((box) => box.y + box.height / 2)"
    for width in (390, 700, 860):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto("/?filter=class+%3D+A+and+overdue+%3E+0")
        page.wait_for_selector("[data-filter-editor] .cond:not(.waiting)")
        found = page.eval_on_selector_all(".chips.floating .chip", middles)
        assert len(found) > 6
        assert max(found) - min(found) < 6, f"chips stand above each other at {width} px"


def test_every_page_fits_a_phone_and_keeps_nobody_out(page: Any) -> None:
    axe = Axe()
    propose()
    page.set_viewport_size({"width": 390, "height": 844})
    seen, faults = 0, []
    for path in pages():
        try:
            page.goto(path)
        except Error as fault:
            if "ERR_ABORTED" in fault.message:  # nothing to see, or a file
                continue
            raise
        if not page.query_selector("nav"):
            continue
        seen += 1
        if path == "/review":
            page.wait_for_selector("#find")
        page.evaluate(FEW_OPERATIONS)
        if seen % 3 == 0:
            page.evaluate("document.documentElement.dataset.theme = 'dark'")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{path} is wider than the phone")
        for found in axe.run(page, options=RULES).response["violations"]:
            if found["impact"] in ("serious", "critical"):
                faults += [f"{path}: {found['id']} at {node['html'][:120]}" for node in found["nodes"][:2]]
    assert seen > 50
    assert not faults, "\n".join(faults)
