"""Wire shapes of mailboxes and of mails that wait for a person; a password is never shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Security = Literal["tls", "starttls", "none"]


class MailboxWrite(BaseModel):
    """How a mailbox is to be read."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Sales",
                    "address": "sales@example.com",
                    "host": "imap.example.com",
                    "username": "sales",
                    "password": "three words",
                }
            ]
        },
    )

    name: str = Field(max_length=200)
    purpose: Literal["sales", "support"] = "sales"
    address: str = Field(max_length=300)
    host: str = Field(max_length=300)
    port: int = Field(default=993, ge=1, le=65535)
    security: Security = "tls"
    username: str = Field(max_length=300)
    password: str | None = Field(default=None, max_length=1000, description="Left out: the one that is stored.")
    folder: str = Field(default="INBOX", max_length=300)
    afterwards: Literal["keep", "seen", "delete"] = "seen"
    takes_old: bool = Field(default=False, description="Also what lies there already.")


class MailboxRead(BaseModel):
    """A mailbox that is read, and how it went last."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    purpose: str
    address: str
    host: str
    port: int
    security: str
    username: str
    folder: str
    afterwards: str
    takes_old: bool
    active: bool
    read_at: datetime | None
    trouble: str


class InboxRead(BaseModel):
    """A mail that waits for a person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    sender: str
    sender_name: str
    subject: str
    sent_at: datetime
    fate: str
    reason: str


class Filing(BaseModel):
    """Whose a mail is."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID
    remember: bool = Field(default=False, description="The next mails of the address go there by themselves.")


class Ignoring(BaseModel):
    """That a mail is nobody's."""

    model_config = ConfigDict(extra="forbid")

    remember: bool = Field(default=False, description="The next mails of the address are passed over.")
