"""A box to sign in with the finger; strokes come out in a box of 1000 by 400, whatever the window."""

from kivy.graphics import Color, Line
from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.theme import RADIUS_CARD
from mobile.widgets.base import colour, paint

WIDE, HIGH = 1000, 400


class InkPad(Widget):
    """Paper and pen."""

    def __init__(self, strokes=(), **kwargs):
        super().__init__(**kwargs)
        self.strokes = [list(stroke) for stroke in strokes]
        paint(self, "paper", "quiet", RADIUS_CARD)
        self.bind(pos=self._draw, size=self._draw)

    def clear(self):
        """A new sheet."""
        self.strokes = []
        self._draw()

    def _draw(self, *_args):
        self.canvas.clear()
        with self.canvas:
            Color(*colour("line"))
            Line(points=self._px([80, 90, WIDE - 80, 90]), width=dp(0.75))
            Color(*colour("ink"))
            for stroke in self.strokes:
                Line(points=self._px(stroke), width=dp(1.4), joint="round", cap="round")

    def _px(self, stroke):
        """A stroke in pixels of the window; y grows upwards on both sides."""
        sizes = (self.width / WIDE, self.height / HIGH)
        return [(self.x, self.y)[i % 2] + value * sizes[i % 2] for i, value in enumerate(stroke)]

    def _point(self, touch):
        x = (touch.x - self.x) / max(1, self.width) * WIDE
        y = (touch.y - self.y) / max(1, self.height) * HIGH
        return [max(0, min(WIDE, round(x))), max(0, min(HIGH, round(y)))]

    def on_touch_down(self, touch):
        if not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
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
            return True
        return False
