"""Photos and files of accounts, visits, tickets and orders; files that come in pieces."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations import file_feed

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and send what will be in them to phones."""
    uploads()
    attachments()
    op.execute("select records_attach('attachment')")
    for statement in file_feed.FUNCTIONS:
        op.execute(statement)


def uploads() -> None:
    """Files that come in pieces."""
    op.create_table(
        "file_upload",
        sa.Column("sha256", sa.String(), nullable=False, comment="Of the whole file, as its sender said."),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "received",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Bytes that lie on the disk for good.",
        ),
        sa.Column("storage_key", sa.Uuid(), nullable=False, comment="What its pieces are called on the disk."),
        sa.Column("refused", sa.String(), nullable=True, comment="Why the whole file was not taken, in words."),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_file_upload_sha256")),
        sa.CheckConstraint("received between 0 and size", name=op.f("ck_file_upload_received")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_file_upload_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sha256", "user_id", name=op.f("pk_file_upload")),
    )
    op.create_index(op.f("ix_file_upload_touched_at"), "file_upload", ["touched_at"], unique=False)


def attachments() -> None:
    """What hangs on other rows."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "attachment",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "entity", sa.String(), nullable=False, comment="What it hangs on: account, visit, note, ticket or order."
        ),
        sa.Column("row_id", sa.Uuid(), nullable=False, comment="Of that; a visit may arrive later than its photos."),
        sa.Column("kind", sa.String(), nullable=False, comment="photo, signature or document."),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False, comment="As its sender said, until the content is here."),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("thumbnail_sha256", sa.String(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True, comment="Null until the content is here."),
        sa.Column("stored_at", moment, nullable=True, comment="When its content came."),
        sa.Column(
            "taken_at",
            moment,
            server_default=sa.text("now()"),
            nullable=False,
            comment="By the phone's clock, corrected.",
        ),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True, comment="The phone that has the content until it is here."),
        sa.Column("flags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
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
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", moment, nullable=True),
        sa.CheckConstraint(
            "entity in ('account', 'visit', 'note', 'ticket', 'order')", name=op.f("ck_attachment_entity")
        ),
        sa.CheckConstraint("kind in ('photo', 'signature', 'document')", name=op.f("ck_attachment_kind")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_attachment_sha256")),
        sa.CheckConstraint("size > 0", name=op.f("ck_attachment_size")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_attachment_account_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_attachment_file_id")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_attachment_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    for column in ("made_by", "sha256", "thumbnail_sha256"):
        op.create_index(op.f(f"ix_attachment_{column}"), "attachment", [column], unique=False)
    op.create_index("ix_attachment_account", "attachment", ["account_id", "taken_at", "id"], unique=False)
    op.create_index("ix_attachment_row", "attachment", ["entity", "row_id"], unique=False)
    op.create_index(
        "ix_attachment_missing",
        "attachment",
        ["made_by", "id"],
        unique=False,
        postgresql_where=sa.text("file_id is null and deleted_at is null"),
    )
    op.create_index(
        "ix_attachment_deleted",
        "attachment",
        ["deleted_at"],
        unique=False,
        postgresql_where=sa.text("deleted_at is not null"),
    )
