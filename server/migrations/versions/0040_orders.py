"""Quotes, orders and credit notes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

RECORDS = ("letterhead", "order_habit", "sales_order", "order_line")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "letterhead",
        sa.Column("address", sa.String(), server_default="", nullable=False, comment="The company's, below its name."),
        sa.Column("footer", sa.String(), server_default="", nullable=False, comment="Tax number, bank, register."),
        sa.Column(
            "terms_en", sa.String(), server_default="", nullable=False, comment="Payment terms of a new document."
        ),
        sa.Column("terms_de", sa.String(), server_default="", nullable=False),
        sa.Column(
            "quote_days",
            sa.Integer(),
            server_default=sa.text("30"),
            nullable=False,
            comment="How long a new quote is valid.",
        ),
        *record(),
        sa.CheckConstraint("quote_days between 1 and 365", name=op.f("ck_letterhead_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letterhead")),
    )
    op.create_table(
        "order_habit",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "value_follows",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The yearly value is the sum of twelve months of orders.",
        ),
        sa.Column(
            "asks_for_visits",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="A visit is wanted when an order stays away.",
        ),
        *record(),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_order_habit_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_habit")),
        sa.UniqueConstraint("account_id", name=op.f("uq_order_habit_account_id")),
    )
    op.create_table(
        "sales_order",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="draft", nullable=False),
        sa.Column("number", sa.String(), nullable=True, comment="Given when it is sent or placed: without gaps."),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True, comment="Where it is delivered to."),
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="Whose sale it is."),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True, comment="The deal it belongs to."),
        sa.Column("quote_id", sa.Uuid(), nullable=True, comment="The quote that became this order."),
        sa.Column("credits_id", sa.Uuid(), nullable=True, comment="The order that this credit note takes back."),
        sa.Column("currency", sa.String(), nullable=False, comment="ISO 4217; fixed once there are lines."),
        sa.Column("country", sa.String(), server_default="", nullable=False, comment="Where it is taxed: ISO 3166-1."),
        sa.Column("language", sa.String(), server_default="en", nullable=False, comment="Of the document."),
        sa.Column("day", sa.Date(), nullable=False, comment="The day of its prices and taxes."),
        sa.Column("zone", sa.String(), nullable=False, comment="Where that is the day."),
        sa.Column("valid_until", sa.Date(), nullable=True, comment="Last day of a quote."),
        sa.Column("wanted_on", sa.Date(), nullable=True, comment="When the customer wants it."),
        sa.Column("reference", sa.String(), nullable=True, comment="What the customer calls it."),
        sa.Column("payment_terms", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True, comment="Stands on the document."),
        sa.Column("internal_note", sa.String(), nullable=True, comment="Never leaves the house."),
        sa.Column("reason", sa.String(), nullable=True, comment="Why it was declined, cancelled or credited."),
        sa.Column("net", sa.Numeric(precision=16, scale=3), server_default=sa.text("0"), nullable=False),
        sa.Column("tax", sa.Numeric(precision=16, scale=3), server_default=sa.text("0"), nullable=False),
        sa.Column("gross", sa.Numeric(precision=16, scale=3), server_default=sa.text("0"), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True, comment="Sent, of a quote."),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        *record(),
        sa.CheckConstraint("(kind = 'credit') = (credits_id is not null)", name=op.f("ck_sales_order_credit")),
        sa.CheckConstraint("(state = 'draft') = (number is null)", name=op.f("ck_sales_order_number")),
        sa.CheckConstraint("kind in ('quote', 'order', 'credit')", name=op.f("ck_sales_order_kind")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_sales_order_currency")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sales_order_account_id")),
        sa.ForeignKeyConstraint(["credits_id"], ["sales_order.id"], name=op.f("fk_sales_order_credits_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_sales_order_owner_id")),
        sa.ForeignKeyConstraint(["quote_id"], ["sales_order.id"], name=op.f("fk_sales_order_quote_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_sales_order_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order")),
    )
    op.create_index(
        "ix_sales_order_account",
        "sales_order",
        ["account_id", sa.literal_column("coalesce(placed_at, created_at) desc")],
        unique=False,
    )
    op.create_index(op.f("ix_sales_order_credits_id"), "sales_order", ["credits_id"], unique=False)
    op.create_index(
        "ix_sales_order_day",
        "sales_order",
        [sa.literal_column("day desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_sales_order_open",
        "sales_order",
        ["state", "valid_until"],
        unique=False,
        postgresql_where=sa.text("kind = 'quote'"),
    )
    op.create_index(op.f("ix_sales_order_opportunity_id"), "sales_order", ["opportunity_id"], unique=False)
    op.create_index(op.f("ix_sales_order_owner_id"), "sales_order", ["owner_id"], unique=False)
    op.create_index(op.f("ix_sales_order_quote_id"), "sales_order", ["quote_id"], unique=False)
    op.create_index(op.f("ix_sales_order_site_id"), "sales_order", ["site_id"], unique=False)
    op.create_index("uq_sales_order_number", "sales_order", ["number"], unique=True)
    op.create_table(
        "order_line",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True, comment="Null: free text."),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("unit", sa.String(), server_default="pc", nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column(
            "is_gross",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The price contains the tax.",
        ),
        sa.Column(
            "by_hand",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="A person has set the price; no list changes it.",
        ),
        sa.Column(
            "price_reason",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="See products.pricing.Reason.",
        ),
        sa.Column("discount_percent", sa.Numeric(precision=6, scale=3), server_default=sa.text("0"), nullable=False),
        sa.Column("tax_class_id", sa.Uuid(), nullable=True),
        sa.Column(
            "tax_percent", sa.Numeric(precision=6, scale=3), nullable=True, comment="Null: no rate is known yet."
        ),
        sa.Column(
            "amount",
            sa.Numeric(precision=16, scale=3),
            nullable=False,
            comment="Quantity × price − discount, rounded once.",
        ),
        sa.Column("delivered", sa.Numeric(precision=12, scale=3), server_default=sa.text("0"), nullable=False),
        sa.Column("credits_line_id", sa.Uuid(), nullable=True, comment="The line that this one takes back."),
        *record(),
        sa.CheckConstraint("discount_percent between 0 and 100", name=op.f("ck_order_line_discount")),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_order_line_quantity")),
        sa.CheckConstraint("quantity > 0 or credits_line_id is not null", name=op.f("ck_order_line_credit")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_order_line_price")),
        sa.ForeignKeyConstraint(["credits_line_id"], ["order_line.id"], name=op.f("fk_order_line_credits_line_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_line_order_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_order_line_product_id")),
        sa.ForeignKeyConstraint(["tax_class_id"], ["tax_class.id"], name=op.f("fk_order_line_tax_class_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
    )
    op.create_index(op.f("ix_order_line_credits_line_id"), "order_line", ["credits_line_id"], unique=False)
    op.create_index("ix_order_line_order", "order_line", ["order_id", "position", "id"], unique=False)
    op.create_index(op.f("ix_order_line_product_id"), "order_line", ["product_id"], unique=False)
    op.create_index(op.f("ix_order_line_tax_class_id"), "order_line", ["tax_class_id"], unique=False)
    op.create_table(
        "order_number",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "year", name=op.f("pk_order_number")),
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
