"""What a retired phone still held, for a manager to look at."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for ops that were sent after their phone was retired."""
    op.create_table(
        "quarantined_op",
        sa.Column("op_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False, comment="Its number on the phone."),
        sa.Column("body_sha", sa.LargeBinary(), nullable=False, comment="SHA-256 of the canonical body."),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "state",
            sa.String(),
            server_default="waiting",
            nullable=False,
            comment="waiting, taken, refused (taken, and our rules did not accept it) or discarded.",
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'taken', 'refused', 'discarded')", name=op.f("ck_quarantined_op_state")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["app_user.id"], name=op.f("fk_quarantined_op_decided_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_quarantined_op_device_id_device"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("op_id", name=op.f("pk_quarantined_op")),
    )
    op.create_index(op.f("ix_quarantined_op_device_id"), "quarantined_op", ["device_id"])
