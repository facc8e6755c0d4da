"""The files of the address index on this machine: one per source, written once, mapped by every process.

A file is named by its source, the source's content and the rules that made it. The job that builds a source writes its
file; another machine, or a newer program, writes it when it needs it first. Tables stay the only truth: a file that is
missing, cut off or damaged is written again from them.
"""

import fcntl
import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from geo.geocode import mapped
from geo.geocode.content import Content
from geo.geocode.packing import packed, rules
from server.geocoding import queries
from server.geocoding.models import Source
from server.kit import clock
from server.kit.settings import settings
from server.regions.errors import NoSpace, is_disk_full

FOLDER = "addresses"
_KEPT_S = 3_600.0
"""A file that belongs to no source may belong to one that is not committed yet; after an hour it does not."""

_log = logging.getLogger(__name__)


def opened(session: Session, sources: Sequence[Source]) -> list[mapped.Arrays]:
    """The mapped files of sources; those that are missing or broken are written first, the others are left alone."""
    return [_found(source) or _made(session, source) for source in sources]


def keep(source: Source, content: Content) -> None:
    """Write the file of a source whose rows are at hand. Refuses when the disk is full."""
    with _alone(), _mending(source):
        mapped.write(_path(source), packed(content.places, content.streets, content.pois), _identity(source))


def clear(sources: Sequence[Source]) -> None:
    """Remove files that belong to none of these sources; processes that still have one open keep it."""
    wanted = {_path(source).name for source in sources}
    for file in settings().folder(FOLDER).glob("*.index"):
        if file.name not in wanted and clock.now().timestamp() - file.stat().st_mtime > _KEPT_S:
            file.unlink(missing_ok=True)


def _identity(source: Source) -> str:
    return f"{source.id} {source.fingerprint} {rules()}"


def _path(source: Source) -> Path:
    mark = hashlib.sha256(_identity(source).encode()).hexdigest()[:12]
    return settings().folder(FOLDER) / f"{source.id.hex}-{mark}.index"


def _found(source: Source) -> mapped.Arrays | None:
    """The file, if there is a whole one."""
    try:
        return mapped.read(_path(source), _identity(source))
    except FileNotFoundError:
        return None
    except mapped.Broken as error:
        _log.warning("%s is written again: %s", _path(source), error)
        return None


def _made(session: Session, source: Source) -> mapped.Arrays:
    """Write the file from the tables, unless another process has done so meanwhile."""
    with _alone(), _mending(source):
        found = _found(source)
        if found is not None:
            return found
        places, streets = queries.places(session, source.id), queries.streets(session, source.id)
        arrays = packed(places, streets, queries.pois(session, source.id))
        mapped.write(_path(source), arrays, _identity(source))
        return mapped.read(_path(source), _identity(source))


@contextmanager
def _alone() -> Iterator[None]:
    """One file is written at a time on this machine; what a killed writer left is swept up."""
    folder = settings().folder(FOLDER)
    with (folder / "build.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for part in folder.glob(f".*{mapped.PART}"):
            part.unlink(missing_ok=True)
        yield


@contextmanager
def _mending(source: Source) -> Iterator[None]:
    """Turn a full disk into an error that a person can act on."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise NoSpace(
            f"The disk is full; the address index of {source.name} was not written.",
            help=f"Make room under {settings().home} and run it again.",
        ) from error
