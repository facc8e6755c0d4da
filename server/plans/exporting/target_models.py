"""Tables of where exports go."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.jobs.outgoing import Outgoing
from server.kit.database import Base
from server.kit.ids import uuid7
from server.mail.models import Message


class Target(Base):
    """Where the files of some reps go."""

    __tablename__ = "export_target"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(comment="`mail`, `folder` or `sftp`.")
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    rep_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=text("'{}'"), comment="Whose files; with no rep and no team: everybody's."
    )
    team_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=text("'{}'"))
    formats: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="Endings of file names.")
    covers: Mapped[str] = mapped_column(comment="`day`, `week` (sets of several days) or `both`.")
    hour: Mapped[int | None] = mapped_column(
        SmallInteger, comment="In the company's zone; null: as soon as the files are written."
    )
    config: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="By kind; see server.plans.exporting.targets.")
    secret: Mapped[str | None] = mapped_column(comment="Password or private key, sealed.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("kind in ('mail', 'folder', 'sftp')", name="kind"),
        CheckConstraint("covers in ('day', 'week', 'both')", name="covers"),
        CheckConstraint("hour between 0 and 23", name="hour"),
    )


class ExportDelivery(Outgoing, Base):
    """One rep's files on their way to one target."""

    __tablename__ = "export_delivery"

    target_id: Mapped[UUID] = mapped_column(ForeignKey("export_target.id", ondelete="CASCADE"))
    rep_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    login: Mapped[str]
    span: Mapped[str] = mapped_column(comment="The days, as routing.export.tour.Span writes them.")
    revision: Mapped[str] = mapped_column(comment="SHA-256 of the manifest: what was sent.")
    mail_id: Mapped[UUID | None] = mapped_column(ForeignKey("mail_message.id", ondelete="SET NULL"))

    target: Mapped[Target] = relationship(lazy="joined")
    mail: Mapped[Message | None] = relationship(lazy="joined")

    __table_args__ = (
        Index("ix_export_delivery_sent", "target_id", "login", "span", "created_at"),
        Index("ix_export_delivery_due", "next_at", postgresql_where=text("state in ('waiting', 'sending')")),
    )
