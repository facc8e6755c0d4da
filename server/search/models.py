"""Tables of the global search."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base

NAMES = ("account", "contact", "lead", "opportunity", "order", "ticket", "product")
"""Every kind has an index of its own, so that a million accounts do not slow down the search for a deal."""


def words_of(kind: str) -> Index:
    """The index of one kind's words."""
    return Index(
        f"ix_search_{kind}_words",
        "words",
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
        postgresql_where=text(f"kind = '{kind}'"),
    )


class Entry(Base):
    """Something that can be found; triggers keep it in step with its row (migration 0049)."""

    __tablename__ = "search_entry"

    kind: Mapped[str] = mapped_column(primary_key=True, comment="account, contact, ticket, ...")
    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(comment="Decides who sees it; null: the kind's own rule.")
    title: Mapped[str]
    detail: Mapped[str | None]
    words: Mapped[str] = mapped_column(comment="Folded; what is searched.")
    digits: Mapped[str] = mapped_column(comment="Of phone numbers.")
    owner_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="When it was last changed.")

    __table_args__ = (
        *(words_of(kind) for kind in NAMES),
        Index(
            "ix_search_entry_digits",
            "digits",
            postgresql_using="gin",
            postgresql_ops={"digits": "gin_trgm_ops"},
            postgresql_where=text("digits <> ''"),
        ),
    )


class Opened(Base):
    """What somebody lately opened from the search."""

    __tablename__ = "search_visit"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
