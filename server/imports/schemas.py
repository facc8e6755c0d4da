"""Wire shapes of imports."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.imports.models import Mode


class ImportRead(BaseModel):
    """One import."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    file_name: str
    size: int
    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    header: list[str]
    row_count: int
    mapping: dict[str, str] = Field(description="Position of a column -> field.")
    options: dict[str, Any]
    state: str
    done_rows: int
    counts: dict[str, int] = Field(description="Rows by action, and `warnings`.")
    message: str | None
    created_at: datetime
    checked_at: datetime | None
    applied_at: datetime | None


class ColumnRead(BaseModel):
    """A field that a column may mean."""

    name: str
    label: str


class ImportCreated(ImportRead):
    """A received file with what its columns probably mean."""

    sample: list[list[str]] = Field(description="The first rows as they were read.")
    fields: list[ColumnRead] = Field(description="What a column may mean.")
    keys: dict[str, str] = Field(description="What records can be recognised by.")


class MappingWrite(BaseModel):
    """What the columns mean, and what the import may do."""

    model_config = ConfigDict(extra="forbid")

    mapping: dict[str, str] = Field(max_length=500, description="Position of a column, as text -> field.")
    mode: Mode = Mode.BOTH
    key: str | None = Field(default=None, max_length=50, description="What records are recognised by.")
    country: str | None = Field(default=None, max_length=100, description="Country of rows that name none.")
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$", description="Currency of amounts that name none.")


class OutcomeRead(BaseModel):
    """What becomes of one row."""

    model_config = ConfigDict(from_attributes=True)

    row_no: int
    action: str
    target_id: UUID | None
    values: dict[str, Any]
    changes: dict[str, Any] = Field(description="Field -> [before, after].")
    problems: list[dict[str, Any]]
