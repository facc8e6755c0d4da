"""The phone put together for one folder: device, files, sign-in, sync. Used with and without a screen."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobile.device import sealing
from mobile.device.machine import devices, language
from mobile.device.pictures import PillowPictures
from mobile.field import locking, reads
from mobile.field.home import NotSignedIn, PhoneHome, SignedIn, write_whole
from mobile.field.ports import Camera, Codes, Keys, Network, Pictures, Position, Secrets, Sharing
from mobile.field.store import Store, clock
from mobile.field.store.outbox import Outbox
from mobile.field.store.sqlite import is_damage, remove
from mobile.field.sync import blobs, export, leaving, tokens
from mobile.field.sync.api import Api
from mobile.field.sync.problems import DeviceBarred
from mobile.field.sync.run import Report, Sync
from mobile.field.sync.tokens import sign_in, sign_in_by_code
from mobile.field.sync.transport import HttpTransport
from mobile.texts import Words

FILTERS = ("hidden_layers", "nearby")
"""What of the choices is a user's own."""


class Phone:
    """Everything that is one per phone; stores are one per thread."""

    def __init__(self, folder: Path, position: Position | None = None, camera: Camera | None = None) -> None:
        own = devices(folder)
        self.keys: Keys = own.keys
        self.secrets: Secrets = own.secrets
        self.home = PhoneHome(
            folder, lambda user: sealing.seals_of(self.secrets, user), lambda user: sealing.destroy(self.secrets, user)
        )
        self.position: Position = position or own.position
        self.camera: Camera = camera or own.camera
        self.pictures: Pictures = PillowPictures()
        self.codes: Codes = own.codes
        self.network: Network = own.network
        self.sharing: Sharing = own.sharing

    def who(self) -> SignedIn:
        """The signed-in user; raises NotSignedIn."""
        who = self.home.signed_in()
        if who is None:
            raise NotSignedIn("nobody is signed in on this phone; run sign-in first")
        return who

    def sign_in(self, server: str, login: str, password: str, device_name: str) -> SignedIn:
        """Register this phone for a user with the server."""
        api, proof = Api(HttpTransport(server)), {"login": login, "password": password, "device_name": device_name}
        with self._entering(api):
            return sign_in(api, self.home, self.keys, self.secrets, server=server, **proof)

    def sign_in_by_code(self, server: str, code: str, device_name: str) -> SignedIn:
        """Register this phone for whom a code was made."""
        api, proof = Api(HttpTransport(server)), {"code": code, "device_name": device_name}
        with self._entering(api):
            return sign_in_by_code(api, self.home, self.keys, self.secrets, server=server, **proof)

    @contextmanager
    def _entering(self, api: Api) -> Iterator[None]:
        """Somebody proves who they are, which opens the data; what the office ordered to be wiped is wiped instead."""
        try:
            yield
        except DeviceBarred as problem:
            if problem.code == "wipe":
                leaving.destroy_ordered(api, self.home, self.keys, self.secrets)
            raise
        store = self.home.store()
        try:
            locking.opened(store.outbox, clock.now())
        finally:
            store.close()

    def scan(self) -> str | None:
        """Take a picture of a code and say what it says, empty when there is no code in it; None without a picture."""
        with tempfile.TemporaryDirectory(dir=self.home.folder) as folder:
            picture = Path(folder) / "code.jpg"
            return (self.codes.read(picture) or "") if self.camera.take(picture) else None

    def sync(self, store: Store, *, server: str | None = None, with_maps: bool = True) -> Report:
        """One whole sync with the server this phone is signed in to."""
        transport = HttpTransport(server or self.who().server)
        report = Sync(self.home, store, transport, self.keys, self.secrets).run(
            with_maps=with_maps, photos_too=self.photos_allowed()
        )
        if report.heard:
            locking.in_contact(store.outbox, clock.now())
        return report

    def close_data(self, store: Store) -> int:
        """Close what the server could send again, until somebody signs in; returns how much unsent work is kept.

        The key goes first: without it the rest is noise. The journal, its photos and its key stay.
        """
        unsent = reads.sync_state(store).unsent
        sealing.destroy(self.secrets, self.who().user_id, "cache")
        store.close()
        remove(store.folder / "cache.db")
        for folder in (store.folder / "fetched", store.taking):
            shutil.rmtree(folder, ignore_errors=True)
        return unsent

    def photos_allowed(self) -> bool:
        """Whether large photos may be sent over the present network."""
        return self.settings()["photos"] != "wifi" or not self.network.metered()

    def fetch(self, hashes: list[str]) -> None:
        """Bring pictures here, with files of its own, for a thread that is not the screen's."""
        store = self.home.store()
        try:
            sync = Sync(self.home, store, HttpTransport(self.who().server), self.keys, self.secrets)
            for sha256 in hashes:
                blobs.fetch(store, sync.signed_in(), sha256)
        finally:
            store.close()

    def sync_by_itself(self) -> Report:
        """One sync with files of its own, for a thread that is not the screen's."""
        try:
            store = self.home.store()
        except (sqlite3.Error, OSError) as error:
            is_torn = isinstance(error, sqlite3.Error) and is_damage(error)
            return Report(damaged=is_torn).failed("storage", f"the phone's storage does not answer: {error}")
        try:
            return self.sync(store)
        finally:
            store.close()

    @contextmanager
    def _outbox(self) -> Iterator[Outbox]:
        """The journal alone, also while the data is closed."""
        who = self.who()
        path = self.home.user_folder(who.user_id) / "outbox.db"
        outbox = Outbox(path, sealing.outbox_sealer(self.secrets, who.user_id))
        try:
            yield outbox
        finally:
            outbox.close()

    def write_export(self, into: Path, words: Words) -> export.Exported:
        """Write what could not be sent into a sealed file; works without a network, locked or closed."""
        who = self.who()
        told = [words(f"readme_{part}", name=who.name, server=who.server) for part in ("what", "sealed", "do", "once")]
        readme = "\n\n".join([words("export_title"), *told]) + "\n"
        with self._outbox() as outbox:
            registered = tokens.load(self.secrets, who.user_id)
            return export.write(outbox, into, readme, self.keys, registered, sealing.envelope)

    def hand_out(self, words: Words) -> tuple[export.Exported, str]:
        """The same, offered to the rep's ways of sending files; returns what is in it and where it lies."""
        with tempfile.TemporaryDirectory(dir=self.home.folder) as folder:
            made = self.write_export(Path(folder), words)
            return made, self.sharing.share(made.path, words("export_title"))

    def holds_unsent(self) -> bool:
        """Whether somebody is signed in here and something of theirs is not on the server."""
        who = self.home.signed_in()
        if who is None or not (self.home.user_folder(who.user_id) / "outbox.db").is_file():
            return False
        try:
            with self._outbox() as outbox:
                waiting = outbox.blobs.all("waiting") or outbox.aside.unsent()
                return any(outbox.counts().get(one) for one in leaving.UNHEARD) or bool(waiting)
        except sqlite3.Error:
            return True  # a damaged file is no reason to say that nothing is in it

    # -- what the rep has chosen

    def settings(self) -> dict[str, str]:
        """Appearance, language, and which networks may carry photos; and what the signed-in user filters by."""
        usual = {"appearance": "light", "language": language(), "photos": "any", "hidden_layers": "", "nearby": "all "}
        chosen = {key: value for key, value in _read(self.home.folder).items() if key not in FILTERS}
        who = self.home.signed_in()
        return usual | chosen | (_read(self.home.user_folder(who.user_id)) if who else {})

    def choose(self, key: str, value: str) -> None:
        folder = self.home.user_folder(self.who().user_id) if key in FILTERS else self.home.folder
        write_whole(folder / "settings.json", json.dumps(_read(folder) | {key: value}))


def _read(folder: Path) -> dict[str, str]:
    """What was chosen; nothing where nothing can be read."""
    try:
        return dict(json.loads((folder / "settings.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
