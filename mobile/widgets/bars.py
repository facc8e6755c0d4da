"""The bars above and below every screen, the sync line, and the short message that floats above."""

import math

from kivy.animation import Animation
from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from mobile.theme import RADIUS_CONTROL, TOUCH
from mobile.widgets.base import Column, Icon, Scroller, Text, Touchable, Word, paint
from mobile.widgets.controls import IconButton
from mobile.widgets.icons import MARK_ICONS

UNDO_S = 8.0
"""So long an undo is offered."""
MARK_COLOURS = {"phone": "info", "server": "good", "attention": "warn"}


class SyncLine(Touchable):
    """A line under the title, two where one is too short: where my work is, by icon and word."""

    def __init__(self, mark, text, on_tap=None, **kwargs):
        super().__init__(on_tap, fill=None, size_hint_y=None, height=dp(24), spacing=dp(6), **kwargs)
        self.say(mark, text)

    def collide_point(self, x, y):
        """A thin line with a thumb's target around it."""
        return self.x <= x <= self.right and self.y - dp(12) <= y <= self.top + dp(12)

    def say(self, mark, text):
        """Show another state."""
        self.label = text
        self.clear_widgets()
        self.add_widget(Icon(MARK_ICONS[mark], 16, MARK_COLOURS[mark], size_hint=(None, 1), width=dp(18)))
        words = Text(text, 13, ink="quiet", lines=2, pos_hint={"center_y": 0.5})
        words.bind(height=lambda _words, high: setattr(self, "height", max(dp(24), high)))
        self.add_widget(words)


class TopBar(BoxLayout):
    """Title, sync line, back arrow and actions."""

    def __init__(self, title, sync_line=None, on_back=None, actions=(), **kwargs):
        super().__init__(
            size_hint_y=None, height=dp(64), padding=(dp(4 if on_back else 16), dp(6), dp(4), dp(6)), **kwargs
        )
        paint(self, "paper")
        if on_back:
            self.add_widget(IconButton("chevron_left", on_back, "back", pos_hint={"center_y": 0.5}))
        words = Column(Text(title, 20, True, lines=1), sync_line, spacing=0, pos_hint={"center_y": 0.5})
        words.bind(height=lambda _words, high: setattr(self, "height", max(dp(64), high + dp(10))))
        self.add_widget(words)
        for action in actions:
            action.pos_hint = {"center_y": 0.5}
            self.add_widget(action)


class BottomBar(BoxLayout):
    """Four places to go, in thumb's reach."""

    def __init__(self, places, current, go, **kwargs):
        super().__init__(size_hint_y=None, height=dp(60), **kwargs)
        paint(self, "paper")
        for name, icon, label in places:
            self.add_widget(self._tab(name, icon, label, name == current, go))

    @staticmethod
    def _tab(name, icon, label, on, go):
        ink = "brand" if on else "quiet"
        tab = Touchable(lambda: go(name), orientation="vertical", padding=(0, dp(8), 0, dp(6)))
        tab.label = label
        tab.add_widget(Icon(icon, 22, ink, size_hint=(1, None), height=dp(26)))
        tab.add_widget(Text(label, 12, on, ink, lines=1, align="center"))
        return tab


class Shell(BoxLayout):
    """A screen: bar, content, bar. On wide windows the places stand at the left."""

    def __init__(self, top, content, bottom=None, **kwargs):
        super().__init__(orientation="vertical", **kwargs)
        paint(self, "ground")
        for part in (top, content, bottom):
            if part is not None:
                self.add_widget(part)


class Toast(AnchorLayout):
    """A short message above the bottom bar that goes by itself; `undo` is a word and what its tap does."""

    def __init__(self, text, kind="good", undo=None, **kwargs):
        super().__init__(anchor_y="bottom", padding=(dp(16), 0, dp(16), dp(76)), **kwargs)
        icon = {"good": "check", "bad": "triangle_alert", "info": "info"}[kind]
        box = BoxLayout(size_hint=(1, None), padding=(dp(14), dp(12)), spacing=dp(10))
        box.bind(minimum_height=box.setter("height"))
        paint(box, "ink", radius=RADIUS_CONTROL)
        box.add_widget(Icon(icon, 20, "paper", size=(dp(22), dp(26))))
        box.add_widget(Text(text, 14, ink="paper", pos_hint={"center_y": 0.5}))
        self._undo = self._button(*undo) if undo else None
        if undo:
            box.add_widget(self._undo)
        self.add_widget(box)

    @staticmethod
    def _button(word, act):
        label = Word(word, 16, True, "paper")
        size = (label.width + dp(24), dp(TOUCH))
        button = Touchable(act, "ink", "paper", RADIUS_CONTROL, size_hint=(None, None), size=size, padding=(dp(12), 0))
        button.label = word
        button.add_widget(label)
        return button

    def show(self, over):
        over.add_widget(self)
        Clock.schedule_once(lambda _dt: self._leave(over), UNDO_S if self._undo else 3.5)

    def _leave(self, over):
        fade = Animation(opacity=0, d=0.2)
        fade.bind(on_complete=lambda *_args: over.remove_widget(self))
        fade.start(self)

    def on_touch_down(self, touch):
        """What lies below is tapped through it, but for the undo."""
        return self._undo is not None and self._undo.on_touch_down(touch)


class Stage(FloatLayout):
    """Holds the present screen and what floats above it."""

    settle_s = 0.4
    """So long after a screen is seen a second tap at the place of the first is not one on what came there since."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._seen, self._tapped = 0.0, None

    def settle(self):
        """Another screen comes; it is seen once it was drawn."""
        self._seen = math.inf
        seen = lambda _dt: setattr(self, "_seen", Clock.get_time())  # noqa: E731 a moment
        Clock.schedule_once(lambda _dt: Clock.schedule_once(seen, 0), 0)

    def on_touch_down(self, touch):
        before, self._tapped = self._tapped, (touch.pos, self._sign_at(touch.pos))
        if before is not None and Clock.get_time() - self._seen < self.settle_s:
            (x, y), sign = before
            if abs(x - touch.x) + abs(y - touch.y) < dp(TOUCH) and (sign is None or sign != self._tapped[1]):
                return True
        return super().on_touch_down(touch)

    def _sign_at(self, place):
        """What the sign there is called, as an arrow, which one may tap several times; None where there is none."""
        here = [w for w in self.walk() if isinstance(w, IconButton) and w.collide_point(*w.to_widget(*place))]
        return here[-1].label if here else None

    def show(self, screen):
        self.clear_widgets()
        self.add_widget(screen)

    @property
    def screen(self):
        return self.children[-1] if self.children else None

    def places(self):
        """Where one looks on the present screen, for each thing that scrolls."""
        return [scroller.scroll_y for scroller in self._scrollers()]

    def put(self, places):
        """Look there again: nothing jumps when a screen is built anew."""
        for scroller, place in zip(self._scrollers(), places, strict=False):
            scroller.scroll_y = place

    def _scrollers(self):
        return [widget for widget in self.walk() if isinstance(widget, Scroller)]


def badge(text, tint="quiet", alpha=0.14, ink=None):
    """A small rounded word."""
    box = BoxLayout(size_hint=(None, None), height=dp(22), padding=(dp(8), 0), pos_hint={"center_y": 0.5})
    paint(box, tint, radius=11, alpha=alpha)
    words = Word(text, 12, True, ink or tint)
    box.add_widget(words)
    box.width = words.width + dp(16)
    return box
