"""The way of contents: `/att/v1/{sha256}`, resumable as in tus 1.0. A reply leaves after its transaction."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import JSONResponse

from server.attachments import queries as attachments
from server.auth.access import Scope
from server.files import store
from server.files.service import served
from server.files.sniffing import sniff
from server.kit.errors import NotFound
from server.sync.calling.phones import Body, answer, parse, phone
from server.sync.calling.transactions import reading, writing
from server.sync.protocol import wire
from server.sync.pushing import blobs

router = APIRouter(prefix="/att/v1", tags=["sync"])

Reader = Annotated[Scope, phone("sync:read")]
Writer = Annotated[Scope, phone("sync:write")]
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the whole content.")]
DAMAGED = {
    "type": "about:blank#checksum_mismatch",
    "title": "Checksum Mismatch",
    "status": 460,
    "detail": "What arrived is not what was sent.",
    "code": "checksum_mismatch",
    "help": "Send it again from the offset.",
}
"""The status of tus 1.0 for a piece that was damaged on its way."""


@router.post("/{sha256}")
def declare(sha256: Sha256, scope: Writer, body: Body) -> Response:
    """Ask how much of a content is here; begins it when there is nothing yet."""
    request = parse(wire.BlobRequest, body)
    return answer(writing(lambda session: blobs.declare(session, scope, sha256, request)))


@router.head("/{sha256}")
def look(sha256: Sha256, scope: Reader) -> Response:
    """How many bytes of a content are here."""
    found = writing(lambda session: blobs.progress(session, scope, sha256))
    headers = {"Upload-Offset": str(found.offset), "Upload-Length": str(found.size), "Cache-Control": "no-store"}
    return Response(headers=headers)


@router.patch("/{sha256}")
def send_piece(
    sha256: Sha256,
    scope: Writer,
    body: Body,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0)],
    checksum: Annotated[str, Header(alias="Upload-Checksum", max_length=100)],
) -> Response:
    """Send the next piece. 409: it begins elsewhere; 460: it was damaged; 422: the whole is not taken."""
    written = writing(lambda session: blobs.append(session, scope, sha256, offset, checksum, body))
    if written.pieces is not None:
        written.pieces.unlink(missing_ok=True)
    if written.refused is not None:
        raise blobs.FileRefused(written.refused)
    found = written.progress
    headers = {"Upload-Offset": str(found.offset)}
    if found.damaged:
        media_type = "application/problem+json"
        return JSONResponse(DAMAGED | {"offset": found.offset}, 460, headers=headers, media_type=media_type)
    reply = answer(wire.BlobReply(state="stored" if found.is_whole else "partial", offset=found.offset, durable=False))
    reply.headers.update(headers)
    return reply


@router.get("/{sha256}")
def fetch(sha256: Sha256, request: Request, scope: Reader) -> Response:
    """A content that something refers to which the phone's user may see; also in ranges."""
    with reading() as session:
        known = attachments.named(session, scope, sha256)
    if known is None or not store.has(sha256):
        raise NotFound("There is no such content.")
    kind = sniff(store.path_of(sha256), known.name).media_type
    return served(sha256, known.name, kind, request.headers.get("if-none-match"))
