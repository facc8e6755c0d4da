"""The PIN: asked for after a while, set, changed and removed in the settings. Work is sent behind it all the same."""

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


class Asking:
    """Asks for the PIN that is set: has `ctx`, `pad` and `notes`; `rests` is what these say while nothing is wrong."""

    def clear_note(self):
        self._note(self.rests())

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

    def typed(self):
        """What was typed, and is typed no more; None, with a word, where that can be no PIN."""
        typed = self.pad.typed
        self.pad.clear()
        if len(typed) in locking.DIGITS:
            return typed
        self._note(Notice(self.ctx.words("pin_short"), "warn"))
        return None

    def is_right(self):
        """Whether the PIN was typed; what can be none is no wrong try."""
        typed = self.typed()
        if typed is None:
            return False
        tried = locking.try_pin(self.ctx.phone.secrets, self.ctx.user_id, typed, clock.now())
        if not tried.ok:
            self._note(Notice(self.ctx.words("pin_wrong"), "bad"))
            self._say_wait(tried.wait_s)
        return tried.ok

    def say_wait(self):
        """How long to wait, until it is over; nothing where the next try counts."""
        self._say_wait(locking.waiting_s(self.ctx.phone.secrets, self.ctx.user_id, clock.now()))

    def _say_wait(self, seconds):
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
            self.say_wait()


class Lock(Asking, AnchorLayout):
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
        self.say_wait()

    def rests(self):
        return Text(self.ctx.who.name if self.ctx.who else "", 14, ink="quiet", align="center")

    def submit(self):
        """The right PIN leads back to where the rep was."""
        if self.is_right():
            Clock.schedule_once(lambda _dt: self.ctx.nav.unlocked(), 0)


class NewPin(Asking, Column):
    """The PIN that is set, then a new one, typed twice; with `removes` none."""

    def __init__(self, ctx, removes, **kwargs):
        super().__init__(spacing=10, **kwargs)
        self.ctx, self.removes, self.first, words = ctx, removes, None, ctx.words
        self.asks_old = locking.has_pin(ctx.phone.secrets, ctx.user_id)
        self.notes = AnchorLayout(size_hint_y=None)
        self.pad = Pad(words, self.clear_note, self.submit)
        self.add_widget(self.notes)
        self.add_widget(self.pad)
        self.add_widget(PushButton(words("take_over"), self.submit, "check"))
        self.forgotten = PushButton(words("pin_forgotten"), ctx.nav.forget_pin, kind="quiet")
        if self.asks_old:
            self.add_widget(self.forgotten)
        self.clear_note()
        self.say_wait()

    def rests(self):
        asked = "pin_old" if self.asks_old else "pin_choose" if self.first is None else "pin_again"
        return Text(self.ctx.words(asked), 16, align="center")

    def submit(self):
        if self.asks_old:
            if self.is_right():
                self._let_in()
            return
        typed = self.typed()
        if typed is None:
            return
        if self.first is None:
            self.first = typed
            self.clear_note()
        elif self.first != typed:
            self.first = None
            self._note(Notice(self.ctx.words("pin_differs"), "warn"))
        else:
            locking.set_pin(self.ctx.phone.secrets, self.ctx.user_id, typed)
            self._done("pin_set")

    def _let_in(self):
        """Whoever knows the PIN that is set may change it."""
        if self.removes:
            locking.remove_pin(self.ctx.phone.secrets, self.ctx.user_id)
            self._done("pin_removed")
            return
        self.asks_old = False
        self.remove_widget(self.forgotten)
        self.clear_note()

    def _done(self, said):
        self.ctx.nav.back()
        self.ctx.nav.toast(self.ctx.words(said))


def build(ctx):
    return Lock(ctx)


def build_set(ctx, removes=False):
    return frame(ctx, ctx.words("remove_pin" if removes else "pin_code"), Scroller(NewPin(ctx, removes)), back=True)
