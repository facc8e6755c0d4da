"""The pages of tickets: list, one ticket, request visit, queues, figures, the public form."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from server.auth.access import scope_of
from server.auth.models import Role
from server.kit import clock
from server.kit.secrets import seal
from server.kit.settings import settings
from server.mail import service as mail
from server.mail.models import Message
from server.tickets import forms, queries, queues, service
from server.tickets.models import MessageKind, Source, Ticket, TicketMessage
from server.tickets.service import NewTicket, Saying, open_ticket
from tests.server.web.conftest import token_in

HIDDEN = 'name="{}" value="'


@pytest.fixture
def susi(make_user: Any) -> Any:
    return make_user("susi", Role.SUPPORT)


@pytest.fixture
def queue(session: Any, susi: Any) -> Any:
    scope = scope_of(session, susi, source="web")
    return queues.create(session, scope, {"name": "Service", "hours": "24/7", "form_is_open": True})


@pytest.fixture
def make_ticket(session: Any, queue: Any) -> Any:
    def make(subject: str = "The oven is cold", **more: Any) -> Ticket:
        fields = {"subject": subject, "requester_email": "chef@example.com", **more}
        return open_ticket(session, NewTicket(queue.id, "It does not heat.", Source.WEB, fields))

    return make


def value_in(text: str, name: str) -> str:
    return text.split(HIDDEN.format(name))[1].split('"')[0]


def test_strangers_are_sent_to_sign_in(client_for: Any) -> None:
    for path in ("/tickets", "/tickets/new", f"/tickets/{uuid4()}", "/tickets/report", "/tickets/queues"):
        answer = client_for(None).get(path, headers={"accept": "text/html"}, follow_redirects=False)
        assert answer.headers["location"].startswith("/sign-in"), path


def test_somebody_elses_ticket_is_not_there(
    browser_of: Any, make_user: Any, make_account: Any, make_ticket: Any
) -> None:
    rita, nora = make_user("rita", Role.REP), make_user("nora", Role.REP)
    ticket = make_ticket(account_id=make_account("Amann", nora).id)
    assert browser_of(rita).get(f"/tickets/{ticket.id}").status_code == 404
    assert browser_of(rita).get(f"/tickets/{ticket.id}/visit").status_code == 404
    assert "The oven" not in browser_of(rita).get("/tickets").text
    assert "The oven" in browser_of(nora).get("/tickets").text


def test_the_list_shows_what_is_open_and_changes_many_at_once(
    session: Any, browser_of: Any, susi: Any, make_ticket: Any
) -> None:
    one, other = make_ticket(), make_ticket("It smells")
    browser = browser_of(susi)
    page = browser.get("/tickets").text
    assert f"#{one.number}" in page
    assert f"#{other.number}" in page
    chosen = [f"{ticket.id}:{ticket.rev}" for ticket in (one, other)]
    browser.post("/tickets/many", data={"_csrf": token_in(page), "ids": chosen, "priority": "urgent"})
    assert session.scalars(select(Ticket.priority)).all() == ["urgent", "urgent"]


def test_a_ticket_is_written_down_for_a_customer_once(
    session: Any, browser_of: Any, susi: Any, queue: Any, make_account: Any
) -> None:
    browser, amann = browser_of(susi), make_account("Amann")
    page = browser.get(f"/tickets/new?account={amann.id}").text
    form = {
        "_csrf": token_in(page), "key": value_in(page, "key"), "queue_id": str(queue.id), "subject": "Oven",
        "body": "Cold.", "account_id": str(amann.id),
    }  # fmt: skip
    first, again = (browser.post("/tickets/new", data=form, follow_redirects=False) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
    assert session.scalar(select(func.count()).select_from(Ticket)) == 1
    assert browser.post("/tickets/new", data={**form, "key": "x", "body": ""}).status_code == 422


def test_who_answers_second_keeps_the_text_and_sees_what_is_new(
    session: Any, browser_of: Any, make_user: Any, susi: Any, make_ticket: Any
) -> None:
    mail.configure(session, mail.Setup("127.0.0.1", 25, "none", "help@example.com"))
    ticket, browser = make_ticket(), browser_of(susi)
    page = browser.get(f"/tickets/{ticket.id}").text
    sepp = scope_of(session, make_user("sepp", Role.SUPPORT), source="web")
    seen = queries.newest(session, ticket.id)
    service.answer(session, sepp, ticket.id, Saying("I have it.", MessageKind.INTERNAL, "sepp", seen))
    form = {name: value_in(page, name) for name in ("_csrf", "key", "seen")}
    path = f"/tickets/{ticket.id}/messages"
    refused = browser.post(path, data={**form, "kind": "outgoing", "body": "We come."})
    assert refused.status_code == 412
    assert "We come." in refused.text
    assert "I have it." in refused.text
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    form |= {"seen": value_in(refused.text, "seen")}
    for _ in range(2):
        browser.post(path, data={**form, "kind": "outgoing", "body": "We come."})
    assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_facts_that_two_people_change_are_named(session: Any, browser_of: Any, susi: Any, make_ticket: Any) -> None:
    ticket, browser = make_ticket(), browser_of(susi)
    page = browser.get(f"/tickets/{ticket.id}").text
    service.edit(session, scope_of(session, susi, source="web"), ticket.id, ticket.rev, {"subject": "Mine"})
    form = {"_csrf": token_in(page), "rev": value_in(page, "rev"), "subject": "Yours"}
    refused = browser.post(f"/tickets/{ticket.id}/edit", data=form)
    assert refused.status_code == 412
    assert "Mine ↔ Yours" in refused.text


def test_a_visit_is_asked_for_by_a_deadline_and_withdrawn(
    session: Any, browser_of: Any, susi: Any, make_account: Any, make_ticket: Any
) -> None:
    ticket = make_ticket(account_id=make_account("Amann").id)
    browser = browser_of(susi)
    page = browser.get(f"/tickets/{ticket.id}/visit").text
    form = {"_csrf": token_in(page), "minutes": "30"}
    path = f"/tickets/{ticket.id}/visit"
    assert browser.post(path, data={**form, "deadline": "2020-01-01"}).status_code == 422
    assert browser.post(path, data={**form, "slot": "nonsense"}).status_code == 422
    browser.post(path, data={**form, "deadline": (clock.today(settings().zone) + timedelta(days=9)).isoformat()})
    shown = browser.get(f"/tickets/{ticket.id}").text
    assert "Waits for a plan." in shown
    assert "Withdraw" in shown
    browser.post(f"{path}/withdraw", data=form)
    assert "The visit is wanted no more." in browser.get(f"/tickets/{ticket.id}").text


def test_an_account_shows_its_tickets(browser_of: Any, susi: Any, make_account: Any, make_ticket: Any) -> None:
    amann = make_account("Amann")
    ticket = make_ticket(account_id=amann.id)
    browser = browser_of(susi)
    assert f"/tickets/of/{amann.id}" in browser.get(f"/accounts/{amann.id}").text
    assert f"#{ticket.number}" in browser.get(f"/tickets/of/{amann.id}").text
    assert "1 open ticket" in browser.get(f"/tickets/of/{amann.id}/mark").text


def test_queues_and_answers_are_set_up(session: Any, browser_of: Any, susi: Any, queue: Any) -> None:
    browser = browser_of(susi)
    page = browser.get(f"/tickets/queues/{queue.id}").text
    form = {
        "_csrf": token_in(page), "queue_id": str(queue.id), "rev": value_in(page, "rev"), "name": "Service",
        "hours": "Mo-Fr 08:00-17:00", "zone": "Europe/Vaduz", "form_key": "service", "priority": "high",
        "assignment": "hand", "reopen_days": "7", "normal-answer": "1.5", "normal-solve": "8",
    }  # fmt: skip
    assert browser.post("/tickets/queues", data={**form, "hours": "never"}).status_code == 422
    browser.post("/tickets/queues", data=form)
    session.refresh(queue)
    assert (queue.priority, queue.targets["normal"]) == ("high", {"answer": 90, "solve": 480})
    answer = {"_csrf": token_in(page), "title": "Thanks", "body": "Dear {name}"}
    browser.post("/tickets/answers", data=answer)
    assert "Thanks" in browser.get("/tickets/queues").text
    assert browser.post("/tickets/answers", data={**answer, "body": "{price}"}).status_code == 422
    browser.post(f"/tickets/queues/{queue.id}/remove", data=form)
    assert queries.queues(session) == []


def test_every_page_is_there_in_german(session: Any, browser_of: Any, susi: Any, make_ticket: Any) -> None:
    ticket, browser = make_ticket(), browser_of(susi)
    browser.headers["accept-language"] = "de"
    for path in ("/tickets", f"/tickets/{ticket.id}", "/tickets/report", "/tickets/queues", "/tickets/queues/new",
                 "/tickets/answers/new", "/tickets/new"):  # fmt: skip
        assert browser.get(path).status_code == 200, path
    assert "wir sind dran" in browser.get(f"/tickets/{ticket.id}").text


def sent_form(page: str, **more: str) -> dict[str, str]:
    return {
        "token": value_in(page, "token"), "website": "", "requester_email": "chef@example.com", "subject": "Oven",
        "body": "Cold.", **more,
    }  # fmt: skip


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests fill in forms faster than people."""
    monkeypatch.setattr(forms, "LEAST_S", 0)


def test_the_public_form_opens_one_ticket_however_often_it_is_sent(
    session: Any, client_for: Any, queue: Any, no_hurry: None
) -> None:
    client = client_for(None)
    page = client.get("/help/service").text
    for _ in range(2):
        answer = client.post("/help/service", data=sent_form(page))
        assert answer.status_code == 200
    [ticket] = session.scalars(select(Ticket)).all()
    assert f"#{ticket.number}" in answer.text
    assert (ticket.source, ticket.requester_email) == ("form", "chef@example.com")


def test_a_machine_that_fills_in_the_form_is_refused(
    session: Any, client_for: Any, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_for(None)
    page = client.get("/help/service").text
    assert client.post("/help/service", data=sent_form(page)).status_code == 422, "faster than anybody writes"
    monkeypatch.setattr(forms, "LEAST_S", 0)
    assert client.post("/help/service", data=sent_form(page, website="x")).status_code == 422
    assert client.post("/help/service", data=sent_form(page, token="made up")).status_code == 422
    assert client.post("/help/service", data=sent_form(page, requester_email="")).status_code == 422
    big = {"files": ("film.mov", b"x" * 16_000_000)}
    assert "film.mov" in client.post("/help/service", data=sent_form(page), files=big).text
    assert session.scalar(select(func.count()).select_from(Ticket)) == 0


def test_one_address_sends_only_so_many_forms(session: Any, client_for: Any, queue: Any, no_hurry: None) -> None:
    client = client_for(None)
    for _ in range(forms.MOST_AN_HOUR):
        assert client.post("/help/service", data=sent_form(client.get("/help/service").text)).status_code == 200
    refused = client.post("/help/service", data=sent_form(client.get("/help/service").text))
    assert refused.status_code == 429
    assert "Cold." in refused.text, "what was written is not lost"


def test_a_closed_form_is_not_there(session: Any, client_for: Any, queue: Any) -> None:
    queue.form_is_open = False
    session.flush()
    assert client_for(None).get("/help/service").status_code == 404


def test_the_customer_says_whether_they_are_content(session: Any, client_for: Any, make_ticket: Any) -> None:
    ticket, client = make_ticket(), client_for(None)
    path = f"/help/rating/{seal(f'rating:{ticket.id}')}"
    assert client.get(path).status_code == 200
    assert ticket.rating is None, "a mail program that follows the link says nothing"
    client.post(path, data={"content": "true", "note": "Quick!"})
    session.refresh(ticket)
    assert (ticket.rating, ticket.rating_note) == (1, "Quick!")
    assert client.get("/help/rating/forged").status_code == 422
    assert session.scalar(select(func.count()).select_from(TicketMessage)) == 2
