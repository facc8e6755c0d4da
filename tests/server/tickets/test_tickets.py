"""Tickets: who sees them, numbered, due, merged, listed and told of."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts.queries import family
from server.auth.access import scope_of
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound
from server.tickets import joining, queries, service, timing
from server.tickets.models import ClockEvent, Ticket, TicketState
from server.webhooks import service as webhooks
from server.webhooks.models import Delivery
from tests.server.tickets.conftest import NOBODY, outgoing


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    one = f"/api/v1/tickets/{NOBODY}"
    paths = [
        ("get", "/api/v1/tickets"), ("post", "/api/v1/tickets"), ("get", one), ("patch", one), ("delete", one),
        ("get", f"{one}/messages"), ("post", f"{one}/messages"), ("post", f"{one}/merge"), ("put", f"{one}/visit"),
        ("get", f"{one}/files/{NOBODY}"), ("get", "/api/v1/tickets/report"), ("get", "/api/v1/tickets/export.csv"),
        ("get", "/api/v1/ticket-queues"), ("get", "/tiles/tickets/10/539/359"), ("post", "/api/v1/ticket-answers"),
    ]  # fmt: skip
    for method, path in paths:
        assert getattr(client_for(None), method)(path).status_code == 401, path


def test_tickets_of_somebody_elses_account_do_not_exist(
    people: Any, clients: Any, make_account: Any, make_ticket: Any
) -> None:
    amann = make_account("Amann", (9.51, 47.1), owner_id=people["nora"].id)
    ticket = make_ticket(account_id=amann.id)
    path = f"/api/v1/tickets/{ticket.id}"
    rita, nora = clients["rita"], clients["nora"]
    assert rita.get("/api/v1/tickets").json()["items"] == []
    for method, url, body in [
        ("get", path, None), ("get", f"{path}/messages", None), ("patch", path, {"priority": "low"}),
        ("post", f"{path}/messages", {"kind": "internal", "body": "x", "key": "1"}),
        ("put", f"{path}/visit", {"deadline": "2030-01-01"}), ("post", f"{path}/merge", {"ticket_id": str(ticket.id)}),
    ]:  # fmt: skip
        more = {"json": body} if body else {}
        assert getattr(rita, method)(url, headers={"If-Match": '"1"'}, **more).status_code in (404, 422), url
    assert "Amann" not in rita.get("/api/v1/tickets/export.csv").text
    assert [one["number"] for one in nora.get("/api/v1/tickets").json()["items"]] == [ticket.number]


def test_a_ticket_without_an_account_is_seen_by_support_and_its_assignee(
    session: Any, people: Any, clients: Any, make_ticket: Any, susi: Any
) -> None:
    ticket = make_ticket()
    assert clients["rita"].get(f"/api/v1/tickets/{ticket.id}").status_code == 404
    service.assign(session, susi, ticket.id, people["rita"].id)
    assert clients["rita"].get(f"/api/v1/tickets/{ticket.id}").status_code == 200
    assert clients["mona"].get(f"/api/v1/tickets/{ticket.id}").status_code == 200, "who leads Rita sees hers"


def test_the_tile_shows_the_open_tickets_that_somebody_may_see_at_their_site_or_their_accounts(
    session: Any, people: Any, clients: Any, make_account: Any, make_ticket: Any, susi: Any
) -> None:
    amann = make_account("Amann", (9.51, 47.1), owner_id=people["nora"].id)
    oven, solved = make_ticket(account_id=amann.id), make_ticket("The lamp", account_id=amann.id)
    service.edit(session, susi, solved.id, solved.rev, {"state": "solved"})
    make_ticket("Without a place")
    tile = "/tiles/tickets/10/539/359"

    def seen(login: str, **asked: str) -> bytes:
        content: bytes = clients[login].get(tile, params=asked).content
        return content

    assert b"The oven is cold" in seen("nora")
    assert b"The lamp" not in seen("nora")
    assert b"The lamp" in seen("nora", filter="state = solved")
    assert b"chef@example.com" not in seen("susi"), "who asks stands in no tile"
    assert b"oven" not in seen("rita")
    assert b"count" in clients["susi"].get("/tiles/tickets/5/16/11").content
    card = {"params": {"ids": [str(oven.id)]}, "headers": {"accept": "text/html"}}
    assert "The oven is cold" in clients["nora"].get("/tickets/card", **card).text
    assert "The oven is cold" not in clients["rita"].get("/tickets/card", **card).text


def test_numbers_have_no_gaps(session: Any, make_ticket: Any) -> None:
    first = make_ticket().number
    with pytest.raises(Invalid), session.begin_nested():
        make_ticket(site_id=NOBODY)
    assert [make_ticket().number, make_ticket().number] == [first + 1, first + 2]


def test_the_same_key_is_the_same_ticket(session: Any, make_ticket: Any) -> None:
    assert make_ticket(key="phone-1").id == make_ticket(key="phone-1").id
    assert session.scalar(select(func.count()).select_from(Ticket)) == 1


def test_a_known_address_finds_its_account(people: Any, make_account: Any, make_ticket: Any) -> None:
    amann = make_account("Amann", (9.51, 47.1), email="Chef@Example.com")
    assert make_ticket().account_id == amann.id


def test_two_people_who_change_different_fields_both_win(session: Any, clients: Any, make_ticket: Any) -> None:
    path = f"/api/v1/tickets/{make_ticket().id}"
    tag = clients["susi"].get(path).headers["etag"]
    assert clients["susi"].patch(path, json={"priority": "high"}, headers={"If-Match": tag}).status_code == 200
    assert clients["sepp"].patch(path, json={"tags": ["oven"]}, headers={"If-Match": tag}).status_code == 200
    clash = clients["sepp"].patch(path, json={"priority": "low"}, headers={"If-Match": tag})
    assert clash.status_code == 412
    assert clash.json()["conflicts"][0]["stored"] == "high"
    found = clients["susi"].get(path).json()
    assert (found["priority"], found["tags"]) == ("high", ["oven"])


def test_a_rep_takes_tickets_and_gives_them_to_nobody_else(
    session: Any, people: Any, make_account: Any, make_ticket: Any
) -> None:
    amann = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    ticket = make_ticket(account_id=amann.id)
    rita = scope_of(session, people["rita"], source="api")
    assert service.assign(session, rita, ticket.id, rita.user_id).state == TicketState.OPEN
    with pytest.raises(Forbidden):
        service.assign(session, rita, ticket.id, people["otto"].id)


def test_a_more_urgent_ticket_is_due_earlier(session: Any, make_ticket: Any, susi: Any) -> None:
    ticket = make_ticket()
    before = ticket.solve_due_at
    service.edit(session, susi, ticket.id, ticket.rev, {"priority": "urgent"})
    assert ticket.solve_due_at < before
    assert ticket.solve_due_at - ticket.opened_at == timedelta(minutes=480)


def test_waiting_for_the_customer_takes_no_time(session: Any, make_ticket: Any, queue: Any, susi: Any) -> None:
    ticket = make_ticket()
    ticket.clock_since -= timedelta(minutes=30)
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "waiting_customer"})
    assert ticket.used_s == pytest.approx(1800, abs=5)
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "open"})
    assert (ticket.solve_due_at - clock.now()).total_seconds() == pytest.approx((1920 - 30) * 60, abs=10)


def test_what_is_missed_is_written_down_once(session: Any, make_ticket: Any, queue: Any, susi: Any) -> None:
    ticket = make_ticket()
    hours = timing.hours_of(session, queue)
    late = ticket.answer_due_at + timedelta(minutes=7)
    assert len(timing.note_missed(session, ticket, hours, late)) == 1
    assert timing.note_missed(session, ticket, hours, late) == []
    [event] = session.scalars(select(ClockEvent)).all()
    assert (event.kind, event.event, event.late_s) == ("answer", "breach", 420)


def test_an_answer_that_comes_too_late_does_not_hide_the_miss(
    session: Any, make_ticket: Any, mail_server: Any, susi: Any
) -> None:
    ticket = make_ticket()
    ticket.answer_due_at = clock.now() - timedelta(minutes=5)
    service.answer(session, susi, ticket.id, outgoing(seen=queries.newest(session, ticket.id)))
    assert [event.kind for event in queries.clock_events(session, ticket.id)] == ["answer"]


def test_a_merged_ticket_lives_on_in_the_other_until_they_are_taken_apart(
    session: Any, make_ticket: Any, susi: Any
) -> None:
    one, other = make_ticket(), make_ticket("It smells")
    joining.merge(session, susi, one.id, other.id)
    joining.merge(session, susi, one.id, other.id)
    assert queries.surviving(session, other.id) == one.id
    assert {said.number for said in queries.conversation(session, one.id)} == {one.number, other.number}
    assert (other.clock_since, queries.page(session, susi).total) == (None, 1)
    assert service.hear(session, other.id, "Still there?").id == one.id
    with pytest.raises(Conflict, match="merged"):
        joining.merge(session, susi, other.id, one.id)
    joining.take_apart(session, susi, other.id)
    assert queries.page(session, susi).total == 2
    assert other.clock_since is not None


def test_links_go_both_ways(session: Any, make_ticket: Any, susi: Any) -> None:
    one, other = make_ticket(), make_ticket("It smells")
    for _ in range(2):
        joining.link(session, susi, other.id, one.id)
    assert [t.id for t in queries.linked(session, susi, one.id)] == [other.id]
    joining.unlink(session, susi, one.id, other.id)
    assert queries.linked(session, susi, other.id) == []


def test_a_deleted_ticket_can_be_brought_back(session: Any, make_ticket: Any, susi: Any) -> None:
    ticket = make_ticket()
    service.delete(session, susi, ticket.id)
    with pytest.raises(NotFound):
        queries.find(session, susi, ticket.id)
    service.restore(session, susi, ticket.id)
    assert queries.find(session, susi, ticket.id).clock_since is not None


def test_lists_are_filtered_sorted_and_paged(session: Any, clients: Any, make_ticket: Any) -> None:
    for subject, priority in [("a", "urgent"), ("b", "low"), ("c", "normal")]:
        make_ticket(subject, priority=priority)
    seen, cursor = [], None
    while len(seen) < 3:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        answer = clients["susi"].get("/api/v1/tickets", params=query).json()
        seen += [one["subject"] for one in answer["items"]]
        cursor = answer["next_cursor"]
    assert (seen, cursor, answer["total"]) == (["a", "c", "b"], None, 3)
    found = clients["susi"].get("/api/v1/tickets", params={"filter": 'open = true and priority in ("low", "urgent")'})
    assert {one["subject"] for one in found.json()["items"]} == {"a", "b"}
    assert clients["susi"].get("/api/v1/tickets", params={"filter": "colour = red"}).status_code == 422
    number = found.json()["items"][0]["number"]
    assert clients["susi"].get("/api/v1/tickets", params={"q": f"#{number}"}).json()["total"] == 1


def test_an_exported_formula_does_nothing(clients: Any, make_ticket: Any) -> None:
    make_ticket('=cmd|"/c calc"!A1')
    assert "'=cmd" in clients["susi"].get("/api/v1/tickets/export.csv").text
    assert clients["susi"].get("/api/v1/tickets/export.xlsx").content[:2] == b"PK"


def test_every_number_of_the_report_is_that_of_its_list(
    session: Any, clients: Any, make_ticket: Any, susi: Any
) -> None:
    ticket, other = make_ticket(), make_ticket("It smells")
    other.opened_at -= timedelta(days=5)
    service.edit(session, susi, ticket.id, ticket.rev, {"state": "solved"})
    found = clients["susi"].get("/api/v1/tickets/report").json()
    for group in found["ages"]:
        listed = clients["susi"].get("/api/v1/tickets", params={"filter": filter_of(group)}).json()
        assert listed["total"] == group["open"], group
    [figures] = found["queues"]
    assert (figures["opened"], figures["solved"], figures["solutions"]["count"]) == (2, 1, 1)


def filter_of(group: dict[str, Any]) -> str:
    ends = f" and age <= {group['high']}" if group["high"] is not None else ""
    return f"open = true and age >= {group['low']}{ends}"


def test_a_timeline_tells_of_tickets_and_only_of_those_one_may_see(
    session: Any, people: Any, make_account: Any, make_ticket: Any, susi: Any
) -> None:
    amann = make_account("Amann", (9.51, 47.1), owner_id=people["nora"].id)
    ticket = make_ticket(account_id=amann.id)
    [row] = session.execute(queries.happenings(susi, family(amann.id))).all()
    assert (row.kind, row.id, row.title) == ("ticket", ticket.id, f"#{ticket.number} The oven is cold")
    rita = scope_of(session, people["rita"], source="api")
    assert session.execute(queries.happenings(rita, family(amann.id))).all() == []


def test_webhooks_are_told_once_per_revision(session: Any, make_ticket: Any) -> None:
    webhooks.add(session, "Other", "https://example.com/hook", ["ticket", "ticket_message"])
    ticket = make_ticket()
    found = session.execute(select(Delivery.type, Delivery.row_id)).all()
    assert ("ticket", str(ticket.id)) in found
    assert {type_ for type_, _ in found} == {"ticket", "ticket_message"}
