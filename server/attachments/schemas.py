"""Wire shapes of attachments."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.attachments.queries import AttachmentRow


class AttachmentRead(BaseModel):
    """A file of a row."""

    id: UUID
    account_id: UUID
    entity: str
    row_id: UUID
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    width: int | None
    height: int | None
    taken_at: datetime
    made_by: UUID | None
    author: str | None
    waits_for: str | None = Field(description="The phone that still has the content; null when it is here.")
    flags: list[str]
    rev: int

    @classmethod
    def of(cls, row: AttachmentRow) -> "AttachmentRead":
        """A file as it goes over the wire."""
        values = {
            name: getattr(row.attachment, name) for name in cls.model_fields if name not in ("author", "waits_for")
        }
        return cls(**values, author=row.author, waits_for=row.phone)


class AttachmentsWrite(BaseModel):
    """Files that were sent before, for one row."""

    model_config = ConfigDict(extra="forbid")

    entity: Literal["account", "visit", "note", "ticket", "order"]
    row_id: UUID
    file_ids: list[UUID] = Field(min_length=1, max_length=20)
    kind: Literal["photo", "signature", "document"] | None = Field(
        default=None, description="Left out: a photo when it is a picture."
    )
