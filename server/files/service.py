"""The rules of files: taking one in, hanging it on a row, what a browser may do with it."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Response
from fastapi.responses import FileResponse
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.files import queries, store
from server.files.jobs import draw_thumbnail, lock
from server.files.models import FileUse, StoredFile
from server.files.sniffing import PICTURES, sniff
from server.files.store import Content
from server.files.stripping import NotWhole, stripped
from server.jobs import defer
from server.kit.errors import Gone, Invalid, NotFound

AT_MOST = 20
"""Files that one row may have."""


class DamagedPicture(Invalid):
    """A picture from which a camera's notes cannot be taken."""

    code = "picture_damaged"


def keep(session: Session, content: Content, name: str, made_by: UUID | None, *, as_sent: bool = False) -> StoredFile:
    """Take a file in, a picture without what a camera wrote into it, such as the place.

    `as_sent` leaves it as it is, for a content that its sender has named by its hash; phones leave the notes out
    themselves. Refuses an empty file, and a picture of which the notes cannot be told from the rest.
    """
    if content.size == 0:
        content.path.unlink(missing_ok=True)
        raise Invalid(f"“{name}” is empty.", help="Choose the file again.", field="file")
    kind = sniff(content.path, name)
    if kind.media_type in PICTURES and not as_sent:
        content = without_notes(content, name, kind.media_type)
    lock(session, content.sha256)
    store.settle(content)
    file = StoredFile(
        name=plain_name(name),
        media_type=kind.media_type,
        size=content.size,
        sha256=content.sha256,
        width=kind.width,
        height=kind.height,
        made_by=made_by,
    )
    session.add(file)
    session.flush()
    if kind.media_type in PICTURES:
        defer(session, draw_thumbnail, key=f"thumbnail:{file.id}", file_id=str(file.id))
    return file


def without_notes(content: Content, name: str, media_type: str) -> Content:
    """A picture without what a camera wrote into it; the same content when there is nothing."""
    try:
        rewritten = stripped(content.path, media_type)
    except NotWhole as error:
        content.path.unlink(missing_ok=True)
        raise DamagedPicture(
            f"“{name}” is damaged: what a camera wrote into it, such as the place, cannot be removed.",
            help="Open it in a picture program and save it again.",
            field="file",
        ) from error
    if rewritten == content.path.read_bytes():
        return content
    content.path.unlink(missing_ok=True)
    return store.take(name, rewritten)


def plain_name(name: str) -> str:
    """A file's name without folders and without signs that a terminal or a header could trip over."""
    last = Path(name.replace("\\", "/")).name
    return re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", last).strip()[:200] or "file"


def attach(
    session: Session, entity: str, row_id: UUID, file_ids: Sequence[UUID], by: UUID | None
) -> Sequence[StoredFile]:
    """Let a row have exactly these files, in this order.

    Refuses files that somebody else sent, unless the row has them already, and more than a handful.
    """
    wanted = list(dict.fromkeys(file_ids))
    if len(wanted) > AT_MOST:
        raise Invalid(f"More than {AT_MOST} files.", help="Leave some out.", field="file_ids")
    there = {file.id for file in queries.of(session, entity, row_id)}
    found = {file.id: file for file in session.scalars(select(StoredFile).where(StoredFile.id.in_(wanted)))}
    for file_id in wanted:
        if file_id not in found or (file_id not in there and found[file_id].made_by != by):
            raise NotFound("There is no such file.", help="Upload it again.", field="file_ids", id=str(file_id))
    session.execute(delete(FileUse).where(FileUse.entity == entity, FileUse.row_id == row_id))
    session.add_all(
        FileUse(entity=entity, row_id=row_id, file_id=file_id, position=number) for number, file_id in enumerate(wanted)
    )
    session.flush()
    return [found[file_id] for file_id in wanted]


def detach(session: Session, entity: str, row_ids: Iterable[UUID]) -> None:
    """These rows are gone for good, and have no files any more."""
    session.execute(delete(FileUse).where(FileUse.entity == entity, FileUse.row_id.in_(list(row_ids))))


def answer(file: StoredFile, *, small: bool = False, seen: str | None = None) -> Response:
    """A file for a browser: pictures are shown, everything else is saved and can do nothing in our name.

    The room whose row has the file calls this after it has checked who asks; `seen` is what the browser has of it.
    """
    if small and file.thumbnail_sha256 is not None:
        return served(file.thumbnail_sha256, file.name, "image/webp", seen)
    return served(file.sha256, file.name, file.media_type, seen)


def served(sha256: str, name: str, media_type: str, seen: str | None = None) -> Response:
    """A content under a name; nothing but “unchanged” to whoever has seen it. Refuses one that is not there."""
    shown = "inline" if media_type in PICTURES else "attachment"
    headers: dict[str, Any] = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=86400, immutable",
        "ETag": f'"{sha256}"',
    }
    if seen is not None and sha256 in seen:
        return Response(status_code=304, headers=headers)
    if not store.has(sha256):
        raise Gone(f"The content of “{name}” is not there.", help="Restore it from a backup of the home folder.")
    if media_type.startswith("text/"):
        media_type = "application/octet-stream"
    return FileResponse(store.path_of(sha256), media_type=media_type, headers=headers)
