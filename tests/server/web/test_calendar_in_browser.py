"""The calendar in a real browser: a call is logged, a meeting dragged, a task finished by key, a mail answered."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from server.accounts.models import Account
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.service import NewActivity
from server.auth.queries import user_by_login
from server.inbox import jobs as inbox
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.mail import jobs as mail_jobs
from server.mail import mailboxes
from server.mail import service as mail
from server.mail.models import Message
from server.mail.receiving_models import ReceivedMail
from tests.server.mail.conftest import Peer, peer  # noqa: F401 (a fixture)
from tests.server.mail.imap_peer import serving

pytestmark = pytest.mark.browser


def stored(subject: str) -> Activity:
    with transaction() as session:
        return session.scalars(select(Activity).where(Activity.subject == subject)).one()


def account() -> UUID:
    with transaction() as session:
        found = session.scalars(select(Account).where(Account.name == "Garage Beck")).one()
        found.email = "beck@garage.example"
        return found.id


def planned(kind: Kind, subject: str, **values: Any) -> UUID:
    with transaction() as session:
        ada = user_by_login(session, "ada")
        assert ada is not None
        return agenda.add(session, NewActivity(kind, ada.id, {"subject": subject, **values})).id


def test_a_call_is_logged_with_its_next_step_and_the_task_is_done_by_one_key(page: Any) -> None:
    page.goto(f"/accounts/{account()}")
    page.click("[data-open='#log-call']")
    page.fill("#log-call [name=subject]", "Asked for winter tyres")
    page.fill("#log-call [name=next_subject]", "Send the offer")
    page.fill("#log-call [name=next_due]", clock.today(settings().zone).isoformat())
    page.click("#log-call button.primary")
    page.wait_for_selector("#doing >> text=Send the offer")
    assert stored("Asked for winter tyres").state == "done"
    page.goto("/tasks")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    page.wait_for_selector(".empty")
    assert stored("Send the offer").state == "done"


def test_a_meeting_is_dragged_to_another_time_stretched_by_keyboard_and_the_move_undone(page: Any) -> None:
    at = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    monday = at - timedelta(days=at.weekday())
    key = planned(Kind.MEETING, "Talk", starts_at=monday, ends_at=monday + timedelta(hours=1), zone="UTC")
    page.goto("/calendar?view=week")
    block = page.locator(f".cal-block[data-id='{key}']")
    box, hour = block.bounding_box(), page.locator(".cal-column").first.bounding_box()["height"] / 24
    width = page.locator(".cal-column").first.bounding_box()["width"]
    page.mouse.move(box["x"] + 30, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 30 + width, box["y"] + 10 + hour, steps=6)
    page.mouse.up()
    page.wait_for_selector(".toast button")
    moved = stored("Talk")
    assert moved.starts_at == monday + timedelta(days=1, hours=1)
    assert moved.ends_at == moved.starts_at + timedelta(hours=1)
    block.focus()
    with page.expect_response(lambda answer: "/api/v1/activities/" in answer.url):
        page.keyboard.press("Alt+Shift+ArrowDown")
    assert stored("Talk").ends_at == moved.ends_at + timedelta(minutes=15)
    with page.expect_navigation():
        page.locator(".toast button").first.click()
    assert stored("Talk").starts_at == monday


def test_a_click_on_a_free_place_makes_an_entry_there(page: Any) -> None:
    page.goto("/calendar?view=day")
    column = page.locator(".cal-column").first
    hour = column.bounding_box()["height"] / 24
    column.click(position={"x": 60, "y": hour * 10.1})
    page.fill("#new-entry [name=subject]", "Made here")
    page.click("#new-entry button.primary")
    page.wait_for_selector(".cal-block >> text=Made here")


def test_a_mail_is_sent_and_its_answer_stands_at_the_account(page: Any, peer: Peer) -> None:  # noqa: F811
    key = account()
    with transaction() as session:
        mail.configure(session, mail.Setup("127.0.0.1", peer.port, "none", "sales@example.com", "Sales"))
    with serving() as folder:
        with transaction() as session:
            wish = mailboxes.Wish("Sales", "sales", "sales@example.com", "127.0.0.1", folder.port, "none", "s", "right")
            mailbox = mailboxes.set_up(session, wish).id
        mail_jobs.receive(mailbox_id=str(mailbox))
        page.goto(f"/accounts/{key}/mail")
        page.fill("[name=subject]", "Winter tyres")
        page.fill("[name=body]", "We have them.")
        page.click("form button.primary")
        page.wait_for_selector("#doing >> text=Winter tyres")
        with transaction() as session:
            outgoing = session.scalars(select(Message.id)).one()
        mail_jobs.send(message_id=str(outgoing))
        (sent,) = peer.got
        assert (sent["To"], sent["Reply-To"]) == ("beck@garage.example", "sales@example.com")
        folder.deliver(
            f"From: Boss <boss@elsewhere.example>\r\nSubject: Re: Winter tyres\r\nMessage-ID: <1@x>\r\n"
            f"In-Reply-To: {sent['Message-ID']}\r\n\r\nWe take four.\r\n".encode()
        )
        mail_jobs.receive(mailbox_id=str(mailbox))
    with transaction() as session:
        received = session.scalars(select(ReceivedMail.id)).one()
    inbox.take(received_id=str(received))
    page.goto(f"/accounts/{key}")
    page.click("#doing >> text=Re: Winter tyres")
    page.wait_for_selector("text=We take four.")
    assert page.locator(".mail-part").count() == 2
