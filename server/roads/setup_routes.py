"""JSON API of how roads are made and asked: graphs built anew and joined, servers elsewhere."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.regions.queries import region_by_id
from server.roads import jobs, joining, servers

router = APIRouter(prefix="/api/v1/roads", tags=["roads"])

ReadRegions = Annotated[Scope, requires("regions:read")]
WriteRegions = Annotated[Scope, requires("regions:write")]


class JoinWrite(BaseModel):
    """Regions whose roads become one graph."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"names": ["liechtenstein", "sargans"]}]})

    names: list[str] = Field(min_length=2, max_length=20, description="Names of regions that touch.")


class JoinRead(BaseModel):
    """Regions whose roads are, or become, one graph."""

    model_config = ConfigDict(from_attributes=True)

    key: str
    names: list[str]


class RoadServerWrite(BaseModel):
    """How a road server elsewhere is asked."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"url": "https://roads.example.com"}]})

    url: str = Field(max_length=2000)
    profile: str = Field(default="", max_length=40, description="Left out: what that kind calls a car.")
    goes_first: bool = Field(default=False, description="Asked although own roads exist.")
    timeout_s: float = Field(default=10.0, ge=0.5, le=120)
    table_points: int = Field(default=0, ge=0, le=20_000, description="Points in one table; 0: what is usual.")


class RoadServerRead(BaseModel):
    """A road server elsewhere."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    url: str
    profile: str
    is_on: bool
    goes_first: bool
    timeout_s: float
    table_points: int
    trouble: str


@router.post("/graphs/{region_id}/build", status_code=202)
def build(region_id: UUID, scope: WriteRegions, session: Db) -> None:
    """Have a region's graph built anew; `GET /roads/status` says when it stands."""
    del scope
    jobs.ask_for_build(session, region_by_id(session, region_id))


@router.get("/joined")
def list_joined(scope: ReadRegions, session: Db) -> Page[JoinRead]:
    """The regions whose roads are one graph."""
    del scope
    return Page(items=[JoinRead.model_validate(one) for one in joining.all_joins(session)])


@router.post("/joined", status_code=202)
def join(body: JoinWrite, scope: WriteRegions, session: Db) -> Page[JoinRead]:
    """Have the roads of some regions joined; answers with all that are."""
    jobs.ask_for_join(session, body.names)
    return list_joined(scope, session)


@router.delete("/joined/{key}", status_code=204)
def take_apart(key: str, scope: WriteRegions, session: Db) -> None:
    """Forget a joined graph; drives across are estimates again."""
    del scope
    joining.take_apart(session, key)


@router.get("/servers")
def list_servers(scope: ReadRegions, session: Db) -> Page[RoadServerRead]:
    """The road servers elsewhere that were ever set up; at most one is on."""
    del scope
    known = [servers.setup_of(session, kind) for kind in servers.KINDS]
    return Page(items=[RoadServerRead.model_validate(one) for one in known if one is not None])


@router.put("/servers/{kind}")
def switch_on(kind: str, body: RoadServerWrite, scope: WriteRegions, session: Db) -> RoadServerRead:
    """Ask a road server elsewhere (`osrm` or `valhalla`) from now on, when it answers a trial."""
    del scope
    return RoadServerRead.model_validate(servers.switch_on(session, kind, servers.Wish(**body.model_dump())))


@router.delete("/servers/{kind}", status_code=204)
def switch_off(kind: str, scope: WriteRegions, session: Db) -> None:
    """Ask nobody elsewhere any more."""
    del scope
    servers.kind_of(kind)
    servers.switch_off(session)
