"""Templates of mails on their page: kept from a mail, filled in, laid over an answer, changed and dropped."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.agenda.models import Activity, Direction, Kind, State
from server.activities.mailing.models import MailTemplate
from server.auth.models import Role, User
from server.kit import clock
from server.kit.database import transaction
from tests.server.web.conftest import token_in


def test_a_template_is_kept_filled_in_changed_and_dropped(
    session: Session, make_user: Any, make_account: Callable[..., Account], browser_of: Callable[[User], TestClient]
) -> None:
    account, mona = make_account("Müller AG"), make_user("mona", Role.ADMIN)
    browser, path = browser_of(mona), f"/accounts/{account.id}/mail"
    form = {"_csrf": token_in(browser.get(path).text), "account_id": str(account.id), "subject": "For {account}"}
    unknown = browser.post("/mail-templates", data=form | {"name": "Offer", "body": "Dear {contact}"})
    assert "Nothing is known to fill in for {contact}." in unknown.text
    nameless = browser.post("/mail-templates", data=form | {"name": "", "body": "Dear all"})
    assert "The template has no name." in nameless.text
    kept = browser.post("/mail-templates", data=form | {"name": "Offer", "body": "Dear {account}, yours, {me}"})
    assert kept.status_code == 303
    template = session.scalars(select(MailTemplate)).one()
    shown = browser.get(kept.headers["location"]).text
    assert "For Müller AG" in shown
    assert f"Dear Müller AG, yours, {mona.name}" in shown

    asked = Activity(
        kind=Kind.MAIL, account_id=account.id, owner_id=mona.id, subject="Price?", note="What does it cost?",
        sender="eva@example.li", direction=Direction.IN.value, state=State.DONE.value, done_at=clock.now(),
        at=clock.now(), zone="UTC",
    )  # fmt: skip
    session.add(asked)
    session.flush()
    answer = browser.get(f"{path}?template={template.id}&answers={asked.id}").text
    for words in ("Re: Price?", "eva@example.li", "Dear Müller AG", "&gt; What does it cost?"):
        assert words in answer, "a template goes above what is answered"
    assert f"template={template.id}&answers={asked.id}" in answer.replace("&amp;", "&")

    raw = browser.get(f"{path}?template={template.id}&change=true").text
    assert "Dear {account}, yours, {me}" in raw, "what is changed is the template, not what became of it"
    changed = form | {"template_id": str(template.id), "name": "Offer", "body": "Hello {account}"}
    assert browser.post("/mail-templates", data=changed).status_code == 303
    session.expire_all()
    assert session.scalars(select(MailTemplate)).one().body == "Hello {account}"
    assert f"/mail-templates/{template.id}/drop" in raw
    assert browser.post(f"/mail-templates/{template.id}/drop", data=form).headers["location"] == path
    assert "template=" not in browser.get(path).text


def test_a_refused_template_keeps_the_mail_and_stays_open(
    make_user: Any, make_account: Callable[..., Account], browser_of: Callable[[User], TestClient]
) -> None:
    account, mona = make_account("Müller AG"), make_user("mona", Role.ADMIN)
    browser, path = browser_of(mona), f"/accounts/{account.id}/mail"
    first = browser.get(path).text
    assert "<details><summary" in first
    key = first.split('name="key" value="')[1].split('"')[0]
    form = {"_csrf": token_in(first), "account_id": str(account.id), "subject": "For you", "key": key}
    for name, body, said in (("Offer", "Dear {contact}", "{contact}"), ("", "Dear all", "has no name")):
        typed = {"name": name, "body": body, "to": "eva@example.li, urs@example.li", "answers": str(account.id)}
        refused = browser.post("/mail-templates", data=form | typed)
        assert refused.status_code == 422
        assert said in refused.text
        for kept in (*filter(None, typed.values()), "For you", f'name="key" value="{key}"', "<details open>"):
            assert kept in refused.text
        assert refused.text.count('class="error"') == 1, "at its field"


@pytest.mark.browser
def test_a_template_that_replaces_what_was_typed_gives_it_back(page: Any) -> None:
    with transaction() as session:
        session.add(MailTemplate(name="Offer", subject="Offer for {account}", body="Dear {account}"))
        account_id = session.scalars(select(Account.id).order_by(Account.name)).first()
    page.goto(f"/accounts/{account_id}/mail")
    page.fill("[name=to]", "eva@example.li")
    page.fill("[name=body]", "Half an hour of typing")
    page.click("[data-template]")
    page.wait_for_selector(".toast button")
    assert page.input_value("[name=body]").startswith("Dear ")
    assert page.input_value("[name=to]") == "eva@example.li"
    assert page.get_attribute("[data-template]", "aria-pressed") == "true"
    assert page.locator("[data-change] a").count() == 1
    page.click(".toast button")
    assert page.input_value("[name=body]") == "Half an hour of typing"
    assert page.locator("[data-change] a").count() == 0
