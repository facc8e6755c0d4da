"""The catalogue: products, stock, taxes, price lists."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0037"
branch_labels = None
depends_on = None

RECORDS = (
    "product_category",
    "tax_class",
    "tax_rate",
    "product",
    "stock_level",
    "price_list",
    "price",
    "price_list_use",
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "product_category",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        *record(),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_product_category_parent")),
        sa.ForeignKeyConstraint(["parent_id"], ["product_category.id"], name=op.f("fk_product_category_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_category")),
    )
    op.create_index(op.f("ix_product_category_parent_id"), "product_category", ["parent_id"], unique=False)
    op.create_table(
        "tax_class",
        sa.Column("name", sa.String(), nullable=False),
        *record(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_class")),
    )
    op.create_index(
        "uq_tax_class_name",
        "tax_class",
        [sa.literal_column("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "tax_rate",
        sa.Column("tax_class_id", sa.Uuid(), nullable=False),
        sa.Column(
            "country",
            sa.String(),
            nullable=False,
            comment="ISO 3166-1, two letters; empty: wherever no other rate is known.",
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("percent", sa.Numeric(precision=6, scale=3), nullable=False),
        *record(),
        sa.CheckConstraint("percent between 0 and 100", name=op.f("ck_tax_rate_percent")),
        sa.ForeignKeyConstraint(["tax_class_id"], ["tax_class.id"], name=op.f("fk_tax_rate_tax_class_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate")),
    )
    op.create_index(
        "uq_tax_rate_day",
        "tax_rate",
        ["tax_class_id", "country", "valid_from"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "product",
        sa.Column(
            "number", sa.String(), nullable=False, comment="The company's own key; what an import recognises it by."
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("unit", sa.String(), server_default="pc", nullable=False, comment="What a quantity of one means."),
        sa.Column(
            "pack_size", sa.Numeric(precision=12, scale=3), nullable=True, comment="Units in a pack; null: sold singly."
        ),
        sa.Column("min_quantity", sa.Numeric(precision=12, scale=3), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "quantity_step",
            sa.Numeric(precision=12, scale=3),
            server_default=sa.text("1"),
            nullable=False,
            comment="Quantities are multiples of it.",
        ),
        sa.Column("tax_class_id", sa.Uuid(), nullable=True),
        sa.Column(
            "is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="False: is sold no more."
        ),
        sa.Column("successor_id", sa.Uuid(), nullable=True, comment="What is offered in its place."),
        sa.Column(
            "ean", sa.String(), nullable=True, comment="Barcode: EAN-8, UPC-A, EAN-13 or GTIN-14 with its check digit."
        ),
        *record(),
        sa.CheckConstraint("min_quantity > 0", name=op.f("ck_product_least")),
        sa.CheckConstraint("pack_size > 0", name=op.f("ck_product_pack")),
        sa.CheckConstraint("quantity_step > 0", name=op.f("ck_product_step")),
        sa.CheckConstraint("successor_id <> id", name=op.f("ck_product_successor")),
        sa.ForeignKeyConstraint(["category_id"], ["product_category.id"], name=op.f("fk_product_category_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["product.id"], name=op.f("fk_product_successor_id")),
        sa.ForeignKeyConstraint(["tax_class_id"], ["tax_class.id"], name=op.f("fk_product_tax_class_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
    )
    op.create_index(op.f("ix_product_category_id"), "product", ["category_id"], unique=False)
    op.create_index("ix_product_name", "product", [sa.literal_column("search_text(name)"), "id"], unique=False)
    op.create_index(
        "ix_product_search",
        "product",
        [sa.literal_column("search_words(name, number, ean, description)").label("search")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_product_successor_id"), "product", ["successor_id"], unique=False)
    op.create_index(op.f("ix_product_tax_class_id"), "product", ["tax_class_id"], unique=False)
    op.create_index("uq_product_ean", "product", ["ean"], unique=True, postgresql_where=sa.text("deleted_at is null"))
    op.create_index(
        "uq_product_number", "product", ["number"], unique=True, postgresql_where=sa.text("deleted_at is null")
    )
    op.create_table(
        "stock_level",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse", sa.String(), server_default="", nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        *record(),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_stock_level_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_level")),
    )
    op.create_index(
        "uq_stock_level_place",
        "stock_level",
        ["product_id", "warehouse"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "price_list",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False, comment="ISO 4217."),
        sa.Column(
            "is_gross", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Prices contain the tax."
        ),
        sa.Column("valid_from", sa.Date(), nullable=True, comment="First day; null: always was."),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="Last day; null: until further notice."),
        sa.Column("base_id", sa.Uuid(), nullable=True),
        sa.Column(
            "percent",
            sa.Numeric(precision=6, scale=3),
            server_default=sa.text("0"),
            nullable=False,
            comment="By how much the base list's prices rise or fall.",
        ),
        *record(),
        sa.CheckConstraint("base_id <> id", name=op.f("ck_price_list_base")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_price_list_currency")),
        sa.CheckConstraint("percent > -100", name=op.f("ck_price_list_percent")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_price_list_days")),
        sa.ForeignKeyConstraint(["base_id"], ["price_list.id"], name=op.f("fk_price_list_base_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
    )
    op.create_index(op.f("ix_price_list_base_id"), "price_list", ["base_id"], unique=False)
    op.create_index(
        "uq_price_list_name",
        "price_list",
        [sa.literal_column("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "price",
        sa.Column("price_list_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("min_quantity", sa.Numeric(precision=12, scale=3), server_default=sa.text("1"), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        *record(),
        sa.CheckConstraint("min_quantity > 0", name=op.f("ck_price_least")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_price_amount")),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_list.id"], name=op.f("fk_price_price_list_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_price_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
    )
    op.create_index(op.f("ix_price_price_list_id"), "price", ["price_list_id"], unique=False)
    op.create_index(
        "uq_price_break",
        "price",
        ["product_id", "price_list_id", "min_quantity"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "price_list_use",
        sa.Column("price_list_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True, comment="No key, because `accounts` lies above."),
        sa.Column("account_class", sa.String(), nullable=True),
        sa.Column("territory_id", sa.Uuid(), nullable=True, comment="No key, because `territories` lies beside."),
        *record(),
        sa.CheckConstraint(
            "num_nonnulls(account_id, account_class, territory_id) <= 1", name=op.f("ck_price_list_use_whom")
        ),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_list.id"], name=op.f("fk_price_list_use_price_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list_use")),
    )
    op.create_index(op.f("ix_price_list_use_account_id"), "price_list_use", ["account_id"], unique=False)
    op.create_index(op.f("ix_price_list_use_price_list_id"), "price_list_use", ["price_list_id"], unique=False)
    op.create_index(
        "uq_price_list_use_whom",
        "price_list_use",
        ["price_list_id", "account_id", "account_class", "territory_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("deleted_at is null"),
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
