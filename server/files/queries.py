"""Reads of files. Who may see one follows from the row that has it: its room asks here after it has checked that."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.files.models import FileUse, StoredFile
from server.kit.errors import NotFound


def of(session: Session, entity: str, row_id: UUID) -> list[StoredFile]:
    """The files of a row in their order."""
    return of_rows(session, entity, [row_id]).get(row_id, [])


def of_rows(session: Session, entity: str, row_ids: Iterable[UUID]) -> dict[UUID, list[StoredFile]]:
    """The files of some rows; rows without any are left out."""
    wanted = list(row_ids)
    if not wanted:
        return {}
    statement = (
        select(FileUse.row_id, StoredFile)
        .join(StoredFile, StoredFile.id == FileUse.file_id)
        .where(FileUse.entity == entity, FileUse.row_id.in_(wanted))
        .order_by(FileUse.row_id, FileUse.position)
    )
    found: dict[UUID, list[StoredFile]] = {}
    for row_id, file in session.execute(statement):
        found.setdefault(row_id, []).append(file)
    return found


def one_of(session: Session, entity: str, row_id: UUID, file_id: UUID) -> StoredFile:
    """A file of a row; refuses one that the row does not have."""
    statement = (
        select(StoredFile)
        .join(FileUse, FileUse.file_id == StoredFile.id)
        .where(FileUse.entity == entity, FileUse.row_id == row_id, StoredFile.id == file_id)
    )
    file = session.scalars(statement).one_or_none()
    if file is None:
        raise NotFound("There is no such file.")
    return file
