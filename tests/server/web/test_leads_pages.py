"""The pages of leads: the list, one lead, the web form on other people's pages, rules, points and the model."""

from datetime import timedelta
from typing import Any

import pytest

from geo.types import LonLat
from server.auth.models import Role
from server.kit import clock
from server.leads import forms
from server.leads.caring import care_for
from server.leads.models import LeadSource
from server.leads.taking import NewLead, take_in
from tests.server.leads.test_forms import WISH
from tests.server.web.conftest import token_in


@pytest.fixture
def lead(session: Any) -> Any:
    new = NewLead({"company": "Beck AG", "emails": ["eva@beck.li"]}, LeadSource.API, at=LonLat(9.52, 47.14))
    made = take_in(session, new).lead
    care_for(session, [made])
    return made


def test_the_pages_send_strangers_to_the_sign_in(client_for: Any, lead: Any) -> None:
    client = client_for(None)
    for path in (
        "/leads",
        f"/leads/{lead.id}",
        "/leads/settings/forms",
        "/leads/settings/rules",
        "/leads/settings/score",
    ):
        answer = client.get(path, headers={"accept": "text/html"})
        assert answer.headers["location"].startswith("/sign-in")


def test_somebody_elses_lead_is_no_page(session: Any, browser_of: Any, make_user: Any, lead: Any) -> None:
    lead.owner_id = make_user("otto", Role.REP).id
    session.flush()
    rita = browser_of(make_user("rita", Role.REP))
    assert rita.get(f"/leads/{lead.id}").status_code == 404
    assert "Beck AG" not in rita.get("/leads").text
    assert rita.get("/leads/settings/rules").status_code == 403


def test_the_list_filters_and_says_what_is_wrong_with_a_filter(browser_of: Any, make_user: Any, lead: Any) -> None:
    browser = browser_of(make_user("ada"))
    assert "Beck AG" in browser.get("/leads").text
    assert "Beck AG" not in browser.get("/leads?filter=state = converted").text
    wrong = browser.get("/leads?filter=colour = red")
    assert wrong.status_code == 422
    assert "colour" in wrong.text


def test_a_lead_is_worked_given_up_and_taken_up_again_with_buttons(browser_of: Any, make_user: Any, lead: Any) -> None:
    browser, path = browser_of(make_user("ada")), f"/leads/{lead.id}"
    csrf = token_in(browser.get(path).text)
    for what, more, seen in (
        ("qualified", {}, "Convert to an account"),
        ("disqualify", {"reason": "no_budget"}, "Take it up again"),
        ("reopen", {}, "It is no lead"),
        ("signal", {"kind": "call", "body": "Called back"}, "Called back"),
    ):
        assert browser.post(f"{path}/do", data={"_csrf": csrf, "do": what, **more}).status_code == 303
        assert seen in browser.get(path).text
    refused = browser.post(f"{path}/do", data={"_csrf": csrf, "do": "disqualify", "reason": "other"})
    assert (refused.status_code, "few words" in refused.text) == (422, True)


def test_a_conversion_ends_at_the_account(browser_of: Any, make_user: Any, lead: Any) -> None:
    browser, path = browser_of(make_user("ada")), f"/leads/{lead.id}"
    csrf = token_in(browser.get(path).text)
    answer = browser.post(f"{path}/do", data={"_csrf": csrf, "do": "convert"})
    assert answer.headers["location"].startswith("/accounts/")
    assert browser.get(answer.headers["location"]).status_code == 200
    assert "Take the conversion back" in browser.get(path).text
    assert browser.post(f"{path}/do", data={"_csrf": csrf, "do": "undo"}).status_code == 303


def test_ticked_leads_are_handed_over_together(session: Any, browser_of: Any, make_user: Any, lead: Any) -> None:
    rita, browser = make_user("rita", Role.REP), browser_of(make_user("ada"))
    csrf = token_in(browser.get("/leads").text)
    data = {"_csrf": csrf, "do": "assign", "owner_id": str(rita.id), "lead": str(lead.id)}
    assert browser.post("/leads/bulk", data=data).headers["location"] == "/leads?changed=1"
    session.refresh(lead)
    assert lead.owner_id == rita.id
    assert "tick" in browser.post("/leads/bulk", data={"_csrf": csrf, "do": "assign"}).text


def test_a_dropped_pin_shows_what_is_there_already(browser_of: Any, make_user: Any, lead: Any) -> None:
    browser = browser_of(make_user("ada"))
    page = browser.get("/leads/new?lon=9.5201&lat=47.14").text
    assert "within 150 m" in page
    assert f"/leads/{lead.id}" in page
    data = {"_csrf": token_in(page), "company": "Beck AG", "emails": "eva@beck.li", "source": "map"}
    answer = browser.post("/leads/new", data=data | {"lon": "9.52", "lat": "47.14"})
    assert answer.headers["location"] == f"/leads/{lead.id}?repeat=1"
    assert "here already" in browser.get(answer.headers["location"]).text


def test_a_form_stands_in_frames_of_its_pages_and_in_no_others(session: Any, client_for: Any) -> None:
    form = forms.create(session, WISH)
    page = client_for(None).get(f"/f/{form.key}")
    assert "frame-ancestors 'self' https://shop.example" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert client_for(None).get("/sign-in").headers["x-frame-options"] == "DENY"


def test_plain_html_is_shown_once_more_and_then_sent(session: Any, client_for: Any) -> None:
    form = forms.create(session, WISH)
    client, path = client_for(None), f"/f/{form.key}"
    answers = {"company": "Beck AG", "emails": "eva@beck.li", "consent": "1"}
    once_more = client.post(path, data=answers)
    assert once_more.status_code == 422
    assert 'value="Beck AG"' in once_more.text
    ripe = forms.token_of(form, clock.now() - timedelta(minutes=1))
    assert "Thank you, we call you." in client.post(path, data=answers | {"token": ripe}).text


def test_managers_make_forms_rules_and_points_on_the_pages(browser_of: Any, make_user: Any) -> None:
    browser = browser_of(make_user("ada"))
    csrf = token_in(browser.get("/leads/settings/forms/new").text)
    asked = {"ask-company": "on", "required-company": "on", "ask-emails": "on"}
    data = {"_csrf": csrf, "name": "Site", "title": "Talk", "thanks": "Thanks", "language": "en", "is_on": "on"}
    saved = browser.post("/leads/settings/forms", data=data | asked)
    page = browser.get(saved.headers["location"]).text
    assert "&lt;iframe src=&#34;" in page
    assert browser.post("/leads/settings/forms", data=data).status_code == 422
    rule = {"_csrf": csrf, "name": "All", "condition": "", "target": "covering:"}
    assert browser.post("/leads/settings/rules", data=rule).status_code == 303
    assert "All" in browser.get("/leads/settings/rules").text
    wrong = browser.post("/leads/settings/rules", data=rule | {"condition": "colour = red"})
    assert (wrong.status_code, "colour" in wrong.text) == (422, True)
    points = {"_csrf": csrf, "sentence": "Has a phone", "condition": "phone is not empty", "points": "20"}
    assert browser.post("/leads/settings/score", data=points).status_code == 303
    page = browser.get("/leads/settings/score").text
    assert "Has a phone" in page
    assert "0 of 60 decided leads." in page
