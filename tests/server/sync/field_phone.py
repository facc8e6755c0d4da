"""The real phone of `mobile/field` on the real application, over a network that loses, repeats and delays."""

import base64
import io
import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi.testclient import TestClient
from PIL import Image

from mobile.field import capture, limits, photos
from mobile.field.home import PhoneHome, SignedIn
from mobile.field.store import Store, clock
from mobile.field.sync import blobs, hello, pull, tokens
from mobile.field.sync.run import Report, Sync
from mobile.field.sync.transport import Reply, Request, Unreachable
from tests.server.sync.world import World, private_key, public_key

SIGN_IN_AGAIN = frozenset({"login_required", "device_forked", "token_reused", "not_a_device", "not_signed_in"})


class Killed(BaseException):
    """The app was ended from outside, at this very place."""


@dataclass
class Network:
    """Carries requests to the application, or not."""

    client: TestClient
    rng: random.Random = field(default_factory=random.Random)
    loss: float = 0.0
    kills: float = 0.0
    damage: float = 0.0
    """How many of the pieces of photos are damaged on their way."""
    pulls_left: int | None = None
    """After so many pages there is no network any more."""
    late: list[Request] = field(default_factory=list)
    """Copies of requests that arrive once more, some time."""

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        """Send a request; it may be lost, held up or repeated, and the app may die before or after."""
        self.count_pages(request)
        fate = self.rng.random()
        if self.damage and request.method == "PATCH" and self.rng.random() < self.damage:
            request = replace(request, body=bytes(byte ^ 1 for byte in request.body))
        if fate < self.loss / 2:
            if self.rng.random() < 0.3:
                self.late.append(request)
            raise Unreachable("the request was lost or is still on its way")
        if self.loss and self.rng.random() < 0.1:
            self.late.append(request)
        if self.loss and self.rng.random() < 0.1:
            self.send(request)
        answer = self.send(request)
        if fate < self.loss:
            raise Unreachable("the answer was lost")
        if self.rng.random() < self.kills:
            raise Killed
        headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
        yield Reply(answer.status_code, headers, io.BytesIO(answer.content))

    def count_pages(self, request: Request) -> None:
        """Refuse pages beyond those that are left."""
        if self.pulls_left is not None and request.path.endswith("/pull"):
            self.pulls_left -= 1
            if self.pulls_left < 0:
                raise Unreachable("the network went away between two pages")

    def send(self, request: Request) -> Any:
        """Hand a request to the application."""
        return self.client.request(
            request.method, request.path, headers=dict(request.headers), content=request.body or None
        )

    def deliver_late(self) -> None:
        """The copies arrive, in any order; nobody hears the answers."""
        copies, self.late = self.late, []
        self.rng.shuffle(copies)
        for request in copies:
            self.send(request)


class OneKey:
    """The key that the test's phones are registered with."""

    def create(self) -> tuple[str, str]:
        return "key", public_key()

    def sign(self, alias: str, message: bytes) -> str:
        return base64.b64encode(private_key().sign(message, ec.ECDSA(hashes.SHA256()))).decode("ascii")

    def destroy(self, alias: str) -> None:
        raise AssertionError


class Memory(dict[str, str]):
    """Secrets in memory."""

    def put(self, name: str, value: str) -> None:
        self[name] = value

    def delete(self, name: str) -> None:
        self.pop(name, None)


class Mortal:
    """A connection of the app's files that ends the app at one of its statements or commits."""

    def __init__(self, db: Any, life: list[int]) -> None:
        self._db, self._life = db, life

    def _age(self) -> None:
        self._life[0] -= 1
        if self._life[0] == 0:
            raise Killed

    def execute(self, *given: Any) -> Any:
        self._age()
        return self._db.execute(*given)

    def executemany(self, *given: Any) -> Any:
        self._age()
        return self._db.executemany(*given)

    def commit(self) -> None:
        """The app may die before a commit and after it."""
        self._age()
        self._db.commit()
        self._age()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


class Lens:
    """Takes a picture that looks like no other, small enough for thousands of them; stands in for both ports."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def take(self, into: Path) -> bool:
        noise = Image.frombytes("RGB", (24, 18), self.rng.randbytes(24 * 18 * 3))
        noise.save(into, "PNG")
        return True

    def shrink(self, source: Path, large: Path, small: Path) -> tuple[int, int]:
        with Image.open(source) as picture:
            picture.save(large, "JPEG")
            picture.resize((8, 6)).save(small, "JPEG")
        return 24, 18


class FieldPhone:
    """A rep's phone: real files, real engine."""

    def __init__(self, world: World, login: str, folder: Path, network: Network) -> None:
        self.world, self.login, self.folder, self.network = world, login, folder, network
        self.user_id = str(world.users[login])
        self.home = PhoneHome(folder)
        self.home.remember(SignedIn("https://test", self.user_id, login, login.title(), "rep"))
        self.secrets = Memory()
        self.store = self.home.store()
        self.skew = timedelta()
        """How wrong this phone's clock is."""
        self.page_rows = 50
        self.photos_too = True
        self.schema = hello.SCHEMA
        """Of the version of the app that is installed."""
        self.sign_in()

    def sign_in(self) -> None:
        """The rep signs in (again): the phone is registered and goes on under another device id."""
        device_id, access, refresh = self.world.registered(self.login)
        self.store.outbox.adopt_device(str(device_id))
        self.store.outbox.meta.set("user_id", self.user_id)
        self.store.rebuild_overlay()
        known = tokens.Tokens(str(device_id), "key", access, refresh, "2999-01-01T00:00:00+00:00")
        tokens.save(self.secrets, self.user_id, known)
        self.device_id = device_id

    def cloned(self, folder: Path) -> "FieldPhone":
        """Another phone with the same files and the same identity, as a restored system backup makes one."""
        self.store.close()
        try:
            return self.copied(folder)
        finally:
            self.store = self.home.store(self.user_id)

    def copied(self, folder: Path) -> "FieldPhone":
        """The same of a phone whose files are closed, and stay so."""
        shutil.copytree(self.folder, folder)
        twin = object.__new__(FieldPhone)
        twin.__dict__.update(self.__dict__)
        twin.folder, twin.home, twin.secrets = folder, PhoneHome(folder), Memory(self.secrets)
        twin.network = Network(self.network.client, self.network.rng)
        twin.store = twin.home.store(self.user_id)
        return twin

    @contextmanager
    def at_its_time(self) -> Iterator[None]:
        """The world as this phone's clock shows it."""
        now, skew = clock.now, self.skew

        def wall() -> str:
            return (datetime.now().astimezone() + skew).isoformat(timespec="milliseconds")

        with patch.object(clock, "now", lambda: now() + skew), patch.object(clock, "wall", wall):
            yield

    def sync_late(self) -> Report:
        """A sync whose messages are lost on the way, arrive late all the same, and are sent once more."""
        self.network.loss = 1.0
        self.sync()
        self.network.loss = 0.0
        self.network.deliver_late()
        report = self.sync()
        assert report is not None
        return report

    def sync(self) -> Report | None:
        """One sync; None when the app was killed in its midst and has been started again."""
        try:
            with (
                self.at_its_time(),
                patch.object(pull, "PAGE_ROWS", self.page_rows),
                patch.object(hello, "SCHEMA", self.schema),
                patch.object(blobs, "LEAST_PIECE", 256),
                patch.object(blobs, "MOST_PIECE", 512),
            ):
                report = Sync(self.home, self.store, self.network, OneKey(), self.secrets).run(
                    with_maps=False, photos_too=self.photos_too
                )
        except Killed:
            self.restart()
            return None
        self.lives_on()
        if report.code in SIGN_IN_AGAIN:
            self.sign_in()
        return report

    def restart(self) -> None:
        """Start the app again on the files that are there."""
        self.store.close()
        self.store: Store = self.home.store(self.user_id)

    def dies_after(self, statements: int) -> None:
        """From now on the app has so many statements of its files to live."""
        life = [statements]
        for file in (self.store.outbox, self.store.cache):
            mortal: Any = Mortal(file.db, life)
            file.db = mortal
            file.meta._db = mortal

    def lives_on(self) -> None:
        """Nothing ends the app any more."""
        for file in (self.store.outbox, self.store.cache):
            file.db = file.meta._db = getattr(file.db, "_db", file.db)

    def close(self) -> None:
        self.store.close()

    def held(self, e: str) -> dict[str, tuple[int, dict[str, Any]]]:
        """The server's rows of an entity, as the phone has them."""
        rows = self.store.cache.db.execute("select id, rev, base from row where e=? and base != 'null'", (e,))
        return {row["id"]: (row["rev"], json.loads(row["base"])) for row in rows}

    def shown(self, e: str) -> list[str]:
        """Ids of the rows that the rep sees."""
        return sorted(row["id"] for row in self.store.cache.db.execute("select id from row where e=?", (e,)))

    def edit(self, e: str, row_id: str, **changes: Any) -> None:
        """Change a row, as an app does that knows none of the server's limits."""
        with self.at_its_time(), patch.object(limits, "edited", lambda _e, fields: fields):
            capture.edit(self.store, e, row_id, changes)

    def photo(self, account_id: str, visit_id: str | None = None) -> None:
        """Take a photo of an account or of a visit."""
        lens = Lens(self.network.rng)
        owner = ("visit", visit_id) if visit_id else ("account", account_id)
        with self.at_its_time():
            photos.take(self.store, lens, lens, account_id, *owner)

    def event(self, account_id: str, state: str, visit_id: str | None = None, note: str | None = None) -> None:
        """Record something that happened at a visit."""
        target = capture.VisitTarget(account_id, None, "2026-11-23", "Europe/Vaduz", visit_id)
        with self.at_its_time():
            capture.visit_event(self.store, target, state, outcome="order" if state == "done" else None, note=note)
