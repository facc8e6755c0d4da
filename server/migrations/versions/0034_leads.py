"""Leads, what happened to them, who got them and why."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

RECORDS = ("lead",)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "lead",
        sa.Column(
            "number", sa.String(), nullable=True, comment="The key of another program; what an import recognises it by."
        ),
        sa.Column("company", sa.String(), nullable=True),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("phones", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment="As typed."),
        sa.Column(
            "phones_e164",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Normalised; what is not understood is left out.",
        ),
        sa.Column("emails", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment="Lower case."),
        sa.Column("website", sa.String(), nullable=True),
        sa.Column("street", sa.String(), nullable=True),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("pin", Geometry("POINT", srid=4326, spatial_index=False), nullable=True),
        sa.Column("pin_state", sa.String(), server_default="pending", nullable=False),
        sa.Column("grade", sa.String(), nullable=True, comment="geo.types.Grade; null while there is no pin."),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column(
            "geocode_reason", sa.String(), nullable=True, comment="Why the pin is where it is, or why there is none."
        ),
        sa.Column("provider", sa.String(), nullable=True),
        sa.Column("region_version", sa.String(), nullable=True),
        sa.Column("source", sa.String(), server_default="hand", nullable=False),
        sa.Column("campaign", sa.String(), nullable=True),
        sa.Column(
            "utm",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="utm_source, utm_medium, utm_campaign, ...",
        ),
        sa.Column("referrer", sa.String(), nullable=True, comment="The page that they came from."),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("consent_text", sa.String(), nullable=True, comment="What they agreed to, as it was shown."),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column(
            "expected_value",
            sa.Numeric(precision=14, scale=2),
            nullable=True,
            comment="A year, as a customer.",
        ),
        sa.Column(
            "currency", sa.String(), server_default="EUR", nullable=False, comment="ISO 4217, of the expected value."
        ),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("state", sa.String(), server_default="new", nullable=False),
        sa.Column("reason", sa.String(), nullable=True, comment="LostReason, of a disqualified one."),
        sa.Column("reason_note", sa.String(), nullable=True),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), nullable=True, comment="When it was converted or disqualified."
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("territory_id", sa.Uuid(), nullable=True, comment="The polygon that covers the pin."),
        sa.Column("created_by", sa.Uuid(), nullable=True, comment="Null: a form or a program."),
        sa.Column("score", sa.SmallInteger(), nullable=True, comment="0 to 100: the chance in percent, or the points."),
        sa.Column("points", sa.Integer(), nullable=True, comment="Sum of the rules' points."),
        sa.Column("chance", sa.Double(), nullable=True, comment="0 to 1, of the model; null while there is none."),
        sa.Column(
            "score_reasons",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="The strongest first; see leads.scoring.",
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True, comment="What it was converted to."),
        sa.Column(
            "account_is_new",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The conversion made the account.",
        ),
        sa.Column("contact_id", sa.Uuid(), nullable=True, comment="The person at the account."),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True, comment="The deal that it became."),
        *record(),
        sa.CheckConstraint("(state = 'converted') = (account_id is not null)", name=op.f("ck_lead_converted")),
        sa.CheckConstraint("(state = 'disqualified') = (reason is not null)", name=op.f("ck_lead_reason")),
        sa.CheckConstraint("pin_state in ('pending', 'placed', 'review', 'failed')", name=op.f("ck_lead_pin_state")),
        sa.CheckConstraint(
            "state in ('new', 'working', 'qualified', 'disqualified', 'converted')", name=op.f("ck_lead_state")
        ),
        sa.CheckConstraint("company is not null or person is not null", name=op.f("ck_lead_named")),
        sa.CheckConstraint("expected_value >= 0", name=op.f("ck_lead_expected_value")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_lead_currency")),
        sa.CheckConstraint("score between 0 and 100", name=op.f("ck_lead_score")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lead_account_id")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_lead_created_by")),
        sa.ForeignKeyConstraint(["form_id"], ["lead_form.id"], name=op.f("fk_lead_form_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_lead_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
    )
    op.create_index(op.f("ix_lead_account_id"), "lead", ["account_id"], unique=False)
    op.create_index("ix_lead_created_at", "lead", ["created_at", "id"], unique=False)
    op.create_index("ix_lead_emails", "lead", ["emails"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_lead_form_id"), "lead", ["form_id"], unique=False)
    op.create_index(
        "ix_lead_name",
        "lead",
        [sa.literal_column("search_words(company, person, null, null)").label("search")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_lead_open",
        "lead",
        ["owner_id"],
        unique=False,
        postgresql_where=sa.text("state in ('new', 'working', 'qualified') and deleted_at is null"),
    )
    op.create_index(op.f("ix_lead_owner_id"), "lead", ["owner_id"], unique=False)
    op.create_index("ix_lead_phones", "lead", ["phones_e164"], unique=False, postgresql_using="gin")
    op.create_index("ix_lead_pin", "lead", ["pin"], unique=False, postgresql_using="gist")
    op.create_index(
        "ix_lead_search",
        "lead",
        [sa.literal_column("search_words(company, person, street, city)").label("search")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_lead_territory_id"), "lead", ["territory_id"], unique=False)
    op.create_index(
        "ix_lead_waiting",
        "lead",
        ["id"],
        unique=False,
        postgresql_where=sa.text("pin_state = 'pending' and deleted_at is null"),
    )
    op.create_index("uq_lead_number", "lead", ["number"], unique=True, postgresql_where=sa.text("deleted_at is null"))
    op.create_table(
        "lead_assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True, comment="Null: nobody."),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("because", postgresql.JSONB(), nullable=False, comment="The steps of the reason; see leads.wording."),
        sa.Column("by", sa.Uuid(), nullable=True, comment="Null: the rules."),
        sa.ForeignKeyConstraint(["by"], ["app_user.id"], name=op.f("fk_lead_assignment_by")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_assignment_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rule_id"], ["lead_rule.id"], name=op.f("fk_lead_assignment_rule_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_lead_assignment_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_assignment")),
    )
    op.create_index(op.f("ix_lead_assignment_lead_id"), "lead_assignment", ["lead_id"], unique=False)
    op.create_index(op.f("ix_lead_assignment_rule_id"), "lead_assignment", ["rule_id"], unique=False)
    op.create_index("ix_lead_assignment_user", "lead_assignment", ["user_id", "at"], unique=False)
    op.create_table(
        "lead_form_post",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False, comment="Keyed hash of the sender's network address."),
        sa.Column("outcome", sa.String(), nullable=False, comment="taken, repeat, honeypot, too_fast or too_many."),
        sa.Column("nonce", sa.String(), nullable=True, comment="Of the token that was used up."),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["form_id"], ["lead_form.id"], name=op.f("fk_lead_form_post_form_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_form_post_lead_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_form_post")),
        sa.UniqueConstraint("nonce", name=op.f("uq_lead_form_post_nonce")),
    )
    op.create_index("ix_lead_form_post_address", "lead_form_post", ["address", "at"], unique=False)
    op.create_index("ix_lead_form_post_form", "lead_form_post", ["form_id", "at"], unique=False)
    op.create_index(op.f("ix_lead_form_post_lead_id"), "lead_form_post", ["lead_id"], unique=False)
    op.create_table(
        "lead_signal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "key", sa.String(), nullable=True, comment="Which one of its kind; the same one twice is one signal."
        ),
        sa.Column("body", sa.String(), nullable=True, comment="What was said or done, in words."),
        sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_lead_signal_actor_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_signal_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_signal")),
    )
    op.create_index("ix_lead_signal_lead", "lead_signal", ["lead_id", "at"], unique=False)
    op.create_index(
        "uq_lead_signal_key",
        "lead_signal",
        ["lead_id", "kind", "key"],
        unique=True,
        postgresql_where=sa.text("key is not null"),
    )
    op.create_table(
        "lead_traits",
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_traits_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_lead_traits")),
    )
    for table in RECORDS:
        op.execute(f"select records_attach('{table}')")


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
