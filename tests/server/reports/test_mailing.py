"""Reports by mail: each gets what their own rights show, once for a period, on the first morning after it."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import User
from server.jobs.outgoing import State
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.mail import service as mail
from server.mail.models import Message
from server.reports import mailing
from server.reports.mailing import Wish
from server.reports.periods import Span, around, spelled
from tests.server.reports.conftest import today

type ScopeOf = Callable[[User], Scope]


@pytest.fixture
def server(session: Session) -> None:
    """A mail server; nothing is sent in these tests."""
    mail.configure(session, mail.Setup("localhost", 25, "none", "crm@example.com"))


def text_of(message: Message) -> str:
    """The words of the report that a mail brings."""
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(message.attachments[0].content)).pages)


@pytest.mark.usefixtures("server")
def test_each_gets_their_own_once_for_a_period(
    session: Session, world: Any, people: dict[str, User], scope: ScopeOf
) -> None:
    people["mona"].email, people["otto"].email = "mona@example.com", "otto@example.com"
    people["otto"].language = "de"
    wish = Wish("The field", [people[name].id for name in ("mona", "otto", "rita")], Span.MONTH)
    row = mailing.add(session, scope(people["mona"]), wish)
    assert mailing.send_now(session, row) == 2
    assert row.problems == ["Rita: no e-mail address is known."]
    mailing.send_now(session, row)
    letters = {one.to[0]: one for one in session.scalars(select(Message).where(Message.purpose == "report"))}
    assert set(letters) == {"mona@example.com", "otto@example.com"}
    assert "Rita" in text_of(letters["mona@example.com"])
    assert "Rita" not in text_of(letters["otto@example.com"])
    month = around(today(), Span.MONTH).shifted(-1)
    assert f"The field: {spelled(month, 'en')}" in text_of(letters["mona@example.com"])
    assert "Abdeckung" in text_of(letters["otto@example.com"])
    assert spelled(around(today(), Span.MONTH).shifted(-1), "de") in letters["otto@example.com"].subject


@pytest.mark.usefixtures("server")
def test_a_mail_that_failed_on_its_way_is_named_and_sending_again_says_who_has_it(
    session: Session, people: dict[str, User], scope: ScopeOf, clients: Any
) -> None:
    people["mona"].email = "mona@example.com"
    row = mailing.add(session, scope(people["mona"]), Wish("Weekly", [people["mona"].id]))
    assert mailing.send_now(session, row) == 1
    sent_at = row.sent_at
    assert mailing.problems(session, row) == []
    again = clients["mona"].post(f"/api/v1/report-mails/{row.id}/send")
    assert (again.status_code, again.json()["detail"]) == (409, "Everybody has this report already.")
    assert row.sent_at == sent_at
    message = session.scalars(select(Message).where(Message.purpose == "report")).one()
    message.state, message.trouble = State.FAILED, "550 5.1.1 no such user"
    session.flush()
    said = "Mona: the mail was not delivered. 550 5.1.1 no such user"
    assert clients["mona"].get("/api/v1/report-mails").json()["items"][0]["problems"] == [said]
    assert said in clients["mona"].get("/reports/mails", headers={"accept": "text/html"}).text
    assert clients["mona"].post(f"/api/v1/report-mails/{row.id}/send").json()["problems"] == [said]


@pytest.mark.usefixtures("server")
def test_it_goes_out_when_the_period_is_over_and_its_hour_has_come(
    session: Session, world: Any, people: dict[str, User], scope: ScopeOf
) -> None:
    people["mona"].email = "mona@example.com"
    row = mailing.add(session, scope(people["mona"]), Wish("Weekly", [people["mona"].id], hour=0))
    assert row.next_on == around(today(), Span.WEEK).last + timedelta(days=1)
    assert mailing.send_due(session) == 0
    row.next_on = today()
    assert mailing.send_due(session) == 1
    assert row.next_on > today()
    assert mailing.send_due(session) == 0
    assert row.sent_at is not None
    assert row.sent_at <= clock.now()


def test_without_a_mail_server_the_row_says_so(
    session: Session, world: Any, people: dict[str, User], scope: ScopeOf
) -> None:
    people["mona"].email = "mona@example.com"
    row = mailing.add(session, scope(people["mona"]), Wish("Weekly", [people["mona"].id]))
    assert mailing.send_now(session, row) == 0
    assert row.problems == ["Mona: No mail server is set up. An admin does that under Integrations."]
    assert row.sent_at is None


def test_what_cannot_be_mailed_is_refused_and_names_the_field(
    session: Session, people: dict[str, User], scope: ScopeOf
) -> None:
    mona = scope(people["mona"])
    for wish, field in (
        (Wish(" ", [people["mona"].id]), "name"),
        (Wish("x", []), "recipient_ids"),
        (Wish("x", [people["nora"].id]), "recipient_ids"),
        (Wish("x", [people["mona"].id], hour=24), "hour"),
    ):
        with pytest.raises(Invalid) as refused:
            mailing.add(session, mona, wish)
        assert refused.value.details["field"] == field


def test_somebody_elses_report_is_not_there(session: Session, people: dict[str, User], scope: ScopeOf) -> None:
    row = mailing.add(session, scope(people["mona"]), Wish("Mine", [people["mona"].id]))
    with pytest.raises(NotFound):
        mailing.find(session, scope(people["ada"]), row.id)


def test_the_api_and_the_page_keep_change_and_remove(clients: Any, people: dict[str, User]) -> None:
    mona, body = clients["mona"], {"name": "The field", "recipient_ids": [str(people["mona"].id)]}
    made = mona.post("/api/v1/report-mails", json=body).json()
    changed = mona.put(f"/api/v1/report-mails/{made['id']}", json=body | {"hour": 6, "span": "month"}).json()
    assert (changed["hour"], changed["span"]) == (6, "month")
    assert mona.post(f"/api/v1/report-mails/{made['id']}/send").status_code == 202
    page = mona.get("/reports/mails", headers={"accept": "text/html"}).text
    assert "The field" in page
    assert mona.get(f"/reports/mails?edit={made['id']}", headers={"accept": "text/html"}).status_code == 200
    assert mona.delete(f"/api/v1/report-mails/{made['id']}").status_code == 204
    assert mona.get("/api/v1/report-mails").json()["items"] == []
