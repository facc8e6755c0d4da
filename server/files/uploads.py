"""Files that come in pieces: a piece lies on the disk before it counts, so that a kill at any place loses nothing.

The pieces have a name of our own until the whole file has the hash that was announced; each sender has their own.
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.files import store
from server.files.models import FileUpload
from server.files.store import Content
from server.kit import clock
from server.kit.errors import BadRequest, Conflict
from server.kit.settings import settings

MOST_BYTES = 15_000_000
"""Of one file that comes in pieces."""
PIECE = 1 << 20
"""Bytes of one piece at most."""


class WrongOffset(Conflict):
    """A piece that does not begin where the last one ended."""

    code = "wrong_offset"


@dataclass(frozen=True)
class Progress:
    """How far a file has come."""

    offset: int
    size: int
    damaged: bool = False
    """The piece, or the whole, was not what was announced; send it from `offset` on."""

    @property
    def is_whole(self) -> bool:
        """Whether every byte is there and is what was announced."""
        return self.offset == self.size and not self.damaged


def pieces_of(upload: FileUpload) -> Path:
    """Where the pieces of a file lie."""
    return folder() / str(upload.storage_key)


def folder() -> Path:
    """Where half files lie."""
    return settings().folder("files", "partial")


def begun(session: Session, user_id: UUID, sha256: str) -> FileUpload | None:
    """What somebody has begun to send, locked."""
    mine = (FileUpload.sha256 == sha256, FileUpload.user_id == user_id)
    statement = select(FileUpload).where(*mine).with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).one_or_none()


def begin(session: Session, user_id: UUID, sha256: str, size: int) -> FileUpload:
    """Take note of a file that is to come; says how much of it is here when it has been begun before.

    Refuses one above the limit.
    """
    if size > MOST_BYTES:
        raise store.FileTooLarge(
            f"The file has {size / 1_000_000:,.0f} MB; {MOST_BYTES // 1_000_000} MB are the most.",
            help="Send a smaller one.",
            field="size",
        )
    upload = begun(session, user_id, sha256)
    if upload is None:
        upload = FileUpload(sha256=sha256, user_id=user_id, size=size, received=0)
        session.add(upload)
    elif upload.size != size:
        upload.size, upload.received = size, 0
    upload.touched_at = clock.now()
    session.flush()
    return upload


def append(upload: FileUpload, offset: int, piece: bytes, checksum: str) -> Progress:
    """Write a piece down for good and count it; the last one only when the whole has the announced hash.

    What lies behind the counted bytes, left by a server that was killed in between, is written over. Refuses a piece
    that begins elsewhere.
    """
    if offset != upload.received:
        raise WrongOffset(
            f"The file goes on at {upload.received}, not at {offset}.", help="Go on there.", offset=upload.received
        )
    if offset + len(piece) > upload.size:
        raise BadRequest(f"The file would have more than the {upload.size} bytes that were announced.", field="size")
    if not matches(piece, checksum):
        return Progress(offset, upload.size, damaged=True)
    path = pieces_of(upload)
    write(path, offset, piece)
    upload.received, upload.touched_at = offset + len(piece), clock.now()
    if upload.received == upload.size and digest_of(path) != upload.sha256:
        upload.received = 0
        return Progress(0, upload.size, damaged=True)
    return Progress(upload.received, upload.size)


def matches(piece: bytes, checksum: str) -> bool:
    """Whether a piece is what its sender says: `sha256` and the digest in Base64, as in tus 1.0."""
    kind, _, given = checksum.partition(" ")
    if kind != "sha256":
        raise BadRequest("Upload-Checksum has to be “sha256” and a digest in Base64.", field="Upload-Checksum")
    try:
        return base64.b64decode(given, validate=True) == hashlib.sha256(piece).digest()
    except binascii.Error:
        return False


def write(path: Path, offset: int, piece: bytes) -> None:
    """Put a piece where it belongs and wait until the disk has it."""
    with store.disk_watched(), open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def digest_of(path: Path) -> str:
    """The hash of what has come."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_of(upload: FileUpload) -> Content:
    """A whole file as the store takes it; the pieces stay until that is committed."""
    aside = store.aside()
    aside.unlink(missing_ok=True)
    os.link(pieces_of(upload), aside)
    return Content(aside, upload.sha256, upload.size)


def drop(session: Session, upload: FileUpload) -> None:
    """Nothing more is to come."""
    session.delete(upload)
    session.flush()
