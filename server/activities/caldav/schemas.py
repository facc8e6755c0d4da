"""Wire shapes of one's calendar elsewhere; a password is never shown."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.activities.caldav.clashes import Take

Content = Literal["visit", "meeting", "call", "task"]


class Server(BaseModel):
    """Where somebody's calendars lie."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"url": "https://cloud.example.com/dav", "username": "rita", "password": "three words"}]
        },
    )

    url: str = Field(max_length=2000)
    username: str = Field(max_length=300)
    password: str = Field(max_length=1000)


class LinkWrite(Server):
    """The calendar that is to be kept the same."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "url": "https://cloud.example.com/dav",
                    "username": "rita",
                    "password": "three words",
                    "calendar": "https://cloud.example.com/dav/rita/work/",
                }
            ]
        },
    )

    calendar: str | None = Field(
        default=None, max_length=2000, description="Its address, as `look` tells it; left out when there is one only."
    )


class CalendarRead(BaseModel):
    """A calendar that a server offers."""

    model_config = ConfigDict(from_attributes=True)

    url: str
    name: str


class LinkRead(CalendarRead):
    """The calendar that is kept the same."""

    username: str
    since: datetime
    active: bool
    synced_at: datetime | None
    trouble: str


class ClashRead(BaseModel):
    """A field that both sides changed, each in its own way."""

    id: UUID
    activity_id: UUID
    subject: str
    field: str
    ours: Any
    theirs: Any
    since: datetime


class Settling(BaseModel):
    """Which value stays."""

    model_config = ConfigDict(extra="forbid")

    take: Take


class FeedWrite(BaseModel):
    """What the address tells of."""

    model_config = ConfigDict(extra="forbid")

    contents: list[Content] = ["visit", "meeting", "call", "task"]


class FeedRead(BaseModel):
    """The address that calendar programs read."""

    model_config = ConfigDict(from_attributes=True)

    contents: list[str]
    created_at: datetime
    read_at: datetime | None


class FeedMade(FeedRead):
    """A new address; its secret part is shown this once."""

    path: str
