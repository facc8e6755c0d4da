"""JSON API of mail that leaves: the server, and what became of each mail."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Limit, Page
from server.mail import queries, service
from server.mail.models import shown

router = APIRouter(prefix="/api/v1", tags=["mail"])

Read = Annotated[Scope, requires("integrations:read")]
Write = Annotated[Scope, requires("integrations:write")]


class MailServerWrite(BaseModel):
    """Through which server mail leaves."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"host": "mail.example.com", "sender": "waymark@example.com"}]},
    )

    host: str = Field(max_length=300)
    port: int = 465
    security: str = Field(default="tls", description="tls, starttls or none.")
    sender: str = Field(max_length=300)
    sender_name: str = Field(default="", max_length=200)
    username: str = Field(default="", max_length=300)
    password: str | None = Field(default=None, max_length=1000, description="Left out: the one that is stored.")


class MailServerRead(BaseModel):
    """The same as it is stored; the password is never shown."""

    host: str
    port: int
    security: str
    sender: str
    sender_name: str
    username: str
    has_password: bool


class TrialWrite(BaseModel):
    """Where a mail goes that tries the settings."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "rita@example.com"}]})

    to: str = Field(max_length=300)


class OutgoingRead(BaseModel):
    """A mail that leaves, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    purpose: str
    to: list[str]
    subject: str
    state: str
    attempts: int
    trouble: str
    created_at: datetime


@router.get("/mail-server")
def get_server(scope: Read, session: Db) -> MailServerRead:
    """Through which server mail leaves."""
    del scope
    server = queries.configured(session)
    if server is None:
        raise NotFound("No mail server is set up.")
    return MailServerRead.model_validate(shown(server))


@router.put("/mail-server")
def set_server(body: MailServerWrite, scope: Write, session: Db) -> MailServerRead:
    """Let mail leave through a server from now on."""
    service.configure(session, service.Setup(**body.model_dump()))
    return get_server(scope, session)


@router.post("/mail-server/trial", status_code=202)
def send_trial(body: TrialWrite, scope: Write, session: Db) -> OutgoingRead:
    """Send a mail that tries the settings."""
    return OutgoingRead.model_validate(service.send_trial(session, scope.name, body.to))


@router.get("/outbox")
def list_outbox(scope: Read, session: Db, limit: Limit = 50) -> Page[OutgoingRead]:
    """The latest mails that leave."""
    del scope
    return Page(items=[OutgoingRead.model_validate(one) for one in queries.outbox(session, limit)])


@router.post("/outbox/{message_id}/again", status_code=202)
def send_again(message_id: UUID, scope: Write, session: Db) -> OutgoingRead:
    """Send a mail that failed or may not have arrived once more."""
    del scope
    return OutgoingRead.model_validate(service.send_again(session, message_id))
