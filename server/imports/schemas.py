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
    empty_rows: int
    mapping: dict[str, str] = Field(description="Position of a column -> field.")
    options: dict[str, Any]
    state: str
    done_rows: int
    counts: dict[str, int] = Field(description="Rows by action, and `warnings`.")
    message: str | None = Field(
        description="Why nothing was done, or that something else came of it than the dry run promised."
    )
    created_at: datetime
    checked_at: datetime | None
    applied_at: datetime | None
    profile_id: UUID | None = Field(description="The profile that the columns' meaning comes from.")
    undone_at: datetime | None
    undone_by: UUID | None
    undo_counts: dict[str, int] = Field(description="Records `removed` and `restored`, values `kept`.")


class ColumnRead(BaseModel):
    """A field that a column may mean."""

    name: str
    label: str


class KindTold(BaseModel):
    """A kind of record that can be imported."""

    name: str
    label: str
    fields: list[ColumnRead] = Field(description="What a column may mean.")
    keys: dict[str, str] = Field(description="What records can be recognised by.")
    options: list[str] = Field(description="What more an import may be told.")


class MixedRead(BaseModel):
    """Rows that are written in another encoding than most of the file."""

    model_config = ConfigDict(from_attributes=True)

    encoding: str
    rows: int = Field(description="How many.")
    row_numbers: list[int] = Field(description="The first of them.")


class ImportCreated(ImportRead):
    """A received file with what its columns probably mean."""

    sample: list[list[str]] = Field(description="The first rows as they were read.")
    mixed: MixedRead | None = Field(description="Rows that are written in another encoding than most of the file.")
    left_out: list[str] = Field(description="Titles of columns that hold values and mean nothing.")
    areas: int = Field(description="Rows that are areas; a point inside each was taken.")
    missing: list[list[str]] = Field(
        description="Fields without a column that new records cannot be without; one of each group is enough."
    )
    fields: list[ColumnRead] = Field(description="What a column may mean.")
    keys: dict[str, str] = Field(description="What records can be recognised by.")


class MappingWrite(BaseModel):
    """What the columns mean, and what the import may do."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "mapping": {"0": "number", "1": "name", "2": "street", "3": "postcode", "4": "city"},
                    "mode": "both",
                    "key": "number",
                    "country": "LI",
                    "keep": ["phone"],
                }
            ]
        },
    )

    mapping: dict[str, str] = Field(max_length=500, description="Position of a column, as text -> field.")
    mode: Mode = Mode.BOTH
    key: str | None = Field(default=None, max_length=50, description="What records are recognised by.")
    country: str | None = Field(default=None, description="Country of rows that name none.")
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$", description="Currency of amounts that name none.")
    account: UUID | None = Field(default=None, description="Account of contacts whose row names none.")
    price_list: UUID | None = Field(default=None, description="Where the prices of products go.")
    keep: list[str] = Field(
        default_factory=list, max_length=100, description="Fields in which a value that a person wrote stays."
    )
    save_as: str | None = Field(default=None, description="Save the columns' meaning under this name.")


class WayOfReading(BaseModel):
    """How a text file is to be read; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    encoding: str | None = Field(
        default=None, max_length=40, description="E.g. `cp1250` for Central Europe, as Windows writes it."
    )
    delimiter: str | None = Field(default=None, max_length=40, description="`semicolon`, `comma`, `tab` or `bar`.")


class OutcomeRead(BaseModel):
    """What becomes of one row."""

    model_config = ConfigDict(from_attributes=True)

    row_no: int
    action: str
    target_id: UUID | None
    values: dict[str, Any]
    changes: dict[str, Any] = Field(description="Field -> [before, after].")
    kept: dict[str, Any] = Field(description="Field -> [what a person wrote and stays, what the file says].")
    problems: list[dict[str, Any]]


class ToldRead(BaseModel):
    """What is said of some rows, word by word."""

    model_config = ConfigDict(from_attributes=True)

    message: str
    rows: int


class KindRead(BaseModel):
    """A kind of problem in a file."""

    model_config = ConfigDict(from_attributes=True)

    level: str
    field: str
    code: str
    rows: int = Field(description="How many have it.")
    row_numbers: list[int] = Field(description="The first of them.")
    told: list[ToldRead] = Field(description="What is said of them, the most frequent first, at most 3.")
    wordings: int = Field(description="How many different things are said: other values, other words.")
    countries: list[str] = Field(
        description="Those that rows with a problem of their country name, the most frequent first, at most 8."
    )


class KeptRead(BaseModel):
    """Something that an undo has left as it is."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    record_id: UUID
    label: str
    field: str = Field(description="`*` for a record that the import has created.")
    value: Any = Field(description="What stays; of a record that is `in_use` how many of what rest on it.")
    former: Any = Field(description="What stood there before the import.")
    why: str = Field(
        description="`edited`, `imported`, `repaired`, `merged`, `confirmed`, `in_use`, `taken` or `forgotten`."
    )
    changed_by: UUID | None
    changed_at: datetime | None
    other_run: UUID | None


class ProfileRead(BaseModel):
    """A saved meaning of columns."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    mapping: list[list[str]] = Field(description="Pairs of a title, reduced to letters and digits, and a field.")
    options: dict[str, Any]
    used_at: datetime
