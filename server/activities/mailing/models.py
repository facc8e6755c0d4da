"""Tables of templates and signatures."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class MailTemplate(Record, Base):
    """A text that is written often; `{account}`, `{me}` and `{company}` are filled in."""

    __tablename__ = "mail_template"

    name: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]

    __table_args__ = (Index("uq_mail_template_name", "name", unique=True, postgresql_where=text("deleted_at is null")),)


class MailSignature(Record, Base):
    """What stands below the mails of one person."""

    __tablename__ = "mail_signature"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), unique=True)
    text: Mapped[str]
