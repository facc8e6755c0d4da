"""From the form to the visit: a customer asks, somebody gets it, notes, answers by mail, and promises a time."""

import re
from datetime import time
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Account
from server.activities.models import Visit
from server.auth.access import scope_of
from server.auth.models import User
from server.auth.queries import user_by_login
from server.auth.service import set_working_day
from server.demands.models import DemandState, VisitDemand
from server.kit.database import transaction
from server.mail import jobs, service
from server.mail.models import Message
from server.tickets import forms, queues
from tests.server.mail.conftest import Peer, peer

__all__ = ["peer"]

pytestmark = pytest.mark.browser


@pytest.fixture
def support(live_server: str, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Peer:
    """A queue whose tickets go to who works the territory, a mail server, a rep with a home; nobody types slowly."""
    monkeypatch.setattr(forms, "LEAST_S", 0)
    with transaction() as session:
        service.configure(session, service.Setup("127.0.0.1", peer.port, "none", "help@example.com", "Help"))
        ada, rita = (user_by_login(session, login) for login in ("ada", "rita"))
        assert isinstance(ada, User)
        assert isinstance(rita, User)
        day = {"home": (9.52, 47.14), "home_name": "Home", "shift_start": time(8), "shift_end": time(17)}
        set_working_day(session, rita.id, day)
        queue = {"name": "Service", "hours": "24/7", "form_is_open": True, "assignment": "territory"}
        queues.create(session, scope_of(session, ada, source="web"), queue)
        account = session.scalars(select(Account).where(Account.name == "Bäckerei Amann")).one()
        account.email = "chef@example.com"
    return peer


def test_from_the_form_to_a_promised_visit(page: Any, support: Peer) -> None:
    page.goto("/help/service")
    page.fill("#f-requester_email", "Chef@example.com")
    page.fill("#f-subject", "The oven is cold")
    page.fill("#f-body", "Since this morning it does not heat.")
    page.click("button.primary")
    page.wait_for_selector("text=#1001")

    page.goto("/tickets")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/tickets/[0-9a-f-]{36}"))
    assert "Given to Rita Frick, who works the territory." in page.inner_text("#conversation")
    assert "Bäckerei Amann" in page.inner_text("#customer")

    page.keyboard.press("i")
    page.keyboard.type("Rita, do you have the part?")
    page.click("#send")
    page.wait_for_selector(".message.internal")
    page.keyboard.press("r")
    page.keyboard.type("We come and look at it.")
    page.click("#send")
    page.wait_for_selector(".message.outgoing")
    page.wait_for_selector("text=waits for the customer")
    with transaction() as session:
        keys = session.scalars(select(Message.id).order_by(Message.created_at)).all()
    for key in keys:
        jobs.send(str(key))
    confirmation, answer = support.got
    assert confirmation["Auto-Submitted"] is not None
    assert answer["Subject"] == "Re: The oven is cold [#1001]"
    assert confirmation["Message-ID"] != answer["Message-ID"]
    assert "We come and look at it." in answer.get_content()
    assert "Rita, do you have the part?" not in answer.get_content(), "what is internal stays inside"

    page.click("text=Request visit >> nth=0")
    page.click(".slot >> nth=0")
    page.wait_for_url(re.compile("/tickets/[0-9a-f-]{36}$"))
    assert "Rita Frick" in page.inner_text("#visit")
    with transaction() as session:
        demand = session.scalars(select(VisitDemand)).one()
        visit = session.get_one(Visit, demand.visit_id)
    assert (demand.state, demand.origin_key) == (DemandState.PLANNED, "1001")
    assert visit.objective == "Ticket #1001: The oven is cold"

    page.goto(f"/accounts/{demand.account_id}")
    page.wait_for_selector("#tickets >> text=The oven is cold")
