"""Damaged outboxes that phones send as they are: kept as files for whoever can read more of them."""

import hashlib
import logging
import os
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import AuthEvent, Device
from server.kit import clock
from server.kit.settings import settings
from server.sync.calling.phones import present, received
from server.sync.protocol.problems import BadMessage, MessageTooLarge

MOST_BYTES = 20_000_000
MOST_FILES = 20
"""Of one phone."""
log = logging.getLogger("waymark.sync")


async def raw_body(request: Request) -> bytes:
    """The body as it came, unpacked by nobody; refuses more than the limit."""
    return await received(request, MOST_BYTES)


Raw = Annotated[bytes, Depends(raw_body)]


def keep(session: Session, scope: Scope, content: bytes) -> None:
    """Keep a damaged outbox for good; the same one is kept once. Refuses an empty one, and very many of one phone."""
    device, now = present(session, scope, lock=True)
    now.need("sync:write")
    keep_of(session, device, content)


def keep_of(session: Session, device: Device, content: bytes) -> None:
    """The same of a phone that is known and locked already."""
    if not content:
        raise BadMessage("The file is empty.", help="Send it again.")
    folder = settings().folder("files", "rescued")
    target = folder / name_of(device.id, content)
    if target.exists():
        return
    if len(list(folder.glob(f"{device.id}-*"))) >= MOST_FILES:
        raise MessageTooLarge(f"{MOST_FILES} files of this phone are here.", help="Ask your admin to look at them.")
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
    told = {"device": str(device.id), "file": target.name, "bytes": len(content), "at": clock.now().isoformat()}
    session.add(AuthEvent(kind="outbox_rescued", user_id=device.user_id, actor=None, details=told))
    log.warning("a phone sent a damaged outbox: %s", target)


def name_of(device_id: UUID, content: bytes) -> str:
    """What a file is called: by its phone and its content."""
    return f"{device_id}-{hashlib.sha256(content).hexdigest()[:16]}.db.gz"
