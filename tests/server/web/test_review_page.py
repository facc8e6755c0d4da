"""The review desk and bulk repairs as pages, and their way through a real browser: import, review, undo."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import jobs
from server.accounts.models import Account, Site
from server.auth.models import Role, User
from server.kit.database import transaction
from tests.server.accounts.reviewing.detecting import add_country
from tests.server.web.conftest import propose, token_in

FILE = """Nr;Firma;Strasse;PLZ;Ort;Land;Umsatz
1;Amann;Hauptstrasse 10;01234;Seestadt;DE;1000
2;Beck;Hauptstrasse 12;99999;Oberammergau;DE;9000
3;Frick;Hauptstrasse 14;99999;Oberammergau;DE;5000
4;Goop;Hauptstrasse 16;01234;Seestadt;DE;400
"""


def test_a_stranger_is_sent_to_sign_in_and_a_rep_has_no_desk(
    client_for: Callable[[User | None], TestClient],
    browser_of: Callable[[User], TestClient],
    make_user: Callable[..., User],
) -> None:
    stranger = client_for(None)
    rep = browser_of(make_user("rita", Role.REP))
    for path in ("/review", "/review/grades", "/review/repairs", "/review/repairs/suspects"):
        assert stranger.get(path, headers={"accept": "text/html"}).status_code == 303
        assert rep.get(path).status_code == 403
    assert 'href="/review"' not in rep.get("/accounts").text


def test_an_account_out_of_reach_has_no_card(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], make_account: Callable[..., Any]
) -> None:
    account = make_account("Theirs", owner=make_user("otto", Role.REP))
    mona = browser_of(make_user("mona", Role.MANAGER))
    assert mona.get(f"/review/{account.sites[0].id}/card").status_code == 404


def test_the_desk_without_a_map_says_what_to_do(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada"))
    assert "There is no map yet" in browser.get("/review").text
    assert "Postcode lost its leading zero" in browser.get("/review/repairs").text


def test_a_repair_is_looked_at_applied_and_undone_on_its_page(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session,
    make_account: Callable[..., Any],
) -> None:  # fmt: skip
    add_country(session)
    site: Site = make_account("Lost").sites[0]
    site.street, site.postcode, site.city, site.country = "Hauptstrasse 3", "1234", "Seestadt", "DE"
    site.grade = "given"
    session.flush()
    browser = browser_of(make_user("ada"))
    token = {"_csrf": token_in(browser.get("/review/repairs").text)}
    assert "1 suspect" in browser.get("/review/repairs/suspects").text
    path = browser.post("/review/repairs", data=token | {"detector": "lost_zero"}).headers["location"]
    page = browser.get(path).text
    assert "Nothing is changed yet" in page
    assert "1234 has 4 digits; postcodes of DE have 5, and 01234 is one" in page
    browser.post(f"{path}/apply", data=token)
    session.refresh(site)
    assert site.postcode == "01234"
    browser.post(f"{path}/undo", data=token)
    session.refresh(site)
    assert site.postcode == "1234"
    assert "Undone: 1 place is as it was." in browser.get(path).text


@pytest.mark.browser
def test_import_review_repair_and_undo_in_a_browser(page: Any, tmp_path: Any) -> None:
    with transaction() as session:
        add_country(session)
    path = tmp_path / "kunden.csv"
    path.write_text(FILE)
    page.goto("/imports")
    page.set_input_files("input[type=file]", path)
    page.wait_for_selector("select[name=mode]")
    page.click("button.primary")
    page.wait_for_selector("form[action$='/apply'] button")
    page.click("form[action$='/apply'] button")
    page.wait_for_selector(".note.good")
    jobs.locate_pending()

    page.goto("/review")
    page.wait_for_selector("#desk[data-ready]")
    assert [row.inner_text() for row in page.query_selector_all(".waiting b")] == ["Beck", "Frick"]
    assert page.inner_text("#position b") == "1 of 2"
    assert page.inner_text(".account-card h2") == "Beck"
    assert page.inner_text(".contradicts >> nth=0").startswith("99999")
    page.click("[data-theme-toggle]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.evaluate("document.activeElement.blur()")

    page.wait_for_selector("#card[data-decidable]")
    page.keyboard.press("a")
    page.keyboard.press("1")
    page.wait_for_selector(".account-card[data-name=Frick]")
    page.wait_for_selector(".toast button")
    page.screenshot(path=tmp_path / "desk.png")
    assert place_of("Beck") == ("Hauptstrasse 12", "01234", "placed", "manual")
    page.keyboard.press("u")
    page.wait_for_selector("#card[data-decidable] .account-card[data-name=Beck]")
    assert place_of("Beck")[1:3] == ("99999", "review")

    page.keyboard.press("1")
    page.wait_for_selector(".account-card[data-name=Frick]")
    page.wait_for_selector(".toast button")
    page.goto("/review?reason=place_contradicts")
    page.wait_for_selector("#desk[data-ready]")
    page.keyboard.press("u")
    page.wait_for_selector(".toast:has-text('before this queue was opened: Beck')")
    assert place_of("Beck")[2] == "placed", "what was decided in another queue is undone when that is meant"
    page.click(".toast button")
    page.wait_for_selector(".account-card[data-name=Beck]")
    page.goto("/review")
    page.wait_for_selector("#desk[data-ready]")
    assert page.is_visible("#desk-hint"), "there is no pin yet"
    number = page.locator(".map-number").first
    box = number.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 50, steps=5)
    page.mouse.up()
    page.wait_for_selector(".desk-pin", timeout=10_000)
    page.screenshot(path=tmp_path / "dragged.png")
    assert page.is_hidden("#desk-hint")
    assert number.bounding_box() == box, "the candidate stays where it is"
    assert place_of("Beck")[2] == "review"

    page.keyboard.press("s")
    page.wait_for_selector("#card[data-decidable] .account-card[data-name=Frick]")
    with transaction() as session:
        site = session.scalars(select(Site).where(Site.street == "Hauptstrasse 14")).one()
        site.street = "Hauptstrasse 15"
    page.keyboard.press("1")
    page.wait_for_selector("#card a.button:has-text('Begin again')")
    page.wait_for_selector(".toast:has-text('has changed the place of “Frick” in between')")
    assert place_of("Frick")[2] == "review"

    with transaction() as session:
        session.scalars(select(Site).where(Site.street == "Hauptstrasse 16")).one().postcode = "1234"
    page.goto("/review/repairs")
    page.wait_for_selector("#detectors:not([hx-get])")
    page.click("form.detector:has(input[value=lost_zero]) button:not([disabled])")
    page.wait_for_selector("#repair-map[data-ready]")
    page.click("#apply")
    page.wait_for_selector("form[action$='/undo'] button")
    assert place_of("Goop")[1] == "01234"
    page.click("form[action$='/undo'] button")
    page.wait_for_selector(".note.good")
    assert place_of("Goop")[1] == "1234"
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/review", "/review/repairs", page.url):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is wider than the phone"


def at_the_first(page: Any) -> str:
    """The desk at the first account whose pin a rep has proposed; says which that is."""
    propose()
    page.goto("/review?reason=proposed")
    page.wait_for_selector("#card[data-decidable]")
    return str(page.inner_text(".account-card h2"))


PRESSED_AGAIN = """() => {
  const card = document.querySelector("#card"), press = () => card.querySelector("[data-accept]")?.click();
  new MutationObserver(press).observe(card, {childList: true});
  press();
  press();
}"""
"""Accept, once more on the same card, and again in the moment in which the next one appears."""


@pytest.mark.browser
def test_a_second_press_does_not_decide_what_nobody_has_seen(page: Any, tmp_path: Any) -> None:
    first = at_the_first(page)
    page.evaluate(PRESSED_AGAIN)
    page.wait_for_selector(f"#card[data-decidable] .account-card:not([data-name='{first}'])")
    page.wait_for_selector(f".toast:has-text('{first}')")
    assert page.inner_text("#done span") == "1"
    assert accepted() == [first]

    second = page.inner_text(".account-card h2")
    for _ in range(3):
        page.keyboard.press("p")
    page.wait_for_selector(f"#card[data-decidable] .account-card:not([data-name='{second}'])")
    page.wait_for_selector(f".toast:has-text('{second}')")
    page.screenshot(path=tmp_path / "toasts.png")
    assert page.is_visible(f".toast:has-text('{first}')"), "each decision is named, with its way back"
    assert accepted() == sorted((first, second))


def accepted() -> list[str]:
    """The accounts whose proposed pin was accepted, in the order of their names."""
    with transaction() as session:
        moved = select(Account.name).join(Site, Site.account_id == Account.id)
        return sorted(session.scalars(moved.where(Site.geocode_reason == "proposed_by_rep")))


def place_of(name: str) -> tuple[str | None, str | None, str, str | None]:
    """Street, postcode, state and grade of an account's place."""
    with transaction() as session:
        site = session.scalars(
            select(Site).join(Account, Account.id == Site.account_id).where(Account.name == name)
        ).one()
        return site.street, site.postcode, site.pin_state, site.grade


@pytest.mark.browser
def test_a_decision_that_does_not_arrive_is_not_decided_and_the_next_ones_go_on(page: Any, tmp_path: Any) -> None:
    first = at_the_first(page)
    page.route("**/api/v1/review/*", lambda route: route.abort(), times=1)
    page.keyboard.press("p")
    page.wait_for_selector(f"#card[data-decidable] .account-card:not([data-name='{first}'])")
    page.wait_for_selector(f".toast:has-text('Not decided here: {first}')")
    page.screenshot(path=tmp_path / "failed.png")
    assert page.is_hidden("#done")
    assert page.inner_text(".waiting:not(.decided) b >> nth=0") == first
    second = page.inner_text(".account-card h2")
    page.keyboard.press("p")
    page.wait_for_selector(f".toast:has-text('{second}')")
    assert accepted() == [second], "the next one arrives all the same"
    page.click(".toast:has-text('Not decided here') button")
    page.wait_for_selector(f"#card[data-decidable] .account-card[data-name='{first}']")
    page.keyboard.press("p")
    page.wait_for_selector(f".toast:has-text('{first}'):has(button:has-text('Undo'))")
    assert page.inner_text("#done span") == "2"
    assert accepted() == sorted((first, second))


@pytest.mark.browser
def test_an_answer_that_is_none_of_the_server_is_no_decision(page: Any) -> None:
    first = at_the_first(page)
    strange = [{"status": 200, "content_type": "text/html", "body": "<p>Sign in to the hotel's network"}]
    page.route("**/api/v1/review/*", lambda route: route.fulfill(**strange.pop()) if strange else route.continue_())
    page.keyboard.press("p")
    page.wait_for_selector(f".toast:has-text('Not decided here: {first}')")
    assert page.is_hidden("#done")
    page.wait_for_selector(f"#card[data-decidable] .account-card:not([data-name='{first}'])")
    second = page.inner_text(".account-card h2")
    page.keyboard.press("p")
    page.wait_for_selector(f".toast:has-text('{second}')")
    assert accepted() == [second], "the next one is sent all the same"


@pytest.mark.browser
def test_the_middle_of_a_town_that_was_searched_for_is_no_pin_of_a_person(page: Any, tmp_path: Any) -> None:
    with transaction() as session:
        add_country(session)
    first = at_the_first(page)
    page.keyboard.press("f")
    page.keyboard.type("Seestadt")
    page.keyboard.press("Enter")
    page.wait_for_selector("#find-answer:has-text('drag the pin to the house first')")
    page.screenshot(path=tmp_path / "middle.png")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast:has-text('This is only the middle of the street or the town')")
    assert page.inner_text(".account-card h2") == first
    assert page.is_hidden("#done")
    page.wait_for_selector("#desk-map[data-idle=true]")
    box = page.locator("#desk-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".toast:has-text('Placed: {first}')")
    assert place_of(first)[3] == "manual"


@pytest.mark.browser
def test_a_card_that_the_server_could_not_draw_is_asked_for_again(page: Any, tmp_path: Any) -> None:
    first = at_the_first(page)
    second = page.locator(".waiting b").nth(1).inner_text()
    page.route("**/review/*/card", lambda route: route.fulfill(status=502, body="Bad gateway"))
    page.reload()
    page.wait_for_selector(".toast:has-text('The server does not answer.')")
    page.screenshot(path=tmp_path / "silent.png")
    assert "Bad gateway" not in page.inner_text("#card")
    page.keyboard.press("x")
    page.unroute("**/review/*/card")
    page.click(".toast button")
    page.wait_for_selector(f"#card[data-decidable] .account-card[data-name='{first}']")
    assert page.is_hidden("#done"), "no key decides what is not shown"
    page.keyboard.press("s")
    page.wait_for_selector(f"#card[data-decidable] .account-card[data-name='{second}']")
