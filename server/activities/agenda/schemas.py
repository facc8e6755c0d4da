"""Wire shapes of calls, meetings, tasks and mails."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.activities.agenda.models import Activity, Direction, Kind, Priority, Result, State
from server.activities.agenda.queries import Row
from server.activities.agenda.values import LONGEST_NOTE, LONGEST_SUBJECT, MOST_REMINDER_MIN


class ActivityFields(BaseModel):
    """What people write of an activity; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID | None = None
    site_id: UUID | None = None
    contact_id: UUID | None = None
    opportunity_id: UUID | None = None
    ticket_id: UUID | None = None
    lead_id: UUID | None = None
    participant_ids: Annotated[list[UUID], Field(max_length=100)] = []
    note: str | None = Field(default=None, max_length=LONGEST_NOTE)
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    is_all_day: bool = False
    zone: str | None = Field(default=None, description="IANA time zone; left out: the owner's.")
    due_on: date | None = None
    effort_s: int | None = Field(default=None, ge=60, le=604_800)
    place: str | None = Field(default=None, max_length=1000, description="An address or a link.")
    state: State = State.OPEN
    priority: Priority = Priority.NORMAL
    outcome: Result | None = None
    direction: Direction | None = None
    rrule: str | None = Field(default=None, max_length=500, examples=["FREQ=WEEKLY;BYDAY=MO"])
    exdates: Annotated[list[AwareDatetime], Field(max_length=1000)] = []
    reminder_min: int | None = Field(default=None, ge=0, le=MOST_REMINDER_MIN)
    is_private: bool = False


class ActivityWrite(ActivityFields):
    """A new call, meeting or task."""

    kind: Kind
    subject: str = Field(max_length=LONGEST_SUBJECT)
    owner_id: UUID | None = Field(default=None, description="Left out: whoever asks.")
    id: UUID | None = Field(default=None, description="Made by the caller; the same id again changes nothing.")


class ActivityPatch(ActivityFields):
    """Changed fields of an activity."""

    subject: str | None = Field(default=None, max_length=LONGEST_SUBJECT)
    owner_id: UUID | None = None

    def changes(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class RepeatWrite(ActivityPatch):
    """One repeat of a series, changed by itself."""

    at: AwareDatetime = Field(description="Which repeat: its start as the rule has it.")

    def changes(self) -> dict[str, Any]:
        """Only what was sent of the fields."""
        return self.model_dump(exclude_unset=True, exclude={"at"})


class NextStep(BaseModel):
    """What is to be done after a call or a meeting."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Kind.TASK
    subject: str = Field(max_length=LONGEST_SUBJECT)
    due_on: date | None = None
    starts_at: AwareDatetime | None = None
    owner_id: UUID | None = None


class CallLog(BaseModel):
    """A call that took place, what came of it, and what comes next: one form."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID
    subject: str = Field(max_length=LONGEST_SUBJECT)
    outcome: Result = Result.REACHED
    direction: Direction = Direction.OUT
    note: str | None = Field(default=None, max_length=LONGEST_NOTE)
    at: AwareDatetime | None = Field(default=None, description="Left out: now.")
    duration_s: int = Field(default=300, ge=0, le=86_400)
    contact_id: UUID | None = None
    next: NextStep | None = None
    id: UUID | None = None


class Chosen(BaseModel):
    """Several activities at once."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    state: State | None = None
    due_on: date | None = None
    owner_id: UUID | None = None


class ActivityRead(BaseModel):
    """One activity; of a series that is laid out, one repeat."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    rev: int
    kind: Kind
    account_id: UUID | None
    account_name: str | None = None
    site_id: UUID | None
    site_name: str | None = None
    contact_id: UUID | None
    opportunity_id: UUID | None
    ticket_id: UUID | None
    lead_id: UUID | None
    owner_id: UUID
    owner_name: str | None = None
    participant_ids: list[UUID]
    subject: str
    note: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    is_all_day: bool
    zone: str
    due_on: date | None
    effort_s: int | None
    at: datetime
    place: str | None
    state: State
    priority: Priority
    outcome: Result | None
    direction: Direction | None
    done_at: datetime | None
    follows_id: UUID | None
    rrule: str | None
    exdates: list[datetime]
    series_id: UUID | None
    replaces_at: datetime | None
    reminder_min: int | None
    is_private: bool
    sender: str | None
    recipients: list[str]
    message_id: str | None
    thread_id: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Activity) -> "ActivityRead":
        """An activity as it goes over the wire."""
        return cls.model_validate(row)

    @classmethod
    def of_row(cls, row: Row) -> "ActivityRead":
        """The same with its names, and of a repeat its own times."""
        more = {"account_name": row.account_name, "owner_name": row.owner_name, "site_name": row.site_name}
        return cls.of(row.activity).model_copy(update={**more, "starts_at": row.starts_at, "ends_at": row.ends_at})
