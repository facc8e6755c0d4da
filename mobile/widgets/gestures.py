"""What fingers do to the map: pan, pinch, turn, hold, tap."""

import math

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.stencilview import StencilView

MIN_ZOOM, MAX_ZOOM = 6.0, 18.0
HOLD_S = 0.6


class Gestures(StencilView):
    """One finger pans, two zoom and turn; the wheel and a double tap zoom; a finger that rests names a place."""

    def zoom_by(self, steps, at=None):
        """Zoom around a point of the window (the middle by default)."""
        x, y = at or self.center
        place = self.to_world_px(x, y)
        self.zoom = max(MIN_ZOOM, min(MAX_ZOOM, self.zoom + steps))
        self._fit = None
        self._hold_fast(place, x, y)
        self.refresh()

    def turn_by(self, radians, at=None):
        """Turn the map around a point of the window, anticlockwise."""
        x, y = at or self.center
        place = self.to_world_px(x, y)
        self.bearing = math.remainder(self.bearing + radians, math.tau)
        self._hold_fast(place, x, y)
        self.refresh()

    def north_up(self):
        """Turn back."""
        self.turn_by(-self.bearing)

    def on_touch_down(self, touch):
        if super().on_touch_down(touch):
            return True
        if not self.collide_point(*touch.pos):
            return False
        if touch.is_mouse_scrolling:
            self.zoom_by(0.4 if touch.button == "scrolldown" else -0.4, touch.pos)
            return True
        if touch.is_double_tap:
            self.zoom_by(1, touch.pos)
        touch.grab(self)
        self._touches[touch.uid] = touch
        touch.ud["moved"] = 0.0
        touch.ud["held"] = Clock.schedule_once(lambda _dt: self._hold(touch), HOLD_S)
        return True

    def _hold(self, touch):
        """A finger that rests names a place."""
        if self.on_hold and touch.uid in self._touches and len(self._touches) == 1 and touch.ud["moved"] < dp(10):
            touch.ud["moved"] = dp(10)
            self.on_hold(*self.px_lonlat(*touch.pos))

    def on_touch_move(self, touch):
        if touch.grab_current is not self:
            return super().on_touch_move(touch)
        touch.ud["moved"] += abs(touch.dx) + abs(touch.dy)
        others = [t for t in self._touches.values() if t.uid != touch.uid]
        self._fit = None
        if others:
            self._pinch(touch, others[0])
        else:
            self._hold_fast(self.to_world_px(touch.x - touch.dx, touch.y - touch.dy), *touch.pos)
            self.refresh()
        return True

    def _pinch(self, touch, other):
        before = math.dist(touch.ppos, other.pos)
        after = math.dist(touch.pos, other.pos)
        if before > 1 and after > 1:
            middle = ((touch.x + other.x) / 2, (touch.y + other.y) / 2)
            turned = math.atan2(touch.y - other.y, touch.x - other.x)
            turned -= math.atan2(touch.py - other.y, touch.px - other.x)
            place = self.to_world_px(*middle)
            self.bearing = math.remainder(self.bearing + turned, math.tau)
            self._hold_fast(place, *middle)
            self.zoom_by(math.log2(after / before), middle)

    def on_touch_up(self, touch):
        if touch.grab_current is not self:
            return super().on_touch_up(touch)
        touch.ungrab(self)
        self._touches.pop(touch.uid, None)
        if "held" in touch.ud:
            touch.ud["held"].cancel()
        if touch.ud.get("moved", 0) < dp(10) and self.on_pin:
            self.tap(*touch.pos)
        return True

    def tap(self, x, y):
        """Tell which pin lies under a point of the window, if any."""
        for found, (cx, cy, radius) in self._crowds.items():
            if math.dist((x, y), (cx, cy)) <= max(dp(24), radius):
                self.zoom_by(1.5, self.to_window_px(found.x, found.y))
                return
        near = [(math.dist((x, y), self.lonlat_px(p.lon, p.lat)), p) for p in self.pins if p.since <= self.zoom]
        near = [(d, p) for d, p in near if d <= max(dp(24), dp(p.size))]
        self.on_pin(min(near, key=lambda dp_: dp_[0])[1].key if near else None)
