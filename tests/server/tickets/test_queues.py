"""Queues: to whom they give their tickets, by which targets, and who changes them."""

from datetime import timedelta
from typing import Any

import pytest

from server.kit.errors import Conflict, Invalid
from server.tickets import queries, queues
from server.tickets.models import Ticket
from tests.server.tickets.conftest import NOBODY


def words_of(session: Any, ticket: Ticket) -> list[str]:
    """What the conversation says, with the gaps of system messages filled."""
    return [said.message.body.format(**said.message.values) for said in queries.conversation(session, ticket.id)]


@pytest.mark.parametrize(
    ("rule", "expected", "why"),
    [
        ("hand", None, None),
        ("owner", "rita", "owns the account"),
        ("round_robin", "susi", "is next in turn"),
        ("least_loaded", "susi", "has the fewest open tickets"),
    ],
)
def test_a_queue_gives_its_tickets_by_its_rule_and_says_why(
    session: Any, people: Any, make_account: Any, make_queue: Any, make_ticket: Any, rule: str, expected: Any, why: Any
) -> None:
    amann = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    agents = [people["susi"].id, people["sepp"].id]
    queue = make_queue("Repairs", assignment=rule, agent_ids=agents)
    ticket = make_ticket(queue_id=queue.id, account_id=amann.id)
    assert ticket.assignee_id == (people[expected].id if expected else None)
    assert any(why in words for words in words_of(session, ticket)) if why else ticket.assignee_id is None


def test_turns_go_round_and_the_least_loaded_is_next(people: Any, make_queue: Any, make_ticket: Any) -> None:
    agents = [people["susi"].id, people["sepp"].id]
    turns = make_queue("Turns", assignment="round_robin", agent_ids=agents)
    assert [make_ticket(queue_id=turns.id).assignee_id for _ in range(3)] == [*agents, agents[0]]
    least = make_queue("Least", assignment="least_loaded", agent_ids=agents)
    assert make_ticket(queue_id=least.id).assignee_id == agents[1], "who has one, not two"


def test_a_queue_with_other_targets_counts_its_tickets_anew(
    session: Any, make_ticket: Any, queue: Any, susi: Any
) -> None:
    ticket = make_ticket()
    queues.edit(session, susi, queue.id, queue.rev, {"targets": {"normal": {"answer": 10, "solve": 20}}})
    assert ticket.solve_due_at - ticket.opened_at == timedelta(minutes=20)
    assert ticket.answer_due_at - ticket.opened_at == timedelta(minutes=10)


def test_a_queue_in_which_tickets_wait_stays(session: Any, make_ticket: Any, queue: Any, susi: Any) -> None:
    make_ticket()
    with pytest.raises(Conflict, match="1 tickets wait"):
        queues.remove(session, susi, queue.id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": "off"}, "hours"), ({"hours": "always"}, "hours"), ({"zone": "Mars"}, "zone"),
        ({"targets": {"normal": {"answer": 60, "solve": 30}}}, "targets"), ({"country": "Atlantis"}, "country"),
        ({"form_key": "no good"}, "form_key"), ({"mail_address": "nobody"}, "mail_address"),
        ({"agent_ids": [str(NOBODY)]}, "agent_ids"), ({"reopen_days": 1000}, "reopen_days"),
    ],
)  # fmt: skip
def test_a_queue_that_makes_no_sense_is_refused_by_field(
    session: Any, queue: Any, susi: Any, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        queues.edit(session, susi, queue.id, queue.rev, change)
    assert refused.value.details["field"] == field


def test_two_queues_cannot_share_an_address(make_queue: Any, queue: Any) -> None:
    with pytest.raises(Conflict, match="belongs to the queue “Support”"):
        make_queue("Other", mail_address="help@example.com")


def test_only_those_who_give_tickets_to_everybody_change_queues(clients: Any, queue: Any) -> None:
    assert clients["mona"].post("/api/v1/ticket-queues", json={"name": "Mine"}).status_code == 403
    assert clients["rita"].post("/api/v1/ticket-queues", json={"name": "Mine"}).status_code == 403
    assert clients["susi"].post("/api/v1/ticket-queues", json={"name": "Ours"}).status_code == 201


def test_a_canned_answer_fills_its_gaps_and_refuses_others(session: Any, make_ticket: Any, susi: Any) -> None:
    ticket = make_ticket()
    body = "Dear {name}, {number} is solved. {agent}, {company}"
    answer = queues.save_answer(session, susi, None, 0, {"title": "Solved", "body": body})
    row = queries.detail(session, susi, ticket.id)
    assert queues.filled(answer, row, "Susi").startswith(f"Dear Chef, #{ticket.number} is solved. Susi, ")
    with pytest.raises(Invalid, match=r"\{price\}"):
        queues.save_answer(session, susi, None, 0, {"title": "Offer", "body": "It costs {price}."})
