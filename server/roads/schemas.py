"""Wire shapes of roads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from server.roads.reporting import RegionStatus


class LegRead(BaseModel):
    """The drive from one stop to the next."""

    drive_s: int
    distance_m: int
    polyline6: str = Field(description="Encoded polyline, six decimals, latitude first.")
    estimated: bool = Field(description="A straight-line estimate: draw it dashed.")


class RouteRead(BaseModel):
    """A drive through stops in the given order."""

    engine: str
    drive_s: int
    distance_m: int
    estimated: bool
    legs: list[LegRead]
    note: str = Field(description="Why drives are estimates although both ends have roads; usually empty.")
    attribution: list[str]


class IsochroneRead(BaseModel):
    """Areas within so many minutes' drive, largest first."""

    type: str = "FeatureCollection"
    features: list[dict[str, Any]]
    engine: str
    attribution: list[str]


class GraphRead(BaseModel):
    """The roads of one region."""

    region_id: UUID
    region: str
    graph: str | None = Field(description="Null: drives there are straight-line estimates.")
    algorithm: str | None = Field(description="`MLD`, or `CH` when it is contracted.")
    built_at: datetime | None
    trouble: str = Field(description="Why contraction or the last build failed.")
    damage: str = Field(description="What is wrong with its files on this machine.")
    running: bool = Field(description="Whether its road process answers on this machine; it starts when needed.")

    @classmethod
    def of(cls, one: RegionStatus) -> "GraphRead":
        """The status of a region."""
        return cls(
            region_id=one.region_id,
            region=one.region,
            graph=one.graph,
            algorithm=one.algorithm,
            built_at=one.built_at,
            trouble=one.trouble,
            damage=one.damage,
            running=one.is_running,
        )


class StatusRead(BaseModel):
    """The roads of all regions, as this machine sees them."""

    items: list[GraphRead]
