"""Wire shapes of tickets, their queues and canned answers."""

import base64
import binascii
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.auth import veil
from server.auth.veil import Veiled
from server.demands.models import DemandState, VisitDemand
from server.kit.errors import Invalid
from server.tickets.models import (
    Assignment,
    CannedAnswer,
    MessageKind,
    Priority,
    Queue,
    Source,
    TicketState,
)
from server.tickets.opening import NewTicket
from server.tickets.queries import Said, TicketRow
from server.tickets.service import Saying
from server.tickets.telling import NewFile
from server.tickets.values import LONGEST_BODY, LONGEST_SUBJECT
from server.tickets.visits import VisitWish


def example(**values: Any) -> ConfigDict:
    """The configuration of a body, with an example for the documentation."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


class FileWrite(BaseModel):
    """A file that is sent along."""

    name: str = Field(min_length=1, max_length=200)
    media_type: str = Field(default="application/octet-stream", max_length=100)
    content: str = Field(description="Base64.")

    def file(self) -> NewFile:
        """The same for the rules; refuses what is not base64."""
        try:
            return NewFile(self.name, self.media_type, base64.b64decode(self.content, validate=True))
        except binascii.Error as error:
            raise Invalid(f"The content of “{self.name}” is not base64.", field="files") from error


class TicketFields(BaseModel):
    """What a ticket says; what is left out stays as it is."""

    model_config = example(state="open", priority="high", tags=["oven"])

    subject: str | None = Field(default=None, max_length=LONGEST_SUBJECT)
    queue_id: UUID | None = None
    state: TicketState | None = None
    priority: Priority | None = None
    assignee_id: UUID | None = None
    account_id: UUID | None = None
    site_id: UUID | None = None
    contact_id: UUID | None = None
    requester_name: str | None = Field(default=None, max_length=200)
    requester_email: str | None = Field(default=None, max_length=254)
    requester_phone: str | None = Field(default=None, max_length=60)
    tags: list[str] | None = None
    custom: dict[str, Any] | None = None
    language: str | None = Field(default=None, max_length=20)

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class TicketCreate(TicketFields):
    """A new ticket."""

    model_config = example(
        queue_id="01990000-0000-7000-8000-000000000000", subject="The oven is cold",
        body="Since this morning it does not heat.", requester_email="chef@example.com",
    )  # fmt: skip

    queue_id: UUID
    body: str = Field(min_length=1, max_length=LONGEST_BODY)
    key: str | None = Field(default=None, min_length=1, max_length=200, description="The same key: the same ticket.")
    files: Annotated[list[FileWrite], Field(max_length=20)] = []

    def new(self, opened_by: UUID) -> NewTicket:
        """The same for the rules."""
        own = {n: getattr(self, n) for n in self.model_fields_set - {"body", "key", "files", "queue_id"}}
        own = {name: value for name, value in own.items() if value is not None}
        files = tuple(file.file() for file in self.files)
        key = f"api:{opened_by}:{self.key}" if self.key else None
        return NewTicket(self.queue_id, self.body, Source.API, own, key=key, opened_by=opened_by, files=files)


class TicketRead(Veiled):
    """A ticket."""

    veil_of = "ticket"

    id: UUID
    rev: int
    number: int
    subject: str
    state: TicketState
    priority: Priority
    queue_id: UUID
    queue: str
    account_id: UUID | None
    account: str | None
    site_id: UUID | None
    contact_id: UUID | None
    requester_name: str | None
    requester_email: str | None
    requester_phone: str | None
    assignee_id: UUID | None
    assignee: str | None
    tags: list[str]
    custom: dict[str, Any]
    source: Source
    language: str | None
    merged_into: UUID | None
    follows_id: UUID | None
    opened_at: datetime
    answered_at: datetime | None
    solved_at: datetime | None
    answer_due_at: datetime | None
    solve_due_at: datetime | None
    is_overdue: bool
    is_breached: bool
    rating: int | None

    @classmethod
    def of(cls, row: TicketRow) -> "TicketRead":
        """A ticket as it goes over the wire."""
        own = ("queue", "account_id", "account", "assignee", "is_overdue", "is_breached")
        values = {name: getattr(row.ticket, name) for name in cls.model_fields if name not in own}
        return cls(**values, **{name: getattr(row, name) for name in own})


class MessageFile(BaseModel):
    """A file of a message."""

    id: UUID
    name: str
    size: int


class MessageRead(BaseModel):
    """Something that was said."""

    id: UUID
    at: datetime
    kind: MessageKind
    author: str | None
    body: str
    values: dict[str, Any]
    """Of a system message: what fills the gaps of its words."""
    quoted: str | None
    is_automatic: bool
    number: int
    """Of the ticket that it was said in."""
    files: list[MessageFile]

    @classmethod
    def of(cls, said: Said) -> "MessageRead":
        """A message as it goes over the wire."""
        own = ("author", "number", "files")
        values = {name: getattr(said.message, name) for name in cls.model_fields if name not in own}
        files = [MessageFile(id=key, name=name, size=size) for key, name, size in said.files]
        stranger = None if "author_name" in veil.hidden("ticket") else said.message.author_name
        return cls(author=said.author or stranger, number=said.number, files=files, **values)


class SayingWrite(BaseModel):
    """An answer to the customer, or an internal note."""

    model_config = example(kind="outgoing", body="We come tomorrow.", key="answer-1", seen=None)

    kind: MessageKind
    body: str = Field(min_length=1, max_length=LONGEST_BODY)
    key: str = Field(min_length=1, max_length=200, description="The same key again sends nothing twice.")
    seen: UUID | None = Field(
        default=None, description="The newest message of people that you read; refused when there is a newer one."
    )
    state_after: TicketState | None = Field(default=None, description="Left out: waiting_customer after an answer.")
    tags: Annotated[list[str], Field(max_length=50)] = []
    files: Annotated[list[FileWrite], Field(max_length=20)] = []

    def saying(self, who: UUID) -> Saying:
        """The same for the rules."""
        files = tuple(file.file() for file in self.files)
        return Saying(self.body, self.kind, f"{who}:{self.key}", self.seen, self.state_after, tuple(self.tags), files)


class OtherTicket(BaseModel):
    """Another ticket."""

    model_config = example(ticket_id="01990000-0000-7000-8000-000000000000")

    ticket_id: UUID


class VisitRequest(BaseModel):
    """A visit that is asked for because of a ticket."""

    model_config = example(deadline="2030-03-29", service_s=2700)

    deadline: date
    earliest: date | None = None
    service_s: int | None = Field(default=None, ge=60, le=86_400, description="Null: as usual at the site.")
    rep_ids: Annotated[list[UUID], Field(max_length=100)] = []
    mandatory: bool = False

    def wish(self) -> VisitWish:
        """The same for the rules."""
        return VisitWish(self.deadline, self.earliest, self.service_s, tuple(self.rep_ids), self.mandatory)


class VisitRequested(BaseModel):
    """The visit demand of a ticket."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: DemandState
    sentence: str
    earliest: date | None
    deadline: date | None
    prize_s: int
    visit_id: UUID | None

    @classmethod
    def of(cls, demand: VisitDemand) -> "VisitRequested":
        """A demand as it goes over the wire."""
        return cls.model_validate(demand)


class QueueFields(BaseModel):
    """What a queue says; what is left out stays as it is."""

    model_config = example(name="Repairs", hours="Mo-Fr 07:00-18:00; PH off", assignment="round_robin")

    name: str | None = Field(default=None, max_length=100)
    form_key: str | None = Field(default=None, max_length=60)
    form_is_open: bool | None = None
    form_intro: str | None = Field(default=None, max_length=2000)
    mail_address: str | None = Field(default=None, max_length=254)
    signature: str | None = Field(default=None, max_length=2000)
    confirms: bool | None = None
    asks_rating: bool | None = None
    priority: Priority | None = None
    hours: str | None = Field(default=None, max_length=500, description="OpenStreetMap's syntax of opening hours.")
    zone: str | None = Field(default=None, max_length=60)
    country: str | None = Field(default=None, max_length=100, description="Whose holidays; null: the company's.")
    targets: dict[Priority, dict[str, int | None]] | None = Field(
        default=None, description="Minutes of working time to `answer` and to `solve`, by priority."
    )
    reopen_days: int | None = Field(default=None, ge=0, le=365)
    assignment: Assignment | None = None
    agent_ids: Annotated[list[UUID], Field(max_length=500)] | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class QueueRead(BaseModel):
    """A queue."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    rev: int
    name: str
    form_key: str
    form_is_open: bool
    form_intro: str | None
    mail_address: str | None
    signature: str | None
    confirms: bool
    asks_rating: bool
    priority: Priority
    hours: str
    zone: str
    country: str | None
    targets: dict[str, dict[str, int]]
    reopen_days: int
    assignment: Assignment
    agent_ids: list[UUID]

    @classmethod
    def of(cls, queue: Queue) -> "QueueRead":
        """A queue as it goes over the wire."""
        return cls.model_validate(queue)


class AnswerFields(BaseModel):
    """What a canned answer says."""

    model_config = example(title="Thanks", body="Dear {name}, thank you. Your number is {number}.")

    title: str | None = Field(default=None, max_length=100)
    body: str | None = Field(default=None, max_length=LONGEST_BODY)
    queue_id: UUID | None = None
    language: str | None = Field(default=None, max_length=20)
    state_after: TicketState | None = None
    tags: list[str] | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class AnswerRead(BaseModel):
    """A canned answer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    rev: int
    title: str
    body: str
    queue_id: UUID | None
    language: str | None
    state_after: TicketState | None
    tags: list[str]

    @classmethod
    def of(cls, answer: CannedAnswer) -> "AnswerRead":
        """A canned answer as it goes over the wire."""
        return cls.model_validate(answer)
