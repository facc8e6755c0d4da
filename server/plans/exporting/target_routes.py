"""JSON API of targets and of what was sent to them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Limit, Page
from server.plans.exporting import deliveries, delivery_jobs, targets
from server.plans.exporting.target_schemas import DeliveryRead, TargetRead, TargetWrite, Trusted

router = APIRouter(prefix="/api/v1/export-targets", tags=["exports"])

Read = Annotated[Scope, requires("integrations:read")]
Write = Annotated[Scope, requires("integrations:write")]


@router.get("")
def list_targets(scope: Read, session: Db) -> Page[TargetRead]:
    """Where exports go."""
    return Page(items=[TargetRead.of(target) for target in targets.all_targets(session)])


@router.post("", status_code=201)
def add_target(body: TargetWrite, scope: Write, session: Db) -> TargetRead:
    """Send exports somewhere from now on."""
    return TargetRead.of(targets.add(session, body))


@router.put("/{target_id}")
def change_target(target_id: UUID, body: TargetWrite, scope: Write, session: Db) -> TargetRead:
    """Change a target; a secret that is left out stays."""
    return TargetRead.of(targets.change(session, target_id, body))


@router.delete("/{target_id}", status_code=204)
def remove_target(target_id: UUID, scope: Write, session: Db) -> None:
    """Send nothing there any more."""
    targets.remove(session, target_id)


@router.post("/{target_id}/host-key")
def ask_for_key(target_id: UUID, scope: Write, session: Db) -> TargetRead:
    """Ask an SFTP server for its key; compare `offered`, then trust it."""
    return TargetRead.of(targets.offered_key(session, target_id))


@router.post("/{target_id}/trust")
def trust_key(target_id: UUID, body: Trusted, scope: Write, session: Db) -> TargetRead:
    """Trust the key that the server has offered."""
    return TargetRead.of(targets.trust(session, target_id, body.fingerprint))


@router.get("/deliveries")
def list_deliveries(scope: Read, session: Db, limit: Limit = 50) -> Page[DeliveryRead]:
    """What was sent lately, and what waits."""
    return Page(items=[DeliveryRead.of(one) for one in deliveries.latest(session, limit)])


@router.post("/deliveries/{delivery_id}/again", status_code=202)
def send_again(delivery_id: UUID, scope: Write, session: Db) -> DeliveryRead:
    """Send a delivery once more."""
    delivery = deliveries.send_again(session, delivery_id)
    delivery_jobs.ask(session, [delivery])
    return DeliveryRead.of(delivery)
