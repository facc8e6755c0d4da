"""Table of notes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Uuid, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class Note(Record, Base):
    """What somebody wrote down about an account."""

    __tablename__ = "note"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id"), index=True)
    contact_id: Mapped[UUID | None] = mapped_column(index=True, comment="The person it is about.")
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    text: Mapped[str]
    mentions: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=sql("'{}'"), comment="People whom the text names with @."
    )
    is_pinned: Mapped[bool] = mapped_column(server_default=sql("false"), comment="Stands above the timeline.")
    is_shareable: Mapped[bool] = mapped_column(server_default=sql("false"), comment="The customer may read it.")
    reference: Mapped[str | None] = mapped_column(comment="What another system calls it; imports recognise it by that.")
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (
        CheckConstraint("length(text) between 1 and 20000", name="text"),
        Index("ix_note_account", "account_id", "written_at", "id"),
        Index("uq_note_reference", "reference", unique=True, postgresql_where=sql("deleted_at is null")),
        Index("ix_note_pinned", "account_id", postgresql_where=sql("is_pinned and deleted_at is null")),
        Index("ix_note_deleted", "deleted_at", postgresql_where=sql("deleted_at is not null")),
    )
