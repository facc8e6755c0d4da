"""Where exports lie: `exports/<days>/<rep>/`, each rep's folder complete or not there."""

import fcntl
import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from routing.export.tour import Span
from routing.export.types import MANIFEST, ExportFile
from server.kit.errors import NotFound, Unavailable
from server.kit.settings import settings


class NotWritten(Unavailable):
    """An export cannot be put where it belongs."""

    code = "export_not_written"


class NoExport(NotFound):
    """There is no such export."""

    code = "no_export"


@dataclass(frozen=True)
class Export:
    """One rep's exported days on disk."""

    folder: Path
    """Where the files are."""
    manifest: dict[str, Any]
    """What they are."""

    @property
    def login(self) -> str:
        """Whose days they are."""
        return str(self.manifest["login"])

    @property
    def names(self) -> list[str]:
        """All files, the manifest last."""
        return [*(str(entry["name"]) for entry in self.manifest["files"]), MANIFEST]

    @property
    def span(self) -> Span:
        """Which days."""
        return Span.parse(str(self.manifest["span"]))

    @property
    def sources(self) -> dict[str, str]:
        """By day the route as it stood when its files were written."""
        return {str(day["day"]): str(day.get("source", "")) for day in self.manifest.get("days", [])}

    @property
    def revision(self) -> str:
        """SHA-256 of the manifest: changes when any file changes, because the manifest holds all hashes."""
        return hashlib.sha256((self.folder / MANIFEST).read_bytes()).hexdigest()

    @property
    def etag(self) -> str:
        """As an answer carries it."""
        return self.revision[:32]

    def file(self, name: str) -> Path:
        """One of the files; refuses names that the manifest does not list."""
        if name not in self.names:
            raise NoExport(f"The export of {self.login} has no file {name}.", help=f"It has {', '.join(self.names)}.")
        return self.folder / name

    def zipped(self) -> bytes:
        """All files in one archive; the same files give the same bytes."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
            for name in self.names:
                put(writer, name, (self.folder / name).read_bytes())
        return archive.getvalue()


def put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file without anything of the clock."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def root() -> Path:
    """Folder of all exports."""
    return settings().home / "exports"


def days() -> list[date]:
    """Days that have exports, latest first."""
    return [span.first for span in spans() if span.count == 1]


def spans() -> list[Span]:
    """Days and weeks that have exports, latest first."""
    names = [entry.name for entry in root().iterdir()] if root().is_dir() else []
    return sorted((span for name in names if (span := _span(name))), reverse=True)


def exports_of(span: Span | date) -> list[Export]:
    """The exports of some days, by rep."""
    folder = root() / str(span)
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return [export for entry in entries if entry.is_dir() and (export := _read(entry))]


def export_of(span: Span | date, login: str) -> Export:
    """One rep's export; refuses when there is none."""
    for export in exports_of(span):
        if export.login == login:
            return export
    raise NoExport(f"There is no export of {login} for {span}.", help="It is written in the evening, or by hand.")


def store(span: Span, login: str, files: Iterable[ExportFile], target: Path | None = None) -> Path:
    """Put a rep's files in their place; when they are the same as before nothing is touched."""
    parent = (target or root()) / str(span)
    try:
        return _store(parent, login, files)
    except OSError as error:
        raise NotWritten(
            f"The export of {login} cannot be written to {parent}: {error.strerror or error}.",
            help="Check free space and permissions; what was there before is still there.",
        ) from error


def _store(parent: Path, login: str, files: Iterable[ExportFile]) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    final = parent / login
    with _alone(parent), tempfile.TemporaryDirectory(prefix=".unfinished-", dir=parent) as temporary:
        fresh = Path(temporary) / "new"
        fresh.mkdir()
        for file in files:
            (fresh / file.name).write_bytes(file.content)
        if _same(fresh, final):
            return final
        if final.exists():
            final.rename(Path(temporary) / "old")
        fresh.rename(final)
    return final


def remove_others(span: Span, logins: set[str]) -> None:
    """Take away the exports of reps who have no route on these days any more."""
    for export in exports_of(span):
        if export.login not in logins:
            shutil.rmtree(export.folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _same(fresh: Path, final: Path) -> bool:
    names = sorted(path.name for path in fresh.iterdir())
    return (
        final.is_dir()
        and names == sorted(path.name for path in final.iterdir())
        and all((fresh / name).read_bytes() == (final / name).read_bytes() for name in names)
    )


def _read(folder: Path) -> Export | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return Export(folder, manifest) if manifest["format"] == "waymark-export/2" else None
    except (OSError, ValueError, KeyError):
        return None


def _span(name: str) -> Span | None:
    try:
        return Span.parse(name)
    except ValueError:
        return None
