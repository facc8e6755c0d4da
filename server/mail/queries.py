"""Reads of outgoing mail."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.mail.models import MailServer, Message


def configured(session: Session) -> MailServer | None:
    """The server that mail goes through, if there is one."""
    return session.get(MailServer, 1)


def of_keys(session: Session, keys: Sequence[str]) -> dict[str, Message]:
    """The mails of some keys that were put into the outbox, by key."""
    return {one.key: one for one in session.scalars(select(Message).where(Message.key.in_(keys)))}


def outbox(session: Session, limit: int = 50) -> Sequence[Message]:
    """The latest mails."""
    return session.scalars(select(Message).order_by(Message.created_at.desc(), Message.id.desc()).limit(limit)).all()
