"""Reports by mail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for who gets which report when."""
    op.create_table(
        "report_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "span", sa.String(), nullable=False, comment="`week`, `month`, `quarter` or `year`: sent when it has ended."
        ),
        sa.Column(
            "hour", sa.SmallInteger(), nullable=False, comment="Of the first day after it, in the company's zone."
        ),
        sa.Column("by", sa.String(), nullable=False, comment="How it is told apart; server.reports.figures.By."),
        sa.Column(
            "against", sa.String(), nullable=False, comment="What it is compared with; server.reports.periods.Against."
        ),
        sa.Column("filter", sa.String(), server_default="", nullable=False, comment="Of accounts; empty: all."),
        sa.Column("recipient_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False, comment="The day on which the next one is sent."),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "problems",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Why somebody did not get the last one.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("hour between 0 and 23", name=op.f("ck_report_mail_hour")),
        sa.CheckConstraint("cardinality(recipient_ids) > 0", name=op.f("ck_report_mail_recipients")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_report_mail_owner_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_mail")),
    )
    op.create_index(op.f("ix_report_mail_owner_id"), "report_mail", ["owner_id"])
    op.create_index("ix_report_mail_next", "report_mail", ["next_on"])
