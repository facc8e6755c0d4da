"""Wire shapes of regions."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel

from server.regions.models import Region


class MapPackRead(BaseModel):
    """The phone's map pack of a region."""

    sha256: str
    size: int
    url: str


class RegionRead(BaseModel):
    """A region."""

    id: UUID
    name: str
    state: str
    bbox: list[float] | None
    data_date: date | None
    attribution: list[str]
    version: int
    counts: dict[str, int]
    map_pack: MapPackRead | None

    @classmethod
    def of(cls, region: Region) -> "RegionRead":
        """The shape of a row."""
        pack = None
        if region.pack_sha256 and region.pack_size:
            url = f"/api/v1/regions/{region.id}/map-pack"
            pack = MapPackRead(sha256=region.pack_sha256, size=region.pack_size, url=url)
        return cls(
            id=region.id,
            name=region.name,
            state=region.state,
            bbox=region.bbox,
            data_date=region.data_date,
            attribution=region.attribution,
            version=region.version,
            counts=region.counts,
            map_pack=pack,
        )
