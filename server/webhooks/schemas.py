"""Wire shapes of webhooks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class EndpointWrite(BaseModel):
    """A new endpoint."""

    name: str = Field(max_length=100)
    url: str = Field(max_length=2000)
    types: list[str] = ["plan_export"]


class EndpointRead(BaseModel):
    """An endpoint; its secret is not shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    url: str
    types: list[str]
    active: bool
    created_at: datetime


class EndpointMade(EndpointRead):
    """A new endpoint with its secret, shown this once."""

    secret: str


class EndpointSwitch(BaseModel):
    """Whether an endpoint is told anything."""

    active: bool


class DeliveryRead(BaseModel):
    """One delivery with its tries."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    endpoint_id: UUID
    type: str
    row_id: str
    revision: str
    state: str
    attempts: int
    trouble: str
    created_at: datetime
    next_at: datetime
    done_at: datetime | None
    log: list[dict[str, Any]]
