"""Mails are taken out of a real mailbox exactly once, and read whatever their state."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.mail import imap, jobs, mailboxes
from server.mail.mailboxes import Wish
from server.mail.receiving import parse
from server.mail.receiving_models import Mailbox, ReceivedMail
from tests.server.mail.imap_peer import Folder, serving


def mail(number: int, body: str = "Hello") -> bytes:
    return (
        f"From: Max <max@customer.example>\r\nTo: sales@example.com\r\nSubject: No {number}\r\n"
        f"Message-ID: <{number}@customer.example>\r\nDate: Mon, 01 Jan 2024 10:00:00 +0100\r\n\r\n{body}\r\n"
    ).encode()


@pytest.fixture
def folder(empty_database: Engine) -> Iterator[Folder]:
    with serving() as found:
        yield found


def wish(there: Folder, **more: Any) -> Wish:
    usual = {"name": "Sales", "purpose": "sales", "address": "sales@example.com", "host": "127.0.0.1",
             "port": there.port, "security": "none", "username": "sales", "password": "right"}  # fmt: skip
    return Wish(**{**usual, **more})


def set_up(there: Folder, **more: Any) -> UUID:
    with transaction() as session:
        return mailboxes.set_up(session, wish(there, **more)).id


def stored() -> list[tuple[int, bytes]]:
    with transaction() as session:
        return list(session.execute(select(ReceivedMail.uid, ReceivedMail.content).order_by(ReceivedMail.uid)).tuples())


def trouble(key: UUID) -> str:
    with transaction() as session:
        return session.get_one(Mailbox, key).trouble


def test_only_what_comes_after_the_set_up_is_taken_and_marked_as_read(folder: Folder) -> None:
    folder.deliver(mail(1))
    key = set_up(folder)
    jobs.receive(mailbox_id=str(key))
    assert stored() == []
    folder.deliver(mail(2))
    jobs.receive(mailbox_id=str(key))
    assert [content for _, content in stored()] == [mail(2)]
    assert folder.flags == {1: set(), 2: {"Seen"}}
    jobs.receive(mailbox_id=str(key))
    assert folder.fetched == [2]


def test_what_lies_there_already_is_taken_when_that_is_wanted_and_deleted_after(folder: Folder) -> None:
    folder.deliver(mail(1))
    key = set_up(folder, takes_old=True, afterwards="delete")
    jobs.receive(mailbox_id=str(key))
    assert ([uid for uid, _ in stored()], folder.mails) == ([1], {})


def test_a_worker_killed_between_storing_and_marking_takes_nothing_twice(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = set_up(folder, takes_old=True)
    folder.deliver(mail(1))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as moment:
        moment.setattr(imap.Box, "mark", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.receive(mailbox_id=str(key))
    assert (len(stored()), folder.flags) == (1, {1: set()})
    jobs.receive(mailbox_id=str(key))
    assert (folder.fetched, folder.flags) == ([1], {1: {"Seen"}})


def test_a_connection_that_breaks_keeps_what_was_taken_and_goes_on_the_next_time(folder: Folder) -> None:
    key = set_up(folder, takes_old=True)
    for number in range(4):
        folder.deliver(mail(number))
    folder.breaks_after = 2
    jobs.receive(mailbox_id=str(key))
    assert len(stored()) == 2
    assert "does not answer as a mailbox" in trouble(key)
    folder.breaks_after = None
    jobs.receive(mailbox_id=str(key))
    assert (len(stored()), trouble(key), folder.fetched) == (4, "", [1, 2, 3, 4])


def test_a_mailbox_that_numbers_anew_gives_nothing_twice(folder: Folder) -> None:
    key = set_up(folder, takes_old=True)
    folder.deliver(mail(1))
    jobs.receive(mailbox_id=str(key))
    folder.deliver(mail(2))
    folder.renumber(8)
    jobs.receive(mailbox_id=str(key))
    assert [content for _, content in stored()] == [mail(1), mail(2)]


def test_of_a_mail_that_is_too_large_only_the_head_is_taken(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "LARGEST", 500)
    key = set_up(folder, takes_old=True)
    folder.deliver(mail(1, "x" * 1000))
    jobs.receive(mailbox_id=str(key))
    with transaction() as session:
        found = session.scalars(select(ReceivedMail)).one()
        assert (found.is_cut, parse(found.content).subject) == (True, "No 1")


def test_a_wrong_password_and_a_missing_folder_are_said_in_words(folder: Folder) -> None:
    for more, words in [({"password": "wrong"}, "does not accept"), ({"folder": "Elsewhere"}, "no folder “Elsewhere”")]:
        key = set_up(folder, **more)
        with transaction() as session, pytest.raises(imap.MailboxTrouble, match=words):
            mailboxes.tried(session.get_one(Mailbox, key))
        jobs.receive(mailbox_id=str(key))
        assert words in trouble(key)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"host": "a b"}, "host"), ({"port": 0}, "port"), ({"address": "nobody"}, "address"), ({"name": " "}, "name"),
     ({"purpose": "fun"}, "purpose"), ({"username": "ü"}, "username")],
)  # fmt: skip
def test_a_mailbox_that_cannot_be_one_is_refused_by_field(folder: Folder, change: Any, field: str) -> None:
    with transaction() as session, pytest.raises(WaymarkError) as refused:
        mailboxes.set_up(session, wish(folder, **change))
    assert refused.value.details["field"] == field


def test_a_password_never_goes_to_another_server(folder: Folder) -> None:
    key = set_up(folder)
    with transaction() as session:
        changed = mailboxes.set_up(session, wish(folder, host="localhost", password=None), key)
        assert changed.password is None


def test_encoded_words_html_and_nested_parts_are_read() -> None:
    raw = (
        b"From: =?utf-8?q?M=C3=BCller?= <MAX@Customer.example>\r\nTo: a@x.example, B <b@x.example>\r\n"
        b"Cc: c@x.example\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n\tund mehr\r\nIn-Reply-To: <2@x>\r\n"
        b"References: <1@x> <2@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
        b"--c\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n"
        b"<style>p{}</style><p>Guten&nbsp;Tag <b>Rita</b>,</p><p>f\xfcr Sie<br>alles</p>\r\n--c--\r\n"
        b"--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n"
        b'--b\r\nContent-Type: application/pdf; name="../../x.pdf"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nInner text\r\n--b--\r\n"
    )
    found = parse(raw)
    assert (found.sender, found.sender_name, found.subject) == ("max@customer.example", "Müller", "Grüße und mehr")
    assert found.to == ("a@x.example", "b@x.example", "c@x.example")
    assert found.references == ("1@x", "2@x")
    assert found.text == "Guten Tag Rita,\n\nfür Sie\nalles"
    assert [(part.name, part.media_type) for part in found.parts] == [
        ("invitation.ics", "text/calendar"), ("x.pdf", "application/pdf"), ("message.eml", "message/rfc822")
    ]  # fmt: skip
    assert found.parts[1].content == b"%PDF"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00\xff\xfe", b"Subject: \xff\xfe\r\n\r\n\x80\x81", b"From: <<>>\r\nDate: never\r\n\r\n",
        b"Content-Type: multipart/mixed\r\n\r\n--nothing", b"Content-Type: text/plain; charset=klingon\r\n\r\nhi \xe4",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!", b"Message-ID: broken\r\nReferences: <a <b> c>\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 80,
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: application/x; name*=utf-8''%FF\r\n\r\nx",
        b"Date: Mon, 01 Jan 9999 99:99:99 +9999\r\nSubject: \x00a\r\n\r\na\x00b",
        b"Subject: =?utf-8?b?a?=\r\n\r\nx", b"Subject: =?utf\xe48?q?a?=\r\n\r\nx",
        b"From: " + b"(" * 50_000 + b"\r\n\r\nx", b"To: " + b"(" * 50_000 + b"\r\n\r\nx",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000)),
        b"Content-Type: message/rfc822\r\n\r\n" * 2000,
    ],
)  # fmt: skip
def test_a_broken_mail_is_read_as_far_as_it_goes(raw: bytes) -> None:
    found = parse(raw)
    assert "\x00" not in found.text + found.subject
    assert (found.message_id != "", found.sent_at.tzinfo is not None) == (True, True)
    assert parse(raw).message_id == found.message_id


@pytest.mark.parametrize("mark", ["<a ", "<!--", "<![CDATA[", "<a href='", "</", "<?", "<script>", "<", "<a b"])
def test_a_page_made_to_keep_a_parser_busy_is_read_in_one_go(mark: str) -> None:
    head = "Content-Type: text/html; charset=utf-8\r\n\r\n"
    assert parse(f"{head}<p>Hello</p>{mark * 100_000}".encode()).text.startswith("Hello")


def test_nothing_of_a_page_runs_or_hides_in_the_text() -> None:
    page = (
        "<!DOCTYPE html><html><head><title>T</title><style>p{}</style></head><body onload='x()'>"
        '<p title="a > b">One &amp; two</p><!-- no --><SCRIPT>alert(1)</SCRIPT ><a href=x>three</a><br/>5 < 6 &lt;b&gt;'
    )
    found = parse(f"Content-Type: text/html\r\n\r\n{page}".encode())
    assert found.text == "One & two\nthree\n5 < 6 <b>"


@pytest.mark.parametrize(
    ("head", "automatic"),
    [
        ("Auto-Submitted: auto-replied", True), ("Auto-Submitted: no", False), ("Precedence: bulk", True),
        ("List-Id: <x>", True), ("Return-Path: <>", True), ("From: MAILER-DAEMON@x.example", True), ("X-Own: 1", False),
    ],
)  # fmt: skip
def test_mails_of_machines_are_known(head: str, automatic: bool) -> None:
    sender = "" if head.startswith("From") else "From: max@x.example\r\n"
    assert parse(f"{sender}{head}\r\n\r\nx".encode()).is_automatic is automatic
