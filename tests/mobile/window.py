"""A real Kivy window, driven by taps, and what there is to see in it."""

import os
import tempfile
import time
from datetime import timedelta

os.environ["LC_ALL"] = "C.UTF-8"  # the app speaks English
os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("KIVY_NO_ARGS", "1")
os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")
os.environ.setdefault("KIVY_HOME", tempfile.mkdtemp(prefix="waymark-kivy-"))

from kivy.config import Config

from mobile.field.checkin import Fix
from mobile.field.store import clock
from tests.mobile.conftest import fill, uid

Config.set("graphics", "width", "412")
Config.set("graphics", "height", "732")
Config.set("graphics", "maxfps", "0")

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
        EventLoop.me_list.clear()  # fingers that another test has left on the window
        Window.add_widget(app.build())
        app.stage.settle_s = 0  # tests tap faster than thumbs
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

        texts = (w.text for w in self.widgets(Label) if w.text and w.font_name == "Inter")
        return [text.replace("\u00a0\u00a0·", "  ·").replace("\u00a0·", " ·") for text in texts]

    def shows(self, text):
        return any(text in words for words in self.words())

    def tap(self, label, nth=0, held=lambda: None):
        found = [w for w in self.widgets() if getattr(w, "label", None) == label]
        assert found, f"nothing to tap is called {label!r}; there is {self.words()}"
        self.reach(found[nth])
        self.tap_at(*found[nth].to_window(*found[nth].center), held)

    def reach(self, widget):
        """Scroll until a thumb can get at it."""
        from mobile.widgets.base import Scroller

        for scroller in self.widgets(Scroller):
            low, high = scroller.to_window(0, scroller.y)[1], scroller.to_window(0, scroller.top)[1]
            if widget in scroller.walk(restrict=True) and not low < widget.to_window(*widget.center)[1] < high:
                scroller.scroll_to(widget, padding=30, animate=False)
                self.frames(4)

    def tap_at(self, x, y, held=lambda: None):
        """A finger comes down, something happens (`held`), and it comes up."""
        from kivy.tests.common import UnitTestTouch

        touch = UnitTestTouch(x, y)
        touch.touch_down()
        held()
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
    today = clock.now().date().isoformat()
    for (e, row_id), row in list(server.world.rows.items()):
        if "day" in row["d"]:
            zone = {"zone": "UTC"} if "zone" in row["d"] else {}
            server.put(e, row_id, row["d"] | {"day": today} | zone)


def fill_week(server):
    """A route that leaves at eight, a meeting and a call of this week, a prospect and a lead across the road."""
    today, me = clock.now().date(), server.user_id
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
    firm = {"kind": "shop=bakery", "kind_words": {"en": "Bakery", "de": "Bäckerei"}, "city": "Vaduz", "phone": "+423 7"}
    firm |= {"street": "Bachgasse 3", "postcode": "9490", "opening_hours": "Mo-Sa 06:00-18:00", "lon": 9.5224}
    firm |= {"lat": 47.1413, "credit": "© OpenStreetMap contributors, ODbL 1.0"}
    server.put("prospect", uid(7001), firm | {"name": "Bäckerei am Bach"}, 412)
    garage = {"kind": "shop=car_repair", "kind_words": {"en": "Car repair"}, "name": "Garage Nord", "lat": 47.1433}
    server.put("prospect", uid(7002), firm | garage, 412)
    server.put("lead", uid(6901), lead | {"lon": 9.5212, "lat": 47.1409, "note": "Wants samples"}, 412)


def recorded_all_day():
    """What the server says where the company records ways, to a rep who works all day."""
    day = clock.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    shift = {"starts_at": day.isoformat(), "ends_at": (day + timedelta(days=1)).isoformat()}
    return {"keep_days": 30, "shifts": [shift]}
