"""Roles that a company changed or made, and looking through somebody's eyes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the two references."""
    empty = sa.text("'{}'::jsonb")
    op.create_table(
        "access_role",
        sa.Column("name", sa.String(), nullable=False, comment="As people call it; of ours the key of `Role`."),
        sa.Column("base", sa.String(), nullable=False, comment="The `Role` that it is a variety of."),
        sa.Column(
            "is_ours",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="A change of the base itself.",
        ),
        sa.Column(
            "grants",
            postgresql.JSONB(),
            server_default=empty,
            nullable=False,
            comment="Level by permission, where it differs from the base.",
        ),
        sa.Column(
            "fields",
            postgresql.JSONB(),
            server_default=empty,
            nullable=False,
            comment="`hidden` or `fixed` by `object.field`.",
        ),
        *record(),
        sa.CheckConstraint(
            "base in ('rep', 'manager', 'admin', 'marketing', 'support')", name=op.f("ck_access_role_base")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_role")),
    )
    op.create_index(
        "uq_access_role_name",
        "access_role",
        [sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.execute("select records_attach('access_role')")
    op.add_column(
        "app_user",
        sa.Column("access_role_id", sa.Uuid(), nullable=True, comment="A variety of the role that the company made."),
    )
    op.create_index(op.f("ix_app_user_access_role_id"), "app_user", ["access_role_id"])
    op.create_foreign_key(op.f("fk_app_user_access_role_id"), "app_user", "access_role", ["access_role_id"], ["id"])
    op.add_column(
        "web_session",
        sa.Column("viewing_id", sa.Uuid(), nullable=True, comment="Whose eyes the browser looks through."),
    )
    op.create_foreign_key(
        op.f("fk_web_session_viewing_id"), "web_session", "app_user", ["viewing_id"], ["id"], ondelete="SET NULL"
    )


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
