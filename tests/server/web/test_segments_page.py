"""The pages of segments, saved views and the filter editor."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.auth.models import Role, User
from tests.server.web.conftest import token_in

BrowserOf = Callable[[User], TestClient]


def test_nobody_signed_in_is_sent_to_the_door(client_for: Callable[[User | None], TestClient]) -> None:
    answer = client_for(None).get("/segments", headers={"accept": "text/html"})
    assert answer.headers["location"] == "/sign-in?next=/segments"


def test_a_segment_is_made_looked_at_changed_and_taken_away(
    browser_of: BrowserOf, make_user: Callable[..., User], make_account: Callable[..., Any]
) -> None:
    make_account("Amann", account_class="A")
    make_account("Beck", account_class="B")
    browser = browser_of(make_user("ada", Role.ADMIN))
    page = browser.get("/segments", params={"filter": "class = A"}).text
    assert "class = A" in page
    sent = {"_csrf": token_in(page), "name": "Best", "filter": "class = A", "sharing": "all"}
    wrong = browser.post("/segments", data=sent | {"filter": "clas = A"})
    assert wrong.status_code == 422
    assert "Did you mean" in wrong.text
    where = browser.post("/segments", data=sent).headers["location"]
    detail = browser.get(where).text
    assert "Amann" in detail
    assert "Beck" not in detail
    changed = browser.post(
        where, data={"_csrf": token_in(detail), "rev": 1, "name": "Best", "filter": "class in (A, B)"}
    )
    assert changed.status_code == 303
    assert "Beck" in browser.get(where).text
    frozen = browser.post(f"{where}/freeze", data={"_csrf": token_in(detail), "name": "Then"}).headers["location"]
    assert "Take out" in browser.get(frozen).text
    assert "Best" in browser.get("/segments").text
    assert browser.post(f"{where}/delete", data={"_csrf": token_in(detail), "rev": 2}).status_code == 303
    assert browser.get(where).status_code == 404


def test_what_the_editor_cannot_read_is_said_in_the_language_of_the_page(
    browser_of: BrowserOf, make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("mona", Role.MANAGER))
    german = {"accept-language": "de"}
    page = browser.get("/segments", headers=german).text
    asked = {"subject": "account", "text": "class = A and cty = x"}
    headers = german | {"x-csrf-token": token_in(page)}
    wrong = browser.post("/segments/words", json=asked, headers=headers).json()
    assert wrong["error"] == "Es gibt kein Feld «cty» (bei Zeichen 15)"
    assert (wrong["help"], wrong["position"], wrong["suggestions"]) == ("Meinten Sie «city»?", 14, ["city"])
    program = browser.post("/api/v1/filters", json=asked, headers=headers).json()
    assert program["error"] == "there is no field “cty” (at character 15)"
    good = browser.post("/segments/words", json=asked | {"text": "class=A"}, headers=headers).json()
    assert (good["text"], good["error"], good["help"]) == ("class = A", None, None)
    sent = {"_csrf": token_in(page), "name": "Best", "filter": "clas = A", "sharing": "all"}
    refused = browser.post("/segments", data=sent, headers=german).text
    assert "Es gibt kein Feld «clas» (bei Zeichen 1). Meinten Sie «class»?" in unescape(refused)


def test_a_stranger_s_segment_has_no_page(browser_of: BrowserOf, make_user: Callable[..., User]) -> None:
    ada, rita = browser_of(make_user("ada", Role.ADMIN)), browser_of(make_user("rita", Role.REP))
    sent = {"_csrf": token_in(ada.get("/segments").text), "name": "Mine", "filter": "class = A"}
    where = ada.post("/segments", data=sent).headers["location"]
    assert rita.get(where).status_code == 404


def test_a_view_brings_its_columns_back(
    browser_of: BrowserOf, make_user: Callable[..., User], make_account: Callable[..., Any]
) -> None:
    make_account("Amann", account_class="A")
    browser = browser_of(make_user("ada", Role.ADMIN))
    headers = {"X-CSRF-Token": token_in(browser.get("/accounts").text)}
    sent = {"name": "Short", "columns": ["name", "city"], "sort": "-value", "filter": "class = A"}
    assert browser.put("/api/v1/views", json=sent, headers=headers).status_code == 200
    rows = browser.get("/segments/views").text
    (where,) = re.findall(r'href="(/accounts[^"]*)">Short', rows)
    page = browser.get(unescape(where)).text
    assert 'data-shown="name city"' in page
    assert "Short" in page


def test_a_view_of_the_map_leads_back_to_it_and_a_bad_one_is_refused(
    browser_of: BrowserOf, make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada", Role.ADMIN))
    headers = {"X-CSRF-Token": token_in(browser.get("/").text)}
    sent = {"name": "Far", "filter": "class = A", "map": "by=owner&filter=x#at=9/47/9"}
    assert browser.put("/api/v1/views", json=sent, headers=headers).status_code == 200
    page = unescape(browser.get("/").text)
    assert 'href="/?by=owner&filter=class+%3D+A#at=9/47/9">Far' in page, "the filter is the checked one"
    assert "Far" not in browser.get("/accounts").text
    for wrong in ({"name": "x" * 100}, {"map": "y" * 700}, {"map": "<b>"}, {"name": ""}, {"sharing": "world"}):
        answer = browser.put("/api/v1/views", json=sent | wrong, headers=headers)
        assert answer.status_code == 422, wrong


def test_a_view_comes_back_unless_another_one_has_its_name_and_says_whose_and_for_whom_it_is(
    browser_of: BrowserOf, make_user: Callable[..., User]
) -> None:
    ada, mona = browser_of(make_user("ada", Role.ADMIN)), browser_of(make_user("mona", Role.MANAGER))
    headers = {"X-CSRF-Token": token_in(ada.get("/").text)}
    sent = {"name": "Far", "map": "by=owner#at=9/47/9", "sharing": "all"}
    made = ada.put("/api/v1/views", json=sent, headers=headers).json()
    rows = "/segments/views?of_map=true"
    assert "for everybody" in ada.get(rows).text
    seen = mona.get(rows).text
    assert "Far" in seen
    assert "data-unsave" not in seen
    assert '<span class="quiet small">ada' in seen.lower()
    path = f"/api/v1/views/{made['id']}"
    assert mona.delete(path, headers={"X-CSRF-Token": token_in(mona.get("/").text)}).status_code == 404
    assert ada.delete(path, headers=headers).status_code == 204
    assert "Far" not in mona.get(rows).text
    assert ada.post(f"{path}/restore", headers=headers).status_code == 200
    assert "Far" in mona.get(rows).text
    assert ada.post(f"{path}/restore", headers=headers).status_code == 404
    ada.delete(path, headers=headers)
    ada.put("/api/v1/views", json=sent, headers=headers)
    refused = ada.post(f"{path}/restore", headers=headers)
    assert (refused.status_code, refused.json()["detail"]) == (409, "You have another view “Far” by now.")


@pytest.mark.browser
def test_a_condition_is_added_by_clicking_and_changed_as_text(page: Any) -> None:
    page.goto("/accounts")
    page.click("[data-add]")
    page.select_option(".cond-editor [name=field]", "class")
    page.select_option(".cond-editor [name=operator]", "!=")
    page.click(".cond-editor .button.primary")
    page.wait_for_url("**/accounts?filter=class*")
    page.wait_for_selector(".cond:not(.waiting)")
    assert "Class is not A" in page.inner_text(".cond")
    assert page.locator("#accounts tbody tr").count() == 2
    page.click("[data-as-text]")
    page.fill(".filter-text textarea", "class = A and cty = Vaduz")
    page.wait_for_selector("[data-error]:not([hidden])")
    assert "Did you mean “city”" in page.inner_text("[data-error]")
    assert page.inner_text("[data-error] mark").startswith("cty = Vaduz")
    page.fill(".filter-text textarea", "class = A and city = Vaduz")
    page.press(".filter-text textarea", "Enter")
    page.wait_for_url("**city*")
    page.wait_for_selector("#accounts tbody tr:nth-child(1):last-child")
    page.keyboard.press("Control+k")
    page.keyboard.type("garage")
    page.wait_for_selector("#found a mark")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/0*")
    assert "Garage Beck" in page.inner_text("h1")
