"""Wire shapes of territories."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class MemberRead(BaseModel):
    """Somebody who works a territory."""

    user_id: UUID
    name: str


class TerritoryRead(BaseModel):
    """A territory."""

    id: UUID
    name: str
    colour: str
    parent_id: UUID | None
    rev: int
    members: list[MemberRead]
    area: dict[str, Any] | None = Field(default=None, description="GeoJSON MultiPolygon, on request.")


class TerritoryCreate(BaseModel):
    """A new territory."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    colour: str | None = Field(default=None, description="#RRGGBB; left out: the next of the palette.")
    parent_id: UUID | None = None
    area: dict[str, Any] | None = Field(default=None, description="GeoJSON Polygon or MultiPolygon.")
    admin_area_ids: list[int] = Field(default=[], description="Or the union of these admin areas of a region.")
    members: list[UUID] = []


class TerritoryChange(BaseModel):
    """What changes; fields left out stay."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, max_length=200)
    colour: str | None = None
    parent_id: UUID | None = None
    area: dict[str, Any] | None = None


class MembersWrite(BaseModel):
    """Who works a territory from a day on."""

    model_config = ConfigDict(extra="forbid")

    members: list[UUID] = Field(max_length=200)
    valid_from: date | None = Field(default=None, description="Left out: today.")
    valid_to: date | None = Field(
        default=None, description="The first day that is not covered; left out: the next for which people were set."
    )
    rev: int | None = Field(default=None, description="Revision of the territory that you saw.")
    why: str = Field(default="", max_length=500)
