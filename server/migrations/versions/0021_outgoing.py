"""What leaves the house: mail, webhooks, exports to targets."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0021"
down_revision = "0020a"
branch_labels = None
depends_on = None


def _moment(name: str, comment: str | None = None, *, now: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now, comment=comment)


def _text(name: str, comment: str | None = None, default: str | None = None, *, null: bool = False) -> sa.Column[Any]:
    value = None if default is None else sa.text(f"'{default}'")
    return sa.Column(name, sa.String(), server_default=value, nullable=null, comment=comment)


def _active() -> sa.Column[Any]:
    return sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False)


def _list(name: str, kind: Any, comment: str | None = None, *, empty: bool = False) -> sa.Column[Any]:
    default = sa.text("'{}'") if empty else None
    return sa.Column(name, ARRAY(kind), server_default=default, nullable=False, comment=comment)


def _outgoing(table: str, *columns: Any) -> None:
    """A table whose rows leave the house; see server.jobs.outgoing."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("state", default="waiting"),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("next_at", "Not before that.", now=True),
        _moment("claimed_at", "Since when a worker has been at it."),
        _text("trouble", "What went wrong last, in words; empty when nothing.", ""),
        _moment("created_at", now=True),
        _moment("done_at"),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    open_ones = sa.text("state in ('waiting', 'sending')")
    op.create_index(f"ix_{table}_due", table, ["next_at"], postgresql_where=open_ones)


def upgrade() -> None:
    """Create the tables."""
    _mail()
    _webhooks()
    _targets()


def _mail() -> None:
    op.create_table(
        "mail_server",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False, autoincrement=False),
        _text("host"),
        sa.Column("port", sa.Integer(), nullable=False),
        _text("security", "`tls`, `starttls` or `none`."),
        _text("username", default=""),
        _text("password", "Sealed; see server.kit.secrets.", null=True),
        _text("sender", "Address that mail comes from."),
        _text("sender_name", default=""),
        _moment("changed_at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_mail_server"),
        sa.CheckConstraint("id = 1", name="ck_mail_server_one"),
        sa.CheckConstraint("security in ('tls', 'starttls', 'none')", name="ck_mail_server_security"),
    )
    _outgoing(
        "mail_message",
        _text("key", "The same key is the same mail: it is queued once."),
        _text("purpose", "What it is for: `test`, `export`."),
        _list("to", sa.Text()),
        _text("subject"),
        _text("body"),
        _moment("handed_at", "When its content was about to be handed to the server."),
        sa.UniqueConstraint("key", name="uq_mail_message_key"),
    )
    op.create_table(
        "mail_attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("name"),
        _text("media_type"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_mail_attachment"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["mail_message.id"], name="fk_mail_attachment_message_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_mail_attachment_message_id", "mail_attachment", ["message_id"])


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("name"),
        _text("url"),
        _text("secret", "Sealed; shown once, when it is made."),
        _list("types", sa.Text(), "What it is told of; see server.webhooks.service."),
        _active(),
        _moment("created_at", now=True),
        _moment("deleted_at"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoint"),
    )
    _outgoing(
        "webhook_delivery",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        _text("type"),
        _text("row_id"),
        _text("revision"),
        sa.Column(
            "log",
            JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="Each try: at, status, trouble.",
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoint.id"], name="fk_webhook_delivery_endpoint_id", ondelete="CASCADE"
        ),
    )
    columns = ["endpoint_id", "type", "row_id", "created_at"]
    op.create_index("ix_webhook_delivery_row", "webhook_delivery", columns)


def _targets() -> None:
    op.create_table(
        "export_target",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("name"),
        _text("kind", "`mail`, `folder` or `sftp`."),
        _active(),
        _list("rep_ids", sa.Uuid(), "Whose files; with no rep and no team: everybody's.", empty=True),
        _list("team_ids", sa.Uuid(), empty=True),
        _list("formats", sa.Text(), "Endings of file names."),
        _text("covers", "`day`, `week` (sets of several days) or `both`."),
        sa.Column(
            "hour",
            sa.SmallInteger(),
            nullable=True,
            comment="In the company's zone; null: as soon as the files are written.",
        ),
        sa.Column("config", JSONB(), nullable=False, comment="By kind; see server.plans.exporting.targets."),
        _text("secret", "Password or private key, sealed.", null=True),
        _moment("created_at", now=True),
        _moment("deleted_at"),
        sa.PrimaryKeyConstraint("id", name="pk_export_target"),
        sa.CheckConstraint("kind in ('mail', 'folder', 'sftp')", name="ck_export_target_kind"),
        sa.CheckConstraint("covers in ('day', 'week', 'both')", name="ck_export_target_covers"),
        sa.CheckConstraint("hour between 0 and 23", name="ck_export_target_hour"),
    )
    _outgoing(
        "export_delivery",
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("rep_id", sa.Uuid(), nullable=False),
        _text("login"),
        _text("span", "The days, as routing.export.tour.Span writes them."),
        _text("revision", "SHA-256 of the manifest: what was sent."),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["target_id"], ["export_target.id"], name="fk_export_delivery_target_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["rep_id"], ["app_user.id"], name="fk_export_delivery_rep_id"),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail_message.id"], name="fk_export_delivery_mail_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_export_delivery_sent", "export_delivery", ["target_id", "login", "span", "created_at"])
