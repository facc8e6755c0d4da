"""The store of contents: each under its hash, written aside and renamed, so that no half file ever has its name."""

import errno
import hashlib
import os
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.kit.errors import TooLarge, Unavailable
from server.kit.ids import uuid7
from server.kit.settings import settings

CHUNK = 1 << 20


class DiskFull(Unavailable):
    """There is no room for a file."""

    code = "disk_full"


class FileTooLarge(TooLarge):
    """A file above the limit."""

    code = "file_too_large"


@dataclass(frozen=True)
class Content:
    """A content that was written aside and waits for its place."""

    path: Path
    sha256: str
    size: int


def folder() -> Path:
    """Where contents lie."""
    return settings().folder("files")


def path_of(sha256: str) -> Path:
    """Where a content lies, or would."""
    return folder() / sha256[:2] / sha256


def limit() -> int:
    """Bytes that a file may have."""
    return settings().max_file_mb * 1_000_000


def refuse(name: str, size: int | None = None) -> FileTooLarge:
    """The refusal of a file above the limit."""
    limit = settings().max_file_mb
    return FileTooLarge(
        f"“{name}” is larger than {limit} MB."
        if size is None
        else f"“{name}” has {size / 1_000_000:,.0f} MB and is larger than {limit} MB.",
        help="Send a smaller one, or a link to it; an admin may raise WAYMARK_MAX_FILE_MB.",
        field="file",
    )


async def receive(name: str, pieces: AsyncIterable[bytes]) -> Content:
    """Write a stream aside, piece by piece; refuses it as soon as it is too large, and leaves nothing behind then."""
    path, digest, size = aside(), hashlib.sha256(), 0
    with written_whole(path), path.open("wb") as file:
        async for piece in pieces:
            size += len(piece)
            if size > limit():
                raise refuse(name)
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return Content(path, digest.hexdigest(), size)


def take(name: str, content: bytes) -> Content:
    """Write a content that is in memory already, such as an attachment of a mail, aside."""
    if len(content) > limit():
        raise refuse(name, len(content))
    path = aside()
    with written_whole(path), path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Content(path, hashlib.sha256(content).hexdigest(), len(content))


@contextmanager
def written_whole(path: Path) -> Iterator[None]:
    """What is written wholly or not at all: nothing half stays behind. Says it in words when the disk is full."""
    try:
        with disk_watched():
            yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def disk_watched() -> Iterator[None]:
    """Say it in words when the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("The disk for files is full; nothing was stored.", help="Free some space on it.") from error
        raise


def aside() -> Path:
    """A name for a content on its way in; a job removes what a killed server has left there."""
    return settings().folder("files", "incoming") / str(uuid7())


def has(sha256: str) -> bool:
    """Whether a content is there."""
    return path_of(sha256).is_file()


def settle(content: Content) -> None:
    """Give a content its place; the same content again takes no more room."""
    place = path_of(content.sha256)
    place.parent.mkdir(parents=True, exist_ok=True)
    content.path.replace(place)
    handle = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stored() -> Iterator[Path]:
    """Every content in the store."""
    for branch in sorted(folder().iterdir()):
        if branch.is_dir() and len(branch.name) == 2:
            yield from sorted(branch.iterdir())


def on_the_way() -> Iterator[Path]:
    """What was written aside and has no place yet."""
    yield from settings().folder("files", "incoming").iterdir()
