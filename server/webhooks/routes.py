"""JSON API of webhooks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Limit, Page
from server.webhooks import service
from server.webhooks.schemas import DeliveryRead, EndpointMade, EndpointRead, EndpointSwitch, EndpointWrite

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

Read = Annotated[Scope, requires("integrations:read")]
Write = Annotated[Scope, requires("integrations:write")]


@router.get("")
def list_endpoints(scope: Read, session: Db) -> Page[EndpointRead]:
    """All endpoints."""
    return Page(items=[EndpointRead.model_validate(one) for one in service.endpoints(session)])


@router.post("", status_code=201)
def add_endpoint(body: EndpointWrite, scope: Write, session: Db) -> EndpointMade:
    """Tell another program from now on; the answer holds the secret, once."""
    endpoint, secret = service.add(session, body.name, body.url, body.types)
    return EndpointMade(**EndpointRead.model_validate(endpoint).model_dump(), secret=secret)


@router.patch("/{endpoint_id}")
def switch_endpoint(endpoint_id: UUID, body: EndpointSwitch, scope: Write, session: Db) -> EndpointRead:
    """Switch an endpoint on or off."""
    return EndpointRead.model_validate(service.switch(session, endpoint_id, body.active))


@router.delete("/{endpoint_id}", status_code=204)
def remove_endpoint(endpoint_id: UUID, scope: Write, session: Db) -> None:
    """Tell it nothing any more."""
    service.remove(session, endpoint_id)


@router.get("/deliveries")
def list_deliveries(scope: Read, session: Db, endpoint_id: UUID | None = None, limit: Limit = 50) -> Page[DeliveryRead]:
    """The latest deliveries with their tries."""
    return Page(items=[DeliveryRead.model_validate(one) for one in service.deliveries(session, endpoint_id, limit)])


@router.post("/deliveries/{delivery_id}/replay", status_code=202)
def replay(delivery_id: UUID, scope: Write, session: Db) -> DeliveryRead:
    """Send a delivery once more."""
    return DeliveryRead.model_validate(service.replay(session, delivery_id))
