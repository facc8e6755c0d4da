"""Tables of sync, and the triggers that fill them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations import feed

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


class TransactionId(sa.types.UserDefinedType[str]):
    """PostgreSQL's `xid8`."""

    def get_col_spec(self, **_: Any) -> str:
        """The type's name."""
        return "xid8"


def upgrade() -> None:
    """Create the tables of sync."""
    op.create_table(
        "bucket",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="company, territory or user."),
        sa.Column("key", sa.String(), nullable=False, comment="The territory's or user's id."),
        sa.Column("priority", sa.SmallInteger(), nullable=False, comment="0 is read first."),
        sa.Column(
            "gen",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Raised to have phones read it again.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bucket")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_bucket_kind_key")),
    )
    op.create_table(
        "picklist",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False, comment='[{"value": ..., "label": ...}]'),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picklist")),
        sa.UniqueConstraint("name", name=op.f("uq_picklist_name")),
    )
    op.create_table(
        "sync_horizon",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("txid", TransactionId(), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_sync_horizon")),
    )
    op.create_table(
        "sync_item",
        sa.Column("e", sa.SmallInteger(), nullable=False, comment="server.sync.pulling.entities"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bucket_id", sa.Integer(), nullable=False),
        sa.Column("op", sa.CHAR(length=1), nullable=False, comment="P present, R left the bucket, D deleted."),
        sa.Column("txid", TransactionId(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.PrimaryKeyConstraint("e", "id", "bucket_id", name=op.f("pk_sync_item")),
    )
    op.create_index("ix_sync_item_feed", "sync_item", ["bucket_id", "txid", "e", "id"], unique=False)
    op.create_table(
        "sync_meta",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("db_uuid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="Signs cursors."),
        sa.Column(
            "declared",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Epochs that an operator declared to be an earlier one.",
        ),
        sa.Column(
            "durable_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Everything recorded before is in a verified backup.",
        ),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_sync_meta")),
    )
    op.create_table(
        "sync_phone",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("boot", sa.String(), nullable=False, comment="Changes with each start of the phone."),
        sa.Column("mono_ms", sa.BigInteger(), nullable=False, comment="The phone's monotonic clock."),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False, comment="By our clock."),
        sa.Column(
            "stale_n",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Ops up to here were made on revisions of another epoch.",
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_sync_phone_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_sync_phone")),
    )
    op.create_table(
        "sync_receipt",
        sa.Column("op_id", sa.Uuid(), nullable=False),
        sa.Column("body_sha", sa.LargeBinary(), nullable=False, comment="SHA-256 of the canonical body."),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.String(), nullable=True, comment="What the op names; null when it is malformed."),
        sa.Column("row_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=True, comment="Kept unless the op was simply applied."),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_sync_receipt_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("op_id", "body_sha", name=op.f("pk_sync_receipt")),
        sa.UniqueConstraint("device_id", "n", name=op.f("uq_sync_receipt_device_id_n")),
    )
    op.create_index(
        "ix_sync_receipt_refused",
        "sync_receipt",
        ["recorded_at"],
        unique=False,
        postgresql_where=sa.text("status in ('rejected', 'deferred')"),
    )
    op.execute("select records_attach('picklist')")
    for statement in (*feed.FUNCTIONS, feed.ATTACH, feed.ATTACHED, feed.ROWS_OF_BEFORE, feed.OUTCOMES, feed.IDENTITY):
        op.execute(statement)
