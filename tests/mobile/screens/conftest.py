"""The app in a window of its own, in a world that has synced."""

import pytest

from mobile.field import own
from tests.mobile.conftest import Phone, fill_records, uid
from tests.mobile.field.fake_server import FakeServer
from tests.mobile.make_pack import make_pack
from tests.mobile.window import Nearby, Screen, fill_for_today, fill_week

CHOICES = [{"value": "s", "label": "Side"}, {"value": "f", "label": "Front"}]
ROWS = {"account": uid(1001), "site": uid(2001), "contact": uid(6001)}
"""The row of each record of which the office defines fields."""


@pytest.fixture
def world(tmp_path):
    """A phone that is signed in and synced, with its map, and nothing running beside it."""
    server = FakeServer()
    fill_for_today(server, accounts=4)
    fill_records(server)
    fill_week(server)
    phone = Phone(tmp_path / "phone", server)
    phone.sign_in()
    assert phone.sync().ok
    phone.kill()
    make_pack(phone.home.packs / "a.wmap")
    return phone


@pytest.fixture
def open_app():
    from mobile.screens.app import WaymarkApp

    opened = []

    def start(folder, **kwargs):
        screen = Screen(WaymarkApp(folder, **({"position": Nearby()} | kwargs)))
        opened.append(screen)
        return screen

    yield start
    for screen in opened:
        screen.app.on_stop()
        screen.window.remove_widget(screen.app.stage)


@pytest.fixture
def screen(open_app, world):
    return open_app(world.folder, syncing=False)


def in_sight(screen, widget):
    """Whether one sees it without scrolling the form."""
    from mobile.screens.visit import VisitForm

    page = next(w.page if isinstance(w, VisitForm) else w.list for w in screen.widgets() if hasattr(w, "typed"))
    low, high = page.to_window(0, page.y)[1], page.to_window(0, page.top)[1]
    return low < widget.to_window(*widget.center)[1] < high


def edit_form(screen):
    """The form of the first account, opened."""
    from mobile.screens.editing import AccountEdit

    screen.app.go("edit_account", account_id=uid(1001))
    screen.frames()
    (form,) = screen.widgets(AccountEdit)
    return form


def field_of(e, key, kind, **more):
    """A field of the company's own, as it travels."""
    held = {"object": e, "key": key, "label": f"Label {key}", "kind": kind, "position": 1, "archived": False}
    choices = CHOICES if kind.startswith("choice") else []
    return held | {"choices": choices, "unit": None, "section": None, "help": None, "required": False} | more


class Office:
    """Defines fields of a record, and changes them."""

    def __init__(self, world, e):
        self.world, self.e, self.ids = world, e, {}
        world.server.schema, world.server.closed = 5, []

    def define(self, key, kind, **more):
        row_id = self.ids.setdefault(key, uid(6700 + len(self.ids)))
        self.world.server.put("custom_field", row_id, field_of(self.e, key, kind, **more), 412)

    def take_away(self, key):
        self.world.server.put("custom_field", self.ids[key], None)

    def store(self, custom):
        row = self.world.server.world.rows[self.e, ROWS[self.e]]["d"]
        self.world.server.put(self.e, ROWS[self.e], row | {"custom": custom}, 412)

    def sync(self):
        assert self.world.sync().ok


def refuse(store, e, changed):
    """Own fields that were saved, and that the server refused."""
    ops = own.change(store, e, ROWS[e], changed, store.cache.shown(e, ROWS[e]))
    for op in ops:
        store.outbox.acknowledge(op.n, "rejected", {"error": {"code": "invalid", "msg": "No."}})
    return ops


def form_of(screen, name, arguments):
    """The form of a screen, opened."""
    screen.app.go(name, **arguments)
    screen.frames()
    return next(widget for widget in screen.widgets() if hasattr(widget, "warning"))


def sent(screen):
    """The changed fields of each entry that waits."""
    return [op.body["f"] for op in screen.app.ctx.files.outbox.ops(("queued",))]
