"""Parents and preferences of accounts; suggested classes."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tables and columns."""
    op.create_table(
        "class_rule",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("basis", sa.String(), server_default="percentiles", nullable=False),
        sa.Column(
            "potential_share",
            sa.Double(),
            server_default=sa.text("0.3"),
            nullable=False,
            comment="How much of the weight is potential; the rest is value.",
        ),
        sa.Column(
            "a_from",
            sa.Numeric(precision=14, scale=2),
            server_default=sa.text("50000"),
            nullable=False,
            comment="Worth a year from which an account is A.",
        ),
        sa.Column("b_from", sa.Numeric(precision=14, scale=2), server_default=sa.text("15000"), nullable=False),
        sa.Column(
            "a_share",
            sa.Double(),
            server_default=sa.text("0.15"),
            nullable=False,
            comment="Share of all accounts that are A.",
        ),
        sa.Column("b_share", sa.Double(), server_default=sa.text("0.35"), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("basis in ('thresholds', 'percentiles')", name=op.f("ck_class_rule_basis")),
        sa.CheckConstraint("a_from > b_from and b_from > 0", name=op.f("ck_class_rule_amounts")),
        sa.CheckConstraint("a_share > 0 and b_share > 0 and a_share + b_share < 1", name=op.f("ck_class_rule_shares")),
        sa.CheckConstraint("one", name=op.f("ck_class_rule_one")),
        sa.CheckConstraint("potential_share between 0 and 1", name=op.f("ck_class_rule_potential_share")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_class_rule")),
    )
    op.create_table(
        "class_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("old_class", sa.String(), nullable=True),
        sa.Column("new_class", sa.String(), nullable=False),
        sa.Column(
            "interval_days", sa.Integer(), nullable=False, comment="Days between visits that go with the new class."
        ),
        sa.Column("worth", sa.Numeric(precision=14, scale=2), nullable=False, comment="Value and potential, weighed."),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False, comment="The reason in a sentence."),
        sa.Column("basis", sa.String(), nullable=False, comment="Of the rule, when it was suggested."),
        sa.Column("share", sa.Double(), nullable=True, comment="Share of all accounts that are worth as much or more."),
        sa.Column(
            "begins_at", sa.Numeric(precision=14, scale=2), nullable=True, comment="Worth from which the class begins."
        ),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("suggested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True, comment="Why it was refused."),
        sa.CheckConstraint("new_class in ('A', 'B', 'C')", name=op.f("ck_class_change_class")),
        sa.CheckConstraint("state in ('open', 'approved', 'refused', 'overtaken')", name=op.f("ck_class_change_state")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_class_change_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_change")),
    )
    op.create_index(op.f("ix_class_change_account_id"), "class_change", ["account_id"], unique=False)
    op.create_index(
        "uq_class_change_open", "class_change", ["account_id"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.add_column(
        "account",
        sa.Column(
            "parent_id", sa.Uuid(), nullable=True, comment="The account that it belongs to, e.g. its head office."
        ),
    )
    op.add_column(
        "account",
        sa.Column(
            "preferred_days",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Days on which visits are welcome: mo to su; empty: any.",
        ),
    )
    op.add_column(
        "account",
        sa.Column(
            "preferred_time", sa.String(), nullable=True, comment="morning, midday, afternoon or evening; null: any."
        ),
    )
    op.add_column(
        "account", sa.Column("preferred_channel", sa.String(), nullable=True, comment="How it likes to be reached.")
    )
    op.add_column("account", sa.Column("language", sa.String(), nullable=True, comment="ISO 639-1."))
    op.add_column(
        "account",
        sa.Column(
            "by_appointment",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Visits only at a time that was agreed.",
        ),
    )
    op.create_index(op.f("ix_account_parent_id"), "account", ["parent_id"], unique=False)
    op.create_foreign_key(op.f("fk_account_parent_id"), "account", "account", ["parent_id"], ["id"])
    op.create_check_constraint(op.f("ck_account_parent_elsewhere"), "account", "parent_id <> id")
