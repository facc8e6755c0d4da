"""Tables of sync. `sync_item` is written by triggers alone (migration 0014), whoever changes a row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from server.kit.database import Base


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's `xid8`: 64 bits, never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name."""
        return "xid8"


class SyncMeta(Base):
    """One row: who this database is. Survives a dump, unlike the cluster around it."""

    __tablename__ = "sync_meta"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    db_uuid: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    secret: Mapped[bytes] = mapped_column(comment="Signs cursors.")
    declared: Mapped[dict[str, str]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Epochs that an operator declared to be an earlier one."
    )
    durable_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Everything recorded before is in a verified backup."
    )


class Bucket(Base):
    """A unit of subscription: the company, a territory, one person, or the prospects of a territory."""

    __tablename__ = "bucket"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(comment="company, territory or user.")
    key: Mapped[str] = mapped_column(comment="The territory's or user's id.")
    priority: Mapped[int] = mapped_column(SmallInteger, comment="0 is read first.")
    gen: Mapped[int] = mapped_column(server_default=text("1"), comment="Raised to have phones read it again.")
    rows: Mapped[int | None] = mapped_column(comment="As they were last counted; null: not yet.")

    __table_args__ = (UniqueConstraint("kind", "key"),)


class SyncItem(Base):
    """Which row is in which bucket now, and the transaction that last touched it. Not a log: one row per pair."""

    __tablename__ = "sync_item"

    e: Mapped[int] = mapped_column(SmallInteger, primary_key=True, comment="server.sync.pulling.entities")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    bucket_id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(CHAR(1), comment="P present, R left the bucket, D deleted.")
    txid: Mapped[str] = mapped_column(TransactionId, server_default=text("pg_current_xact_id()"))

    __table_args__ = (Index("ix_sync_item_feed", "bucket_id", "txid", "e", "id"),)


class SyncReceipt(Base):
    """The answer to one op, written in the transaction of its effect."""

    __tablename__ = "sync_receipt"

    op_id: Mapped[UUID] = mapped_column(primary_key=True)
    body_sha: Mapped[bytes] = mapped_column(primary_key=True, comment="SHA-256 of the canonical body.")
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    n: Mapped[int] = mapped_column(BigInteger)
    entity: Mapped[str | None] = mapped_column(comment="What the op names; null when it is malformed.")
    row_id: Mapped[UUID | None]
    status: Mapped[str]
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="Kept unless the op was simply applied."
    )
    decided_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("app_user.id", ondelete="SET NULL"), comment="Who had it taken after all, or put it aside."
    )
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    __table_args__ = (
        UniqueConstraint("device_id", "n"),
        Index("ix_sync_receipt_refused", "recorded_at", postgresql_where=text("status in ('rejected', 'deferred')")),
    )


class SyncPhone(Base):
    """What a phone said at its last hello."""

    __tablename__ = "sync_phone"

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    boot: Mapped[str] = mapped_column(comment="Changes with each start of the phone.")
    mono_ms: Mapped[int] = mapped_column(BigInteger, comment="The phone's monotonic clock.")
    heard_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="By our clock.")
    stale_n: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="Ops up to here were made on revisions of another epoch."
    )


class QuarantinedOp(Base):
    """An op that came from a retired phone: nothing happened yet, somebody looks at it."""

    __tablename__ = "quarantined_op"

    op_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    n: Mapped[int] = mapped_column(BigInteger, comment="Its number on the phone.")
    body_sha: Mapped[bytes] = mapped_column(comment="SHA-256 of the canonical body.")
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    state: Mapped[str] = mapped_column(
        server_default="waiting",
        comment="waiting, taken, refused (taken, and our rules did not accept it) or discarded.",
    )
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (CheckConstraint("state in ('waiting', 'taken', 'refused', 'discarded')", name="state"),)


class SyncHorizon(Base):
    """A daily mark of the transaction counter, to tell the age of tombstones."""

    __tablename__ = "sync_horizon"

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    txid: Mapped[str] = mapped_column(TransactionId)
