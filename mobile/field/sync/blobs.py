"""Step 6 of sync: send the contents of photos, small ones first, and let go of those that the server's backups have.

Nothing of how far a content has come needs to be remembered: its address is its hash, and the server says where to go
on. Whatever happens here, ops and rows have been exchanged before.
"""

import base64
import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mobile.field import photos
from mobile.field.store import Store
from mobile.field.store.blobs import PATIENCE, PHOTO, Blob
from mobile.field.store.outbox import UNSENT
from mobile.field.store.sealing import Unreadable
from mobile.field.sync import wire
from mobile.field.sync.api import Api
from mobile.field.sync.problems import Broken, Damaged, FileRefused, Indigestible, NotAnnounced, WrongOffset
from mobile.field.sync.transport import Unreachable

LEAST_PIECE, MOST_PIECE = 64 * 1024, 1024 * 1024
QUICK_S, SLOW_S = 1.0, 3.0
PIECES = 5
"""So many damaged or displaced pieces of one content in a row are enough for one sync."""


@dataclass
class Sent:
    """What became of contents in one run."""

    stored: int = 0
    refused: int = 0
    let_go: int = 0
    held_back: int = 0
    """Photos that wait for a Wi-Fi."""
    trouble: str | None = None
    """What the server said where it failed on one; the others went on."""


def send(store: Store, api: Api, *, photos_too: bool = True, clock: Callable[[], float] = time.monotonic) -> Sent:
    """Send what waits: small pictures always, photos when the network may carry them."""
    done = Sent()
    size, failed = LEAST_PIECE, 0
    for blob in store.outbox.blobs.all("waiting"):
        if blob.is_parked:
            continue
        if blob.lane == PHOTO and not photos_too:
            done.held_back += 1
            continue
        try:
            size = _send_or_refuse(store, api, blob, size, clock, done)
        except (Broken, Indigestible) as problem:
            store.outbox.blobs.failed(blob.sha256, problem.said)
            done.trouble, failed = str(problem), failed + 1
            if failed == PATIENCE:
                break  # it may fail on all of them
    return done


def _send_or_refuse(store: Store, api: Api, blob: Blob, size: int, clock: Callable[[], float], done: Sent) -> int:
    """What becomes of one content; returns the size of piece that the network carried."""
    blobs = store.outbox.blobs
    is_here = blob.path.is_file()
    content = whole(store, blob) if is_here else None
    try:
        if content is not None:
            size = _send(store, api, blob, content, size, clock)
            done.stored += 1
        elif not is_here and _declare(api, blob).state == "stored":  # it was let go of before what says so was lost
            blobs.let_go(blob.sha256)
        else:
            blobs.refuse(blob.sha256, {"code": "damaged" if is_here else "gone"})
            done.refused += 1
    except FileRefused as problem:
        blobs.refuse(blob.sha256, problem.said)
        done.refused += 1
    except NotAnnounced:
        _unannounced(store, blob, done)
    return size


def whole(store: Store, blob: Blob) -> bytes | None:
    """What was taken, opened; None when the file is torn or cannot be opened, for it would never arrive."""
    try:
        content = store.outbox.blobs.read(blob.sha256)
    except Unreadable:
        return None
    return content if hashlib.sha256(content).hexdigest() == blob.sha256 else None


def _unannounced(store: Store, blob: Blob, done: Sent) -> None:
    """The server does not know the photo: its op waits still, or was refused."""
    op = store.outbox.op(blob.for_op)
    if op is not None and op.state == "rejected":
        error = (op.result or {}).get("error") or {}
        store.outbox.blobs.refuse(blob.sha256, error or {"code": "rejected"})
        done.refused += 1


def _send(store: Store, api: Api, blob: Blob, content: bytes, size: int, clock: Callable[[], float]) -> int:
    """One content from where the server has it to its end; returns the size of piece that the network carried."""
    reply = _declare(api, blob)
    offset, trouble = reply.offset, 0
    with io.BytesIO(content) as file:
        while reply.state != "stored":
            file.seek(offset)
            piece, began = file.read(size), clock()
            try:
                reply = _piece(api, blob, offset, piece)
            except (WrongOffset, Damaged) as problem:
                trouble += 1
                if trouble >= PIECES:
                    raise Unreachable("the photo does not arrive whole; it is tried again later") from problem
                offset = int(problem.extra.get("offset", 0))
                continue
            offset, trouble = reply.offset, 0
            size = _adapted(size, clock() - began)
            store.outbox.blobs.went_on(blob.sha256, offset)
    store.outbox.blobs.stored(blob.sha256)
    return size


def _adapted(size: int, took_s: float) -> int:
    """Pieces of about two seconds."""
    if took_s < QUICK_S:
        return min(MOST_PIECE, size * 2)
    return max(LEAST_PIECE, size // 2) if took_s > SLOW_S else size


def _declare(api: Api, blob: Blob) -> wire.BlobReply:
    message = wire.emit(wire.BlobRequest(blob.size))
    return wire.parse(wire.BlobReply, api.call("POST", f"/att/v1/{blob.sha256}", message))


def _piece(api: Api, blob: Blob, offset: int, piece: bytes) -> wire.BlobReply:
    checksum = "sha256 " + base64.b64encode(hashlib.sha256(piece).digest()).decode("ascii")
    headers = {"Upload-Offset": str(offset), "Upload-Checksum": checksum, "Content-Type": "application/octet-stream"}
    return wire.parse(wire.BlobReply, api.send("PATCH", f"/att/v1/{blob.sha256}", piece, headers))


def let_go(store: Store, api: Api, durable_n: int) -> int:
    """Remove what the server has and its backups too; it is asked once more for each, so that a restore is noticed."""
    gone = 0
    for blob in store.outbox.blobs.all("stored"):
        op = store.outbox.op(blob.for_op)
        if op is not None and (op.state in UNSENT or op.n > durable_n):
            continue  # an op that an earlier device id has delivered has no number: what the server says of it counts
        try:
            reply = _declare(api, blob)
        except (NotAnnounced, Broken, Indigestible):
            continue
        if reply.state != "stored":
            store.outbox.blobs.ask_again()
            return gone
        if reply.durable:
            _keep_small(store, blob)
            store.outbox.blobs.let_go(blob.sha256)
            gone += 1
    return gone


def _keep_small(store: Store, blob: Blob) -> None:
    """A small picture is still looked at; now it is one that could be fetched again."""
    if blob.lane != PHOTO and blob.path.is_file():
        photos.keep(store, blob.sha256, store.outbox.blobs.read(blob.sha256))


def fetch(store: Store, api: Api, sha256: str) -> Path:
    """Bring a content here, checked by its hash."""
    target = photos.fetched(store, sha256)
    if not target.is_file():
        content = api.fetch(f"/att/v1/{sha256}")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Unreachable("the picture that arrived is not the one that was asked for")
        photos.keep(store, sha256, content)
    return target
