"""Mails to a queue: threaded to their ticket, safe from loops, nothing lost."""

from typing import Any

import pytest
from sqlalchemy import func, select

from server.auth.access import scope_of
from server.contacts import consent
from server.contacts.consent import NotWanted
from server.contacts.models import Contact
from server.mail.models import Message
from server.mail.received import Part
from server.tickets import queries, service
from server.tickets.folding import folded
from server.tickets.intake import MOST_AN_HOUR
from server.tickets.models import Ticket, TicketMessage, TicketState
from server.tickets.service import take_mail
from tests.server.tickets.conftest import outgoing


def count_of(session: Any, table: Any) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_mail_becomes_a_ticket_that_is_confirmed_once(
    session: Any, queue: Any, received: Any, mail_server: Any
) -> None:
    mail = received("Fwd: Oven", "It is cold.\n\nOn Mon, 2 Nov 2026, Help <help@example.com> wrote:\n> Hello")
    ticket = take_mail(session, mail, queue)
    assert ticket is not None
    assert (ticket.subject, ticket.requester_email, ticket.source) == ("Oven", "chef@example.com", "mail")
    [said] = [one.message for one in queries.conversation(session, ticket.id) if one.message.kind == "incoming"]
    assert said.body == "It is cold."
    assert said.quoted is not None
    assert said.quoted.endswith("> Hello")
    [sent] = session.scalars(select(Message)).all()
    assert sent.subject == f"Re: Oven [#{ticket.number}]"
    assert (sent.sender_name, sent.references[-1]) == (None, mail.message_id)
    again = take_mail(session, mail, queue)
    assert again is not None
    assert (again.id, count_of(session, Message)) == (ticket.id, 1)


def test_a_machine_is_never_answered(session: Any, queue: Any, received: Any, mail_server: Any) -> None:
    ticket = take_mail(session, received("Out of office", is_automatic=True), queue)
    assert ticket is not None
    assert count_of(session, Message) == 0


def test_an_out_of_office_reply_is_kept_and_opens_nothing(
    session: Any, people: Any, queue: Any, make_ticket: Any, received: Any
) -> None:
    ticket = make_ticket()
    susi = scope_of(session, people["susi"], source="api")
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "solved"})
    take_mail(session, received(f"Away [#{ticket.number}]", is_automatic=True), queue)
    assert ticket.state == TicketState.SOLVED
    assert queries.conversation(session, ticket.id)[-1].message.is_automatic


def test_our_own_mail_that_comes_back_is_left_alone(session: Any, queue: Any, received: Any, mail_server: Any) -> None:
    assert take_mail(session, received(sender="help@example.com"), queue) is None
    assert take_mail(session, received(sender="waymark@example.com"), queue) is None
    assert count_of(session, Ticket) == 0


def test_a_reply_finds_its_ticket_by_what_it_answers(
    session: Any, people: Any, queue: Any, make_ticket: Any, received: Any, mail_server: Any
) -> None:
    ticket = make_ticket()
    susi = scope_of(session, people["susi"], source="api")
    message = service.answer(session, susi, ticket.id, outgoing(seen=queries.newest(session, ticket.id)))
    reply = received("Something else", references=(f"{message.mail_id}@example.com",), sender="boss@example.com")
    found = take_mail(session, reply, queue)
    assert found is not None
    assert (found.id, ticket.state) == (ticket.id, TicketState.WAITING_US)


def test_a_reply_finds_its_ticket_by_the_number_when_it_comes_from_who_asked(
    session: Any, queue: Any, make_ticket: Any, received: Any
) -> None:
    ticket = make_ticket()
    found = take_mail(session, received(f"AW: oven [#{ticket.number}]"), queue)
    assert found is not None
    assert found.id == ticket.id


def test_whoever_wants_no_mail_gets_the_answer_to_their_open_question_and_nothing_else(
    session: Any, people: Any, make_ticket: Any, mail_server: Any
) -> None:
    session.add(Contact(last_name="Chef", mail_addresses=["chef@example.com"], do_not_contact=True, custom={}))
    ticket, susi = make_ticket(), scope_of(session, people["susi"], source="api")

    def say(key: str) -> None:
        service.answer(session, susi, ticket.id, outgoing(key=key, seen=queries.newest(session, ticket.id)))

    say("while it is open")
    words = [one.message.values.get("why", "") for one in queries.conversation(session, ticket.id)]
    assert any("answers their own ticket" in why and "Asked not to be contacted" in why for why in words)
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "solved"})
    with pytest.raises(NotWanted, match="Asked not to be contacted"):
        say("after it is solved")
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "open"})
    consent.suppress(session, "chef@example.com", "It bounces.", by=None)
    with pytest.raises(NotWanted, match="It bounces"):
        say("to an address that nobody may use")
    assert count_of(session, Message) == 1


def test_a_stranger_who_names_a_number_gets_a_ticket_of_their_own(
    session: Any, queue: Any, make_ticket: Any, received: Any
) -> None:
    ticket = make_ticket()
    found = take_mail(session, received(f"Look [#{ticket.number}]", sender="thief@example.net"), queue)
    assert found is not None
    assert found.id != ticket.id
    assert count_of(session, TicketMessage) == 3, "one each, and a word about the number"


def test_a_flood_of_mails_ends_in_one_ticket_and_nothing_is_lost(session: Any, queue: Any, received: Any) -> None:
    for number in range(MOST_AN_HOUR + 5):
        take_mail(session, received(f"Loop {number}"), queue)
    assert count_of(session, Ticket) == MOST_AN_HOUR
    assert count_of(session, TicketMessage) == MOST_AN_HOUR + 5


def test_a_file_that_is_too_large_is_left_out_and_named(session: Any, queue: Any, received: Any) -> None:
    parts = (Part("plan.pdf", "application/pdf", b"%PDF"), Part("film.mov", "video/quicktime", b"x" * 40_000_000))
    ticket = take_mail(session, received(parts=parts), queue)
    assert ticket is not None
    said = queries.conversation(session, ticket.id)
    assert [name for one in said for _, name, _ in one.files] == ["plan.pdf"]
    assert said[-1].message.values == {"name": "film.mov", "size": "40"}


def test_a_mail_without_text_is_a_ticket_all_the_same(session: Any, queue: Any, received: Any) -> None:
    ticket = take_mail(session, received("", "", sender_name=""), queue)
    assert ticket is not None
    assert ticket.subject == "–"


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Yes.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Help\n<help@example.com> wrote:\n> Well?", "Yes."),
        ("Ja.\nAm 02.11.26 um 10:00 schrieb Hilfe:\n> Geht es?", "Ja."),
        ("Ok\n-----Original Message-----\nFrom: Help", "Ok"),
        ("Ok\n\nVon: Hilfe\nGesendet: Montag\nAn: Chef", "Ok"),
        ("> Is it warm?\nNo.\n> Really?\nYes.", "> Is it warm?\nNo.\n> Really?\nYes."),
        ("> all of it is quoted", "> all of it is quoted"),
        ("Nothing quoted", "Nothing quoted"),
    ],
)
def test_what_a_mail_repeats_is_folded_away(text: str, new: str) -> None:
    assert folded(text)[0] == new
