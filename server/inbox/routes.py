"""JSON API of the mailboxes that are read, and of mails that wait for a person."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.inbox import service
from server.inbox.models import Fate, InboxMail
from server.inbox.schemas import Filing, Ignoring, InboxRead, MailboxRead, MailboxWrite
from server.jobs import defer
from server.kit.database import Db
from server.kit.paging import Limit, Page
from server.mail import mailboxes
from server.mail.jobs import receive

router = APIRouter(prefix="/api/v1", tags=["mail"])

Assign = Annotated[Scope, requires("accounts:assign")]
ReadIntegrations = Annotated[Scope, requires("integrations:read")]
WriteIntegrations = Annotated[Scope, requires("integrations:write")]


@router.get("/mailboxes")
def list_mailboxes(scope: ReadIntegrations, session: Db) -> Page[MailboxRead]:
    """The mailboxes that are read."""
    del scope
    return Page(items=[MailboxRead.model_validate(one) for one in mailboxes.every(session)])


@router.post("/mailboxes", status_code=201)
def add_mailbox(body: MailboxWrite, scope: WriteIntegrations, session: Db) -> MailboxRead:
    """Read a mailbox from now on; it is tried at once."""
    del scope
    return tried(session, body)


@router.put("/mailboxes/{mailbox_id}")
def change_mailbox(mailbox_id: UUID, body: MailboxWrite, scope: WriteIntegrations, session: Db) -> MailboxRead:
    """Read a mailbox otherwise than before; it is tried at once."""
    del scope
    return tried(session, body, mailbox_id)


def tried(session: Session, body: MailboxWrite, mailbox_id: UUID | None = None) -> MailboxRead:
    """Set a mailbox up and look into it. Refuses in words what does not work."""
    mailbox = mailboxes.set_up(session, mailboxes.Wish(**body.model_dump()), mailbox_id)
    mailboxes.tried(mailbox)
    session.refresh(mailbox)
    return MailboxRead.model_validate(mailbox)


@router.post("/mailboxes/{mailbox_id}/read", status_code=202)
def read_now(mailbox_id: UUID, scope: WriteIntegrations, session: Db) -> MailboxRead:
    """Look into a mailbox at once."""
    del scope
    mailbox = mailboxes.find(session, mailbox_id)
    key = f"mailbox:{mailbox.id}"
    defer(session, receive, key=key, lock=key, mailbox_id=str(mailbox.id))
    return MailboxRead.model_validate(mailbox)


@router.delete("/mailboxes/{mailbox_id}", status_code=204)
def remove_mailbox(mailbox_id: UUID, scope: WriteIntegrations, session: Db) -> None:
    """Read a mailbox no more; what was taken stays."""
    del scope
    mailboxes.remove(session, mailbox_id)


@router.get("/inbox")
def list_waiting(scope: Assign, session: Db, limit: Limit = 50) -> Page[InboxRead]:
    """The mails that wait for a person, the earliest first."""
    del scope
    waits = InboxMail.fate.in_((Fate.UNASSIGNED, Fate.HELD))
    rows = session.scalars(select(InboxMail).where(waits).order_by(InboxMail.at, InboxMail.id).limit(limit))
    return Page(items=[InboxRead.model_validate(row) for row in rows])


@router.post("/inbox/{mail_id}/file", status_code=204)
def file(mail_id: UUID, body: Filing, scope: Assign, session: Db) -> None:
    """Say whose a mail is."""
    service.file(session, scope, mail_id, body.account_id, remember=body.remember)


@router.post("/inbox/{mail_id}/ignore", status_code=204)
def ignore(mail_id: UUID, body: Ignoring, scope: Assign, session: Db) -> None:
    """Pass a mail over."""
    service.ignore(session, scope, mail_id, remember=body.remember)
