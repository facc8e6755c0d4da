"""Wire shapes of letters, their templates and signatures."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class TemplateWrite(BaseModel):
    """A text that is written often."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "Thanks", "subject": "Your order", "body": "Dear {account}, thank you. {me}"}]
        },
    )

    name: str = Field(max_length=200)
    subject: str = Field(default="", max_length=300)
    body: str = Field(max_length=100_000, description="{account}, {me} and {company} are filled in.")


class TemplateRead(BaseModel):
    """A template."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    subject: str
    body: str


class Signature(BaseModel):
    """What stands below one's mails."""

    model_config = ConfigDict(extra="forbid")

    signature: str = Field(max_length=4000)


class LetterWrite(BaseModel):
    """A mail to an account; give an `Idempotency-Key` to be sure that it goes out once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"to": ["anna@example.com"], "subject": "Your order", "body": "It is on its way."}]
        },
    )

    to: list[str] = Field(min_length=1, max_length=50)
    subject: str = Field(default="", max_length=300)
    body: str = Field(max_length=100_000)
    answers: UUID | None = Field(default=None, description="The mail (an activity) that it answers.")
