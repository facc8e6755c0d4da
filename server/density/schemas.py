"""Wire shapes of density."""

from datetime import datetime

from pydantic import BaseModel


class DensityRead(BaseModel):
    """The market in numbers, with what a legend needs."""

    prospects: int
    customers: int
    refreshed_at: datetime | None
    resolution_by_zoom: list[int]
    """H3 resolution of the hexagons at zoom 0, 1, 2, ..."""
    breaks: dict[int, list[int]]
    """Upper bounds of the classes of prospects per hexagon, by resolution."""
    ramp: list[str]
    sources: list[str]
