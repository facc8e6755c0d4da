"""Each mail that comes in finds its place once: by its thread, its sender, or through a person."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from server.activities.agenda.models import Activity
from server.activities.mailing import service as mailing
from server.auth.access import scope_of
from server.contacts.models import Contact, ContactAccount
from server.contacts.service import NotWanted
from server.inbox import routing, service
from server.inbox.models import InboxMail, KnownSender
from server.inbox.service import AlreadyDecided
from server.kit.errors import NotFound
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.mail import service as mail
from server.mail.mailboxes import Wish, set_up
from server.mail.models import Message
from server.mail.receiving_models import Mailbox, ReceivedMail
from server.notifications.models import Notification
from server.tickets.models import Queue
from tests.server.plans.conftest import add_account, add_company

type Arrive = Callable[..., InboxMail]


@pytest.fixture
def people(session: Any) -> Any:
    found = add_company(session)
    found["rita"].email = "rita@example.com"
    session.flush()
    return found


@pytest.fixture
def account(session: Any, people: Any) -> Any:
    found = add_account(session, "Amann", (9.51, 47.1), owner_id=people["rita"].id, email="max@amann.example")
    session.refresh(found)
    return found


@pytest.fixture
def mailbox(session: Any, people: Any) -> Mailbox:
    wish = Wish("Sales", "sales", "sales@example.com", "imap.example.com", 993, "tls", "sales", "secret")
    mail.configure(session, mail.Setup("smtp.example.com", 465, "tls", "sales@example.com", "Sales"))
    return set_up(session, wish)


@pytest.fixture
def arrive(session: Any, mailbox: Mailbox) -> Arrive:
    """A mail came in and is given its place: `arrive(sender="x@y", references="<1@x>")`."""
    count = iter(range(1, 1000))

    def make(sender: str = "max@amann.example", to: str = "sales@example.com", **more: str) -> InboxMail:
        number = next(count)
        head = {"From": sender, "To": to, "Subject": f"No {number}", "Message-ID": f"<{number}@amann.example>"}
        head |= {name.replace("_", "-"): value for name, value in more.items()}
        raw = "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\nHello\r\n"
        stored = ReceivedMail(
            mailbox_id=mailbox.id, uid_validity=1, uid=number, sha256=str(uuid7()), size=len(raw), content=raw.encode(),
            is_cut=False,
        )  # fmt: skip
        session.add(stored)
        session.flush()
        return service.take(session, stored.id)

    return make


def activity_of(session: Any, row: InboxMail) -> Activity:
    assert row.activity_id is not None
    found: Activity = session.get_one(Activity, row.activity_id)
    return found


def test_a_mail_of_a_known_address_stands_at_its_account(session: Any, account: Any, arrive: Arrive) -> None:
    row = arrive()
    found = activity_of(session, row)
    assert (row.fate, found.account_id, found.direction, found.owner_id) == (
        "filed",
        account.id,
        "in",
        account.owner_id,
    )
    assert (found.note, found.sender, found.state) == ("Hello", "max@amann.example", "done")


def test_the_same_mail_twice_is_one(session: Any, account: Any, arrive: Arrive) -> None:
    first = arrive(Message_ID="<same@x>")
    assert service.take(session, first.received_id).id == first.id
    again = arrive(Message_ID="<same@x>")
    assert (again.fate, again.reason) == ("ignored", "The same mail came before.")
    assert session.scalar(select(func.count()).select_from(Activity)) == 1


def test_an_answer_from_an_unknown_address_goes_to_the_account_that_was_written_to(
    session: Any, people: Any, account: Any, arrive: Arrive
) -> None:
    sent = mailing.send(
        session, people["otto"].id, mailing.Letter(account.id, ["boss@elsewhere.example"], "Offer", "Dear all")
    )
    row = arrive("boss@elsewhere.example", References=f"<{sent.message_id}>")
    found = activity_of(session, row)
    assert (found.account_id, found.owner_id, found.thread_id) == (account.id, people["otto"].id, sent.message_id)
    answer = mailing.send(
        session, people["otto"].id, mailing.Letter(account.id, ["boss@elsewhere.example"], "Re", "Yes", answers=found)
    )
    message = session.get_one(Message, answer.outgoing_id)
    assert message.references == [sent.message_id, found.message_id]
    assert (message.reply_to, message.sender_name, answer.thread_id) == (
        "sales@example.com", "Otto", sent.message_id
    )  # fmt: skip


def test_an_answer_that_lost_its_headers_finds_its_letter_by_the_tag_in_the_address(
    session: Any, people: Any, account: Any, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "mail_plus_addresses", True)
    letter = mailing.Letter(account.id, ["boss@elsewhere.example"], "Offer", "Dear all")
    sent = mailing.send(session, people["otto"].id, letter)
    there = session.get_one(Message, sent.outgoing_id).reply_to
    assert there == f"sales+w{sent.id.hex}@example.com"
    found = activity_of(session, arrive("unknown@elsewhere.example", to=there.upper()))
    assert (found.account_id, found.owner_id, found.thread_id) == (account.id, people["otto"].id, sent.message_id)
    lost = arrive("unknown@elsewhere.example", to=f"sales+w{account.id.hex}@example.com")
    assert lost.fate == "unassigned", "a tag of nothing that we sent names nothing"


def test_a_tag_neither_beats_the_headers_nor_counts_at_an_address_that_is_not_ours(
    session: Any, people: Any, account: Any, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "mail_plus_addresses", True)
    other = add_account(session, "Zech", None, owner_id=people["otto"].id)
    true = mailing.send(session, people["otto"].id, mailing.Letter(account.id, ["a@else.example"], "Offer", "Text"))
    later = mailing.send(session, people["otto"].id, mailing.Letter(other.id, ["b@else.example"], "Offer", "Text"))
    tag = f"+w{later.id.hex}"
    named = arrive("a@else.example", to=f"sales{tag}@example.com", References=f"<{true.message_id}>")
    assert activity_of(session, named).account_id == account.id
    for forged in (f"sales{tag}@evil.example", f"other{tag}@example.com"):
        assert arrive("a@else.example", to=forged).fate == "unassigned"
    unknown = arrive("a@else.example", to=f"sales{tag}@example.com", References="<nothing@else.example>")
    assert activity_of(session, unknown).account_id == other.id, "headers that name nothing leave it to the tag"


def test_a_copy_of_what_a_rep_sent_elsewhere_is_filed_by_its_recipient(
    session: Any, people: Any, account: Any, arrive: Arrive
) -> None:
    found = activity_of(session, arrive("rita@example.com", "max@amann.example"))
    assert (found.account_id, found.direction, found.owner_id) == (account.id, "out", people["rita"].id)


def test_a_stranger_waits_for_a_person_and_is_remembered(
    session: Any, people: Any, account: Any, arrive: Arrive
) -> None:
    row = arrive("new@unknown.example")
    assert row.fate == "unassigned"
    mona = scope_of(session, people["mona"], source="web")
    found = service.file(session, mona, row.id, account.id, remember=True)
    assert (found.account_id, row.fate, row.decided_by) == (account.id, "filed", people["mona"].id)
    with pytest.raises(AlreadyDecided):
        service.ignore(session, mona, row.id, remember=False)
    assert arrive("new@unknown.example").fate == "filed"
    other = arrive("spam@unknown.example")
    service.ignore(session, mona, other.id, remember=True)
    assert arrive("spam@unknown.example").fate == "ignored"
    assert session.get_one(KnownSender, "spam@unknown.example").account_id is None


def test_nobody_files_a_mail_at_an_account_they_do_not_see(session: Any, people: Any, arrive: Arrive) -> None:
    hidden = add_account(session, "Zech", None, owner_id=people["nora"].id)
    row = arrive("new@unknown.example")
    with pytest.raises(NotFound):
        service.file(session, scope_of(session, people["mona"], source="web"), row.id, hidden.id, remember=False)


def test_a_mail_of_ours_that_comes_back_is_no_new_one(session: Any, people: Any, account: Any, arrive: Arrive) -> None:
    sent = mailing.send(session, people["rita"].id, mailing.Letter(account.id, ["max@amann.example"], "Hi", "Text"))
    assert arrive(Message_ID=f"<{sent.message_id}>").fate == "ignored"


def test_two_machines_that_write_each_other_are_stopped(session: Any, account: Any, arrive: Arrive) -> None:
    fates = [arrive().fate for _ in range(routing.MOST_AN_HOUR + 2)]
    assert fates == ["filed"] * routing.MOST_AN_HOUR + ["held"] * 2


def test_a_mail_without_a_server_or_with_too_much_is_refused(session: Any, people: Any, account: Any) -> None:
    letter = mailing.Letter(account.id, ["max@amann.example"], "Hi", "Text")
    with pytest.raises(mail.NoMailServer):
        mailing.send(session, people["rita"].id, letter)
    big = mail.File("film.mp4", "video/mp4", b"x" * (mailing.MOST_BYTES + 1))
    with pytest.raises(mailing.TooLarge):
        mailing.send(session, people["rita"].id, mailing.Letter(account.id, ["a@x.example"], "Hi", "Text", files=[big]))


def test_the_same_form_twice_is_one_mail(session: Any, people: Any, account: Any, mailbox: Mailbox) -> None:
    key = UUID("00000000-0000-7000-8000-00000000000a")
    letter = mailing.Letter(account.id, ["max@amann.example"], "Hi", "Text", key=key)
    mailing.sign(session, people["rita"].id, "Rita\nSales")
    assert mailing.send(session, people["rita"].id, letter) is mailing.send(session, people["rita"].id, letter)
    (message,) = session.scalars(select(Message)).all()
    assert message.body == "Text\n\n-- \nRita\nSales\n"


def test_a_mail_to_the_support_mailbox_becomes_a_ticket(
    session: Any, account: Any, mailbox: Mailbox, arrive: Arrive
) -> None:
    mailbox.purpose = "support"
    session.flush()
    assert arrive().fate == "filed", "without a queue it goes to its account"
    session.add(queue_for(mailbox))
    session.flush()
    row = arrive()
    assert (row.fate, row.ticket_id is not None, row.activity_id) == ("ticket", True, None)


def queue_for(mailbox: Mailbox) -> Queue:
    return Queue(
        name="Help", form_key="help", mail_address=mailbox.address, hours="24/7", zone="Europe/Vaduz", targets={}
    )


def test_somebody_who_wants_no_mail_gets_none(session: Any, people: Any, account: Any, mailbox: Mailbox) -> None:
    session.add(Contact(last_name="Stumm", mail_addresses=["stumm@x.example"], do_not_contact=True, custom={}))
    session.flush()
    with pytest.raises(NotWanted, match="Asked not to be contacted"):
        mailing.send(session, people["rita"].id, mailing.Letter(account.id, ["Stumm@x.example"], "Hi", "Text"))


def test_a_contact_of_an_account_is_known(session: Any, account: Any, arrive: Arrive) -> None:
    person = Contact(last_name="Neu", mail_addresses=["neu@private.example"], custom={})
    session.add(person)
    session.flush()
    session.add(ContactAccount(contact_id=person.id, account_id=account.id))
    session.flush()
    assert arrive("Neu <neu@private.example>").account_id == account.id


def test_a_mail_to_somebody_who_has_left_is_told_to_somebody_who_is_there(
    session: Any, people: Any, account: Any, arrive: Arrive, make_user: Any
) -> None:
    admin = make_user("ada")
    people["rita"].active = False
    session.flush()
    owner = activity_of(session, arrive()).owner_id
    assert owner == admin.id
    assert session.scalars(select(Notification.user_id)).all() == [owner]
