"""Mail leaves through a real server: once, with its files, and says what became of it."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from server.jobs import outgoing
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Conflict, Invalid
from server.mail import jobs, queries, service
from server.mail.addresses import host_name
from server.mail.models import Attachment, MailServer, Message, shown
from server.mail.service import File, Setup
from tests.server.mail.conftest import Peer

PDF = File("plan.pdf", "application/pdf", b"%PDF-1.4 \x00\xff")


def queued(key: str = "k", to: tuple[str, ...] = ("rita@example.com",)) -> UUID:
    with transaction() as session:
        message = service.queue(
            session, key=key, purpose="test", to=to, subject="Your\nplan – Łódź", body="Grüezi\n", files=[PDF]
        )
        return message.id


def seen(key: UUID) -> Message:
    with transaction() as session:
        return session.get_one(Message, key)


def test_a_mail_arrives_with_its_file_and_its_content_is_kept_no_longer(outbox: Peer) -> None:
    key = queued()
    jobs.send(message_id=str(key))
    (mail,) = outbox.got
    assert (mail["Subject"], mail["From"], mail["To"]) == (
        "Your plan – Łódź", "Plans <plans@example.com>", "rita@example.com"
    )  # fmt: skip
    assert mail["Message-ID"] == f"<{key}@example.com>"
    assert mail.get_body().get_content().strip() == "Grüezi"  # type: ignore[union-attr]
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == (PDF.name, PDF.content)
    assert seen(key).state == "sent"
    with transaction() as session:
        assert session.scalars(select(Attachment.content)).all() == [None]


def test_the_same_key_is_the_same_mail_and_a_second_run_sends_nothing(outbox: Peer) -> None:
    key = queued()
    assert queued() == key
    for _twice in range(2):
        jobs.send(message_id=str(key))
    assert len(outbox.got) == 1


def test_a_busy_server_is_tried_again_with_growing_pauses_until_it_is_given_up(
    outbox: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.answer = "451 try later"
    key, pauses, now = queued(), [], clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    while seen(key).state == "waiting":
        now = max(now, seen(key).next_at)
        jobs.send(message_id=str(key))
        pauses.append((seen(key).next_at - now).total_seconds())
    assert pauses[:-1] == list(outgoing.PAUSES_S)
    assert seen(key).state == "failed"
    assert "451 try later. Given up after 8 tries." in seen(key).trouble
    assert outbox.got == []


def test_what_is_not_due_yet_waits(outbox: Peer) -> None:
    outbox.answer = "451 try later"
    key = queued()
    jobs.send(message_id=str(key))
    outbox.answer = "250 taken"
    jobs.send(message_id=str(key))
    assert (outbox.got, seen(key).attempts) == ([], 1)


def test_a_refusal_for_good_is_not_tried_again_and_says_why(outbox: Peer) -> None:
    outbox.refused = {"rita@example.com": "550 no such user"}
    key = queued()
    jobs.send(message_id=str(key))
    assert seen(key).state == "failed"
    assert "rita@example.com: 550 no such user" in seen(key).trouble


def test_one_refused_recipient_does_not_keep_the_mail_from_the_others(outbox: Peer) -> None:
    outbox.refused = {"otto@example.com": "550 no such user"}
    key = queued(to=("rita@example.com", "otto@example.com"))
    jobs.send(message_id=str(key))
    assert outbox.recipients == [["rita@example.com"]]
    assert (seen(key).state, seen(key).trouble) == ("sent", "otto@example.com was refused: 550 no such user")


def test_a_connection_that_breaks_during_the_content_leaves_it_unsure_and_a_person_decides(outbox: Peer) -> None:
    outbox.breaks = True
    key = queued()
    jobs.send(message_id=str(key))
    jobs.send(message_id=str(key))
    assert len(outbox.got) == 1
    assert seen(key).state == "unsure"
    outbox.breaks = False
    with transaction() as session:
        service.send_again(session, key)
    jobs.send(message_id=str(key))
    assert seen(key).state == "sent"
    assert {mail["Message-ID"] for mail in outbox.got} == {f"<{key}@example.com>"}


@pytest.mark.parametrize("goodbye", ["250 OK", "421 too many of you", "500 what", "?"])
def test_a_mail_that_was_taken_is_sent_whatever_the_server_says_to_the_goodbye(outbox: Peer, goodbye: str) -> None:
    outbox.goodbye = goodbye
    key = queued()
    jobs.send(message_id=str(key))
    assert (seen(key).state, len(outbox.got)) == ("sent", 1)


def test_an_answer_that_cannot_be_read_leaves_it_unsure(outbox: Peer) -> None:
    outbox.answer = "?"
    key = queued()
    jobs.send(message_id=str(key))
    assert seen(key).state == "unsure"


def test_a_worker_killed_before_the_content_sends_it_and_one_killed_after_does_not(outbox: Peer) -> None:
    before, after = queued("before"), queued("after")
    with transaction() as session:
        for key in (before, after):
            outgoing.claim(session, Message, key)
        session.get_one(Message, after).handed_at = clock.now()
    for key in (before, after):
        jobs.send(message_id=str(key))
    assert [mail["Message-ID"] for mail in outbox.got] == [f"<{before}@example.com>"]
    assert (seen(before).state, seen(after).state) == ("sent", "unsure")


def test_the_same_mail_has_the_same_bytes_on_every_try(outbox: Peer) -> None:
    from server.mail.writing import written

    key = queued()
    with transaction() as session:
        message, server = session.get_one(Message, key), session.get_one(MailServer, 1)
        assert written(message, server) == written(message, server)


def test_every_minute_what_is_due_or_was_left_behind_is_asked_for(outbox: Peer) -> None:
    due, left, later = queued("due"), queued("left"), queued("later")
    with transaction() as session:
        session.get_one(Message, left).state = outgoing.State.SENDING
        session.get_one(Message, left).claimed_at = clock.now() - timedelta(hours=1)
        session.get_one(Message, later).next_at = clock.now() + timedelta(hours=1)
    with transaction() as session:
        assert set(outgoing.due(session, Message)) == {due, left}


def test_a_wrong_password_is_said(outbox: Peer) -> None:
    outbox.password = "right"
    with transaction() as session:
        service.configure(session, Setup("127.0.0.1", outbox.port, "none", "plans@example.com", "", "plans", "wrong"))
    key = queued()
    jobs.send(message_id=str(key))
    assert "does not accept the user name and password" in seen(key).trouble
    with transaction() as session:
        service.configure(session, Setup("127.0.0.1", outbox.port, "none", "plans@example.com", "", "plans", "right"))
        service.send_again(session, key)
    jobs.send(message_id=str(key))
    assert seen(key).state == "sent"


def test_a_server_without_the_asked_protection_gets_nothing(outbox: Peer) -> None:
    with transaction() as session:
        service.configure(session, Setup("127.0.0.1", outbox.port, "starttls", "plans@example.com"))
    key = queued()
    jobs.send(message_id=str(key))
    assert (outbox.got, seen(key).state) == ([], "failed")


def test_nobody_answering_is_tried_again(outbox: Peer) -> None:
    with transaction() as session:
        service.configure(session, Setup("127.0.0.1", 1, "none", "plans@example.com"))
    key = queued()
    jobs.send(message_id=str(key))
    assert seen(key).state == "waiting"
    assert "127.0.0.1:1 does not answer" in seen(key).trouble


def test_passwords_are_stored_sealed_never_shown_and_never_sent_elsewhere(session: Session) -> None:
    setup = Setup("mail.example.com", 465, "tls", "plans@example.com", "", "plans", "open sesame")
    server = service.configure(session, setup)
    assert server.password is not None
    assert "sesame" not in server.password
    assert "password" not in shown(server)
    kept = service.configure(session, Setup("mail.example.com", 465, "tls", "a@example.com", "", "plans"))
    assert kept.password is not None
    moved = service.configure(session, Setup("mail.evil.example", 465, "tls", "a@example.com", "", "plans"))
    assert moved.password is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"host": ""}, "host"), ({"host": "http://x"}, "host"), ({"host": "a\x00b"}, "host"),
        ({"host": "-a..b"}, "host"), ({"host": "a" * 64 + ".ch"}, "host"), ({"host": "ｍail.ch"}, "host"),
        ({"port": 0}, "port"),
        ({"security": "ssl3"}, "security"),
        ({"sender": "plans"}, "sender"), ({"sender": "a@b.ch\nBcc: x@y.ch"}, "sender"), ({"password": "x"}, "username"),
        ({"username": "plans", "password": "schlüssel"}, "password"), ({"username": "müller"}, "username"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_by_field(session: Session, change: dict[str, object], field: str) -> None:
    values: dict[str, object] = {"host": "mail.example.com", "port": 587, "security": "starttls", "sender": "a@b.ch"}
    with pytest.raises(Invalid) as refused:
        service.configure(session, Setup(**{**values, **change}))  # type: ignore[arg-type]
    assert refused.value.details["field"] == field
    assert queries.configured(session) is None


def test_a_server_may_be_named_with_the_dot_of_the_root_or_by_its_number() -> None:
    named = {"mail.example.com.": "mail.example.com", "[2001:db8::1]": "2001:db8::1", "::1": "::1"}
    named |= {"bücher.ch": "bücher.ch"}
    assert {written: host_name(written, "") for written in named} == named


def test_without_a_server_nothing_is_queued(session: Session) -> None:
    with pytest.raises(Conflict, match="No mail server"):
        service.queue(session, key="k", purpose="test", to=["a@b.ch"], subject="s", body="b")
    assert session.scalar(select(func.count()).select_from(Message)) == 0


def test_cloud_metadata_is_no_mail_server(empty_database: Engine) -> None:
    with transaction() as session:
        service.configure(session, Setup("169.254.169.254", 25, "none", "plans@example.com"))
    key = queued()
    jobs.send(message_id=str(key))
    assert "where nothing may be sent" in seen(key).trouble
