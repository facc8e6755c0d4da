"""Background work of files: small pictures, and removing what nothing has."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from server.files import store, uploads
from server.files.models import FileUpload, FileUse, StoredFile
from server.files.sniffing import draw_small
from server.jobs import task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.locks import one_at_a_time

HALF = timedelta(days=30)
"""A file that came in pieces and has not gone on for so long will not; whoever has it begins anew."""
KEPT = timedelta(days=7)
"""A file that no row has stays so long: its note may still be written."""
ASIDE = timedelta(days=1)
"""What was written aside and never got its place belonged to a server that is gone."""


@task("files.draw_thumbnail")
def draw_thumbnail(file_id: str) -> None:
    """Draw the small picture of a file. Twice is once."""
    with transaction() as session:
        draw(session, UUID(file_id))


def draw(session: Session, file_id: UUID) -> str | None:
    """The small picture of a file, drawn unless it is there; None when there is none of it."""
    file = session.get(StoredFile, file_id, with_for_update=True)
    if file is None or file.thumbnail_sha256 is not None:
        return file.thumbnail_sha256 if file else None
    aside = store.aside()
    try:
        if draw_small(store.path_of(file.sha256), aside):
            content = store.take(file.name, aside.read_bytes())
            lock(session, content.sha256)
            store.settle(content)
            file.thumbnail_sha256 = content.sha256
    finally:
        aside.unlink(missing_ok=True)
    return file.thumbnail_sha256


def lock(session: Session, sha256: str) -> None:
    """Let nobody settle or remove this content at the same time."""
    one_at_a_time(session, f"file:{sha256}")


@queue.periodic(cron="40 3 * * *")
@task("files.sweep")
def sweep(timestamp: int) -> None:
    """Every night: remove files that no row has had for days, and contents without a file."""
    del timestamp
    with transaction() as session:
        forget_unused(session)
        forget_halves(session)
    with transaction() as session:
        remove_contents(session)


def forget_unused(session: Session) -> int:
    """Delete the rows of files that nothing has."""
    used = select(FileUse.file_id).where(FileUse.file_id == StoredFile.id).exists()
    unused = select(StoredFile).where(StoredFile.created_at < clock.now() - KEPT, ~used)
    files = session.scalars(unused.with_for_update(skip_locked=True)).all()
    for file in files:
        session.delete(file)
    session.flush()
    return len(files)


def forget_halves(session: Session) -> int:
    """Forget what somebody began to send long ago, and pieces that belong to nothing. Says how many pieces went."""
    session.execute(delete(FileUpload).where(FileUpload.touched_at < clock.now() - HALF))
    known = {str(key) for key in session.scalars(select(FileUpload.storage_key))}
    latest = (clock.now() - ASIDE).timestamp()
    removed = 0
    for path in uploads.folder().iterdir():
        if path.name not in known and path.stat().st_mtime < latest:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def remove_contents(session: Session) -> int:
    """Remove contents that no file has, and what a killed server left on its way in. Says how many."""
    columns = (StoredFile.sha256, StoredFile.thumbnail_sha256)
    known = {name for column in columns for name in session.scalars(select(column))}
    removed = 0
    for path in store.stored():
        if path.name in known:
            continue
        lock(session, path.name)  # whoever is taking the same content in at this moment comes first
        mine = or_(*(column == path.name for column in columns))
        if session.scalar(select(StoredFile.id).where(mine).limit(1)) is None:
            path.unlink(missing_ok=True)
            removed += 1
    latest = (clock.now() - ASIDE).timestamp()
    for path in store.on_the_way():
        if path.stat().st_mtime < latest:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
