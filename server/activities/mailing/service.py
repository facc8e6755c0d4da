"""The rules of mails to accounts: writing one, answering one, templates, signatures."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Direction, Kind, State
from server.activities.mailing.models import MailSignature, MailTemplate
from server.auth.models import User
from server.contacts import service as contacts
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.mail import mailboxes
from server.mail import queries as mail_queries
from server.mail import service as mail
from server.mail.addresses import tagged
from server.mail.service import File
from server.mail.writing import message_id

MOST_TO = 20
MOST_BYTES = 20_000_000
LONGEST = 100_000
GAP = re.compile(r"\{(account|me|company)\}")


class TooLarge(Invalid):
    """Files that no mail server takes."""

    code: ClassVar[str] = "attachments_too_large"


class NameTaken(Conflict):
    """Two templates cannot share a name."""

    code: ClassVar[str] = "template_name_taken"


@dataclass(frozen=True)
class Letter:
    """A mail that somebody writes."""

    account_id: UUID
    to: Sequence[str]
    subject: str
    body: str
    contact_id: UUID | None = None
    answers: Activity | None = None
    files: Sequence[File] = field(default_factory=tuple)
    key: UUID | None = None
    """Made by the form; the same key twice is one mail."""


def send(session: Session, user_id: UUID, letter: Letter) -> Activity:
    """Send a mail through the company's server and keep it at the account.

    Refuses without a server, without a recipient or a text, whom nobody may write to, and files of more than 20 MB
    together.
    """
    key = letter.key or uuid7()
    known = session.get(Activity, key)
    if known is not None:
        return known
    to = list(dict.fromkeys(mail.address(one).lower() for one in letter.to))
    if not 0 < len(to) <= MOST_TO:
        raise Invalid(f"A mail goes to 1 to {MOST_TO} addresses.", help="Campaigns go to more.", field="to")
    body = letter.body.replace("\r\n", "\n").strip()
    if not body or len(body) > LONGEST:
        raise Invalid("The mail is empty." if not body else "The mail is too long.", field="body")
    if sum(len(file.content) for file in letter.files) > MOST_BYTES:
        raise TooLarge(
            f"The files are larger than {MOST_BYTES // 1_000_000} MB together.",
            help="Most mail servers refuse them; send a link instead.",
            field="files",
        )
    contacts.need_wanted(session, to)
    person = session.get_one(User, user_id)
    before = _chain(letter.answers)
    message = mail.queue(
        session,
        key=f"letter:{key}",
        purpose="letter",
        to=to,
        subject=letter.subject or "–",
        body=with_signature(session, user_id, body),
        files=letter.files,
        sender_name=person.name,
        reply_to=reply_address(session, key) or person.email,
        references=before,
    )
    server = mail_queries.configured(session)
    assert server is not None
    own = {
        "message_id": message_id(message, server),
        "thread_id": (letter.answers.thread_id if letter.answers else None) or message_id(message, server),
        "sender": person.email or server.sender,
        "recipients": to,
        "outgoing_id": message.id,
        "done_at": clock.now(),
        "follows_id": letter.answers.id if letter.answers else None,
    }
    values = {
        "account_id": letter.account_id,
        "contact_id": letter.contact_id,
        "subject": letter.subject or "–",
        "note": body,
        "state": State.DONE.value,
        "direction": Direction.OUT.value,
    }
    return agenda.add(session, agenda.NewActivity(Kind.MAIL, user_id, values, own, key))


def reply_address(session: Session, key: UUID) -> str | None:
    """Where answers to a letter go; with its tag, where the mailbox's server takes such addresses."""
    address = mailboxes.answers_go_to(session)
    return tagged(address, key) if address is not None and settings().mail_plus_addresses else address


def _chain(answers: Activity | None) -> list[str]:
    if answers is None or answers.message_id is None:
        return []
    return list(dict.fromkeys(filter(None, (answers.thread_id, answers.message_id))))


def with_signature(session: Session, user_id: UUID, body: str) -> str:
    """A text with the person's signature below it, set off as mail programs expect it."""
    text = signature(session, user_id)
    return f"{body}\n\n-- \n{text}\n" if text else f"{body}\n"


def signature(session: Session, user_id: UUID) -> str:
    """What stands below somebody's mails."""
    return session.scalar(select(MailSignature.text).where(MailSignature.user_id == user_id)) or ""


def sign(session: Session, user_id: UUID, text: str) -> None:
    """Set what stands below one's mails."""
    found = text.replace("\r\n", "\n").strip()
    if len(found) > 2000:
        raise Invalid("The signature is longer than 2000 characters.", field="signature")
    known = session.scalars(select(MailSignature).where(MailSignature.user_id == user_id)).one_or_none()
    if known is None:
        session.add(MailSignature(user_id=user_id, text=found))
    else:
        known.text = found
    session.flush()


def templates(session: Session) -> Sequence[MailTemplate]:
    """All templates, by name."""
    return session.scalars(
        select(MailTemplate).where(MailTemplate.deleted_at.is_(None)).order_by(MailTemplate.name)
    ).all()


def keep_template(
    session: Session, name: str, subject: str, body: str, template_id: UUID | None = None
) -> MailTemplate:
    """Write a template down, or anew. Refuses one without name or text, a name that is taken, and unknown gaps."""
    found = {"name": " ".join(name.split())[:200], "subject": " ".join(subject.split())[:300], "body": body.strip()}
    for field_name in ("name", "body"):
        if not found[field_name]:
            raise Invalid(f"The template has no {field_name}.", field=field_name)
    unknown = set(re.findall(r"\{(\w+)\}", found["subject"] + found["body"])) - {"account", "me", "company"}
    if unknown:
        raise Invalid(
            f"Nothing is known to fill in for {{{sorted(unknown)[0]}}}.", help="There are: {account}, {me}, {company}.",
            field="body",
        )  # fmt: skip
    same = select(MailTemplate.id).where(MailTemplate.name == found["name"], MailTemplate.deleted_at.is_(None))
    if session.scalar(same.where(MailTemplate.id != (template_id or UUID(int=0)))) is not None:
        raise NameTaken(f"There is a template “{found['name']}” already.", field="name")
    template = session.get(MailTemplate, template_id) if template_id else MailTemplate()
    if template is None or template.deleted_at is not None:
        raise NotFound("There is no such template.")
    template.name, template.subject, template.body = found["name"], found["subject"], found["body"]
    session.add(template)
    session.flush()
    return template


def drop_template(session: Session, template_id: UUID) -> None:
    """Use a template no more."""
    template = session.get(MailTemplate, template_id)
    if template is None:
        raise NotFound("There is no such template.")
    template.deleted_at = clock.now()
    session.flush()


def filled(text: str, account: Account, person: User) -> str:
    """A template's text for an account."""
    known = {"account": account.name, "me": person.name, "company": settings().company}
    return GAP.sub(lambda gap: known[gap[1]], text)


def quoted(text: str) -> str:
    """A text as an answer quotes it."""
    return "\n".join(f"> {line}".rstrip() for line in _lines(text))


def _lines(text: str) -> Iterable[str]:
    return text.strip().split("\n")[:200]
