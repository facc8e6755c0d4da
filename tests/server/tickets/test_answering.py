"""The conversation of a ticket: what goes out, what stays inside, and what opens it again."""

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from server.auth.access import scope_of
from server.kit.errors import Conflict, TooLarge
from server.mail.models import Message
from server.notifications.models import Notification
from server.tickets import queries, service
from server.tickets.models import MessageKind, TicketMessage, TicketState
from server.tickets.service import AnsweredMeanwhile
from server.tickets.telling import NewFile
from tests.server.tickets.conftest import long_ago, outgoing


def test_an_answer_goes_out_by_mail_and_waits_for_the_customer(
    session: Any, make_ticket: Any, mail_server: Any, susi: Any
) -> None:
    ticket = make_ticket()
    message = service.answer(session, susi, ticket.id, outgoing(seen=queries.newest(session, ticket.id)))
    [sent] = session.scalars(select(Message)).all()
    assert (sent.to, sent.subject) == (["chef@example.com"], f"Re: The oven is cold [#{ticket.number}]")
    assert sent.reply_to == "help@example.com"
    assert message.mail_id == sent.id
    assert (ticket.state, ticket.assignee_id) == (TicketState.WAITING_CUSTOMER, susi.user_id)
    assert ticket.answered_in_s == 0
    assert (ticket.clock_since, ticket.solve_due_at) == (None, None), "the clock stands still"


def test_a_double_click_sends_nothing_twice(session: Any, make_ticket: Any, mail_server: Any, susi: Any) -> None:
    ticket = make_ticket()
    saying = outgoing(seen=queries.newest(session, ticket.id))
    first, again = (service.answer(session, susi, ticket.id, saying) for _ in range(2))
    assert first.id == again.id
    assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_who_answers_second_reads_first_what_the_other_said(
    session: Any, people: Any, make_ticket: Any, mail_server: Any, susi: Any
) -> None:
    ticket = make_ticket()
    seen = queries.newest(session, ticket.id)
    sepp = scope_of(session, people["sepp"], source="api")
    service.answer(session, sepp, ticket.id, outgoing("It is on its way.", "sepp-1", seen=seen))
    with pytest.raises(AnsweredMeanwhile, match="nothing was sent"):
        service.answer(session, susi, ticket.id, outgoing(key="susi-1", seen=seen))
    assert session.scalar(select(func.count()).select_from(Message)) == 1
    service.answer(session, susi, ticket.id, outgoing(key="susi-1", seen=queries.newest(session, ticket.id)))
    assert session.scalar(select(func.count()).select_from(Message)) == 2


def test_an_internal_note_leaves_nothing_and_stops_no_clock(session: Any, make_ticket: Any, susi: Any) -> None:
    ticket = make_ticket()
    note = outgoing("Ask Rita.", kind=MessageKind.INTERNAL, seen=queries.newest(session, ticket.id))
    service.answer(session, susi, ticket.id, note)
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    assert (ticket.state, ticket.answered_at) == (TicketState.NEW, None)
    assert ticket.clock_since is not None


def test_without_an_address_nothing_can_be_answered(
    session: Any, make_ticket: Any, mail_server: Any, susi: Any
) -> None:
    ticket = make_ticket(requester_email=None)
    with pytest.raises(Conflict, match="address"):
        service.answer(session, susi, ticket.id, outgoing(seen=queries.newest(session, ticket.id)))


def test_a_file_that_is_too_large_is_named(make_ticket: Any) -> None:
    with pytest.raises(TooLarge, match=r"film\.mov"):
        make_ticket(files=(NewFile("film.mov", "video/quicktime", b"x" * 16_000_000),))


def test_messages_are_only_ever_appended(session: Any, make_ticket: Any) -> None:
    make_ticket()
    for statement in ("update ticket_message set body = 'other'", "delete from ticket_message"):
        with pytest.raises(DBAPIError, match="only ever appended"), session.begin_nested():
            session.execute(text(statement))


def test_an_answer_opens_a_solved_ticket_again_and_later_a_new_one(session: Any, make_ticket: Any, susi: Any) -> None:
    ticket = make_ticket()
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "solved"})
    assert service.hear(session, ticket.id, "Cold again.").id == ticket.id
    assert (ticket.state, ticket.solved_at) == (TicketState.WAITING_US, None)
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "solved"})
    long_ago(ticket, 15)
    session.flush()
    other = service.hear(session, ticket.id, "Cold for the third time.")
    assert (other.follows_id, other.requester_email, other.state) == (ticket.id, "chef@example.com", TicketState.NEW)
    assert ticket.state == TicketState.SOLVED


def test_an_answer_to_somebody_who_has_left_is_told_to_those_who_work_the_queue(
    session: Any, make_ticket: Any, people: Any, queue: Any
) -> None:
    ticket = make_ticket(assignee_id=people["rita"].id)
    queue.agent_ids = [people["susi"].id]
    people["rita"].active = False
    session.flush()
    service.hear(session, ticket.id, "Cold again.")
    told = select(Notification.user_id).where(Notification.row_id == ticket.id)
    assert session.scalars(told).all() == [people["susi"].id]


def test_a_system_message_is_none_that_an_answer_has_to_see(session: Any, make_ticket: Any, susi: Any) -> None:
    ticket = make_ticket()
    seen = queries.newest(session, ticket.id)
    service.edit(session, susi, ticket.id, ticket.rev, {"priority": "high"})
    assert queries.newest(session, ticket.id) == seen
    kinds = [kind for (kind,) in session.execute(select(TicketMessage.kind).order_by(TicketMessage.at))]
    assert kinds == ["incoming", "system"]
