"""The app in a window of its own, in a world that has synced."""

import pytest

from tests.mobile.conftest import Phone, fill_records
from tests.mobile.field.fake_server import FakeServer
from tests.mobile.make_pack import make_pack
from tests.mobile.window import Nearby, Screen, fill_for_today, fill_week


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
