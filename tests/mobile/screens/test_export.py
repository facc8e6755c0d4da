"""Unsent work as a file, by a tap wherever a rep can be stuck; nobody but the server reads it."""

import base64
import json
import os
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mobile.device.desktop import FolderSharing
from mobile.field import locking
from mobile.field.capture import edit
from mobile.field.sync import export
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window
SERVER = X25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def stuck(open_app, world, tmp_path):
    """The app of a rep who has saved something and finds no server; files are shared by a folder."""
    screen = open_app(world.folder, syncing=False)
    screen.app.phone.sharing = FolderSharing(tmp_path / "shared")
    public = base64.b64encode(SERVER.public_key().public_bytes_raw()).decode()
    screen.app.ctx.store.outbox.meta.set(export.KEY, public)
    edit(screen.app.ctx.store, "account", uid(1001), {"phone": "2"})
    return screen


def shared(screen, tmp_path, button="Export unsent work"):
    screen.frames()
    screen.tap(button)
    screen.until(lambda: list((tmp_path / "shared").glob("*.zip")) and screen.shows("Send or bring"))
    (path,) = (tmp_path / "shared").glob("*.zip")
    return path


def shoot(screen, name):
    if folder := os.environ.get("WAYMARK_PICTURES"):
        screen.frames(12)
        screen.app.stage.export_to_png(str(Path(folder) / f"{name}.png"))


def test_what_is_not_yet_sent_is_exported_from_the_list_of_it(stuck, tmp_path):
    stuck.app.go("sync")
    shoot(stuck, "export-sync")
    path = shared(stuck, tmp_path)
    shoot(stuck, "export-done")
    assert stuck.shows("1 entry in the file")
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ["README.txt", "key.json", "ops.sealed"]
        assert "waymark sync take-in" in file.read("README.txt").decode()
        assert json.loads(file.read("key.json"))["format"] == "waymark-unsent-1"
    assert len(stuck.app.ctx.store.outbox.ops(["queued"])) == 1, "nothing leaves the phone by it"
    assert list((tmp_path / "phone").glob("tmp*")) == []


def test_behind_a_pin_and_behind_a_sign_in_it_can_be_exported_too(stuck, tmp_path):
    locking.set_pin(stuck.app.phone.secrets, stuck.app.ctx.user_id, "4711")
    stuck.app.guard.asks = True
    stuck.app.again()
    shoot(stuck, "export-locked")
    shared(stuck, tmp_path).unlink()
    stuck.app.guard.asks = False
    stuck.app.phone.close_data(stuck.app.ctx.store)
    stuck.app.ctx.store = None
    stuck.app.leave(note="closed")
    shoot(stuck, "export-closed")
    assert shared(stuck, tmp_path).stat().st_size > 0


def test_without_anything_unsent_or_without_the_servers_key_it_says_so(open_app, world, tmp_path):
    screen = open_app(world.folder, syncing=False)
    screen.app.phone.sharing = FolderSharing(tmp_path / "shared")
    screen.app.go("sync")
    assert not screen.shows("Export unsent work")
    edit(screen.app.ctx.store, "account", uid(1001), {"phone": "2"})
    screen.app.again()
    screen.frames()
    screen.tap("Export unsent work")
    screen.until(lambda: screen.shows("has to reach the server once more"))
    for damaged in ("AAAA", "!!", ""):
        screen.app.ctx.store.outbox.meta.set(export.KEY, damaged)
        screen.app.again()
        screen.frames()
        screen.tap("Export unsent work")
        screen.until(lambda: screen.shows("has to reach the server once more"))
    screen.app.ctx.store.outbox.meta.set(export.KEY, base64.b64encode(bytes(range(32))).decode())
    (tmp_path / "shared").write_text("a file where the folder should be")
    screen.tap("Export unsent work")
    screen.until(lambda: screen.shows("could not be written"))


def test_german_words_of_the_export_fit_a_small_window(stuck, tmp_path):
    from mobile.widgets.controls import PushButton

    stuck.app.phone.choose("language", "de")
    stuck.app._apply_settings()
    stuck.resize((360, 640))
    stuck.app.go("sync")
    stuck.frames()
    for button in stuck.widgets(PushButton):
        assert button.children[0].children[0].width <= button.width + 1, button.label
    stuck.tap("Nicht Gesendetes exportieren")
    stuck.until(lambda: stuck.shows("1 Eintrag in der Datei"))
    shoot(stuck, "export-german")
    stuck.resize((412, 732))
