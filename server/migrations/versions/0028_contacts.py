"""Contacts, their places at accounts, consent, addresses that nobody may use."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ARRAY_WORDS = """
create function array_words(parts text[]) returns text language sql immutable parallel safe
return array_to_string(parts, ' ')
"""

# What somebody has agreed to is proof: it is only ever appended.
APPEND_ONLY = (
    """
create function consent_stays() returns trigger language plpgsql as $$
begin
    raise exception 'consent is only ever appended';
end $$
""",
    """
create trigger consent_stays before update or delete on consent for each row execute function consent_stays()
""",
)

ROLES = """
insert into picklist (id, name, values) values (gen_random_uuid(), 'contact_role', '[
    {"value": "decision_maker", "label": "Decision maker"}, {"value": "buyer", "label": "Buyer"},
    {"value": "user", "label": "User"}, {"value": "technician", "label": "Technician"},
    {"value": "accounting", "label": "Accounting"}, {"value": "reception", "label": "Reception"}
]')
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(ARRAY_WORDS)
    op.create_table(
        "suppression",
        sa.Column(
            "address",
            sa.String(),
            nullable=False,
            comment="A mail address in small letters, or a phone number (E.164).",
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_suppression")),
    )
    op.create_table(
        "contact",
        sa.Column("prefix", sa.String(), nullable=True, comment="Before the name, e.g. Dr."),
        sa.Column("first_name", sa.String(), nullable=True),
        sa.Column("last_name", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True, comment="What the person does, e.g. Head of purchasing."),
        sa.Column(
            "languages",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="ISO 639-1, the preferred one first.",
        ),
        sa.Column(
            "phones",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment='[{"label": ..., "value": as typed}]',
        ),
        sa.Column(
            "mails",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment='[{"label": ..., "value": as typed}]',
        ),
        sa.Column(
            "phone_numbers",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Of `phones`, normalised (E.164).",
        ),
        sa.Column(
            "mail_addresses",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Of `mails`, in small letters.",
        ),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("do_not_contact", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("do_not_contact_reason", sa.String(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="Who sees the contact without an account in common."),
        sa.Column("merged_into", sa.Uuid(), nullable=True, comment="The contact that lives on after a merge."),
        sa.Column(
            "custom",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Values of the company's own fields by key.",
        ),
        *record(),
        sa.CheckConstraint("first_name is not null or last_name is not null", name=op.f("ck_contact_named")),
        sa.CheckConstraint("merged_into <> id", name=op.f("ck_contact_merged_elsewhere")),
        sa.ForeignKeyConstraint(["merged_into"], ["contact.id"], name=op.f("fk_contact_merged_into")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_contact_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(
        "ix_contact_custom",
        "contact",
        [sa.literal_column("custom_words(custom)").label("words")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_contact_deleted",
        "contact",
        ["deleted_at"],
        unique=False,
        postgresql_where=sa.text("deleted_at is not null"),
    )
    op.create_index("ix_contact_mail", "contact", ["mail_addresses"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_contact_merged_into"), "contact", ["merged_into"], unique=False)
    op.create_index(
        "ix_contact_name",
        "contact",
        [sa.literal_column("search_text(coalesce(last_name, first_name))"), "id"],
        unique=False,
    )
    op.create_index(op.f("ix_contact_owner_id"), "contact", ["owner_id"], unique=False)
    op.create_index("ix_contact_phone", "contact", ["phone_numbers"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_contact_search",
        "contact",
        [
            sa.literal_column(
                "search_words(first_name, last_name, array_words(mail_addresses), array_words(phone_numbers))"
            ).label("search")
        ],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When the person said so."),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("wording", sa.String(), nullable=True, comment="The text that the person was shown."),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint("channel in ('mail', 'phone', 'sms', 'post', 'visit')", name=op.f("ck_consent_channel")),
        sa.CheckConstraint("state in ('given', 'withdrawn')", name=op.f("ck_consent_state")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_consent_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_contact", "consent", ["contact_id", "at"], unique=False)
    op.create_table(
        "contact_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("winner_id", sa.Uuid(), nullable=False),
        sa.Column("loser_id", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=True),
        sa.Column("fields", postgresql.JSONB(), nullable=False, comment="Field of the winner -> [before, after]."),
        sa.Column("links", postgresql.JSONB(), nullable=False, comment="Places at accounts that the winner got."),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["loser_id"], ["contact.id"], name=op.f("fk_contact_merge_loser_id")),
        sa.ForeignKeyConstraint(["winner_id"], ["contact.id"], name=op.f("fk_contact_merge_winner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_merge")),
    )
    op.create_index(op.f("ix_contact_merge_loser_id"), "contact_merge", ["loser_id"], unique=False)
    op.create_index(op.f("ix_contact_merge_winner_id"), "contact_merge", ["winner_id"], unique=False)
    op.create_table(
        "contact_account",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True, comment="Where; null: anywhere."),
        sa.Column(
            "roles",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Of the pick list `contact_role`.",
        ),
        sa.Column(
            "is_primary",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whom one asks for first.",
        ),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True, comment="The last day; null: still there."),
        *record(),
        sa.CheckConstraint("until >= since", name=op.f("ck_contact_account_days")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_account_account_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_account_contact_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_contact_account_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_account")),
    )
    op.create_index(op.f("ix_contact_account_account_id"), "contact_account", ["account_id"], unique=False)
    op.create_index(op.f("ix_contact_account_site_id"), "contact_account", ["site_id"], unique=False)
    op.create_index(
        "uq_contact_account",
        "contact_account",
        ["contact_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "uq_contact_account_primary",
        "contact_account",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("is_primary and deleted_at is null"),
    )
    for table in ("contact", "contact_account"):
        op.execute(f"select records_attach('{table}')")
    for statement in (*APPEND_ONLY, ROLES):
        op.execute(statement)


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
