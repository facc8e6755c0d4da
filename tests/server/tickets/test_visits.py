"""Request visit: a ticket wants a visit, the stop says why, the ticket hears of it."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Account
from server.activities.models import VisitState
from server.auth.access import scope_of
from server.demands.models import DemandState
from server.kit.errors import Conflict, NotFound
from server.plans import service as plans
from server.tickets import queries, service, visits
from server.tickets.models import Ticket
from server.tickets.visits import VisitWish
from tests.server.demands.test_demands import report, stops_of


@pytest.fixture
def susi(session: Any, people: Any) -> Any:
    return scope_of(session, people["susi"], source="api")


@pytest.fixture
def ticket(people: Any, make_account: Any, make_ticket: Any) -> Any:
    amann = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    return make_ticket(account_id=amann.id, priority="urgent")


def test_a_ticket_without_an_account_is_nowhere_to_drive_to(make_ticket: Any, session: Any, susi: Any) -> None:
    with pytest.raises(Conflict, match="no account"):
        visits.request_visit(session, susi, make_ticket().id, VisitWish(date(2030, 1, 1)))


def test_who_may_not_ask_at_the_account_asks_for_no_visit(
    session: Any, people: Any, make_account: Any, make_ticket: Any
) -> None:
    amann = make_account("Amann", (9.51, 47.1), owner_id=people["nora"].id)
    ticket = make_ticket(account_id=amann.id, assignee_id=people["rita"].id)
    rita = scope_of(session, people["rita"], source="api")
    with pytest.raises(NotFound):
        visits.request_visit(session, rita, ticket.id, VisitWish(date(2030, 1, 1)))


def test_the_stop_says_the_ticket_and_the_ticket_says_that_the_visit_took_place(
    session: Any, people: Any, ticket: Any, plan_now: Any, monday: date, susi: Any
) -> None:
    demand = visits.request_visit(session, susi, ticket.id, VisitWish(monday + timedelta(days=1)))
    assert demand.prize_s == visits.PRIZES_S["urgent"]
    plan = plan_now(people["mona"], [people["rita"]], monday)
    (stop,) = stops_of(session, plan)
    assert stop.why.startswith(f"Ticket #{ticket.number}: The oven is cold.")
    plans.publish(session, scope_of(session, people["mona"], source="api"), plan.id)
    assert demand.state == DemandState.PLANNED
    report(session, session.get_one(Account, ticket.account_id), people["rita"], stop.visit_id, VisitState.DONE)
    assert [visits.note_visits(session), visits.note_visits(session)] == [1, 0]
    said = [one.message.body for one in queries.conversation(session, ticket.id)]
    assert said[-1] == "The visit took place; the ticket can be solved."
    again = visits.request_visit(session, susi, ticket.id, VisitWish(monday + timedelta(days=9)))
    assert (again.id != demand.id, again.state) == (True, DemandState.OPEN)


def test_a_solved_ticket_wants_no_visit(session: Any, ticket: Any, susi: Any) -> None:
    demand = visits.request_visit(session, susi, ticket.id, VisitWish(date(2030, 1, 1)))
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "solved"})
    assert demand.state == DemandState.WITHDRAWN
    with pytest.raises(Conflict, match="over"):
        visits.request_visit(session, susi, ticket.id, VisitWish(date(2030, 1, 1)))


def test_asking_again_changes_what_is_wanted(session: Any, clients: Any, ticket: Any) -> None:
    path = f"/api/v1/tickets/{ticket.id}/visit"
    first = clients["susi"].put(path, json={"deadline": "2030-01-01"}).json()
    again = clients["susi"].put(path, json={"deadline": "2030-01-05"}).json()
    assert (again["id"], again["deadline"]) == (first["id"], "2030-01-05")
    assert clients["susi"].delete(path).status_code == 204
    assert clients["susi"].delete(path).status_code == 409
    assert session.scalars(select(Ticket.state)).one() == "new"
