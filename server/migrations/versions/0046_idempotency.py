"""Answers to requests with an idempotency key; keys for programs with a limit of requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and count what a key asks for."""
    op.create_table(
        "idempotent_answer",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False, comment="Method and path."),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the body and its type."),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True, comment="Null: the answer has not been kept yet."),
        sa.Column("headers", postgresql.JSONB(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_idempotent_answer_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotent_answer")),
    )
    op.create_index(op.f("ix_idempotent_answer_at"), "idempotent_answer", ["at"], unique=False)
    op.add_column(
        "api_token",
        sa.Column("per_minute", sa.Integer(), nullable=True, comment="So many requests at most; null: no limit."),
    )
    op.add_column(
        "api_token",
        sa.Column("minute_at", sa.DateTime(timezone=True), nullable=True, comment="The minute that is counted."),
    )
    op.add_column(
        "api_token",
        sa.Column("minute_count", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Requests in it."),
    )
