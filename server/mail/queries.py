"""Reads of outgoing mail."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.mail.models import MailServer, Message


def configured(session: Session) -> MailServer | None:
    """The server that mail goes through, if there is one."""
    return session.get(MailServer, 1)


def outbox(session: Session, limit: int = 50) -> Sequence[Message]:
    """The latest mails."""
    return session.scalars(select(Message).order_by(Message.created_at.desc(), Message.id.desc()).limit(limit)).all()
