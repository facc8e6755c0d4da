"""Deals, orders, tickets, activities and notes from a file: checked, recognised again, undone whole."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.activities.agenda.models import Activity
from server.activities.notes.models import Note
from server.exchange.kinds import KINDS
from server.imports import guessing
from server.opportunities import pipelines, queries
from server.opportunities.models import Opportunity, StageChange
from server.orders.models import Order, OrderLine
from server.tickets.models import Ticket, TicketMessage
from server.web.language import wording
from tests.server.exchange.conftest import Files, counts


@pytest.fixture
def beck(session: Session, make_account: Any, files: Files) -> Any:
    """An account with its number, a pipeline, a queue, a product."""
    pipelines.create_usual(session)
    files.client.post("/api/v1/ticket-queues", json={"name": "Help", "hours": "24/7"})
    files.client.post("/api/v1/products", json={"number": "P-1", "name": "Coffee", "unit": "kg"})
    return make_account("Beck AG", number="K-1")


DEALS = """Deal No;Title;Kundennr;Stage;Value;Close date;Closed on;Owner
D-1;Beans;K-1;Won;12'500.50;;12.03.2025;rita
D-2;Machines;Beck AG;;800;2031-05-01;;
D-3;Nothing;K-1;Nowhere;;2031-05-01;;nobody
D-4;No day;K-1;;;;;
"""


def test_deals_come_in_with_their_stage(session: Session, files: Files, beck: Any, rita: Any) -> None:
    run = files.check("opportunities", DEALS)
    assert counts(run) == {"create": 2, "error": 2}
    said = files.problems(run)
    assert "there is no stage “Nowhere”" in said[4]
    assert "there is no user “nobody”" in said[4]
    assert "Expected close: is missing" in said[5]
    run = files.apply("opportunities", DEALS)
    deals = {deal.number: deal for deal in session.scalars(select(Opportunity))}
    won, begun = deals["D-1"], deals["D-2"]
    assert (won.state, won.amount, won.owner_id, won.close_on.isoformat()) == (
        "won", Decimal("12500.50"), rita.id, "2025-03-12",
    )  # fmt: skip
    assert (begun.state, begun.account_id, begun.next_step_on) == ("open", beck.id, begun.close_on)
    assert counts(files.check("opportunities", DEALS)) == {"unchanged": 2, "error": 2}
    lost = files.apply("opportunities", "number,stage,closed on\nD-2,Lost,2026-01-05\n")
    session.expire_all()
    assert (begun.state, begun.closed_at and begun.closed_at.year) == ("lost", 2026)
    assert files.undo(lost)["restored"] == 1
    session.expire_all()
    assert (begun.state, begun.closed_at) == ("open", None)
    way = session.scalars(select(StageChange.to_stage_id).where(StageChange.opportunity_id == begun.id))
    assert way.all()[-1] == begun.stage_id
    assert files.undo(run)["removed"] == 2


def test_an_unknown_stage_is_told_those_that_there_are(session: Session, files: Files, beck: Any) -> None:
    run = files.check(
        "opportunities",
        "Name;Kunde;Phase;Abschluss\nA;Beck AG;Nowhere;2026-12-01\nB;Beck AG;Sales / Nowhere;2026-12-01\n",
    )
    said = files.problems(run)
    known = ", ".join(one.name for one in queries.stages(session, queries.pipelines(session)[0].id))
    assert f"Known stages: {known}." in said[2]
    assert f"Known stages: {known}." in said[3]
    german = wording("de").said(said[2])
    assert german == f"Stufe: Es gibt keine Stufe «Nowhere». Bekannte Stufen: {known}."


@pytest.mark.parametrize("title", ["Konto", "Firma", "Kunde", "Account"])
def test_an_account_is_known_by_its_usual_titles_in_every_kind(session: Session, files: Files, title: str) -> None:
    for name, kind in KINDS.items():
        columns = kind.target(session).columns
        found = guessing.guess([title], [["Beck AG"]], columns).get("0")
        wanted = {"accounts": "name", "leads": "company", "contacts": "account_number", "products": None}
        assert found == wanted.get(name, "account"), (name, title)


def test_an_amount_has_the_decimals_of_its_currency_and_half_of_one_goes_up(
    session: Session, files: Files, beck: Any
) -> None:
    rows = "D-7;Oil;K-1;1.0005;KWD;2031-05-01\nD-8;Tea;K-1;0.125;EUR;2031-05-01\n"
    run = files.apply("opportunities", "Deal No;Title;Kundennr;Value;Currency;Close date\n" + rows)
    deals = {deal.number: str(deal.amount) for deal in session.scalars(select(Opportunity))}
    assert deals == {"D-7": "1.001", "D-8": "0.13"}
    assert files.problems(run)[3] == "Amount: “0.125” has more decimals than EUR; taken as 0.13."
    rows = "D-7;Oil;K-1;2.0005;2031-05-01\nD-8;Tea;K-1;2.0005;2031-05-01\nD-9;Rye;K-1;2.0005;2031-05-01\n"
    run = files.apply("opportunities", "Deal No;Title;Kundennr;Value;Close date\n" + rows)
    session.expire_all()
    deals = {deal.number: str(deal.amount) for deal in session.scalars(select(Opportunity))}
    assert deals == {"D-7": "2.001", "D-8": "2", "D-9": "2"}, "a row without currency is about the deal's"


ORDERS = """Auftragsnr;Datum;Kundennr;Status;Artikelnr;Text;Menge;Preis;Rabatt;MwSt
A-1;2025-02-01;K-1;delivered;P-1;;3;9.99;10;8.1
A-1;2025-02-01;K-1;delivered;;Delivery;1;7;;8.1
A-2;2025-02-02;K-1;placed;P-9;;1;5;;0
A-3;2025-02-03;K-1;draft;P-1;;0;5;;0
"""


def test_orders_come_in_with_their_lines_to_the_cent(session: Session, files: Files, beck: Any) -> None:
    run = files.check("orders", ORDERS)
    assert counts(run) == {"create": 2, "error": 2}
    said = files.problems(run)
    assert "there is no product “P-9”" in said[4]
    assert "State: “draft” is not known" in said[5]
    run = files.apply("orders", ORDERS)
    order = session.scalars(select(Order)).one()
    assert (order.number, order.net, order.tax, order.gross) == (
        "A-1", Decimal("33.97"), Decimal("2.75"), Decimal("36.72"),
    )  # fmt: skip
    lines = session.scalars(select(OrderLine).order_by(OrderLine.position)).all()
    assert [(one.text, one.unit, one.amount, one.delivered) for one in lines] == [
        ("Coffee", "kg", Decimal("26.97"), 3), ("Delivery", "pc", 7, 1),
    ]  # fmt: skip
    assert counts(files.check("orders", ORDERS)) == {"unchanged": 2, "error": 2}
    dearer = files.apply("orders", ORDERS.replace("Delivery;1;7", "Delivery;1;8"))
    session.expire_all()
    assert (counts(dearer)["update"], order.net) == (1, Decimal("34.97"))
    assert files.undo(dearer)["restored"] == 1
    session.expire_all()
    assert order.net == Decimal("33.97")
    exported = files.client.get("/api/v1/orders/export.csv").text
    assert counts(files.check("orders", exported)) == {"unchanged": 2}
    assert files.undo(run)["removed"] == 1
    assert counts(files.apply("orders", ORDERS)) == {"create": 2, "error": 2}, "the numbers are free again"


def test_an_order_that_was_written_here_is_not_changed_by_a_file(session: Session, files: Files, beck: Any) -> None:
    line = {"text": "Beans", "quantity": 1, "unit_price": 5}
    draft = files.client.post("/api/v1/orders", json={"account_id": str(beck.id), "lines": [line]}).json()
    order = session.get_one(Order, draft["id"])
    order.number, order.state = "O-2026-00001", "placed"
    session.flush()
    mixed = "number,day,account,text,quantity,price,position\n" + "".join(
        f"{number},{day},{account},More,1,1,{place}\n"
        for number, day, account, place in (
            ("O-2026-00001", "2026-01-01", "K-1", 7), ("O-2026-00002", "2026-01-01", "K-1", 1),
            ("B-1", "2026-01-01", "K-1", 1), ("B-1", "2026-01-02", "K-1", 2),
        )
    )  # fmt: skip
    run = files.check("orders", mixed)
    assert (run["counts"]["create"], run["counts"]["error"]) == (1, 3)
    said = files.problems(run)
    assert "O-2026-00001 was written here" in said[2]
    assert "looks like a number that Waymark gives" in said[3]
    assert "Row 4 says otherwise of the same order" in said[5]


TICKETS = """Case ID;Subject;Description;Kundennr;Status;Priority;Created;Solved
T-77;Cold;It is cold.;K-1;erledigt;hoch;2025-01-01 09:00;2025-01-02 10:00
T-78;Loud;;K-1;;;;
T-79;Wrong;;K-1;;;2025-01-02;2025-01-01
"""


def test_tickets_come_in_numbered_and_open_ones_get_their_clock(session: Session, files: Files, beck: Any) -> None:
    run = files.check("tickets", TICKETS)
    assert counts(run) == {"create": 2, "error": 1}
    run = files.apply("tickets", TICKETS)
    cold, loud = session.scalars(select(Ticket).order_by(Ticket.number))
    assert loud.number == cold.number + 1
    assert (cold.state, cold.priority, cold.clock_since) == ("solved", "high", None)
    assert loud.clock_since is not None
    assert session.scalars(select(TicketMessage.body).order_by(TicketMessage.at)).first() == "It is cold."
    assert counts(files.check("tickets", TICKETS)) == {"unchanged": 2, "error": 1}
    answer = files.check("tickets", f"number,subject\n{cold.number},Colder\n4711,New\n")
    assert counts(answer) == {"update": 1, "error": 1}
    assert "“Reference”" in files.problems(answer)[3]
    assert files.undo(run)["removed"] == 2
    assert counts(files.apply("tickets", TICKETS))["create"] == 2, "the references are free again"


ACTIVITIES = """Type;Subject;Kundennr;Date;Owner;Note;Activity ID
Anruf;Asked for prices;K-1;26.03.2025 10:30;rita;Wants ten.;
Meeting;No time;K-1;;rita;;
Task;Send the list;;;rita;;77
Fax;What;K-1;;;;
"""
NOTES = "Kundennr;Note;Date;Author\nK-1;Likes coffee.;2025-03-01;rita\nK-9;Nobody;;\n"


def test_activities_and_notes_come_in_as_history(session: Session, files: Files, beck: Any, rita: Any) -> None:
    run = files.check("activities", ACTIVITIES)
    assert counts(run) == {"create": 2, "error": 2}
    said = files.problems(run)
    assert "a meeting needs its time" in said[3]
    assert "“Fax” is not known" in said[5]
    run = files.apply("activities", ACTIVITIES)
    call, task = session.scalars(select(Activity).order_by(Activity.kind))
    assert (call.state, call.owner_id, call.at == call.starts_at == call.done_at) == ("done", rita.id, True)
    assert (task.state, task.reference, task.account_id) == ("open", "77", None)
    assert counts(files.check("activities", ACTIVITIES)) == {"unchanged": 2, "error": 2}
    noted = files.apply("notes", NOTES)
    note = session.scalars(select(Note)).one()
    assert (note.text, note.author_id, note.account_id) == ("Likes coffee.", rita.id, beck.id)
    assert counts(files.check("notes", NOTES)) == {"unchanged": 1, "error": 1}
    assert files.undo(noted)["removed"] == files.undo(run)["removed"] - 1 == 1
    assert session.scalar(select(func.count()).where(Activity.deleted_at.is_(None))) == 0


def test_nobody_brings_in_what_they_may_not(files_of: Any, make_user: Any, rita: Any, beck: Any) -> None:
    from server.auth.models import Role

    for user, code in ((None, 401), (rita, 403)):
        assert files_of(user).client.get("/api/v1/imports/kinds").status_code == code
    helper = files_of(make_user("sue", Role.SUPPORT))
    kinds = {one["name"] for one in helper.client.get("/api/v1/imports/kinds").json()["items"]}
    assert kinds == {"contacts", "tickets", "activities", "notes"}
    sent = helper.client.post("/api/v1/imports", files={"file": ("x.csv", b"number\n1\n")}, data={"kind": "orders"})
    assert sent.status_code == 403
    unknown = helper.client.post("/api/v1/imports", files={"file": ("x.csv", b"number\n1\n")}, data={"kind": "cars"})
    assert unknown.status_code == 404
