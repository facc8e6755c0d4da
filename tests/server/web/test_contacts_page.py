"""Pages of contacts and of the company's own fields."""

import re
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Role, User
from server.contacts import consent
from server.contacts.models import Consent, Contact, ContactAccount
from server.fields import service as fields
from server.fields.models import CustomField
from server.leads.models import LeadSource
from server.leads.taking import NewLead, take_in
from tests.server.web.conftest import token_in

type BrowserOf = Callable[[User], TestClient]


def test_a_contact_is_added_at_an_account_and_says_what_it_agrees_to(
    session: Session, make_user: Any, make_account: Callable[..., Account], browser_of: BrowserOf
) -> None:
    account = make_account("Müller AG", number="K-1")
    fields.add(session, "contact", {"label": "Badge", "kind": "text"})
    browser = browser_of(make_user("mona", Role.ADMIN))
    page = browser.get(f"/contacts/new?account_id={account.id}").text
    assert "Müller AG (K-1)" in page
    form = {
        "_csrf": token_in(page), "account": "Müller AG (K-1)", "roles": ["buyer"], "last_name": "Marxer",
        "mails.label": "work", "mails": "eva@example.li", "custom.badge": "Q7",
    }  # fmt: skip
    assert browser.post("/contacts/new", data=form).status_code == 303
    contact = session.scalars(select(Contact)).one()
    assert (contact.custom, session.scalars(select(ContactAccount)).one().roles) == ({"badge": "Q7"}, ["buyer"])
    assert "Marxer" in browser.get("/contacts?q=marxer").text
    assert "Marxer" in browser.get(f"/accounts/{account.id}").text
    said = {"_csrf": token_in(page), "channel": "mail", "purpose": "marketing", "state": "given", "how": "paper"}
    assert browser.post(f"/contacts/{contact.id}/consents", data=said).status_code == 303
    assert session.scalars(select(Consent)).one().how == "paper"
    shown = browser.get(f"/contacts/{contact.id}").text
    assert re.search(r"Agreed to marketing by mail on \d\d [A-Z][a-z]+ \d{4} ", shown), "a day as people write it"
    assert 'name="another" value=""' in shown, "nobody is looked for yet"
    whole = browser.get(f"/contacts/{contact.id}/edit")
    assert whole.headers["location"] == f"/contacts/{contact.id}?edit=1", "by its address the form stands in its page"
    assert f'hx-get="/contacts/{contact.id}/edit" hx-trigger="load"' in browser.get(whole.headers["location"]).text
    assert browser.get(f"/contacts/{contact.id}/edit", headers={"HX-Request": "true"}).status_code == 200
    doors = (f"/contacts/{contact.id}", f"/accounts/{account.id}", "/contacts")
    assert all('"mailto:eva@example.li"' in browser.get(path).text for path in doors)
    contact.do_not_contact = True
    session.flush()
    for path in doors:
        page = browser.get(path).text
        assert ("mailto:" in page, "eva@example.li" in page, "do not contact" in page) == (False, True, True), path


def test_a_contact_without_a_name_is_shown_again_with_the_reason(
    make_user: Any, browser_of: BrowserOf, session: Session
) -> None:
    browser = browser_of(make_user("mona", Role.ADMIN))
    page = browser.get("/contacts/new").text
    answer = browser.post("/contacts/new", data={"_csrf": token_in(page), "title": "Boss"})
    assert answer.status_code == 422
    assert "has no name" in answer.text
    assert session.scalars(select(Contact)).all() == []


def test_an_admin_adds_a_field_and_applies_a_template(make_user: Any, browser_of: BrowserOf, session: Session) -> None:
    browser = browser_of(make_user("mona", Role.ADMIN))
    page = browser.get("/fields").text
    form = {"_csrf": token_in(page), "object": "account", "label": "Tier", "kind": "choice", "choices": "a | A\nb | B"}
    assert browser.post("/fields", data=form).status_code == 303
    field = session.scalars(select(CustomField)).one()
    assert "custom.tier" in browser.get(f"/fields/edit/{field.id}").text
    refused = browser.post("/fields", data=form)
    assert (refused.status_code, "already" in refused.text) == (409, True)
    assert browser.post("/fields/templates/retail", data={"_csrf": token_in(page)}).status_code == 303
    for path in ("/fields/visits", "/fields/lists", "/fields/templates", "/classes"):
        assert browser.get(path).status_code == 200


def test_reps_do_not_see_the_page_of_class_changes(make_user: Any, browser_of: BrowserOf) -> None:
    assert browser_of(make_user("rita", Role.REP)).get("/classes").status_code == 403


def test_numbers_and_addresses_that_nobody_may_use_are_no_links_at_accounts_and_leads(
    session: Session, make_user: Any, make_account: Callable[..., Account], browser_of: BrowserOf
) -> None:
    ada = make_user("ada", Role.ADMIN)
    account = make_account("Müller AG", phone="+423 237 12 12", email="eva@example.li")
    asked = {"company": "Beck", "phones": ["+423 237 12 12"], "emails": ["b@example.li"]}
    lead = take_in(session, NewLead(asked, LeadSource.API)).lead
    session.commit()
    browser = browser_of(ada)
    paths = f"/accounts/{account.id}", f"/leads/{lead.id}"
    for path in paths:
        page = browser.get(path).text
        assert [page.count(way) for way in ('href="tel:', 'href="mailto:')] == [1, 1]
    consent.suppress(session, "+423 237 12 12", "Asked for it", by=ada.id)
    session.add(Contact(last_name="Beck", mail_addresses=["b@example.li", "eva@example.li"], do_not_contact=True))
    session.commit()
    for path in paths:
        page = browser.get(path).text
        assert not any(way in page for way in ('href="tel:', 'href="mailto:'))
        assert page.count(">do not contact<") == 2
