"""A line of a deal names its tax class in place of a word that nothing read; amounts have their currency's digits."""

import sqlalchemy as sa
from alembic import op

revision = "0092"
down_revision = "0090"
branch_labels = None
depends_on = None

AMOUNTS = (
    ("opportunity", "The sum of the lines, where there are any."),
    ("stage_change", "As it was then."),
    ("forecast_snapshot", None),
)


def upgrade() -> None:
    """A word that is the name of a tax class becomes that class; no table is written anew."""
    op.add_column(
        "opportunity_line",
        sa.Column("tax_class_id", sa.Uuid(), nullable=True, comment="Null: the product's, where there is one."),
    )
    op.create_foreign_key(
        op.f("fk_opportunity_line_tax_class_id"), "opportunity_line", "tax_class", ["tax_class_id"], ["id"]
    )
    op.create_index(op.f("ix_opportunity_line_tax_class_id"), "opportunity_line", ["tax_class_id"])
    op.execute(
        "update opportunity_line set tax_class_id = (select t.id from tax_class t where t.deleted_at is null"
        " and lower(t.name) = lower(trim(tax_code)) order by t.created_at limit 1) where tax_code is not null"
    )
    op.drop_column("opportunity_line", "tax_code")
    for table, comment in AMOUNTS:
        op.alter_column(
            table, "amount", type_=sa.Numeric(), existing_type=sa.Numeric(14, 2), existing_comment=comment
        )  # fmt: skip


def downgrade() -> None:
    """The class is a word again; amounts are rounded to cents."""
    for table, comment in AMOUNTS:
        op.alter_column(
            table, "amount", type_=sa.Numeric(14, 2), existing_type=sa.Numeric(), existing_comment=comment
        )  # fmt: skip
    op.add_column("opportunity_line", sa.Column("tax_code", sa.String(), nullable=True))
    op.execute(
        "update opportunity_line set tax_code = (select left(t.name, 20) from tax_class t where t.id = tax_class_id)"
        " where tax_class_id is not null"
    )
    op.drop_index(op.f("ix_opportunity_line_tax_class_id"), "opportunity_line")
    op.drop_constraint(op.f("fk_opportunity_line_tax_class_id"), "opportunity_line", type_="foreignkey")
    op.drop_column("opportunity_line", "tax_class_id")
