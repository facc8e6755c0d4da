"""Phones that leave: what a retired one still held, what one wrote to a file, the receipt of a wipe; and the JSON API
to look at what phones sent that does not count (yet)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response, UploadFile

from server.auth.access import Scope, public, requires
from server.files import uploads
from server.kit.database import Db
from server.kit.paging import Cursor, Limit, Page
from server.sync.calling.phones import Body, answer, parse, received
from server.sync.calling.transactions import writing
from server.sync.leaving import exports, quarantine, refused, rescue
from server.sync.protocol import wire
from server.sync.pushing.blob_routes import Sha256
from server.sync.schemas import ExportRead, HeldDecision, HeldRead, RefusedDecision, RefusedRead

router = APIRouter(tags=["sync"])

ManageDevices = Annotated[Scope, requires("devices:manage")]


async def whole_content(request: Request) -> bytes:
    """The content of a photo as it came; refuses what is larger than one may be."""
    return await received(request, uploads.MOST_BYTES)


Content = Annotated[bytes, Depends(whole_content)]
Sender = Annotated[UUID, Header(alias="Device")]
Signed = Annotated[str, Header(alias="Signature", max_length=500)]
SIGNED = public("the device's key signs the message; tokens ended when its owner was shut out")


@router.post("/sync/v1/quarantine", dependencies=[SIGNED])
def hold_ops(body: Body) -> Response:
    """Keep the unsent ops of a retired phone aside."""
    request = parse(wire.QuarantineRequest, body)
    return answer(wire.QuarantineReply(held=writing(lambda session: quarantine.hold(session, request))))


@router.post("/sync/v1/quarantine/rescue", status_code=204, dependencies=[SIGNED])
def hold_rescue(content: rescue.Raw, device: Sender, signature: Signed) -> None:
    """Keep the bytes of entries that a retired phone cannot read any more."""
    writing(lambda session: quarantine.hold_rescue(session, device, signature, content))


@router.post("/sync/v1/quarantine/{sha256}", dependencies=[SIGNED])
def hold_content(sha256: Sha256, content: Content, device: Sender, signature: Signed) -> Response:
    """Keep the whole content of a photo aside that a retired phone still had."""
    writing(lambda session: quarantine.hold_content(session, device, sha256, signature, content))
    return answer(wire.BlobReply(state="stored", offset=len(content), durable=False))


@router.post("/sync/v1/wiped", status_code=204, dependencies=[SIGNED])
def note_wipe(body: Body) -> None:
    """Take the receipt of a phone that destroyed what it held."""
    request = parse(wire.WipedRequest, body)
    writing(lambda session: quarantine.wiped(session, request))


@router.get("/api/v1/quarantine")
def list_held(scope: ManageDevices, session: Db) -> Page[HeldRead]:
    """What retired phones still held, waiting for a decision."""
    return Page(items=quarantine.held(session, scope))


@router.post("/api/v1/devices/{device_id}/quarantine")
def decide_held(device_id: UUID, body: HeldDecision, scope: ManageDevices, session: Db) -> Page[HeldRead]:
    """Take what a retired phone held in, or throw it away; answers with what still waits."""
    return Page(items=quarantine.decide(session, scope, device_id, take=body.take, only=body.ops))


@router.post("/api/v1/phone-exports")
def take_export(file: UploadFile, scope: ManageDevices, session: Db) -> ExportRead:
    """Take in the file to which a phone wrote what it could not send. The same again, and the phone itself later,
    change nothing more."""
    return exports.take_in(session, scope, file.file)


@router.get("/api/v1/devices/{device_id}/refused")
def list_refused(
    device_id: UUID,
    scope: ManageDevices,
    session: Db,
    decided: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RefusedRead]:
    """What was refused of what a phone sent, the latest first; with `decided` what somebody had taken or put aside."""
    return refused.listed(session, scope, device_id, decided=decided, limit=limit, cursor=cursor)


@router.post("/api/v1/devices/{device_id}/refused/{n}")
def decide_refused(device_id: UUID, n: int, body: RefusedDecision, scope: ManageDevices, session: Db) -> RefusedRead:
    """Take a refused entry again after its reason has gone, or put it aside; what is still refused says why."""
    return refused.decide(session, scope, device_id, n, take=body.take, rev=body.rev)
