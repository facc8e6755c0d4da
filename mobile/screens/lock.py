"""The PIN: asked for after a while, set and changed in the settings. Unsent work is sent behind it all the same."""

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.gridlayout import GridLayout

from mobile.field import locking
from mobile.field.store import clock
from mobile.screens.export import offered
from mobile.screens.parts import frame
from mobile.screens.sign_in import Mark
from mobile.widgets.base import Column, Icon, Row, Scroller, Text, Touchable, gap, paint
from mobile.widgets.controls import Notice, PushButton

KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "<")
KEY_DP = 64
NOTE_DP = 64
"""As tall as the longest note of a wrong PIN on a small phone, so that nothing moves."""
ENTER, BACKSPACE = (13, 271), 8


class Pad(Column):
    """Dots for what is typed, and twelve keys; those of a keyboard do the same."""

    def __init__(self, words, on_change, on_enter, **kwargs):
        super().__init__(spacing=12, **kwargs)
        self.words, self.typed, self._on_change, self._on_enter = words, "", on_change, on_enter
        Window.bind(on_keyboard=self._keyed)
        self.dots = Row(spacing=10, height=28, size_hint_x=None, pos_hint={"center_x": 0.5})
        self.add_widget(self.dots)
        keys = GridLayout(cols=3, spacing=dp(10), size_hint=(None, None), pos_hint={"center_x": 0.5})
        keys.bind(minimum_height=keys.setter("height"), minimum_width=keys.setter("width"))
        for key in KEYS:
            keys.add_widget(self._key(key))
        self.add_widget(keys)
        self._show()

    def _key(self, key):
        if not key:
            return gap(KEY_DP)
        side = {"size_hint": (None, None), "size": (dp(KEY_DP * 1.3), dp(KEY_DP))}
        button = Touchable(lambda: self.press(key), "paper", "line", 10, **side)
        button.label = "delete" if key == "<" else key
        middle = AnchorLayout()
        name, size = (self.words("pin_delete"), 14) if key == "<" else (key, 20)
        middle.add_widget(Text(name, size, True, align="center"))
        button.add_widget(middle)
        return button

    def _keyed(self, _window, key, _scancode, character, _modifiers):
        """A key of a keyboard, while this is what is shown."""
        if self.get_root_window() is None:
            return False
        if key in ENTER:
            self._on_enter()
        elif key == BACKSPACE:
            self.press("<")
        elif character and character in KEYS:
            self.press(character)
        else:
            return False
        return True

    def press(self, key):
        self.typed = self.typed[:-1] if key == "<" else (self.typed + key)[: locking.DIGITS[-1]]
        self._show()
        self._on_change()

    def clear(self):
        self.typed = ""
        self._show()

    def _show(self):
        self.dots.clear_widgets()
        many = max(locking.DIGITS[0], len(self.typed))
        for place in range(many):
            full = place < len(self.typed)
            self.dots.add_widget(Icon("circle_dot" if full else "circle", 18, "brand" if full else "quiet"))
        self.dots.width = dp(many * 22 + (many - 1) * 10)


class Lock(AnchorLayout):
    """Asks for the PIN; nothing of the data is on this screen."""

    def __init__(self, ctx, **kwargs):
        super().__init__(anchor_y="center", **kwargs)
        paint(self, "ground")
        self.ctx, words = ctx, ctx.words
        self.notes = AnchorLayout(size_hint_y=None)
        self.pad = Pad(words, self.clear_note, self.submit)
        self.button = PushButton(words("unlock"), self.submit, "check")
        forgotten = PushButton(words("pin_forgotten"), ctx.nav.forget_pin, kind="quiet")
        title = Text(words("locked"), 20, True, align="center")
        self.clear_note()
        page = Scroller(Mark(), title, self.notes, self.pad, self.button, forgotten, *offered(ctx), spacing=10)
        page.size_hint_x, page.width = None, dp(340)
        page.size_hint_y = None
        page.column.bind(height=lambda _c, high: setattr(page, "height", min(high, self.height)))
        self.bind(height=lambda _w, high: setattr(page, "height", min(page.column.height, high)))
        self.add_widget(page)
        self._say_wait(locking.waiting_s(ctx.phone.secrets, ctx.user_id, clock.now()))

    def clear_note(self):
        name = self.ctx.who.name if self.ctx.who else ""
        self._note(Text(name, 14, ink="quiet", align="center"))

    def _note(self, what):
        """In a place that is always there: the keys stay where they are."""
        self.notes.clear_widgets()
        self.notes.add_widget(what)
        what.bind(height=self._fit)
        self._fit(what, what.height)

    def _fit(self, what, high):
        """As tall as what is said now; what was said before does not count."""
        if what in self.notes.children:
            self.notes.height = max(dp(NOTE_DP), high)

    def submit(self):
        """The right PIN leads back to where the rep was; what can be none is no wrong try."""
        if len(self.pad.typed) not in locking.DIGITS:
            self.pad.clear()
            self._note(Notice(self.ctx.words("pin_short"), "warn"))
            return
        tried = locking.try_pin(self.ctx.phone.secrets, self.ctx.user_id, self.pad.typed, clock.now())
        self.pad.clear()
        if tried.ok:
            Clock.schedule_once(lambda _dt: self.ctx.nav.unlocked(), 0)
            return
        self._note(Notice(self.ctx.words("pin_wrong"), "bad"))
        self._say_wait(tried.wait_s)

    def _say_wait(self, seconds):
        """How long to wait, until it is over."""
        if not seconds:
            return
        words = self.ctx.words
        text = words.count("pin_wait", "pin_wait_1", seconds) if seconds < 120 else words("pin_wait_long")
        told = Notice(text, "warn")
        self._note(told)
        Clock.schedule_once(lambda _dt: self._wait_on(told), 1)

    def _wait_on(self, told):
        """A second later, where the same is still said."""
        if told in self.notes.children and self.get_root_window() is not None:
            self.clear_note()
            self._say_wait(locking.waiting_s(self.ctx.phone.secrets, self.ctx.user_id, clock.now()))


def build(ctx):
    return Lock(ctx)


def build_set(ctx):
    """A new PIN, typed twice."""
    words, first, notes = ctx.words, [], Column()
    ask = Text(words("pin_choose"), 16, align="center")

    def take():
        notes.clear_widgets()
        typed = pad.typed
        pad.clear()
        if len(typed) not in locking.DIGITS:
            notes.add_widget(Notice(words("pin_short"), "warn"))
        elif not first:
            first.append(typed)
            ask.text = words("pin_again")
        elif first.pop() != typed:
            ask.text = words("pin_choose")
            notes.add_widget(Notice(words("pin_differs"), "warn"))
        else:
            locking.set_pin(ctx.phone.secrets, ctx.user_id, typed)
            ctx.nav.back()
            ctx.nav.toast(words("pin_set"))

    pad = Pad(words, notes.clear_widgets, take)
    page = Scroller(ask, pad, notes, PushButton(words("take_over"), take, "check"))
    return frame(ctx, words("pin_code"), page, back=True)
