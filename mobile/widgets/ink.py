"""A box to sign in with the finger; strokes come out as a picture of the pad's own shape, y downwards."""

from kivy.graphics import Color, Line
from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.theme import RADIUS_CARD
from mobile.widgets.base import colour, paint

WIDE, HIGH = 1000, 400
"""No stroke lies outside of this."""


class InkPad(Widget):
    """Paper and pen. `box` is the width and height of the sheet that the strokes are on."""

    def __init__(self, strokes=(), box=None, on_stroke=None, **kwargs):
        super().__init__(**kwargs)
        self._on_stroke = on_stroke or (lambda: None)
        self.strokes = [list(stroke) for stroke in strokes]
        self._signed_on = tuple(box) if strokes and box else None
        paint(self, "paper", "quiet", RADIUS_CARD)
        self.bind(pos=self._draw, size=self._draw)

    def clear(self):
        """A new sheet."""
        self.strokes, self._signed_on = [], None
        self._draw()
        self._on_stroke()

    @property
    def box(self):
        """The sheet that was signed on; an empty one has the shape of the pad."""
        scale = min(WIDE / max(1, self.width), HIGH / max(1, self.height))
        return self._signed_on or (max(1, int(self.width * scale)), max(1, int(self.height * scale)))

    def _draw(self, *_args):
        self.canvas.clear()
        with self.canvas:
            Color(*colour("line"))
            wide, high = self.box
            Line(points=self._px([wide * 0.08, high * 0.775, wide * 0.92, high * 0.775]), width=dp(0.75))
            Color(*colour("ink"))
            for stroke in self.strokes:
                Line(points=self._px(stroke), width=dp(1.4), joint="round", cap="round")

    def _sheet(self):
        """Where the sheet lies in a pad that has another shape by now: left, top, and pixels for one of its units."""
        wide, high = self.box
        scale = min(max(1, self.width) / wide, max(1, self.height) / high)
        return self.center_x - wide * scale / 2, self.center_y + high * scale / 2, scale

    def _px(self, stroke):
        """A stroke in pixels of the window, where y grows upwards."""
        left, top, scale = self._sheet()
        return [top - value * scale if i % 2 else left + value * scale for i, value in enumerate(stroke)]

    def _point(self, touch):
        (wide, high), (left, top, scale) = self.box, self._sheet()
        x, y = (touch.x - left) / scale, (top - touch.y) / scale
        return [max(0, min(wide, round(x))), max(0, min(high, round(y)))]

    def on_touch_down(self, touch):
        if not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self._signed_on = self.box
        self.strokes.append(self._point(touch) * 2)
        self._draw()
        return True

    def on_touch_move(self, touch):
        if touch.grab_current is not self:
            return False
        self.strokes[-1] += self._point(touch)
        self._draw()
        return True

    def on_touch_up(self, touch):
        if touch.grab_current is self:
            touch.ungrab(self)
            self._on_stroke()
            return True
        return False
