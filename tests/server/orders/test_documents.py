"""A document on paper and in the post: the same bytes for the same document, one mail for each address."""

from typing import Any

import pytest
from sqlalchemy import select

from server.auth.access import Scope
from server.contacts.consent import NotWanted
from server.contacts.models import Contact
from server.mail import service as mail
from server.mail.models import Message
from server.orders import mailing, printing, service
from server.orders.errors import WrongState
from server.orders.models import Order
from server.orders.service import NewLine, NewOrder


@pytest.fixture
def placed(session: Any, scope: Any, rita: Any, amann: Any, make_product: Any) -> Order:
    make_product("P-1", "Kaffee “Größe L” 1 kg", "12.505")
    service.write_letterhead(session, address="Dorf 1\n9490 Vaduz", footer="CHE-123", terms_de="30 Tage netto")
    new = NewOrder(amann.id, lines=[NewLine(code="P-1", fields={"quantity": "1200"})], fields={"language": "de"})
    return service.place(session, scope(rita), service.draft(session, scope(rita), new).id)


def test_the_same_document_is_the_same_bytes(session: Any, placed: Order) -> None:
    paper = printing.paper_of(session, placed)
    assert printing.render(paper) == printing.render(printing.paper_of(session, placed))
    assert paper.title == f"Auftragsbestätigung {placed.number}"
    assert (paper.terms, paper.money(paper.sums.net)) == ("30 Tage netto", "15.006,00")


def test_a_document_is_read_by_who_sees_the_order(client_for: Any, rita: Any, otto: Any, placed: Order) -> None:
    path = f"/api/v1/orders/{placed.id}/document.pdf"
    answer = client_for(rita).get(path)
    assert answer.content.startswith(b"%PDF")
    assert f"{placed.number}.pdf" in answer.headers["content-disposition"]
    assert client_for(otto).get(path).status_code == 404


def test_the_same_document_goes_to_an_address_once(session: Any, scope: Any, rita: Any, placed: Order) -> None:
    hers: Scope = scope(rita)
    with pytest.raises(mail.NoMailServer):
        mailing.send(session, hers, placed.id, "buyer@example.com")
    mail.configure(session, mail.Setup("mail.example.com", 587, "starttls", "sales@example.com"))
    first = mailing.send(session, hers, placed.id, "buyer@example.com")
    assert mailing.send(session, hers, placed.id, "Buyer@example.com").id == first.id
    mailing.send(session, hers, placed.id, "other@example.com")
    assert len(session.scalars(select(Message)).all()) == 2
    assert first.attachments[0].name == f"{placed.number}.pdf"


def test_no_document_goes_to_whoever_wants_no_mail(session: Any, scope: Any, rita: Any, placed: Order) -> None:
    mail.configure(session, mail.Setup("mail.example.com", 587, "starttls", "sales@example.com"))
    session.add(Contact(last_name="Stumm", mail_addresses=["stumm@x.example"], do_not_contact=True, custom={}))
    session.flush()
    with pytest.raises(NotWanted, match="must not be written to"):
        mailing.send(session, scope(rita), placed.id, "Stumm@x.example")


def test_a_draft_is_not_mailed(session: Any, scope: Any, rita: Any, amann: Any) -> None:
    draft = service.draft(session, scope(rita), NewOrder(amann.id, currency="CHF"))
    with pytest.raises(WrongState, match="not mailed"):
        mailing.send(session, scope(rita), draft.id, "buyer@example.com")
