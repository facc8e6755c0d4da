"""Pipelines, stages, deals and their way."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None

ONLY_ADDED = """
create function stage_change_only_added() returns trigger language plpgsql as $$
begin
    raise exception 'rows of stage_change are only added' using errcode = 'restrict_violation';
end $$;
create trigger stage_change_only_added before update or delete on stage_change
for each row execute function stage_change_only_added();
"""


def upgrade() -> None:
    """Create the tables."""
    pipelines()
    deals()
    way()
    for name in ("pipeline", "stage", "deal_choice", "opportunity", "opportunity_line"):
        op.execute(f"select records_attach('{name}')")
    op.execute(ONLY_ADDED)


def record() -> list[sa.Column[Any]]:
    """The columns that every record carries."""
    return [
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
    ]


def pipelines() -> None:
    """Pipelines, their stages and the words of lists."""
    op.create_table(
        "pipeline",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "position", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Order among the pipelines."
        ),
        *record(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline")),
    )
    op.create_index(
        "uq_pipeline_name", "pipeline", ["name"], unique=True, postgresql_where=sa.text("deleted_at is null")
    )
    op.create_table(
        "stage",
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="Order in the pipeline, from the left."),
        sa.Column(
            "probability",
            sa.Numeric(precision=4, scale=3),
            nullable=False,
            comment="Share of its deals that are won, 0 to 1.",
        ),
        sa.Column("category", sa.String(), nullable=False, comment="How a forecast counts its deals."),
        sa.Column(
            "rotten_days", sa.Integer(), nullable=True, comment="Days after which a deal has stood here too long."
        ),
        sa.Column(
            "required",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Fields that a deal must have to come here.",
        ),
        sa.Column("is_won", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_lost", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *record(),
        sa.CheckConstraint(
            "category in ('commit', 'best_case', 'pipeline', 'omitted')", name=op.f("ck_stage_category")
        ),
        sa.CheckConstraint("not (is_won and is_lost)", name=op.f("ck_stage_outcome")),
        sa.CheckConstraint("probability between 0 and 1", name=op.f("ck_stage_probability")),
        sa.CheckConstraint("rotten_days > 0", name=op.f("ck_stage_rotten")),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name=op.f("fk_stage_pipeline_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage")),
    )
    op.create_index(op.f("ix_stage_pipeline_id"), "stage", ["pipeline_id"], unique=False)
    op.create_index(
        "uq_stage_name", "stage", ["pipeline_id", "name"], unique=True, postgresql_where=sa.text("deleted_at is null")
    )
    op.create_table(
        "deal_choice",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        *record(),
        sa.CheckConstraint(
            "kind in ('competitor', 'source', 'win_reason', 'loss_reason')", name=op.f("ck_deal_choice_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_choice")),
    )
    op.create_index(
        "uq_deal_choice_name",
        "deal_choice",
        ["kind", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )


def deals() -> None:
    """Deals and their lines."""
    op.create_table(
        "opportunity",
        sa.Column("number", sa.String(), nullable=True, comment="The company's own key."),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True, comment="Null: the main site."),
        sa.Column("contact_id", sa.Uuid(), nullable=True, comment="Who decides at the account."),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state", sa.String(), server_default="open", nullable=False, comment="What the stage says: open, won, lost."
        ),
        sa.Column(
            "amount",
            sa.Numeric(precision=14, scale=2),
            nullable=True,
            comment="The sum of the lines, where there are any.",
        ),
        sa.Column(
            "currency", sa.String(), server_default="EUR", nullable=False, comment="ISO 4217, of amount and lines."
        ),
        sa.Column("close_on", sa.Date(), nullable=False, comment="When the order is expected."),
        sa.Column("probability", sa.Numeric(precision=4, scale=3), nullable=True, comment="Null: what the stage says."),
        sa.Column("category", sa.String(), nullable=True, comment="Null: what the stage says."),
        sa.Column("next_step", sa.String(), nullable=True),
        sa.Column("next_step_on", sa.Date(), nullable=True),
        sa.Column("competitors", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True, comment="Why it was won or lost."),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("custom", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("stage_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="When it was won or lost."),
        *record(),
        sa.CheckConstraint("(state = 'open') = (closed_at is null)", name=op.f("ck_opportunity_closed")),
        sa.CheckConstraint(
            "category in ('commit', 'best_case', 'pipeline', 'omitted')", name=op.f("ck_opportunity_category")
        ),
        sa.CheckConstraint("state in ('open', 'won', 'lost')", name=op.f("ck_opportunity_state")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_opportunity_amount")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_opportunity_currency")),
        sa.CheckConstraint("probability between 0 and 1", name=op.f("ck_opportunity_probability")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_opportunity_account_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_opportunity_owner_id")),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name=op.f("fk_opportunity_pipeline_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_opportunity_site_id")),
        sa.ForeignKeyConstraint(["stage_id"], ["stage.id"], name=op.f("fk_opportunity_stage_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity")),
    )
    op.create_index("ix_opportunity_account", "opportunity", ["account_id", "created_at"], unique=False)
    op.create_index(
        "ix_opportunity_close",
        "opportunity",
        ["close_on", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_opportunity_closed_at",
        "opportunity",
        ["closed_at"],
        unique=False,
        postgresql_where=sa.text("closed_at is not null"),
    )
    op.create_index(op.f("ix_opportunity_contact_id"), "opportunity", ["contact_id"], unique=False)
    op.create_index(op.f("ix_opportunity_owner_id"), "opportunity", ["owner_id"], unique=False)
    op.create_index(op.f("ix_opportunity_site_id"), "opportunity", ["site_id"], unique=False)
    op.create_index(
        "ix_opportunity_stage",
        "opportunity",
        ["stage_id", "close_on", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "uq_opportunity_number", "opportunity", ["number"], unique=True, postgresql_where=sa.text("deleted_at is null")
    )
    op.create_table(
        "opportunity_line",
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True, comment="From the catalogue, else free text."),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column(
            "discount",
            sa.Numeric(precision=5, scale=4),
            server_default=sa.text("0"),
            nullable=False,
            comment="Share, 0 to 1.",
        ),
        sa.Column("tax_code", sa.String(), nullable=True),
        *record(),
        sa.CheckConstraint("discount between 0 and 1", name=op.f("ck_opportunity_line_discount")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_opportunity_line_quantity")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_opportunity_line_price")),
        sa.ForeignKeyConstraint(
            ["opportunity_id"], ["opportunity.id"], name=op.f("fk_opportunity_line_opportunity_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity_line")),
    )
    op.create_index(op.f("ix_opportunity_line_opportunity_id"), "opportunity_line", ["opportunity_id"], unique=False)
    op.create_index(op.f("ix_opportunity_line_product_id"), "opportunity_line", ["product_id"], unique=False)


def way() -> None:
    """The way of deals through the stages."""
    op.create_table(
        "stage_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False, comment="Where the deal was at that time."),
        sa.Column("from_stage_id", sa.Uuid(), nullable=True, comment="Null: the deal is new."),
        sa.Column("to_stage_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True, comment="Null: Waymark itself."),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True, comment="As it was then."),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "days_in_stage", sa.Numeric(precision=10, scale=2), nullable=True, comment="In the stage that it left."
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_stage_change_account_id")),
        sa.ForeignKeyConstraint(["by"], ["app_user.id"], name=op.f("fk_stage_change_by")),
        sa.ForeignKeyConstraint(["from_stage_id"], ["stage.id"], name=op.f("fk_stage_change_from_stage_id")),
        sa.ForeignKeyConstraint(["opportunity_id"], ["opportunity.id"], name=op.f("fk_stage_change_opportunity_id")),
        sa.ForeignKeyConstraint(["to_stage_id"], ["stage.id"], name=op.f("fk_stage_change_to_stage_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_change")),
    )
    op.create_index("ix_stage_change_account", "stage_change", ["account_id", "at"], unique=False)
    op.create_index("ix_stage_change_opportunity", "stage_change", ["opportunity_id", "at"], unique=False)
    op.create_index("ix_stage_change_to", "stage_change", ["to_stage_id"], unique=False)
