"""Table of what hangs on other rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Text, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class AttachedFile(Record, Base):
    """A photo, a drawn signature or a document of some row; its content may come later than it."""

    __tablename__ = "attachment"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    entity: Mapped[str] = mapped_column(comment="What it hangs on: account, visit, note, ticket or order.")
    row_id: Mapped[UUID] = mapped_column(comment="Of that; a visit may arrive later than its photos.")
    kind: Mapped[str] = mapped_column(comment="photo, signature or document.")
    name: Mapped[str]
    media_type: Mapped[str] = mapped_column(comment="As its sender said, until the content is here.")
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(index=True)
    thumbnail_sha256: Mapped[str | None] = mapped_column(index=True)
    width: Mapped[int | None]
    height: Mapped[int | None]
    file_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("stored_file.id"), comment="Null until the content is here."
    )
    stored_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), comment="When its content came.")
    taken_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="By the phone's clock, corrected."
    )
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    device_id: Mapped[UUID | None] = mapped_column(comment="The phone that has the content until it is here.")
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql("'{}'"))

    __table_args__ = (
        CheckConstraint("kind in ('photo', 'signature', 'document')", name="kind"),
        CheckConstraint("entity in ('account', 'visit', 'note', 'ticket', 'order')", name="entity"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("size > 0", name="size"),
        Index("ix_attachment_account", "account_id", "taken_at", "id"),
        Index("ix_attachment_row", "entity", "row_id"),
        Index("ix_attachment_missing", "made_by", "id", postgresql_where=sql("file_id is null and deleted_at is null")),
        Index("ix_attachment_deleted", "deleted_at", postgresql_where=sql("deleted_at is not null")),
    )
