"""Dry runs of imports go on where a killed worker stopped; who looks at which site of the review desk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables and the mark on the run."""
    op.create_table(
        "import_checked",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=True, comment="The row that it repeats cell by cell."),
        sa.Column("values", postgresql.JSONB(), nullable=True),
        sa.Column("problems", postgresql.JSONB(), nullable=True),
        sa.Column("new_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_checked_run_id_import_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "row_no", name=op.f("pk_import_checked")),
    )
    op.add_column(
        "import_run",
        sa.Column("read_to", sa.Integer(), nullable=True, comment="The last row that an unfinished dry run has read."),
    )
    op.create_table(
        "review_claim",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_review_claim_site_id_site"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_review_claim_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_review_claim")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("review_claim")
    op.drop_column("import_run", "read_to")
    op.drop_table("import_checked")
