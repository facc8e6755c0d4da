"""A session that ends while somebody works: nothing that was typed or drawn is lost."""

from typing import Any

import pytest

from tests.server.web.conftest import PASSWORD

pytestmark = pytest.mark.browser


def sign_in_here(page: Any, login: str = "ada") -> None:
    """Answer the sheet that asks for a password on the page that is open."""
    page.wait_for_selector("#ended[open]")
    page.fill("#ended-login", login)
    page.fill("#ended-password", PASSWORD)
    page.click("#ended .primary")


def sign_in_at_the_door(page: Any, login: str = "ada", password: str = PASSWORD) -> None:
    """Answer the sign-in page that a form was sent away to."""
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("button.primary")


def test_a_form_that_leaves_the_page_comes_back_filled(page: Any) -> None:
    page.goto("/accounts/new")
    page.fill("[name=name]", "Kept AG")
    page.context.clear_cookies()
    page.click("main form .primary")
    page.wait_for_url("**/sign-in?next=**")
    sign_in_at_the_door(page, password="not this one")
    page.wait_for_selector("[role=alert]")
    sign_in_at_the_door(page)
    page.wait_for_selector(".toast:has-text('What you typed is here again')")
    assert (page.url.split("/", 3)[3], page.input_value("[name=name]")) == ("accounts/new", "Kept AG")
    page.reload()
    assert page.input_value("[name=name]") == "", "kept for one page only"


def test_a_form_of_an_older_session_comes_back_filled(page: Any) -> None:
    page.goto("/accounts/new")
    page.fill("[name=name]", "Kept AG")
    page.context.request.post("/sign-in", form={"login": "ada", "password": PASSWORD}, max_redirects=0)
    page.click("main form .primary")
    page.wait_for_selector(".toast:has-text('What you typed is here again')")
    assert page.input_value("[name=name]") == "Kept AG"
    page.click("main form .primary")
    page.wait_for_selector("#facts h2:text-is('Kept AG')")


def test_somebody_else_who_signs_in_does_not_see_what_was_typed(page: Any) -> None:
    page.goto("/accounts/new")
    page.fill("[name=name]", "Kept AG")
    page.context.clear_cookies()
    page.click("main form .primary")
    sign_in_at_the_door(page, "rita")
    page.wait_for_selector(".toast:has-text('Enter it once more')")
    assert page.input_value("[name=name]") == ""
    assert page.evaluate("sessionStorage.getItem('sent')") is None


def test_what_asks_by_itself_waits_until_the_person_signed_in_here(page: Any) -> None:
    page.goto("/accounts/new")
    page.fill("[name=name]", "Kept AG")
    page.context.clear_cookies()
    page.evaluate("void (window.asked = import('/static/js/app.js').then(({ api }) => api('GET', '/api/v1/me')))")
    page.wait_for_selector("#ended[open]")
    page.fill("#ended-login", "ada")
    page.fill("#ended-password", "not this one")
    page.click("#ended .primary")
    page.wait_for_selector("#ended [role=alert]:visible")
    sign_in_here(page)
    assert page.evaluate("window.asked.then(({ status, body }) => [status, body.login])") == [200, "ada"]
    page.click("main form .primary")
    page.wait_for_selector("#facts h2:text-is('Kept AG')")


def test_a_bell_that_rings_in_vain_does_not_take_the_page_away(page: Any) -> None:
    page.goto("/accounts/new")
    page.fill("[name=name]", "Kept AG")
    page.context.clear_cookies()
    page.evaluate("void htmx.ajax('GET', '/notifications/bell', '#bell')")
    sign_in_here(page)
    page.wait_for_selector(".toast:has-text('signed in again')")
    assert page.input_value("[name=name]") == "Kept AG"
    page.click("main form .primary")
    page.wait_for_selector("#facts h2:text-is('Kept AG')")


def test_the_page_of_somebody_else_is_drawn_anew(page: Any) -> None:
    page.goto("/accounts/new")
    page.fill("[name=name]", "Kept AG")
    page.context.clear_cookies()
    page.evaluate("void htmx.ajax('GET', '/notifications/bell', '#bell')")
    with page.expect_navigation():
        sign_in_here(page, "rita")
    assert page.input_value("[name=name]") == ""


def test_a_page_takes_over_the_session_of_another_tab(page: Any) -> None:
    page.goto("/accounts/new")
    page.fill("[name=name]", "Kept AG")
    page.context.request.post("/sign-in", form={"login": "ada", "password": PASSWORD}, max_redirects=0)
    done = "import('/static/js/app.js').then(({ api }) => api('POST', '/api/v1/accounts', { name: 'Second AG' }))"
    assert page.evaluate(f"{done}.then(({{ status, body }}) => [status, body.name])") == [201, "Second AG"]
    assert page.evaluate("document.querySelector('#ended').open") is False, "nobody is asked"
    page.click("main form .primary")
    page.wait_for_selector("#facts h2:text-is('Kept AG')")


def test_a_sheet_that_waits_goes_when_the_person_has_signed_in_in_another_tab(page: Any) -> None:
    page.goto("/accounts/new")
    page.context.clear_cookies()
    page.evaluate("void htmx.ajax('GET', '/notifications/bell', '#bell')")
    page.wait_for_selector("#ended[open]")
    page.context.request.post("/sign-in", form={"login": "ada", "password": PASSWORD}, max_redirects=0)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#ended:not([open])", state="attached")
    page.context.clear_cookies()
    page.evaluate("void htmx.ajax('GET', '/notifications/bell', '#bell')")
    page.wait_for_selector("#ended[open]")
    page.evaluate("document.querySelectorAll('.toast').forEach((one) => one.remove())")
    page.evaluate("document.querySelector('#ended').close()")
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.locator(".toast").count() == 0, "put away is not signed in"


def test_escape_on_the_sheet_puts_away_nothing_below_it(page: Any) -> None:
    page.goto("/accounts/new")
    page.evaluate("window.heard = 0; document.addEventListener('escape', () => { window.heard += 1; })")
    page.context.clear_cookies()
    page.evaluate("void htmx.ajax('GET', '/notifications/bell', '#bell')")
    page.wait_for_selector("#ended[open]")
    page.fill("#ended-password", "half a passw")
    page.keyboard.press("Escape")
    page.wait_for_selector("#ended:not([open])", state="attached")
    assert (page.evaluate("window.heard"), page.input_value("#ended-password")) == (0, "")


def test_a_form_that_was_refused_before_the_session_ended_comes_back_on_its_page(page: Any) -> None:
    page.goto("/planning/days-off")
    form = page.locator("form[action$='/absences']").first
    fields = {"first_day": "2027-03-05", "last_day": "2027-03-01"}
    for name, value in fields.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button.primary, button").last.click()
    page.wait_for_selector("[role=alert]")
    assert page.url.endswith("/planning/days-off"), "a page that can be asked for again"
    form = page.locator("form[action$='/absences']").first
    form.locator("[name=last_day]").fill("2027-03-09")
    page.context.clear_cookies()
    form.locator("button.primary, button").last.click()
    page.wait_for_url("**/sign-in?next=**")
    sign_in_at_the_door(page)
    page.wait_for_selector(".toast:has-text('What you typed is here again')")
    assert page.locator("form[action$='/absences'] [name=last_day]").first.input_value() == "2027-03-09"


def test_what_a_form_holds_without_showing_it_comes_back_too(page: Any) -> None:
    page.goto("/users")
    page.click("a:has-text('Rita Frick')")
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelector(\"form[action$='/working-day'] [name=lon]\").value = '9.5123'")
    page.context.clear_cookies()
    page.locator("form[action$='/working-day'] button").last.click()
    sign_in_at_the_door(page)
    page.wait_for_selector(".toast:has-text('What you typed is here again')")
    assert page.input_value("form[action$='/working-day'] [name=lon]") == "9.5123"
