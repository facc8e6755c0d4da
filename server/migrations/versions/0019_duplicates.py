"""Tables of duplicates and merges; phones read merged accounts through the one that lives on."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from server.migrations import merged_feed

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    """Create the tables, and let phones see the account that lives on."""
    op.execute(merged_feed.SURVIVING)
    search()
    decisions()
    for statement in merged_feed.FUNCTIONS:
        op.execute(statement)


def search() -> None:
    """What a search for duplicates looks at and finds."""
    op.create_table(
        "account_trait",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stamp",
            sa.String(),
            nullable=False,
            comment="Revisions of account and main site; others are looked at again.",
        ),
        sa.Column("print", sa.String(), nullable=False, comment="Changes when something material changes."),
        sa.Column("glued", sa.String(), nullable=False, comment="The folded name without legal form and spaces."),
        sa.Column("pin", Geometry("POINT", srid=4326, spatial_index=False), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_trait_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_trait"),
    )
    op.create_index("ix_account_trait_pin", "account_trait", ["pin"], postgresql_using="gist")
    op.create_table(
        "account_block",
        sa.Column("key", sa.String(), nullable=False, comment="See `resemblance.keys_of`."),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_block_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "account_id", name="pk_account_block"),
    )
    op.create_index("ix_account_block_account_id", "account_block", ["account_id"])
    op.create_table(
        "account_pair",
        sa.Column("low_id", sa.Uuid(), nullable=False),
        sa.Column("high_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False, comment="How likely they are one, 0 to 1."),
        sa.Column("name_similarity", sa.Float(), nullable=False),
        sa.Column("same_phone", sa.Boolean(), nullable=False),
        sa.Column("same_email", sa.Boolean(), nullable=False),
        sa.Column("same_domain", sa.Boolean(), nullable=False),
        sa.Column("same_address", sa.Boolean(), nullable=False),
        sa.Column("distance_m", sa.Float(), nullable=True),
        sa.Column(
            "contradictions", postgresql.ARRAY(sa.Text()), nullable=False, comment="Fields that say something else."
        ),
        sa.Column("low_print", sa.String(), nullable=False, comment="Of `account_trait` when they were compared."),
        sa.Column("high_print", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("low_id < high_id", name="ck_account_pair_order"),
        sa.CheckConstraint("state in ('open', 'merged', 'not_duplicate')", name="ck_account_pair_state"),
        sa.ForeignKeyConstraint(["low_id"], ["account.id"], name="fk_account_pair_low_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["high_id"], ["account.id"], name="fk_account_pair_high_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("low_id", "high_id", name="pk_account_pair"),
    )
    op.create_index("ix_account_pair_high_id", "account_pair", ["high_id"])
    op.create_index("ix_account_pair_open", "account_pair", ["score"], postgresql_where=sa.text("state = 'open'"))
    op.create_table(
        "duplicate_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False, comment="Living accounts."),
        sa.Column("looked_at", sa.Integer(), nullable=False, comment="New and changed ones among them."),
        sa.Column("compared", sa.Integer(), nullable=False, comment="Pairs that were compared."),
        sa.Column("found", sa.Integer(), nullable=False, comment="Pairs that resemble each other."),
        sa.Column("cut_blocks", sa.Integer(), nullable=False, comment="Blocks that were too large to compare."),
        sa.Column("cut_pairs", sa.BigInteger(), nullable=False, comment="Pairs in them; most share another block too."),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_run"),
    )


def decisions() -> None:
    """What people and the rule decide."""
    op.create_table(
        "account_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("winner_id", sa.Uuid(), nullable=False),
        sa.Column("loser_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True, comment="Of the pair when it was merged; null for one by hand."),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=True, comment="Null for the rule."),
        sa.Column("batch_id", sa.Uuid(), nullable=True, comment="The run of the rule that merged them."),
        sa.Column(
            "fields",
            postgresql.JSONB(),
            nullable=False,
            comment='{"winner": {field: [before, after]}, "loser": {...}}; see `merging`.',
        ),
        sa.Column(
            "sites", postgresql.JSONB(), nullable=False, comment="Each site that was moved or folded, before and after."
        ),
        sa.Column("reps", postgresql.ARRAY(sa.Uuid()), nullable=False, comment="Reps the winner got."),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["winner_id"], ["account.id"], name="fk_account_merge_winner_id"),
        sa.ForeignKeyConstraint(["loser_id"], ["account.id"], name="fk_account_merge_loser_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account_merge"),
    )
    op.create_index("ix_account_merge_winner_id", "account_merge", ["winner_id"])
    op.create_index("ix_account_merge_batch_id", "account_merge", ["batch_id"])
    op.create_index(
        "uq_account_merge_loser",
        "account_merge",
        ["loser_id"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_table(
        "duplicate_rule",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "threshold", sa.Float(), server_default=sa.text("0.99"), nullable=False, comment="Least score of a pair."
        ),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("one", name="ck_duplicate_rule_one"),
        sa.CheckConstraint("threshold between 0.9 and 1", name="ck_duplicate_rule_threshold"),
        sa.PrimaryKeyConstraint("one", name="pk_duplicate_rule"),
    )
