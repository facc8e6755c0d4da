"""Wire shapes of notes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.activities.notes.queries import NoteRow
from server.files.schemas import FileRead


class NoteRead(BaseModel):
    """A note."""

    id: UUID
    account_id: UUID
    site_id: UUID | None
    visit_id: UUID | None
    contact_id: UUID | None
    author_id: UUID | None
    author: str | None
    account_name: str
    text: str
    mentions: list[UUID]
    is_pinned: bool
    is_shareable: bool
    written_at: datetime
    rev: int
    files: list[FileRead]

    @classmethod
    def of(cls, row: NoteRow) -> "NoteRead":
        """A stored note as it goes over the wire."""
        own = ("author", "account_name", "files")
        values = {name: getattr(row.note, name) for name in cls.model_fields if name not in own}
        files = [FileRead.model_validate(file) for file in row.files]
        return cls(**values, author=row.author, account_name=row.account_name, files=files)


class NoteWrite(BaseModel):
    """A note that is written. Send the same `id` again and nothing happens twice."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    account_id: UUID
    site_id: UUID | None = None
    visit_id: UUID | None = None
    contact_id: UUID | None = None
    text: str = Field(description="@login mentions somebody who may see the account.", max_length=25_000)
    is_pinned: bool = False
    is_shareable: bool = Field(default=False, description="The customer may read it; false: internal.")
    file_ids: list[UUID] = Field(default=[], max_length=100, description="Files that you have sent before.")


class NoteChange(BaseModel):
    """What of a note is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(default=None, max_length=25_000)
    is_pinned: bool | None = None
    is_shareable: bool | None = None
    file_ids: list[UUID] | None = Field(default=None, max_length=100)

    def changes(self) -> dict[str, object]:
        """The fields that were given."""
        return {k: v for k, v in self.model_dump(exclude={"file_ids"}).items() if v is not None}


class PersonRead(BaseModel):
    """Somebody who can be mentioned."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    login: str
    name: str
