"""What could not be sent, as a file: sealed for the company's server, for the rep to hand over by any way there is.

The file is a zip: a README in plain words, `key.json`, `ops.sealed` (the ops in their order, which photos lie beside
them, and the signature of the phone's key), one sealed part for each content of a photo, and `aside.sealed` where there
are entries that this phone cannot read any more: their bytes, signed in the same way. Nothing leaves the outbox
by it: the server answers each op once, whichever way it came first.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mobile.field import zones
from mobile.field.ports import Envelope, Keys
from mobile.field.store import clock
from mobile.field.store.blobs import PHOTO
from mobile.field.store.canonical import Json, canonical
from mobile.field.store.outbox import Outbox
from mobile.field.store.sealing import Unreadable
from mobile.field.sync import leaving
from mobile.field.sync.tokens import Tokens

FORMAT = "waymark-unsent-1"
KEY = "export_key"
"""In the outbox: the server's key, as the last hello told it."""


class NoKey(Exception):
    """The server has not told its key yet, what is kept of it is damaged, or nobody is registered here: nothing could
    be sealed or signed."""


class NothingUnsent(Exception):
    """There is nothing to hand over."""


@dataclass(frozen=True)
class Exported:
    """What is in a file."""

    path: Path
    ops: int
    photos: int
    """Pictures, each with its small copy."""
    lost: int
    """Pictures whose file on this phone is gone or damaged."""
    aside: int
    """Entries that this phone cannot read any more."""


def write(
    outbox: Outbox,
    folder: Path,
    readme: str,
    keys: Keys,
    tokens: Tokens | None,
    seal_for: Callable[[str, str], Envelope],
) -> Exported:
    """Write everything that the server does not have into one file of a folder, whole or not at all.

    Raises NothingUnsent; NoKey; OSError when there is no room.
    """
    ops, blobs, aside = leaving.bodies(outbox), outbox.blobs.all("waiting"), outbox.aside.all()
    if not ops and not blobs and not aside:
        raise NothingUnsent
    server_key = outbox.meta.get(KEY)
    if server_key is None or tokens is None:
        raise NoKey
    try:
        envelope = seal_for(server_key, FORMAT)
    except ValueError as error:  # the next hello tells it again
        raise NoKey from error
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"waymark-{clock.now().astimezone(zones.of(outbox)):%Y%m%d-%H%M%S}.zip"
    part = path.with_suffix(".part")
    try:
        photos, whole = [], 0
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as file:
            file.writestr("README.txt", readme)
            file.writestr("key.json", json.dumps(envelope.head))
            for blob in blobs:
                content = _content(outbox, blob.sha256)
                if content is not None:
                    photos.append(blob.sha256)
                    whole += blob.lane == PHOTO
                    name = f"photos/{blob.sha256}"
                    file.writestr(name, envelope.seal(name, content))
            signature = keys.sign(tokens.key_alias, proof(tokens.device_id, ops, photos))
            told = {
                "device": tokens.device_id,
                "made_at": clock.wall(),
                "ops": ops,
                "photos": [{"sha256": one} for one in photos],
                "signature": signature,
            }
            file.writestr("ops.sealed", envelope.seal("ops.sealed", canonical(told).encode("utf-8")))
            if aside:
                signature = keys.sign(tokens.key_alias, proof_of_aside(tokens.device_id, aside))
                kept = canonical({"entries": aside, "signature": signature}).encode("utf-8")
                file.writestr("aside.sealed", envelope.seal("aside.sealed", kept))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return Exported(path, len(ops), whole, sum(blob.lane == PHOTO for blob in blobs) - whole, len(aside))


def _content(outbox: Outbox, sha256: str) -> bytes | None:
    """A content as it was taken; None when its file is gone or damaged."""
    try:
        content = outbox.blobs.read(sha256)
    except (OSError, Unreadable):
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def proof(device_id: str, ops: list[Json], photos: list[str]) -> bytes:
    """What is signed with a file."""
    said = canonical({"ops": ops, "photos": photos})
    return f"{FORMAT}\n{device_id}\n{hashlib.sha256(said.encode('utf-8')).hexdigest()}".encode()


def proof_of_aside(device_id: str, entries: list[Json]) -> bytes:
    """What is signed with entries that cannot be read."""
    digest = hashlib.sha256(canonical(entries).encode("utf-8")).hexdigest()
    return f"{FORMAT} aside\n{device_id}\n{digest}".encode()
