"""Stand-ins for a phone's devices on a desktop; each says what it is not."""

import json
import os
import shutil
import socket
import subprocess
import threading
import webbrowser
from pathlib import Path

from mobile.field.checkin import Fix
from mobile.field.home import write_whole
from mobile.field.store import clock


class FileSecrets:
    """A private file; not encrypted, unlike the phone's secure storage."""

    def __init__(self, path: Path) -> None:
        self._path, self._turn = path, threading.Lock()

    def _all(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def get(self, name: str) -> str | None:
        return self._all().get(name)

    def put(self, name: str, value: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._turn:
            write_whole(self._path, json.dumps(self._all() | {name: value}))

    def delete(self, name: str) -> None:
        with self._turn:
            kept = self._all()
            if kept.pop(name, None) is not None:
                write_whole(self._path, json.dumps(kept))


class NoPosition:
    """A desktop has no GPS: check-ins are saved as unverifiable."""

    def fix(self) -> Fix | None:
        return None

    def rest(self) -> None: ...


class GivenPosition:
    """A position typed in by whoever tries the app, marked as made up."""

    def __init__(self, lon: float, lat: float, accuracy_m: float = 20.0) -> None:
        self._lon, self._lat, self._accuracy_m = lon, lat, accuracy_m

    def fix(self) -> Fix | None:
        return Fix(self._lon, self._lat, self._accuracy_m, clock.now(), mock=True)

    def rest(self) -> None: ...


class DesktopNetwork:
    """A desktop does not say whether it is online; the server's answer will tell."""

    def connected(self) -> bool:
        return True

    def metered(self) -> bool:
        return False


class NoCamera:
    """A desktop takes no pictures for this app."""

    def take(self, into: Path) -> bool:
        return False


class FolderCamera:
    """Takes the pictures of a folder, one after the other, in place of a lens."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._taken = folder, 0

    def take(self, into: Path) -> bool:
        found = sorted(p for p in self._folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        if not found:
            return False
        into.write_bytes(found[self._taken % len(found)].read_bytes())
        self._taken += 1
        return True


class FolderSharing:
    """A desktop shares by a folder: the copy lies there, and that is said."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path.home() / "Downloads"

    def share(self, source: Path, title: str) -> str:
        del title
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / source.name
        part = target.with_name(target.name + ".part")
        shutil.copyfile(source, part)
        part.replace(target)
        return str(target)


def device_name() -> str:
    """How this machine is called in the list of devices."""
    return os.environ.get("WAYMARK_DEVICE_NAME") or f"Desktop {socket.gethostname()}"


def open_link(link: str) -> bool:
    """Hand a link to what opens it on this desktop; whether something did."""
    program = shutil.which("xdg-open")
    if program is None:
        return webbrowser.open(link)
    done = subprocess.run([program, link], check=False, capture_output=True)  # noqa: S603 a link of our own making
    return done.returncode == 0


def language() -> str:
    """The language of the surroundings; English where they name none."""
    named = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return named[:2] if named[:2].isalpha() and named[2:3] in ("", "_", ".") else "en"
