"""Wire shapes of segments, views and filters."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.segments.models import SavedView, Segment, SegmentCount, Sharing
from server.segments.queries import Moved, SegmentRow

LONGEST_FILTER = 4000


class SegmentCreate(BaseModel):
    """A filter that is saved, or a list of objects."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "Sleeping A", "filter": "class = A and not visited since 30 days", "sharing": "team"}
        },
    )

    subject: str = "account"
    name: str = Field(max_length=80)
    note: str | None = Field(default=None, max_length=2000)
    filter: str | None = Field(default=None, max_length=LONGEST_FILTER)
    is_static: bool = Field(default=False, description="Keeps the members of this moment.")
    sharing: Sharing = Sharing.PRIVATE
    members: list[UUID] = Field(default=[], max_length=10_000, description="Of a static segment.")


class SegmentEdit(BaseModel):
    """What changes of a segment; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, max_length=80)
    note: str | None = Field(default=None, max_length=2000)
    filter: str | None = Field(default=None, max_length=LONGEST_FILTER)
    sharing: Sharing | None = None


class MembersWrite(BaseModel):
    """Who comes into a static segment and who leaves it."""

    model_config = ConfigDict(extra="forbid")

    add: list[UUID] = Field(default=[], max_length=10_000)
    remove: list[UUID] = Field(default=[], max_length=10_000)


class FreezeWrite(BaseModel):
    """The name of a static copy."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=80)


class CountRead(BaseModel):
    """The number of a day."""

    day: date
    count: int
    entered: int
    gone: int
    trouble: str | None

    @classmethod
    def of(cls, counted: SegmentCount) -> "CountRead":
        """A number as it goes over the wire."""
        return cls(**{name: getattr(counted, name) for name in cls.model_fields})


class SegmentRead(BaseModel):
    """A segment."""

    id: UUID
    rev: int
    subject: str
    name: str
    note: str | None
    filter: str | None
    is_static: bool
    sharing: Sharing
    owner_id: UUID
    owner_name: str | None = None
    counted: CountRead | None = Field(default=None, description="The latest count, as the owner sees it.")
    updated_at: datetime

    @classmethod
    def of(cls, segment: Segment, owner_name: str | None = None, counted: SegmentCount | None = None) -> "SegmentRead":
        """A segment as it goes over the wire."""
        own = ("owner_name", "counted")
        values = {name: getattr(segment, name) for name in cls.model_fields if name not in own}
        return cls(**values, owner_name=owner_name, counted=CountRead.of(counted) if counted else None)

    @classmethod
    def of_row(cls, row: SegmentRow) -> "SegmentRead":
        """A segment of a list."""
        return cls.of(row.segment, row.owner_name, row.counted)


class ChangeRead(BaseModel):
    """Somebody who came in or left."""

    row_id: UUID
    name: str
    day: date
    entered: bool

    @classmethod
    def of(cls, moved: Moved) -> "ChangeRead":
        """A move as it goes over the wire."""
        return cls(row_id=moved.row_id, name=moved.name, day=moved.day, entered=moved.entered)


class ViewWrite(BaseModel):
    """Columns, order and filter of a list under a name."""

    model_config = ConfigDict(extra="forbid")

    subject: str = "account"
    name: str = Field(min_length=1, max_length=80)
    filter: str | None = Field(default=None, max_length=LONGEST_FILTER)
    sort: str | None = Field(default=None, max_length=60)
    columns: list[str] = Field(default_factory=list, max_length=60)
    map: str | None = Field(
        default=None,
        max_length=600,
        pattern=r"^[A-Za-z0-9_=&+%.,:#/~*-]*$",
        description="Of a map: its layers, colours, day and place as its address has them. Left out: a list.",
        examples=["by=owner&layers=accounts+territories#at=11/47.14/9.52"],
    )
    sharing: Sharing = Sharing.PRIVATE


class ViewRead(ViewWrite):
    """A saved view."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    owner_id: UUID
    rev: int

    @classmethod
    def of(cls, view: SavedView) -> "ViewRead":
        """A view as it goes over the wire."""
        return cls(**{name: getattr(view, name) for name in cls.model_fields})


class FilterText(BaseModel):
    """A filter as text, or as the chips of a page."""

    model_config = ConfigDict(extra="forbid")

    subject: str = "account"
    text: str | None = Field(default=None, max_length=LONGEST_FILTER)
    tree: dict[str, Any] | None = None


class FilterRead(BaseModel):
    """A filter in its canonical form, or where it is wrong."""

    text: str | None = None
    tree: dict[str, Any] | None = None
    on_phone: bool = Field(default=False, description="Whether the phone's part of the language holds it.")
    error: str | None = None
    help: str | None = None
    position: int | None = None
    suggestions: list[str] = []


class WordRead(BaseModel):
    """A field that can be filtered by, and how."""

    name: str
    label: str
    kind: str
    operators: list[str]
    choices: list[str]
    group: str = Field(description="Whose field it is; empty: the object's own.")
    suggests: bool = Field(description="Whether values are offered while typing.")


class WordsRead(BaseModel):
    """What one kind of object can be asked."""

    fields: list[WordRead]
    aggregates: list[WordRead] = Field(description="`count`, and `sum(…)` of each number, of rows that hang on it.")
    has_places: bool
    segments: list[str]
