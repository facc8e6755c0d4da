"""Contents of photos that came before their fact counts, in an export or from a phone that leaves: kept as files until
the fact is taken, whichever way it comes, or put aside. Each is its sender's: it fills nobody else's photo."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.attachments import queries as attachments
from server.attachments import service
from server.files import store
from server.files.store import Content
from server.kit import clock
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.sync.protocol import wire
from server.sync.pushing import blobs

SPOKEN_OF = """
select h || '.' || d.user_id from (
    select device_id, body from quarantined_op where state = 'waiting'
    union all
    select device_id, body from sync_receipt
    where status in ('rejected', 'deferred') and body is not null and decided_at is null
) o
join device d on d.id = o.device_id,
    unnest(array[o.body #>> '{d,sha256}', o.body #>> '{d,thumbnail_sha256}']) h
where o.body ->> 'e' = 'attachment' and h is not null
"""


def folder() -> Path:
    """Where contents wait."""
    return settings().folder("files", "exported")


def path_of(user_id: UUID, sha256: str) -> Path:
    """Where a content of somebody waits, or would."""
    return folder() / f"{sha256}.{user_id}"


def keep(user_id: UUID, sha256: str, content: bytes) -> None:
    """Keep a content that is what its name says; the same again takes no more room."""
    fresh = store.take("The photo", content)
    fresh.path.replace(path_of(user_id, sha256))


def fill_all(session: Session, user_id: UUID, ops: Sequence[wire.AnyOp | None]) -> None:
    """Give the photos among somebody's ops the contents that wait here for them."""
    for sha256 in hashes(ops):
        if path_of(user_id, sha256).is_file():
            fill(session, user_id, sha256)


def hashes(ops: Iterable[wire.AnyOp | None]) -> list[str]:
    """The contents that ops speak of, small pictures beside theirs."""
    facts = [op.d for op in ops if isinstance(op, wire.AddAttachment)]
    named = [one for d in facts for one in (d.sha256, d.thumbnail_sha256) if one]
    return list(dict.fromkeys(named))


@dataclass(frozen=True)
class Filled:
    """What has been announced has its content, now or before, or is refused it."""

    refused: str | None = None
    """Why."""


def fill(session: Session, user_id: UUID, sha256: str) -> Filled | None:
    """Give what somebody has announced its content; None while nothing has announced it or it is not here. The file
    stays: should all this be undone, it is needed again."""
    announced = attachments.announced(session, user_id, sha256)
    if not announced:
        return None
    lacking = blobs.lacks(session, announced, sha256)
    if not lacking:
        return Filled()
    waits = path_of(user_id, sha256)
    if not waits.is_file():
        return None
    copy = store.aside()
    os.link(waits, copy)
    try:
        with session.begin_nested():
            service.arrive(session, lacking, Content(copy, sha256, copy.stat().st_size))
    except WaymarkError as error:
        return Filled(error.message)
    return Filled()


def forget(session: Session) -> int:
    """Remove the contents of which no op that waits speaks any more, nor one that was refused and may still be taken, a
    day after they came; returns how many."""
    waiting, old = set(session.scalars(text(SPOKEN_OF))), (clock.now() - timedelta(days=1)).timestamp()
    gone = [one for one in folder().iterdir() if one.name not in waiting and one.stat().st_mtime < old]
    for one in gone:
        one.unlink(missing_ok=True)
    return len(gone)
