"""Wire shapes of the index's sources."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.geocoding.models import RemoteProvider
from server.geocoding.providers import Provider


class SourceRead(BaseModel):
    """An address file in the index."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    country: str
    origin: str
    licence: str
    attribution: list[str]
    streets: int
    addresses: int
    created_at: datetime
    removed_at: datetime | None
    changes: dict[str, Any]
    left_out: dict[str, Any]


class LoadRead(BaseModel):
    """An upload of an address file."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    file_name: str
    state: str
    rows: int
    message: str


class Usage(BaseModel):
    """How a geocoder elsewhere was used today."""

    asked: int = 0
    answered: int = 0
    refused: int = 0
    remembered: int = 0
    """Answered from memory, without asking."""
    left_today: int = 0
    kept: int = 0
    """Answers kept in all."""


class RemoteRead(BaseModel):
    """A geocoder elsewhere. Its key is never shown."""

    provider: str
    name: str
    is_on: bool
    url: str
    user_agent: str
    interval_s: float
    daily_cap: int
    needs_key: bool
    attribution: str
    terms: list[str]
    trouble: str
    usage: Usage

    @classmethod
    def of(cls, provider: Provider, row: RemoteProvider | None, usage: dict[str, int]) -> "RemoteRead":
        """The shape of a provider, with its own figures where nobody has set it up."""
        return cls(
            provider=provider.key, name=provider.name, is_on=row is not None and row.is_on,
            url=row.url if row else provider.url, user_agent=row.user_agent if row else "",
            interval_s=row.interval_s if row else provider.interval_s,
            daily_cap=row.daily_cap if row else provider.daily_cap,
            needs_key=provider.needs_key, attribution=provider.credit, terms=provider.all_terms,
            trouble=row.trouble if row else "", usage=Usage(**usage),
        )  # fmt: skip


class RemoteWrite(BaseModel):
    """How a geocoder elsewhere is to be used."""

    url: Annotated[str, Field(max_length=300)]
    user_agent: Annotated[str, Field(max_length=200)]
    interval_s: float = 1.0
    daily_cap: int = 1000
    accepts_terms: bool = False
