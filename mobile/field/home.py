"""The phone's folder: who is signed in, one sub-folder per user, maps shared by all of them."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from mobile.field.store import Store
from mobile.field.store.sealing import Seals


@dataclass(frozen=True)
class SignedIn:
    """The user whose data this phone shows."""

    server: str
    user_id: str
    login: str
    name: str
    role: str


class NotSignedIn(Exception):
    """Nobody has signed in on this phone yet."""


class PhoneHome:
    """All files of the app."""

    def __init__(
        self,
        folder: Path,
        seals_of: Callable[[str], Seals] | None = None,
        shred: Callable[[str], None] | None = None,
    ) -> None:
        self.folder, self._seals_of, self._shred = folder, seals_of, shred
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "phone.json"

    @property
    def packs(self) -> Path:
        return self.folder / "packs"

    def signed_in(self) -> SignedIn | None:
        try:
            return SignedIn(**json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def remember(self, who: SignedIn) -> None:
        write_whole(self._path, json.dumps(asdict(who), ensure_ascii=False))

    @property
    def server(self) -> str:
        """The server that somebody signed in to last; empty on a phone that knows none."""
        try:
            return str(json.loads(self._path.read_text(encoding="utf-8"))["server"])
        except (OSError, ValueError, TypeError, KeyError):
            return ""

    def sign_out(self) -> None:
        """Nobody is signed in; the user's folder with any unsent work stays, and the address of the server."""
        if (who := self.signed_in()) is not None:
            write_whole(self._path, json.dumps({"server": who.server}))

    def user_folder(self, user_id: str) -> Path:
        return self.folder / "users" / user_id

    def store(self, user_id: str | None = None) -> Store:
        """The signed-in user's files; one Store per thread."""
        who = self.signed_in()
        if user_id is None and who is None:
            raise NotSignedIn("nobody is signed in on this phone; sign in first")
        user_id = user_id or (who.user_id if who else "")
        return Store(self.user_folder(user_id), self._seals_of(user_id) if self._seals_of else None)

    def wipe(self, user_id: str) -> None:
        """Destroy a user's keys, which makes noise of everything at once, and then the files, as the server ordered;
        the maps and what was chosen on this phone go too."""
        if self._shred is not None:
            self._shred(user_id)
        for folder in (self.user_folder(user_id), self.packs):
            shutil.rmtree(folder, ignore_errors=True)
        for name in ("settings.json", self._path.name):
            (self.folder / name).unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a small private file so that a power cut leaves the old or the new one, never half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
