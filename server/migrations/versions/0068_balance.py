"""Balancing territories, and challenges of whoever works in them."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for runs, small areas, scenarios and challenges."""
    runs()
    areas()
    scenarios()
    challenges()


def runs() -> None:
    """What is balanced, and how far it is."""
    moment = sa.DateTime(timezone=True)
    empty = sa.text("''")
    op.create_table(
        "balance_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column(
            "territory_ids",
            postgresql.ARRAY(sa.Uuid()),
            nullable=False,
            comment="In the order of the numbers of owners.",
        ),
        sa.Column(
            "revs", postgresql.ARRAY(sa.Integer()), nullable=False, comment="Their revisions when the run began."
        ),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("progress", sa.Float(), server_default=sa.text("0"), nullable=False, comment="0 to 1."),
        sa.Column("stage", sa.String(), server_default=empty, nullable=False, comment="What it is at, in words."),
        sa.Column("trouble", sa.String(), server_default=empty, nullable=False, comment="Why it failed, in words."),
        sa.Column(
            "facts",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Measures of the territories as they were.",
        ),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_balance_run_state")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["app_user.id"], name=op.f("fk_balance_run_asked_by_app_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_run")),
    )


def areas() -> None:
    """The small areas of a run."""
    op.create_table(
        "balance_area",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False, comment="Number of the territory that has it now."),
        sa.Column("area", Geometry("POLYGON", srid=4326, spatial_index=False), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("lon", "lat")),
        sa.Column("accounts", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("hours", "value", "potential")),
        sa.Column("neighbours", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column(
            "travel_h",
            postgresql.ARRAY(sa.Double()),
            nullable=False,
            comment="Hours on the way a year, by territory.",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["balance_run.id"], name=op.f("fk_balance_area_run_id_balance_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_balance_area")),
    )


def scenarios() -> None:
    """What came out."""
    op.create_table(
        "balance_scenario",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False, comment="few, even, compact, or hand: changed by a person."),
        sa.Column(
            "owners",
            postgresql.ARRAY(sa.Integer()),
            nullable=False,
            comment="Number of the territory of each small area.",
        ),
        sa.Column("facts", postgresql.JSONB(), nullable=False, comment="Its measures."),
        sa.Column("apply_on", sa.Date(), nullable=True, comment="The day on which a job applies it."),
        sa.Column(
            "trouble",
            sa.String(),
            server_default=sa.text("''"),
            nullable=False,
            comment="Why it was not applied, in words.",
        ),
        sa.Column("change_id", sa.Uuid(), nullable=True, comment="What it became when it was applied."),
        sa.ForeignKeyConstraint(
            ["run_id"], ["balance_run.id"], name=op.f("fk_balance_scenario_run_id_balance_run"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["territory_change.id"],
            name=op.f("fk_balance_scenario_change_id_territory_change"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_balance_scenario")),
    )
    op.create_index(op.f("ix_balance_scenario_apply_on"), "balance_scenario", ["apply_on"])


def challenges() -> None:
    """What the field contests, and the rule that decides small ones."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "territory_challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=True, comment="The territory that has it; null: none."),
        sa.Column("to_id", sa.Uuid(), nullable=False, comment="The territory that should have it."),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("effect", postgresql.JSONB(), nullable=False, comment="Hours of both territories before and after."),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column(
            "by_rule",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Decided by the rule, not by a person.",
        ),
        sa.Column("answer", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.CheckConstraint("state in ('open', 'accepted', 'refused')", name=op.f("ck_territory_challenge_state")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_territory_challenge_account_id_account"), ondelete="CASCADE"
        ),
        *(
            sa.ForeignKeyConstraint(
                [name], ["app_user.id"], name=op.f(f"fk_territory_challenge_{name}_app_user"), ondelete="SET NULL"
            )
            for name in ("made_by", "decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory_challenge")),
    )
    op.create_index(op.f("ix_territory_challenge_account_id"), "territory_challenge", ["account_id"])
    op.create_table(
        "challenge_rule",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "accept_h",
            sa.Float(),
            nullable=False,
            comment="Up to so many hours a year: accepted when it evens the two out.",
        ),
        sa.Column(
            "refuse_h",
            sa.Float(),
            nullable=False,
            comment="Up to so many hours a year: refused when it makes them less even.",
        ),
        sa.CheckConstraint("accept_h >= 0 and refuse_h >= 0", name=op.f("ck_challenge_rule_hours")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_rule")),
    )
