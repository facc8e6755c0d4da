"""Consent: appended, never changed; one answer that everything obeys."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.auth.models import User
from server.contacts import consent, queries, service
from server.contacts.consent import Said, may_contact
from server.contacts.models import Channel, ConsentState, Contact, How, Purpose
from server.kit import clock
from server.kit.errors import Invalid


@pytest.fixture
def eva(session: Session, scope: Any, ada: User) -> Contact:
    """A person with a mail address and a phone."""
    given = {"first_name": "Eva", "last_name": "Marxer", "mails": ["eva@example.li"], "phones": ["+423 237 12 12"]}
    return service.create(session, scope(ada), given)


def say(session: Session, contact: Contact, state: ConsentState, days_ago: int = 0, **more: Any) -> None:
    said = {"channel": Channel.MAIL, "purpose": Purpose.MARKETING, "how": How.FORM, **more}
    at = clock.now() - timedelta(days=days_ago)
    consent.note_consent(session, contact, Said(state=state, at=at, **said), by=None)


def marketing(session: Session, whom: Any) -> bool:
    return may_contact(session, whom, Channel.MAIL, Purpose.MARKETING)[0]


def test_silence_is_a_no_to_marketing_mails_and_a_yes_to_service(session: Session, eva: Contact) -> None:
    assert not marketing(session, eva)
    assert may_contact(session, eva, Channel.MAIL, Purpose.SERVICE)[0]
    assert may_contact(session, eva, Channel.POST, Purpose.MARKETING)[0]


def test_the_latest_word_holds_however_late_it_is_written_down(session: Session, eva: Contact) -> None:
    say(session, eva, ConsentState.WITHDRAWN, days_ago=2)
    say(session, eva, ConsentState.GIVEN, days_ago=5)
    assert not marketing(session, eva)
    say(session, eva, ConsentState.GIVEN, days_ago=1)
    assert marketing(session, eva)
    assert [one.state for one in consent.log_of(session, eva.id)] == ["given", "withdrawn", "given"]


def test_do_not_contact_beats_every_consent(session: Session, scope: Any, ada: User, eva: Contact) -> None:
    say(session, eva, ConsentState.GIVEN)
    changes = {"do_not_contact": True, "do_not_contact_reason": "Asked on the phone"}
    service.edit(session, scope(ada), eva.id, eva.rev, changes)
    allowed, reason = may_contact(session, eva.id, Channel.VISIT, Purpose.SERVICE)
    assert not allowed
    assert "Asked on the phone" in reason
    assert not marketing(session, "EVA@example.li")


def test_an_address_is_asked_for_whoever_has_it(session: Session, eva: Contact) -> None:
    say(session, eva, ConsentState.GIVEN)
    assert marketing(session, "eva@example.li")
    assert not marketing(session, "stranger@example.li")
    consent.suppress(session, "Eva@Example.li", "Bounced", by=None)
    assert not marketing(session, "eva@example.li")
    assert not marketing(session, eva)
    consent.suppress(session, "+423 237 12 12", "", by=None)
    assert not may_contact(session, "+4232371212", Channel.PHONE, Purpose.SERVICE)[0]
    assert may_contact(session, "nonsense", Channel.MAIL, Purpose.SERVICE)[0] is False


def test_an_address_that_two_people_share_obeys_both(session: Session, scope: Any, ada: User, eva: Contact) -> None:
    say(session, eva, ConsentState.GIVEN)
    given = {"last_name": "Beck", "mails": ["eva@example.li"], "do_not_contact": True}
    service.create(session, scope(ada), given)
    assert not marketing(session, "eva@example.li")


def test_a_list_gives_the_same_answer_as_one_contact(session: Session, scope: Any, ada: User, eva: Contact) -> None:
    find = lambda: [row.contact.id for row in queries.page(session, scope(ada), filter="may_mail = yes").rows]  # noqa: E731
    assert find() == []
    say(session, eva, ConsentState.GIVEN)
    assert find() == [eva.id]
    consent.suppress(session, "eva@example.li", "Bounced", by=None)
    assert find() == []


def test_what_was_said_is_never_changed(session: Session, eva: Contact) -> None:
    say(session, eva, ConsentState.GIVEN)
    for statement in ("update consent set state = 'withdrawn'", "delete from consent"):
        with pytest.raises(DBAPIError, match="only ever appended"), session.begin_nested():
            session.execute(text(statement))


def test_nobody_agrees_in_the_future(session: Session, eva: Contact) -> None:
    with pytest.raises(Invalid, match="future"):
        say(session, eva, ConsentState.GIVEN, days_ago=-1)


def test_the_api_appends_and_answers(admin_client: TestClient, eva: Contact) -> None:
    path = f"/api/v1/contacts/{eva.id}"
    body = {"channel": "mail", "state": "given", "how": "paper", "wording": "I agree to the newsletter."}
    assert admin_client.post(f"{path}/consents", json=body).status_code == 201
    [one] = admin_client.get(f"{path}/consents").json()["items"]
    assert (one["how"], one["wording"]) == ("paper", "I agree to the newsletter.")
    answer = admin_client.get(f"{path}/may", params={"channel": "mail", "purpose": "marketing"}).json()
    assert answer["may"] is True
    query = {"address": "eva@example.li", "channel": "mail", "purpose": "marketing"}
    assert admin_client.get("/api/v1/contacts/may", params=query).json()["may"] is True
