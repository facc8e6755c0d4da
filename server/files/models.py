"""Tables of files and of what they hang on."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class StoredFile(Base):
    """A file as somebody sent it; its content lies in the store under its hash."""

    __tablename__ = "stored_file"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(comment="As it was called where it came from, without folders.")
    media_type: Mapped[str] = mapped_column(comment="Read from the content, not from what the sender said.")
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(index=True)
    width: Mapped[int | None] = mapped_column(comment="Pixels of a picture, as it is looked at.")
    height: Mapped[int | None]
    thumbnail_sha256: Mapped[str | None] = mapped_column(
        index=True, comment="A small picture of it in the store; null until a job has drawn it."
    )
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: it came by mail.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)

    __table_args__ = (
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
    )


class FileUse(Base):
    """That a row of some room has a file; a file that nothing has is removed after a while."""

    __tablename__ = "file_use"

    entity: Mapped[str] = mapped_column(primary_key=True, comment="Table of the row, e.g. `note`.")
    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), primary_key=True)
    position: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (Index("ix_file_use_file_id", "file_id"),)


class FileUpload(Base):
    """A file that somebody sends in pieces, as far as it has come; gone once the file is whole."""

    __tablename__ = "file_upload"

    sha256: Mapped[str] = mapped_column(primary_key=True, comment="Of the whole file, as its sender said.")
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(
        BigInteger, server_default="0", comment="Bytes that lie on the disk for good."
    )
    storage_key: Mapped[UUID] = mapped_column(default=uuid4, comment="What its pieces are called on the disk.")
    refused: Mapped[str | None] = mapped_column(comment="Why the whole file was not taken, in words.")
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)

    __table_args__ = (
        CheckConstraint("received between 0 and size", name="received"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
    )
