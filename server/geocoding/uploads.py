"""Address files that are uploaded: kept until a worker has read them, with how far that is."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.geocoding import sources
from server.geocoding.errors import NoSuchLoad
from server.geocoding.models import AddressLoad
from server.geocoding.reporting import in_words
from server.geocoding.sources import Wish
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.kit.ids import uuid7
from server.kit.settings import settings

log = logging.getLogger("waymark.geocoding")


def receive(session: Session, path: Path, file_name: str, wish: Wish) -> AddressLoad:
    """Keep an uploaded file for the worker; refuses a wish that cannot be."""
    load = AddressLoad(id=uuid7(), file_name=file_name[:200], options=asdict(wish.checked()), state="waiting")
    shutil.copyfile(path, kept(load.id))
    session.add(load)
    session.flush()
    return load


def kept(load_id: UUID) -> Path:
    """Where an upload lies until it is read."""
    return settings().folder("uploads", "addresses") / str(load_id)


def latest(session: Session, limit: int = 5) -> Sequence[AddressLoad]:
    """The last uploads, the latest first."""
    return session.scalars(select(AddressLoad).order_by(AddressLoad.id.desc()).limit(limit)).all()


def find(session: Session, load_id: UUID) -> AddressLoad:
    """An upload; refuses an unknown one."""
    load = session.get(AddressLoad, load_id)
    if load is None:
        raise NoSuchLoad("There is no such upload.")
    return load


def read(load_id: UUID) -> None:
    """Read an upload into the index, all or nothing; what makes it impossible is written down for who sent it."""
    with transaction() as session:
        load = find(session, load_id)
        file_name, options = load.file_name, dict(load.options)
        if load.state in ("done", "failed"):
            return
    path = kept(load_id)
    try:
        with transaction() as session:
            added = sources.add(
                session, [path], Wish(**options), names=[file_name], tell=lambda rows: _note(load_id, rows=rows)
            )
            told = [f"{added.source.addresses:,} addresses on {added.source.streets:,} streets.", *added.tally.lines()]
            if added.source.replaces is not None and not added.is_known:
                told.insert(1, f"Since the version before: {in_words(added.source.changes)}.")
    except WaymarkError as error:
        _note(load_id, state="failed", message=f"{error.message} {error.help}".strip())
    except (DBAPIError, UnicodeError) as error:
        log.warning("address file %s cannot be stored", file_name, exc_info=error)
        _note(load_id, state="failed", message=f"{file_name} holds something that cannot be stored. Export it again.")
    else:
        _note(load_id, state="done", rows=added.tally.read, message="\n".join(told))
    path.unlink(missing_ok=True)


def _note(load_id: UUID, **values: object) -> None:
    """Tell how far it is, in a transaction of its own."""
    with transaction() as session:
        load = find(session, load_id)
        for name, value in ({"state": "reading"} | values).items():
            setattr(load, name, value)
