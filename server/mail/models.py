"""Tables of outgoing mail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, LargeBinary, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.jobs.outgoing import Outgoing
from server.kit.database import Base
from server.kit.ids import uuid7


class MailServer(Base):
    """The server that mail goes through; one row or none."""

    __tablename__ = "mail_server"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, server_default=text("1"))
    host: Mapped[str]
    port: Mapped[int]
    security: Mapped[str] = mapped_column(comment="`tls`, `starttls` or `none`.")
    username: Mapped[str] = mapped_column(server_default=text("''"))
    password: Mapped[str | None] = mapped_column(comment="Sealed; see server.kit.secrets.")
    sender: Mapped[str] = mapped_column(comment="Address that mail comes from.")
    sender_name: Mapped[str] = mapped_column(server_default=text("''"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (
        CheckConstraint("id = 1", name="one"),
        CheckConstraint("security in ('tls', 'starttls', 'none')", name="security"),
    )


class Message(Outgoing, Base):
    """One mail."""

    __tablename__ = "mail_message"

    key: Mapped[str] = mapped_column(unique=True, comment="The same key is the same mail: it is queued once.")
    purpose: Mapped[str] = mapped_column(comment="What it is for: `test`, `export`.")
    to: Mapped[list[str]] = mapped_column(ARRAY(Text))
    subject: Mapped[str]
    body: Mapped[str]
    sender_name: Mapped[str | None] = mapped_column(comment="Who writes; null: the company's machine.")
    reply_to: Mapped[str | None] = mapped_column(comment="Where answers go.")
    references: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Message ids that it answers, the nearest last."
    )
    handed_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When its content was about to be handed to the server."
    )

    attachments: Mapped[list["Attachment"]] = relationship(
        order_by="Attachment.position", cascade="all, delete-orphan", passive_deletes=True
    )


class Attachment(Base):
    """A file that goes with a mail; its content is kept until the mail is sent."""

    __tablename__ = "mail_attachment"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("mail_message.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)


def shown(server: MailServer | None) -> dict[str, Any]:
    """The settings as people may see them: never the password."""
    if server is None:
        return {}
    names = ("host", "port", "security", "username", "sender", "sender_name")
    return {name: getattr(server, name) for name in names} | {"has_password": server.password is not None}
