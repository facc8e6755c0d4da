"""Tables of webhooks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.jobs.outgoing import Outgoing
from server.kit.database import Base
from server.kit.ids import uuid7


class Endpoint(Base):
    """An address of another program."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str]
    url: Mapped[str]
    secret: Mapped[str] = mapped_column(comment="Sealed; shown once, when it is made.")
    types: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="What it is told of; see server.webhooks.service.")
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Delivery(Outgoing, Base):
    """One message to one endpoint: type, id and revision of what changed, nothing else."""

    __tablename__ = "webhook_delivery"

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    type: Mapped[str]
    row_id: Mapped[str]
    revision: Mapped[str]
    log: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb"), comment="Each try: at, status, trouble."
    )

    endpoint: Mapped[Endpoint] = relationship(lazy="joined")

    __table_args__ = (
        Index("ix_webhook_delivery_row", "endpoint_id", "type", "row_id", "created_at"),
        Index("ix_webhook_delivery_due", "next_at", postgresql_where=text("state in ('waiting', 'sending')")),
    )
