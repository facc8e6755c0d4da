"""A phone in a temporary folder, and a world of two accounts with a planned day."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobile.device import sealing
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
    sealed: bool = True

    def __post_init__(self):
        self.keys = FileKeys(self.folder / "keys")
        self.secrets = FileSecrets(self.folder / "secrets.json")
        self.home = PhoneHome(
            self.folder,
            (lambda user: sealing.seals_of(self.secrets, user)) if self.sealed else None,
            lambda user: sealing.destroy(self.secrets, user),
        )
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


def fill_records(server: FakeServer) -> None:
    """People, tickets, a deal, a task, a catalogue, a visit type and own fields around the first account."""
    at = {"account_id": uid(1001)}
    account = server.world.rows["account", uid(1001)]["d"]
    server.put("account", uid(1001), account | {"currency": "CHF", "custom": {"opened": "2019-04-01", "size": "l"}})
    names = {"prefix": "Dr.", "first_name": "Anna", "last_name": "Näscher", "title": "Purchasing"}
    reached = {"phones": [{"value": "+423 555 01 01"}], "mails": [{"value": "anna@baeckerei.example"}]}
    server.put("contact", uid(6001), names | reached | {"do_not_contact": False}, 412)
    server.put("contact", uid(6002), {"first_name": "Beat", "last_name": "Frei", "do_not_contact": True}, 412)
    server.put(
        "contact_account", uid(6101), at | {"contact_id": uid(6001), "roles": ["buyer"], "is_primary": True}, 412
    )
    server.put("contact_account", uid(6102), at | {"contact_id": uid(6002), "roles": [], "is_primary": False}, 412)
    ticket = at | {"state": "open", "queue": "Service", "solve_due_at": "2026-11-24T16:00:00Z"}
    server.put("ticket", uid(6201), ticket | {"number": 1042, "subject": "Cooling drips", "priority": "high"}, 412)
    server.put("ticket", uid(6202), ticket | {"number": 1041, "subject": "Invoice wrong", "priority": "low"}, 412)
    deal = at | {"name": "Second branch", "stage": "Offer", "amount": "12000.00", "currency": "CHF"}
    step = {"close_on": "2027-01-31", "next_step": "Talk the offer through", "next_step_on": "2026-11-30"}
    server.put("opportunity", uid(6301), deal | step, 412)
    task = at | {"kind": "task", "owner_id": server.user_id, "subject": "Bring the catalogue", "state": "open"}
    server.put("activity", uid(6401), task | {"due_on": "2099-11-24", "priority": "normal"}, 7)
    fill_catalogue(server)
    asked = [
        {"key": "shelf", "label": "Shelf", "kind": "choice", "required": True,
         "choices": [{"value": "full", "label": "full"}, {"value": "empty", "label": "empty"}]},
        {"key": "why", "label": "Why is it empty?", "kind": "text", "required": True, "asked_if": "shelf",
         "asked_if_is": ["empty"]},
        {"key": "facings", "label": "Facings", "kind": "number", "required": False},
    ]  # fmt: skip
    kind = {"name": "Shelf visit", "position": 1, "archived": False, "form_version_id": uid(6502), "questions": asked}
    server.put("visit_type", uid(6501), kind, 412)
    own = {"object": "account", "kind": "date", "position": 1, "archived": False, "choices": [], "unit": None}
    server.put("custom_field", uid(6601), own | {"key": "opened", "label": "Opened"}, 412)
    sizes = {"kind": "choice", "choices": [{"value": "l", "label": "big"}], "position": 2}
    server.put("custom_field", uid(6602), own | sizes | {"key": "size", "label": "Size"}, 412)


def fill_catalogue(server: FakeServer) -> None:
    """Milk and cheese; the first account's own list stands on everybody's."""
    lists = {"currency": "CHF", "is_gross": False, "valid_from": None, "valid_to": None}
    server.put("price_list", uid(6701), lists | {"name": "All", "base_id": None, "percent": "0"}, 412)
    server.put("price_list", uid(6702), lists | {"name": "Näscher", "base_id": uid(6701), "percent": "-5"}, 412)
    use = {"price_list_id": uid(6702), "account_id": uid(1001), "account_class": None, "territory_id": None}
    server.put("price_list_use", uid(6711), use, 412)
    product = {"unit": "pc", "is_active": True, "category": "Dairy", "min_quantity": "1.000", "quantity_step": "1.000"}

    def price(list_id: str, least: str, unit_price: str) -> dict:
        return {"price_list_id": list_id, "min_quantity": least, "unit_price": unit_price}

    milk = [price(uid(6702), "1.000", "4.5000"), price(uid(6702), "60.000", "4.1000")]
    server.put("product", uid(6801), product | {"number": "P-1", "name": "Milch 1 l", "prices": milk}, 412)
    by_six = {"min_quantity": "6.000", "quantity_step": "6.000", "prices": [price(uid(6701), "1.000", "10.0000")]}
    server.put("product", uid(6802), product | by_six | {"number": "P-2", "name": "Käse"}, 412)


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
