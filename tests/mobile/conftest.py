"""A phone in a temporary folder, and a world of two accounts with a planned day."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobile.device.desktop import FileSecrets
from mobile.device.keys import FileKeys
from mobile.field.home import PhoneHome
from mobile.field.store import Store
from mobile.field.sync.api import Api
from mobile.field.sync.run import Sync
from mobile.field.sync.tokens import sign_in
from tests.mobile.field.fake_server import FakeServer

DAY = "2026-11-23"


def uid(n: int) -> str:
    return str(uuid.UUID(int=n))


@dataclass
class Phone:
    folder: Path
    server: FakeServer

    def __post_init__(self):
        self.home = PhoneHome(self.folder)
        self.keys = FileKeys(self.folder / "keys")
        self.secrets = FileSecrets(self.folder / "secrets.json")
        self.transport = self.server
        self._store = None

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = self.home.store()
        return self._store

    def kill(self):
        """The process ends without a word; only what is committed is left."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def sign_in(self):
        return sign_in(
            Api(self.transport), self.home, self.keys, self.secrets,
            server="http://test", login="mara", password="secret", device_name="Test phone",
        )  # fmt: skip

    def sync(self):
        return Sync(self.home, self.store, self.transport, self.keys, self.secrets).run()


def fill(server: FakeServer, accounts: int = 2) -> None:
    """Accounts with a site and a planned visit each, on one route."""
    server.put("user_public", server.user_id, {"name": "Mara Roy", "role": "rep"}, 412)
    values = [{"value": v, "label": v} for v in ("order", "follow_up", "nobody_there")]
    server.put("picklist", uid(9), {"name": "visit_outcome", "values": values}, 412)
    server.put("route", uid(5000), {"rep_id": server.user_id, "day": DAY, "zone": "Europe/Vaduz", "drive_s": 1800}, 7)
    names = ("Müller GmbH", "Bäckerei Näscher", "Ospelt Metzgerei", "Café Zürich")
    for i in range(1, accounts + 1):
        name = names[(i - 1) % len(names)] + ("" if i <= len(names) else f" {i}")
        account = {
            "name": name,
            "number": f"K{i}",
            "phone": "1",
            "email": f"a{i}@x.li",
            "tags": [],
            "status": "customer",
        }
        server.put("account", uid(1000 + i), account, 412)
        site = {
            "account_id": uid(1000 + i),
            "name": "Main",
            "is_main": True,
            "city": "Vaduz",
            "lon": 9.52,
            "lat": 47.14,
        }
        server.put("site", uid(2000 + i), site | {"uncertainty_m": 20}, 412)
        visit = {"account_id": uid(1000 + i), "site_id": uid(2000 + i), "rep_id": server.user_id, "day": DAY}
        server.put("visit", uid(3000 + i), visit | {"zone": "Europe/Vaduz", "state": "planned", "flags": []}, 7, 412)
        stop = {"route_id": uid(5000), "visit_id": uid(3000 + i), "account_id": uid(1000 + i), "site_id": uid(2000 + i)}
        server.put("stop", uid(4000 + i), stop | {"position": i, "arrives_at": "2026-11-23T08:00:00Z"}, 7)


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    fill(server)
    return server


@pytest.fixture
def phone(tmp_path: Path, server: FakeServer):
    phone = Phone(tmp_path / "phone", server)
    phone.sign_in()
    yield phone
    phone.kill()


@pytest.fixture
def synced(phone: Phone) -> Phone:
    assert phone.sync().ok
    return phone
