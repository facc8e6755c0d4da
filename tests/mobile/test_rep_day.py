"""A rep's day in a real window against the real server: no network, the app killed, and the office sees it all.

With WAYMARK_PICTURES=FOLDER every step leaves a picture there.
"""

import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, time
from pathlib import Path
from types import SimpleNamespace

import pytest

from mobile.device.desktop import FolderCamera
from mobile.field import restday
from mobile.field.capture import edit
from mobile.field.checkin import Fix
from mobile.field.store import clock
from server.sync.pushing import blobs as arriving
from tests.conftest import PASSWORD
from tests.mobile.screens.conftest import open_app as open_app
from tests.mobile.test_end_to_end import office as office

pytestmark = pytest.mark.window


class Place:
    """Where the rep stands."""

    def __init__(self, lon, lat):
        self.lon, self.lat = lon, lat

    def fix(self):
        return Fix(self.lon, self.lat, 9.0, clock.now())


class Film:
    """Pictures of what the rep and the office see, for those who want to look."""

    def __init__(self):
        self.folder, self.count = os.environ.get("WAYMARK_PICTURES"), 0

    def path(self, name):
        self.count += 1
        return str(Path(self.folder) / f"{self.count:02}-{name}.png") if self.folder else None

    def shoot(self, screen, name):
        if self.folder:
            screen.frames(12)
            screen.app.stage.export_to_png(self.path(name))


def sign_in(screen):
    form = screen.app.stage.screen
    form.login.input.text, form.password.input.text = "rita", PASSWORD
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("Next stop"))
    screen.app.worker.stop()


def visit_with_photo_and_signature(screen):
    """Three taps, and what goes beside them."""
    from mobile.widgets.ink import InkPad

    screen.tap("Check in")
    assert screen.shows("from the pin: verified")
    screen.tap("Order")
    screen.tap("Take a photo")
    screen.tap("Have it signed")
    (pad,) = screen.widgets(InkPad)
    screen.drag((pad.x + 20, pad.y + 20), (pad.x + 160, pad.y + 70))
    pad.parent.name.input.text = "Anna Ospelt"
    screen.tap("Done")


def test_a_day_without_network_arrives_whole_although_the_app_is_killed(office, tmp_path, open_app, monkeypatch):
    from PIL import Image

    (tmp_path / "lens").mkdir()
    Image.effect_noise((1600, 1200), 90).convert("RGB").save(tmp_path / "lens" / "shelf.jpg")
    office.publish_route()
    film, home = Film(), tmp_path / "phone"
    where, camera = Place(9.4001, 47.1001), FolderCamera(tmp_path / "lens")
    screen = open_app(home, server=office.address, position=where, camera=camera)
    sign_in(screen)
    film.shoot(screen, "today")

    ten = datetime.combine(office.today, time(10), clock.zone("Europe/Vaduz"))
    monkeypatch.setattr(restday, "moments", SimpleNamespace(now=lambda _outbox: ten))  # at any hour of the night too
    office.stop()
    visit_with_photo_and_signature(screen)
    film.shoot(screen, "visit")
    screen.tap("Save visit")
    assert screen.shows("Saved on this phone.")
    film.shoot(screen, "saved-without-network")
    screen.tap("Check in")
    screen.tap("Missed")
    screen.until(lambda: screen.shows("Take this order"))
    film.shoot(screen, "the-rest-anew")
    screen.tap("Take this order")
    edit(screen.app.ctx.store, "account", office.account_ids[0], {"phone": "+4232222222"})
    unsent = len(screen.app.ctx.store.outbox.ops())
    screen.app.go("sync")
    film.shoot(screen, "not-yet-sent")
    assert not screen.app.phone.sync_by_itself().ok

    screen.app.worker.stop()  # what is sent from here on is sent by this test
    office.start()
    office.sql("update account set phone = '+4231111111' where id = :id returning id", id=office.account_ids[0])
    screen.app.on_stop()
    assert killed_in_its_upload(home, monkeypatch) == -signal.SIGKILL
    assert office.sql("select count(*) from stored_file") == [(1,)], "the small picture; the photo was under way"
    # The lock waits until the server is through with the piece during which the app was killed.
    assert office.sql("select received from file_upload for update")[0][0] > 0

    screen = open_app(home, server=office.address, position=where, camera=camera)
    screen.until(lambda: screen.shows("1 needs you"))
    screen.until(lambda: not screen.app.ctx.store.outbox.blobs.all("waiting"))
    screen.app.worker.stop()
    screen.app.go("sync")
    film.shoot(screen, "after-the-kill")
    assert screen.shows("you wrote “+4232222222”, the office “+4231111111”")
    assert not screen.app.ctx.store.outbox.blobs.all("refused")

    assert office.sql("select count(*) from stored_file") == [(2,)], "the photo and its small picture, once each"
    events = office.sql("select state, count(*) from visit_event group by state order by state")
    assert events == [("checked_in", 2), ("done", 1), ("missed", 1)]
    assert office.sql("select count(*) from sync_receipt") == [(unsent,)]
    assert office.sql("select count(*) from field_conflict where state = 'open'") == [(1,)]
    (account_id,) = office.sql("select account_id::text from visit where state = 'done'")[0]
    seen_by_the_office(office, account_id, film)


def drawn(tab):
    """The points of the signature on a page."""
    numbers = tab.locator(".signature polyline").get_attribute("points").split()
    return list(zip(map(int, numbers[::2]), map(int, numbers[1::2]), strict=True))


def killed_in_its_upload(home, monkeypatch):
    """Another process of the app syncs these files; the system ends it while the first piece of the photo arrives."""
    command = [sys.executable, "-m", "mobile.headless", "--home", str(home), "sync"]
    pieces, take, app = [], arriving.append, []

    def take_and_kill(*given):
        pieces.append(given)
        if len(pieces) == 2:
            app[0].send_signal(signal.SIGKILL)
        return take(*given)

    monkeypatch.setattr(arriving, "append", take_and_kill)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        app.append(process)
        process.wait(120)
    monkeypatch.setattr(arriving, "append", take)
    return process.returncode


def seen_by_the_office(office, account_id, film):
    """The manager's page of the account, and the list of conflicts."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    sync_api = pytest.importorskip("playwright.sync_api")
    if chromium is None:
        return
    with sync_api.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(f"{office.address}/sign-in")
        tab.fill("#login", "ada")
        tab.fill("#password", PASSWORD)
        tab.press("#password", "Enter")
        tab.wait_for_url(lambda url: "/sign-in" not in url)
        for page, words in ((f"/accounts/{account_id}", "Anna Ospelt"), ("/conflicts", "+4232222222")):
            tab.goto(f"{office.address}{page}")
            sync_api.expect(tab.get_by_text(words).first).to_be_visible()
            if path := film.path(page.split("/")[1]):
                tab.screenshot(path=path, full_page=True)
        ((visit_id,),) = office.sql("select id::text from visit where state = 'done'")
        tab.goto(f"{office.address}/visits/{visit_id}")
        (left, low), *_, (right, high) = drawn(tab)
        assert left < right
        assert low > high, "a stroke that rose under the finger rises on the page"
        if path := film.path("visit"):
            tab.screenshot(path=path, full_page=True)
        browser.close()
