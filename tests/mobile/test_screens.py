"""The app in a real Kivy window, driven by taps."""

import io
import math
import os
import re
import tempfile
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import segno
from PIL import Image

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("KIVY_NO_ARGS", "1")
os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")
os.environ.setdefault("KIVY_HOME", tempfile.mkdtemp(prefix="waymark-kivy-"))

from kivy.config import Config

from mobile.field import tracks
from mobile.field.capture import edit
from mobile.field.checkin import Fix
from mobile.field.store import clock
from mobile.field.sync.run import Report
from mobile.phone import Phone as AppPhone
from tests.mobile.conftest import Phone, fill, fill_records, uid
from tests.mobile.field.fake_server import FakeServer
from tests.mobile.make_pack import ATTRIBUTION, make_pack
from tests.mobile.test_headless import Listener

Config.set("graphics", "width", "412")
Config.set("graphics", "height", "732")
Config.set("graphics", "maxfps", "0")

pytestmark = pytest.mark.window

SIZES = {"small phone": (360, 640), "phone": (412, 732), "tablet": (1024, 768)}


class Nearby:
    """A phone that stands forty metres from the first customer."""

    def fix(self):
        return Fix(9.5205, 47.14, 12, clock.now())

    def rest(self):
        """Nothing runs here."""


class Screen:
    """The window, with the eyes and the finger of a rep."""

    def __init__(self, app):
        from kivy.base import EventLoop
        from kivy.core.window import Window

        self.app, self.loop, self.window = app, EventLoop, Window
        Window.add_widget(app.build())
        self.frames()

    def frames(self, n=8):
        for _ in range(n):
            self.loop.idle()

    def until(self, true):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.loop.idle()
            if true():
                return
        raise AssertionError(f"never happened; the screen shows {self.words()}")

    def widgets(self, kind=None):
        return [w for w in self.app.stage.walk() if kind is None or isinstance(w, kind)]

    def words(self):
        from kivy.uix.label import Label

        return [w.text for w in self.widgets(Label) if w.text and w.font_name == "Inter"]

    def shows(self, text):
        return any(text in words for words in self.words())

    def tap(self, label, nth=0):
        found = [w for w in self.widgets() if getattr(w, "label", None) == label]
        assert found, f"nothing to tap is called {label!r}; there is {self.words()}"
        self.reach(found[nth])
        self.tap_at(*found[nth].to_window(*found[nth].center))

    def reach(self, widget):
        """Scroll until a thumb can get at it."""
        from mobile.widgets.base import Scroller

        for scroller in self.widgets(Scroller):
            low, high = scroller.to_window(0, scroller.y)[1], scroller.to_window(0, scroller.top)[1]
            if widget in scroller.walk() and not low < widget.to_window(*widget.center)[1] < high:
                scroller.scroll_to(widget, padding=30, animate=False)
                self.frames(4)

    def tap_at(self, x, y):
        from kivy.tests.common import UnitTestTouch

        touch = UnitTestTouch(x, y)
        touch.touch_down()
        self.frames(2)
        touch.touch_up()
        self.frames(8)

    def key(self, key):
        """A key of a keyboard, by its number or its character."""
        number, character = (key, None) if isinstance(key, int) else (ord(key), key)
        self.window.dispatch("on_keyboard", number, 0, character, [])
        self.frames(8)

    def drag(self, start, end):
        from kivy.tests.common import UnitTestTouch

        touch = UnitTestTouch(*start)
        touch.touch_down()
        touch.touch_move(*end)
        touch.touch_up()
        self.frames(8)

    def resize(self, size):
        self.window.size = size
        self.frames()


def fill_for_today(server, accounts=2):
    fill(server, accounts=accounts)
    today = clock.today().isoformat()
    for (e, row_id), row in list(server.world.rows.items()):
        if "day" in row["d"]:
            zone = {"zone": "UTC"} if "zone" in row["d"] else {}
            server.put(e, row_id, row["d"] | {"day": today} | zone)


def fill_week(server):
    """A route that leaves at eight, a meeting and a call of this week, a prospect and a lead across the road."""
    today, me = clock.today(), server.user_id
    at = lambda hour, minute=0: f"{today.isoformat()}T{hour:02}:{minute:02}:00+00:00"  # noqa: E731
    late = f"{(today + timedelta(days=1)).isoformat()}T20:00:00+00:00"  # there is time left whenever the tests run
    depot = {"name": "Depot", "lon": 9.5, "lat": 47.1}
    times = {"leaves_at": at(0, 30), "returns_at": late, "closes_at": late, "start": depot, "end": depot}
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | times | {"zone": "UTC"}, 7)
    activity = {"owner_id": me, "state": "open", "priority": "normal"}
    meeting = activity | {"kind": "meeting", "subject": "Talk with the sales lead", "place": "Office"}
    server.put("activity", uid(6402), meeting | {"starts_at": at(23, 40), "ends_at": at(23, 55)}, 7)
    server.put(
        "activity", uid(6403), activity | {"kind": "task", "subject": "Call the printer", "due_on": at(0)[:10]}, 7
    )
    server.put("account", uid(1009), {"name": "Hotel Post", "status": "prospect", "tags": []}, 412)
    place = {"account_id": uid(1009), "name": "Main", "is_main": True, "city": "Vaduz", "lon": 9.53, "lat": 47.142}
    server.put("site", uid(2009), place, 412)
    lead = {
        "company": "Hofladen Beck",
        "person": "Rita Beck",
        "state": "new",
        "city": "Vaduz",
        "phones": ["+423 555 9"],
    }
    server.put("lead", uid(6901), lead | {"lon": 9.5212, "lat": 47.1409, "note": "Wants samples"}, 412)


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


def test_a_sync_that_ends_after_the_app_was_closed_touches_nothing(screen):
    screen.app.go("sync")
    screen.app.on_stop()
    screen.app._synced(Report())
    screen.app._mark_syncing()
    screen.frames()


def test_a_rep_signs_in_and_sees_today(tmp_path, open_app):
    fake = FakeServer()
    fill_for_today(fake)
    listener = Listener(fake)
    listener.start()
    screen = open_app(tmp_path / "new", server=f"http://127.0.0.1:{listener.port}")
    form = screen.app.stage.screen
    form.login.input.text, form.password.input.text = "mara", "wrong"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("The login or the password is wrong."))
    form.password.input.text = "secret"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("Next stop"))
    screen.app.worker.stop()
    listener.stop()


def test_a_rep_signs_in_with_a_code_scanned_or_typed_and_is_told_what_is_wrong_with_it(tmp_path, open_app):
    from mobile.device.desktop import FolderCamera

    fake = FakeServer()
    fill_for_today(fake)
    fake.codes = {"ABCDE-23456": "mara"}
    listener = Listener(fake)
    listener.start()
    lens, address = tmp_path / "lens", f"http://127.0.0.1:{listener.port}"
    lens.mkdir()
    Image.new("L", (300, 300), 200).save(lens / "a-wall.png")
    segno.make("https://example.com/menu").save(str(lens / "b-menu.png"), scale=4)
    segno.make(f"waymark://sign-in?{urlencode({'server': address, 'code': 'ABCDE-23456'})}", error="m").save(
        str(lens / "c-ours.png"), scale=4
    )
    screen = open_app(tmp_path / "new", camera=FolderCamera(lens))
    screen.tap("Scan a code")
    screen.until(lambda: screen.shows("No code was found in the picture."))
    screen.tap("Scan a code")
    screen.until(lambda: screen.shows("This is no code for Waymark."))
    screen.tap("Type the code")
    form = screen.app.stage.screen
    form.server.input.text = address
    for typed, said in (("abcde-2345O", "A code has ten letters"), ("zzzzz99999", "does not know this code")):
        form.code.input.text = typed
        screen.tap("Sign in")
        screen.until(lambda words=said: screen.shows(words))
    screen.tap("Scan a code")
    screen.until(lambda: screen.shows(f"This code is for {address}."))
    assert screen.app.stage.screen.code.value == "ABCDE-23456"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("Next stop"))
    screen.app.sign_out()
    screen.frames()
    screen.tap("Type the code")
    form = screen.app.stage.screen
    form.server.input.text, form.code.input.text = address, "abcde 23456"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("This code has let a phone in already."))
    listener.stop()


def test_today_lists_the_stops_and_the_next_one_is_large(screen):
    assert screen.shows("Next stop")
    assert screen.shows("4 stops")
    assert screen.shows("Bäckerei Näscher")


def test_a_visit_takes_three_taps_and_is_shown_at_once(screen):
    screen.tap("Check in")
    screen.tap("Check in")
    assert screen.shows("from the pin: verified")
    screen.tap("order")
    screen.tap("Save visit")
    assert screen.shows("Saved on this phone.")
    assert [op.body["d"]["state"] for op in screen.app.ctx.store.outbox.ops()] == ["checked_in", "done"]
    assert screen.shows("2 on phone")
    assert screen.shows("done")


def test_a_visit_takes_down_answers_a_signature_an_order_and_what_comes_next(screen):
    from mobile.screens.visit import VisitForm
    from mobile.widgets.ink import InkPad

    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    screen.tap("Shelf visit")
    screen.tap("Save visit")
    assert screen.shows("Not answered: Shelf")
    screen.tap("empty")
    assert screen.shows("Why is it empty?"), "the question hangs on the answer"
    screen.tap("full")
    assert not screen.shows("Why is it empty?")
    screen.tap("Take an order")
    screen.tap("one more Milch 1 l")
    screen.tap("one more Milch 1 l")
    screen.tap("one more Käse")
    assert screen.shows("2 lines · 66.00 CHF before tax")
    screen.tap("Save the order")
    assert screen.shows("The order is saved on this phone.")
    screen.tap("Have it signed")
    screen.tap("Done")
    assert screen.shows("Write the name, and sign in the box.")
    (pad,) = screen.widgets(InkPad)
    screen.drag((pad.x + 20, pad.y + 20), (pad.x + 120, pad.y + 60))
    pad.parent.name.input.text = "Anna Näscher"
    screen.tap("Done")
    (form,) = screen.widgets(VisitForm)
    assert screen.shows("Signed by Anna Näscher"), "what was typed before is still there"
    form.step.subject.input.text = "Bring samples"
    screen.tap("Save visit")
    ordered, done, step = [op.body for op in screen.app.ctx.store.outbox.ops()]
    assert [(line["quantity"], line["unit_price"]) for line in ordered["d"]["lines"]] == [
        ("2.000", "4.50"),
        ("6.000", "9.50"),
    ]
    assert done["d"]["form"] == {"visit_type_id": uid(6501), "version_id": uid(6502), "answers": {"shelf": "full"}}
    assert (done["d"]["signature"]["name"], len(done["d"]["signature"]["strokes"])) == ("Anna Näscher", 1)
    assert step["d"]["subject"] == "Bring samples"
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    for words in ("Dr. Anna Näscher", "Does not want to be contacted", "Cooling drips", "Second branch",
                  "Bring samples", "saved here, becomes a draft", "2019-04-01"):  # fmt: skip
        assert screen.shows(words), words
    screen.tap("Done")
    assert not screen.shows("Bring the catalogue"), "a tap says that it is done"


def test_photos_are_taken_in_a_visit_seen_at_the_account_and_said_to_wait(open_app, world, tmp_path):

    from mobile.device.desktop import FolderCamera

    exif = Image.Exif()
    exif[0x0132], exif[0x010F] = "2026:11:26 10:12:29", "A camera that tells where it was"
    (tmp_path / "lens").mkdir()
    Image.effect_noise((3000, 2000), 90).convert("RGB").save(
        tmp_path / "lens" / "door.jpg", exif=exif, xmp=b"<x:xmpmeta>47.1 north</x:xmpmeta>", comment=b"47.1 north"
    )
    screen = open_app(world.folder, syncing=False, camera=FolderCamera(tmp_path / "lens"))
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Take a photo")
    screen.tap("Take a photo")
    store = screen.app.ctx.store
    ops = store.outbox.ops()
    assert [(op.e, op.body["d"]["owner_id"]) for op in ops] == [("attachment", uid(3001))] * 2
    large, small = ops[0].body["d"]["sha256"], ops[0].body["d"]["thumbnail_sha256"]
    blobs = store.outbox.blobs
    assert len(blobs.read(large)) <= 300_000
    assert len(blobs.read(small)) <= 20_000
    with Image.open(io.BytesIO(blobs.read(large))) as kept:
        assert max(kept.size) <= 1600
        assert dict(kept.getexif()) == {0x0132: "2026:11:26 10:12:29"}
    assert b"47.1 north" not in blobs.read(large) + blobs.read(small)
    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap(ops[0].body["d"]["name"])
    assert screen.shows("not on the server yet")
    screen.tap("Delete this photo")
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("Photos not yet sent: ")
    assert screen.shows("a visit never waits for its photo")


def test_a_long_press_on_the_map_takes_a_new_lead_and_names_what_is_there(screen):
    from kivy.tests.common import UnitTestTouch

    from mobile.screens.map_view import DayMap
    from mobile.widgets.controls import Field

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    view = day_map.map
    x, y = view.lonlat_px(9.5206, 47.1403)
    assert view.px_lonlat(x, y) == pytest.approx((9.5206, 47.1403), abs=1e-6)
    touch = UnitTestTouch(x, y)
    touch.touch_down()
    screen.until(lambda: screen.shows("New lead"))
    company = screen.widgets(Field)[0]
    screen.tap("Save")
    assert screen.shows("Write the name of the company")
    company.input.text = "Muller"
    screen.frames()
    assert screen.shows("Already near here.")
    assert screen.shows("Müller GmbH")
    assert any(re.fullmatch(r"5\d m", words) for words in screen.words()), "how far away it is"
    company.input.text = "Kiosk"
    screen.frames()
    assert not screen.shows("Already near here."), "nobody is called like that, and nobody stands at the door"
    screen.tap("Save")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.e, op.body["d"]["company"]) == ("lead", "Kiosk")
    assert (op.body["d"]["lon"], op.body["d"]["lat"]) == pytest.approx((9.5206, 47.1403), abs=1e-4)


def test_a_new_lead_that_may_be_there_already_is_saved_only_on_the_second_tap(screen):
    from mobile.screens.leads import LeadForm

    screen.app.go("lead", lon=9.5213, lat=47.1410)
    screen.frames()
    (form,) = screen.widgets(LeadForm)
    form.fields["company"].input.text = "hofladen"
    screen.frames()
    assert screen.shows("Hofladen Beck")
    assert screen.shows("13 m")
    screen.tap("Save")
    assert screen.shows("Tap save once more")
    assert screen.app.ctx.store.outbox.ops() == []
    screen.tap("Save")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert op.body["d"]["company"] == "hofladen"


def test_a_new_account_is_here_at_once_and_a_visit_can_be_recorded_there(screen):
    from mobile.screens.leads import AccountForm

    screen.app.go("lead", lon=9.5203, lat=47.1440)
    screen.frames()
    screen.tap("New account")
    (form,) = screen.widgets(AccountForm)
    assert form.fields["city"].value == "Vaduz", "what stands around there says so"
    screen.tap("Save")
    assert screen.shows("Write the name of the account.")
    form.fields["name"].input.text = "muller"
    screen.frames()
    assert screen.shows("Müller GmbH"), "it may be there already"
    form.fields["name"].input.text, form.fields["tags"].input.text = "Alpenkiosk", "kiosk, lift"
    screen.tap("B")
    screen.tap("Save")
    screen.app.go("accounts")
    screen.frames()
    screen.tap("Alpenkiosk")
    assert not screen.shows("leaves this phone")
    screen.tap("Log a visit")
    screen.tap("order")
    screen.tap("Save visit")
    founded, visited = screen.app.ctx.store.outbox.ops()
    told = founded.body["d"]
    assert (founded.e, told["name"], told["status"], told["account_class"], told["tags"], told["city"]) == (
        "account", "Alpenkiosk", "prospect", "B", ["kiosk", "lift"], "Vaduz",
    )  # fmt: skip
    assert (visited.body["d"]["account_id"], visited.body["d"]["state"]) == (founded.row_id, "done")


def test_a_new_account_by_its_address_waits_for_its_place(screen):
    from mobile.screens.leads import AccountForm

    screen.app.go("accounts")
    screen.frames()
    screen.tap("New account")
    (form,) = screen.widgets(AccountForm)
    form.fields["name"].input.text = "Alpenkiosk"
    screen.tap("Save")
    assert screen.shows("Write its street or its town")
    form.fields["street"].input.text, form.fields["city"].input.text = "Im Malbun 3", "Malbun"
    screen.tap("Save")
    screen.frames()
    assert screen.shows("not yet placed")
    screen.tap("Alpenkiosk")
    assert screen.shows("Not yet placed")
    assert not screen.shows("Navigate")
    (founded,) = screen.app.ctx.store.outbox.ops()
    told = founded.body["d"]
    assert (told["street"], told["city"], told["lon"], told["lat"]) == ("Im Malbun 3", "Malbun", None, None)


def test_the_week_the_neighbours_a_time_and_the_settings(screen):
    """One walk through the screens beside the day."""
    screen.tap("Week")
    for words in ("Talk with the sales lead", "Call the printer", "Müller GmbH"):
        assert screen.shows(words), words
    screen.tap("Talk with the sales lead")
    assert screen.shows("Office")
    screen.tap("Done")
    assert not screen.shows("Office"), "it leads back to the week"
    assert screen.app.ctx.store.cache.doc("activity", uid(6402))["state"] == "done"
    screen.tap("next week")
    assert not screen.shows("Call the printer")
    screen.tap("back")
    assert screen.shows("Next stop"), "turning the pages leaves no trail"

    screen.tap("More")
    screen.tap("Nearby")
    assert screen.shows("Hotel Post")
    screen.tap("Leads")
    assert not screen.shows("Hotel Post")
    screen.tap("Hofladen Beck")
    assert screen.shows("Wants samples")

    screen.app.go("account", account_id=uid(1009))
    screen.frames()
    screen.tap("Find a time")
    chip = next(w.label for w in screen.widgets() if "(+" in str(getattr(w, "label", "")))
    screen.tap(chip)
    screen.tap("Keep this time")
    op = screen.app.ctx.store.outbox.ops()[-1]
    assert (op.body["d"]["kind"], op.body["d"]["account_id"]) == ("meeting", uid(1009))
    assert screen.shows("Log a visit"), "back at the account"
    screen.tap("Find a time")
    assert chip not in [getattr(w, "label", None) for w in screen.widgets()], "that hour is taken now"

    screen.app.go("settings")
    screen.frames()
    for words in ("Accounts", "0.0 MB", "Works without a network", "0.1.0"):
        assert screen.shows(words), words


def recorded_all_day():
    """What the server says where the company records ways, to a rep who works all day."""
    day = clock.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    shift = {"starts_at": day.isoformat(), "ends_at": (day + timedelta(days=1)).isoformat()}
    return {"keep_days": 30, "shifts": [shift]}


def test_the_rep_is_told_of_the_recorded_way_sees_it_on_the_map_and_pauses_it(screen, monkeypatch):
    from mobile.screens.map_view import DayMap

    outbox, news = screen.app.ctx.files.outbox, "Your company records the way you drive while you work."
    screen.app.go("settings")
    assert screen.shows("does not record the way you drive")
    tracks.heard(outbox, recorded_all_day())
    monkeypatch.setattr(tracks, "EVERY_S", 0)
    for metres in (0, 60, 120):
        place = Fix(9.52 + metres / 75_000, 47.14, 12, clock.now())
        monkeypatch.setattr(screen.app.phone.position, "fix", lambda at=place: at)
        screen.app.footsteps.look()
    screen.app.go("today")
    screen.frames()
    assert screen.shows(news)
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    kinds = lambda: [kind for _points, kind in day_map.map.lines]  # noqa: E731
    assert kinds()[0] == "track"
    screen.tap("Layers")
    screen.tap("Where I drove")
    assert "track" not in kinds()
    screen.app.go("today")
    screen.frames()
    screen.tap("See what is recorded")
    assert screen.shows("Recording · 3 places today")
    screen.tap("Pause for today")
    assert screen.shows("Paused until midnight")
    screen.tap("Record again")
    assert [op.body["d"]["kind"] for op in outbox.ops()] == ["way", "pause", "resume"]
    screen.app.go("today")
    assert not screen.shows(news), "told once"
    screen.app.go("sync")
    assert screen.shows("Pause of the recording")


def test_prospects_and_leads_are_layers_of_the_map(screen):
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    keys = lambda: {pin.key for pin in day_map.map.pins}  # noqa: E731
    assert {f"account:{uid(1009)}", f"account:{uid(6901)}"} <= keys()
    screen.tap("Layers")
    screen.tap("Leads")
    assert f"account:{uid(6901)}" not in keys()
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    assert f"account:{uid(6901)}" not in keys(), "it stays as the rep wants it"
    day_map.tapped(f"account:{uid(1009)}")
    screen.frames()
    screen.tap("Open")
    assert screen.shows("Log a visit")


def test_without_an_outcome_the_form_says_what_is_missing(screen):
    screen.tap("Check in")
    screen.tap("Save visit")
    assert screen.shows("Choose an outcome first.")
    assert screen.app.ctx.store.outbox.ops() == []


def test_search_finds_across_accents_and_opens_the_card(screen):
    from mobile.screens.accounts import AccountList

    screen.tap("Accounts")
    (accounts,) = screen.widgets(AccountList)
    accounts.field.input.text = "muller"
    screen.frames()
    assert screen.shows("1 accounts")
    screen.tap("Müller GmbH")
    assert screen.shows("Log a visit")
    assert screen.shows("Vaduz")
    accounts.find("zzz")


def test_the_map_shows_pins_and_whose_data_it_is(screen):
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    assert screen.shows(ATTRIBUTION)
    view = day_map.map
    assert len(view.pins) == 6
    view.load_all()
    assert view._tiles
    before = view.zoom
    screen.tap("zoom in")
    assert view.zoom > before
    screen.tap_at(*view.lonlat_px(view.pins[0].lon, view.pins[0].lat))
    assert screen.shows("Check in")


def test_two_fingers_turn_the_map_around_what_they_hold_and_the_compass_sets_north_up(screen):
    from kivy.tests.common import UnitTestTouch

    from mobile.screens.map_view import DayMap
    from mobile.widgets.map import Pin

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    view = day_map.map
    view.load_all()
    x, y = view.center
    held = view.px_lonlat(x, y)
    still, finger = UnitTestTouch(x - 80, y), UnitTestTouch(x + 80, y)
    for touch in (still, finger):
        touch.touch_down()
    still.touch_move(x, y - 80)
    finger.touch_move(x, y + 80)
    for touch in (still, finger):
        touch.touch_up()
    assert math.degrees(view.bearing) == pytest.approx(90, abs=1)
    assert view.px_lonlat(*view.lonlat_px(*held)) == pytest.approx(held)
    view.load_all()
    screen.tap("north up")
    assert view.bearing == 0
    view.show([Pin(str(n), 9.52 + n / 1e6, 47.14, ink="bad", gathers=True) for n in range(5)])
    ((found, (cx, cy, _radius)),) = view._crowds.items()
    assert len(found.keys) == 5
    before = view.zoom
    view.tap(cx, cy)
    assert view.zoom > before, "a tap on a bubble looks closer"


def test_the_rep_drags_the_pin_to_the_door_and_proposes_it(screen):
    from mobile.screens.pin import PinForm

    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap("Move the pin")
    (form,) = screen.widgets(PinForm)
    screen.tap("Propose")
    assert screen.shows("Drag the pin, or tap")
    before = form.map.centre
    x, y = form.map.lonlat_px(*form.map.at)
    screen.drag((x + 4, y - 3), (x + 64, y + 37))
    assert form.map.centre == before, "the map stays where it is"
    assert form.map.lonlat_px(*form.map.at) == pytest.approx((x + 60, y + 40), abs=1)
    assert screen.shows(f"{round(form.moved_m)} m from the present pin")
    form.note.input.text = "Behind the church"
    screen.tap("Propose")
    assert screen.shows("Saved on this phone.")
    assert screen.shows("waits for a network.")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.body["d"]["note"], op.body["d"]["fix"]["accuracy_m"]) == ("Behind the church", 12.0)
    assert screen.shows("1 on phone")


def test_the_pin_can_be_put_where_the_rep_stands(screen):
    from mobile.screens.pin import PinForm

    screen.app.go("pin", site_id=uid(2001))
    screen.frames()
    (form,) = screen.widgets(PinForm)
    screen.tap("Where I stand")
    assert form.map.at == (9.5205, 47.14)
    assert screen.shows("38 m from the present pin")


def test_a_conflict_is_settled_with_one_tap(screen):
    store = screen.app.ctx.store
    op = edit(store, "account", uid(1001), {"phone": "mine"})
    conflict = {"id": "c1", "field": "phone", "base": "1", "mine": "mine", "server": "theirs", "by": None, "at": None}
    store.outbox.acknowledge(
        op.n, "conflict", {"n": op.n, "status": "conflict", "conflicts": [conflict | {"policy": "x"}]}
    )
    store.rebuild_overlay()
    screen.app.go("sync")
    screen.frames()
    assert screen.shows("you wrote “mine”, the office “theirs”")
    screen.tap("Take mine")
    assert len(store.outbox.ops()) == 2
    assert not screen.shows("you wrote")


def test_nobody_signs_out_over_unsent_work(screen):
    screen.tap("Check in")
    screen.tap("Missed")
    screen.tap("Leave it as it is")
    screen.tap("More")
    assert screen.shows("1 entries are not sent yet")
    assert not screen.shows("Sign out")


def test_back_leads_where_one_came_from(screen):
    screen.app.go("accounts")
    screen.app.go("account", account_id=uid(1001))
    screen.app.go("visit", account_id=uid(1001))
    screen.frames()
    screen.tap("back")
    assert screen.shows("Log a visit")
    screen.tap("back")
    assert screen.shows("5 accounts")


@pytest.mark.parametrize(
    ("size", "language", "appearance"),
    [("small phone", "de", "light"), ("phone", "en", "dark"), ("tablet", "de", "dark")],
)
def test_every_screen_fits_small_and_large_windows(open_app, world, size, language, appearance):
    from mobile.widgets.base import Touchable
    from mobile.widgets.controls import PushButton

    chosen = AppPhone(world.folder)
    chosen.choose("language", language)
    chosen.choose("appearance", appearance)
    screen = open_app(world.folder, syncing=False)
    screen.resize(SIZES[size])
    tracks.heard(screen.app.ctx.files.outbox, recorded_all_day())
    places = [
        ("today", {}), ("map", {}), ("accounts", {}), ("more", {}), ("sync", {}),
        ("account", {"account_id": uid(1001)}), ("edit_account", {"account_id": uid(1001)}),
        ("visit", {"visit_id": uid(3001)}), ("pin", {"site_id": uid(2001)}), ("sign", {"key": uid(3001)}),
        ("order", {"account_id": uid(1001)}), ("next_step", {"account_id": uid(1001)}),
        ("lead", {"lon": 9.52, "lat": 47.14}), ("new_account", {"lon": 9.52, "lat": 47.14}),
        ("lead_card", {"lead_id": uid(6901)}), ("nearby", {}), ("week", {}),
        ("entry", {"activity_id": uid(6402)}), ("times", {"account_id": uid(1002)}), ("settings", {}),
        ("sign_in", {"by": "code"}), ("sign_in", {}),
    ]  # fmt: skip
    for name, arguments in places:
        screen.app.go(name, **arguments)
        screen.frames(4)
        for button in screen.widgets(PushButton):
            words = button.children[0].children[0]
            assert words.width <= button.width + 1, f"{name}: {button.label!r} does not fit"
        for target in screen.widgets(Touchable):
            if getattr(target, "label", None):
                left, right = target.to_window(target.x, 0)[0], target.to_window(target.right, 0)[0]
                assert -1 <= left <= right <= SIZES[size][0] + 1, f"{name}: {target.label!r} leaves the window"
                assert target.collide_point(target.center_x, target.center_y + 23), f"{name}: {target.label!r} is small"
    screen.resize(SIZES["phone"])


def test_a_pin_closes_the_screen_after_five_minutes_and_unsent_work_lives_on(screen):
    from mobile.field import locking

    screen.app.go("settings")
    screen.frames()
    screen.tap("Set a PIN")
    for digits in ("25", "2580", "2581", "2580", "2580"):
        for digit in digits:
            screen.tap(digit)
        screen.tap("Done")
    assert screen.shows("Remove the PIN"), "too short, then not the same, then twice the same"
    screen.tap("back")
    guard, store = screen.app.guard, screen.app.ctx.store
    edit(store, "account", uid(1001), {"phone": "mine"})
    guard.look()
    assert not screen.shows("Locked"), "somebody is there"
    guard._touched -= locking.IDLE_S
    guard.look()
    screen.frames()
    assert screen.shows("Locked")
    assert not screen.shows("Müller GmbH")
    screen.app.go("accounts")
    screen.frames()
    assert not screen.shows("Müller GmbH"), "nothing leads around it"
    for digit in "1111":
        screen.tap(digit)
    screen.tap("Unlock")
    assert screen.shows("This is not the PIN.")
    for digit in "2589":
        screen.key(digit)
    screen.key(8)
    screen.key("0")
    screen.key(13)
    assert screen.shows("Müller GmbH")
    assert len(store.outbox.ops()) == 1


def test_a_phone_that_was_alone_too_long_asks_for_the_password_and_keeps_unsent_work(open_app, world):
    from mobile.field import locking

    edit(world.store, "account", uid(1001), {"phone": "mine"})
    locking.close_after(world.store.outbox, 3)
    locking.in_contact(world.store.outbox, clock.now() - timedelta(days=3, hours=1))
    world.kill()
    screen = open_app(world.folder, syncing=False)
    assert screen.shows("has not spoken with the server for 3 days")
    assert screen.shows("One entry is kept")
    assert not (world.home.user_folder(world.server.user_id) / "cache.db").exists()
    world.sign_in()
    assert world.sync().results == {"applied": 1}
