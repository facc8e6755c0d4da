"""Tables of mail that comes in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Mailbox(Base):
    """A mailbox of the company's that is read."""

    __tablename__ = "mailbox"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str]
    purpose: Mapped[str] = mapped_column(comment="`sales`: to the accounts; `support`: becomes tickets.")
    address: Mapped[str] = mapped_column(comment="Where answers go; put in copy, it files what people send elsewhere.")
    host: Mapped[str]
    port: Mapped[int]
    security: Mapped[str] = mapped_column(comment="`tls`, `starttls` or `none`.")
    username: Mapped[str]
    password: Mapped[str | None] = mapped_column(comment="Sealed; see server.kit.secrets.")
    folder: Mapped[str] = mapped_column(server_default=text("'INBOX'"))
    afterwards: Mapped[str] = mapped_column(comment="What is done with a mail that was taken: keep, seen or delete.")
    takes_old: Mapped[bool] = mapped_column(comment="Also what lies there when it is set up.")
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    uid_validity: Mapped[int | None] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trouble: Mapped[str] = mapped_column(server_default=text("''"), comment="What went wrong last; empty: nothing.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("purpose in ('sales', 'support')", name="purpose"),
        CheckConstraint("security in ('tls', 'starttls', 'none')", name="security"),
        CheckConstraint("afterwards in ('keep', 'seen', 'delete')", name="afterwards"),
    )


class ReceivedMail(Base):
    """One mail as it came in; stored before anything else happens to it."""

    __tablename__ = "mail_received"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    mailbox_id: Mapped[UUID] = mapped_column(ForeignKey("mailbox.id"))
    uid_validity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    is_cut: Mapped[bool] = mapped_column(comment="Too large: only its head was taken.")
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    marked_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When the mailbox was told that it was taken."
    )

    __table_args__ = (
        Index("ix_mail_received_unmarked", "mailbox_id", "uid", postgresql_where=text("marked_at is null")),
        Index("ix_mail_received_at", "received_at"),
    )
