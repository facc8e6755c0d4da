"""The real phone of `mobile/field` on the real application, over a network that loses, repeats and delays."""

import io
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from mobile.field import capture
from mobile.field.home import PhoneHome, SignedIn
from mobile.field.store import Store
from mobile.field.sync import tokens
from mobile.field.sync.run import Report, Sync
from mobile.field.sync.transport import Reply, Request, Unreachable
from tests.server.sync.world import World


class Killed(Exception):
    """The app was ended from outside, at this very place."""


@dataclass
class Network:
    """Carries requests to the application, or not."""

    client: TestClient
    rng: random.Random = field(default_factory=random.Random)
    loss: float = 0.0
    kills: float = 0.0
    late: list[Request] = field(default_factory=list)
    """Copies of requests that arrive once more, some time."""

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        """Send a request; it may be lost on the way there or back, and the app may die before or after."""
        fate = self.rng.random()
        if fate < self.loss / 2:
            raise Unreachable("the request was lost")
        if self.loss and self.rng.random() < 0.1:
            self.late.append(request)
        answer = self.send(request)
        if fate < self.loss:
            raise Unreachable("the answer was lost")
        if self.rng.random() < self.kills:
            raise Killed
        headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
        yield Reply(answer.status_code, headers, io.BytesIO(answer.content))

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


class NoKeys:
    """Keys are not needed while no token expires."""

    def create(self) -> tuple[str, str]:
        raise AssertionError

    def sign(self, alias: str, message: bytes) -> str:
        raise AssertionError

    def destroy(self, alias: str) -> None:
        raise AssertionError


class Memory(dict[str, str]):
    """Secrets in memory."""

    def put(self, name: str, value: str) -> None:
        self[name] = value

    def delete(self, name: str) -> None:
        self.pop(name, None)


class FieldPhone:
    """A rep's phone: real files, real engine."""

    def __init__(self, world: World, login: str, folder: Path, network: Network) -> None:
        self.user_id = str(world.users[login])
        self.network = network
        self.home = PhoneHome(folder)
        self.home.remember(SignedIn("https://test", self.user_id, login, login.title(), "rep"))
        self.secrets = Memory()
        self.store = self.home.store()
        device_id, access = world.register(login)
        self.store.outbox.adopt_device(str(device_id))
        self.store.outbox.meta.set("user_id", self.user_id)
        known = tokens.Tokens(str(device_id), "key", access, "unused", "2999-01-01T00:00:00+00:00")
        tokens.save(self.secrets, self.user_id, known)
        self.device_id = device_id

    def sync(self) -> Report | None:
        """One sync; None when the app was killed in its midst and has been started again."""
        try:
            return Sync(self.home, self.store, self.network, NoKeys(), self.secrets).run(with_maps=False)
        except Killed:
            self.restart()
            return None

    def restart(self) -> None:
        """Start the app again on the files that are there."""
        self.store.close()
        self.store: Store = self.home.store(self.user_id)

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
        """Change a row."""
        capture.edit(self.store, e, row_id, changes)

    def event(self, account_id: str, state: str, visit_id: str | None = None, note: str | None = None) -> None:
        """Record something that happened at a visit."""
        target = capture.VisitTarget(account_id, None, "2026-11-23", "Europe/Vaduz", visit_id)
        capture.visit_event(self.store, target, state, outcome="order" if state == "done" else None, note=note)
