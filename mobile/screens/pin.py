"""Where the door really is: drag the pin on the map, say how one finds it, propose it. Works without a network."""

import math

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from mobile.field.capture import propose_pin
from mobile.field.checkin import distance_m
from mobile.screens.map_view import WHOLE, attribution, zoom_buttons
from mobile.screens.parts import frame
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Column, Row, Text, paint
from mobile.widgets.controls import Notice, PushButton
from mobile.widgets.map import MapView
from mobile.widgets.mapmarks import Pin

GRIP_DP = 36
"""How near to the pin a finger takes hold of it."""
LOW_DP = 400


class PinMap(MapView):
    """A map on which one pin can be dragged; the rest of it pans and zooms as ever."""

    def __init__(self, packs, at, on_move, on_drop, **kwargs):
        super().__init__(packs, **kwargs)
        self.at, self._on_move, self._on_drop, self._held = at, on_move, on_drop, None

    def on_touch_down(self, touch):
        if self.at is not None and self.collide_point(*touch.pos) and not touch.is_mouse_scrolling:
            x, y = self.lonlat_px(*self.at)
            if abs(touch.x - x) <= dp(GRIP_DP) and abs(touch.y - y) <= dp(GRIP_DP):
                touch.grab(self)
                self._held = (x - touch.x, y - touch.y)
                return True
        return super().on_touch_down(touch)

    def on_touch_move(self, touch):
        if self._held is None or touch.grab_current is not self:
            return super().on_touch_move(touch)
        self.at = self.px_lonlat(touch.x + self._held[0], touch.y + self._held[1])
        self._on_move()
        return True

    def on_touch_up(self, touch):
        if self._held is None or touch.grab_current is not self:
            return super().on_touch_up(touch)
        touch.ungrab(self)
        self._held = None
        self._on_drop()
        return True


class PinForm(BoxLayout):
    """The map, and below it what the office will read."""

    def __init__(self, ctx, site, called, **kwargs):
        super().__init__(orientation="vertical", **kwargs)
        self.ctx, self.site, self.fix = ctx, site, ctx.phone.position.fix()
        self.pin = (site["lon"], site["lat"]) if site.get("lat") is not None else None
        words = ctx.words
        start = self.pin or ((self.fix.lon, self.fix.lat) if self.fix else middle_of(ctx.packs))
        self.typed = Typed(ctx, ("pin",), {"site_id": site["id"]}, called)
        at = tuple(self.typed.value("at", list(start)))
        self.map = PinMap(ctx.packs, at, self.show, self._keep, pos_hint=WHOLE)
        stage = FloatLayout()
        for part in (self.map, zoom_buttons(ctx, self.map, self.fix), attribution(ctx)):
            stage.add_widget(part)
        self.far = Text("", 16, True)
        self.warning = Column()
        self.note = self.typed.field("note", hint=words("pin_note_hint"))
        buttons = Row(
            PushButton(words("pin_here"), self.take_my_place, "locate_fixed", "quiet", size_hint_x=0.5),
            PushButton(words("propose_pin"), self.propose, "send", size_hint_x=0.5),
            spacing=10,
            height=48,
        )
        help_text = Text(words("move_pin_help"), 14, ink="quiet")
        told = self.typed.told()
        foot = Column(
            self.warning, told, self.far, None if told else help_text, self.note, buttons, spacing=8,
            padding=(16, 12, 16, 14),
        )  # fmt: skip
        paint(foot, "paper")
        self.add_widget(stage)
        self.add_widget(foot)
        self.bind(height=self._lay)
        self.show()
        self.map.fit([*around(start, site.get("uncertainty_m") or 0), at], 17)

    @property
    def moved_m(self):
        """How far the rep has dragged the pin."""
        return distance_m(*self.pin, *self.map.at) if self.pin else None

    def show(self):
        """The old pin with its circle, the new one, and how far they are apart."""
        pins = [Pin("new", *self.map.at, ink="accent", size=11)]
        if self.pin:
            pins.append(Pin("old", *self.pin, ink="quiet", size=7, uncertainty_m=self.site.get("uncertainty_m") or 0))
        line = [([self.pin, self.map.at], "guess")] if self.pin and (self.moved_m or 0) > 1 else []
        self.map.show(pins, line, self.fix)
        words = self.ctx.words
        self.far.text = words("pin_moved", distance=words.distance(self.moved_m)) if self.pin else words("pin_first")

    def _lay(self, *_args):
        """On a phone that lies on its side the map stands beside what is said of it."""
        self.orientation = "horizontal" if self.height < dp(LOW_DP) else "vertical"

    def _keep(self):
        self.typed.keep(at=list(self.map.at))

    def take_my_place(self):
        """The rep stands at the door."""
        self.fix = self.ctx.phone.position.fix()
        if self.fix is None:
            self._warn("no_fix")
            return
        self.map.at = (self.fix.lon, self.fix.lat)
        self.map.fit([self.map.at], 17)
        self.show()
        self._keep()

    def propose(self):
        """Save the proposal on this phone; it is sent like everything else."""
        if self.moved_m is not None and self.moved_m < 1:
            self._warn("pin_not_moved")
            return
        fix = self.ctx.phone.position.fix()
        files, site, at, note = self.ctx.files, self.site, self.map.at, self.note.value
        self.typed.save(lambda: propose_pin(files, site, *at, note=note, fix=fix))
        self.ctx.nav.saved()
        self.ctx.nav.back()
        self.ctx.nav.toast(self.ctx.words("saved"))

    def _warn(self, key):
        self.warning.clear_widgets()
        self.warning.add_widget(Notice(self.ctx.words(key), "warn"))


def around(at, metres):
    """The corners of what is worth seeing: the circle of doubt, up to a kilometre."""
    north = min(metres, 1000) / 111_195
    east = north / max(0.01, math.cos(math.radians(at[1])))
    return [(at[0] - east, at[1] - north), (at[0] + east, at[1] + north)]


def middle_of(packs):
    """Where to begin when nothing is known of a place."""
    if not packs:
        return (0.0, 0.0)
    west, south, east, north = packs[0].bbox
    return ((west + east) / 2, (south + north) / 2)


def build(ctx, site_id):
    site = ctx.files.cache.doc("site", site_id)
    if site is None:
        return frame(ctx, ctx.words("pin"), Column(Notice(ctx.words("not_here"), "warn")), back=True)
    account = ctx.files.cache.doc("account", site["account_id"]) or {}
    called = account.get("name")
    return frame(ctx, called or ctx.words("pin"), PinForm(ctx, site, called), back=True)
