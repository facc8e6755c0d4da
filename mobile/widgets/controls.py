"""Buttons, fields and choices, each at least 48 dp for the thumb."""

from typing import ClassVar

from kivy.clock import Clock
from kivy.graphics import Color, Line, PopMatrix, PushMatrix, Rotate, RoundedRectangle
from kivy.metrics import dp, sp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.stacklayout import StackLayout
from kivy.uix.textinput import TextInput

from mobile.theme import RADIUS_CONTROL, TINT, TOUCH
from mobile.widgets.base import Column, Icon, Text, Touchable, Word, colour, follow_letters, font_of, paint

KINDS = {"primary": ("brand", "on_brand"), "quiet": ("paper", "brand"), "danger": ("paper", "bad")}


class PushButton(Touchable):
    """An icon and a word."""

    def __init__(self, label, on_tap, icon=None, kind="primary", **kwargs):
        fill, ink = KINDS[kind]
        kwargs.setdefault("size_hint_y", None)
        kwargs.setdefault("height", dp(TOUCH))
        super().__init__(on_tap, fill, None if kind == "primary" else "line", RADIUS_CONTROL, **kwargs)
        self.kind, self.label = kind, label
        inner = BoxLayout(spacing=dp(8), size_hint=(None, 1), padding=(dp(8), 0))
        inner.bind(minimum_width=inner.setter("width"))
        self._inner, self._sign = inner, Icon(icon, 20, ink, size_hint=(None, 1), width=dp(22)) if icon else None
        self._word = Word(label, 16, True, ink)
        inner.add_widget(self._word)
        self.bind(width=self._fit)
        self._word.bind(width=self._fit)
        self._fit()
        middle = AnchorLayout()
        middle.add_widget(inner)
        self.add_widget(middle)

    def _fit(self, *_args):
        """Where both have no room the word stands alone."""
        if self._sign is None:
            return
        has_room = self._word.width + self._sign.width + dp(24) <= self.width
        if has_room and self._sign.parent is None:
            self._inner.add_widget(self._sign, index=1)
        elif not has_room and self._sign.parent is not None:
            self._inner.remove_widget(self._sign)

    def _press(self, *_args):
        down = {"primary": "brand_hover"}.get(self.kind, "line")
        self.fill_colour.rgba = colour(down if self.state == "down" else self._fill)


class IconButton(Touchable):
    """An icon alone, for bars and maps; `label` names it for tests and screen readers."""

    def __init__(self, icon, on_tap, label="", ink="ink", fill="paper", line=None, size=22, **kwargs):
        super().__init__(
            on_tap, fill, line, RADIUS_CONTROL, size_hint=(None, None), size=(dp(TOUCH), dp(TOUCH)), **kwargs
        )
        self.label = label
        middle = AnchorLayout()
        middle.add_widget(Icon(icon, size, ink))
        self.add_widget(middle)


class Field(Column):
    """A label above an input."""

    def __init__(self, label, value="", secret=False, hint="", lines=1, on_enter=None, input_type="text", **kwargs):
        super().__init__(spacing=4, **kwargs)
        self.name, self.is_wrong, self.heading = "", False, Text(label, 14, ink="quiet")
        if label:
            self.add_widget(self.heading)
        self.input = TextInput(
            font_name=font_of(value),  # fonts before texts: Kivy draws a hint the moment it is set
            font_size=sp(16),
            text=value,
            hint_text=hint,
            multiline=lines > 1,
            password=secret,
            input_type=input_type if lines == 1 else "text",
            write_tab=False,
            size_hint_y=None,
            height=dp(TOUCH) if lines == 1 else dp(28 + 22 * lines),
            padding=(dp(12), dp(13), dp(12), dp(8)),
            background_normal="",
            background_active="",
            background_color=(0, 0, 0, 0),
            foreground_color=colour("ink"),
            hint_text_color=colour("quiet"),
            cursor_color=colour("brand"),
            selection_color=colour("brand", 0.3),
        )
        if on_enter is not None and lines == 1:
            self.input.bind(on_text_validate=lambda *_args: on_enter())
        self.add_widget(self._framed(self.input))
        self.input.bind(text=lambda *_args: self.mark(False))
        self.input.bind(text=follow_letters)
        if lines == 1:
            self.input.bind(text=lambda field, _text: Clock.schedule_once(lambda _dt: self._into_sight(field), 0))

    def _into_sight(self, field):
        """What fits is seen from its first letter on: Kivy leaves it where a longer text was."""
        if field.scroll_x and field.cursor_offset() <= field.width - field.padding[0] - field.padding[2]:
            field.scroll_x = 0

    def mark(self, is_wrong):
        """Let it stand out that what is written here does not fit, until something else is."""
        if is_wrong != self.is_wrong:
            self.is_wrong = is_wrong
            self.heading.color, self.heading.bold = colour("bad" if is_wrong else "quiet"), is_wrong
            self._follow()

    def _framed(self, field):
        """A box around the input: a line, in the brand's colour while one types."""
        box = BoxLayout(size_hint_y=None, height=field.height)
        with box.canvas.before:
            Color(*colour("paper"))
            shape = RoundedRectangle(radius=[dp(RADIUS_CONTROL)] * 4)
            edge_colour = Color(*colour("line"))
            edge = Line(width=dp(1))

        def follow(*_args):
            shape.pos, shape.size = box.pos, box.size
            edge.rounded_rectangle = (box.x, box.y, box.width, box.height, dp(RADIUS_CONTROL))
            edge_colour.rgba = colour("bad" if self.is_wrong else "brand" if field.focus else "line")

        self._follow = follow
        box.bind(pos=follow, size=follow)
        field.bind(focus=follow)
        box.add_widget(field)
        return box

    @property
    def value(self):
        return self.input.text.strip()


class Chips(StackLayout):
    """One choice out of a few, all visible; several of them with `many`."""

    def __init__(self, options, chosen=None, on_choose=None, many=False, **kwargs):
        super().__init__(size_hint_y=None, spacing=dp(8), **kwargs)
        self.bind(minimum_height=self.setter("height"))
        self._options, self._on_choose = options, on_choose
        self._many = many
        self.chosen = list(chosen or ()) if many else chosen
        self._build()

    def _build(self):
        self.clear_widgets()
        for value, label in self._options:
            self.add_widget(self._chip(value, label))

    def _chip(self, value, label):
        on = value in self.chosen if self._many else value == self.chosen
        chip = Touchable(
            lambda: self.choose(value), "brand" if on else "paper", "brand" if on else "line", 24,
            size_hint=(None, None), height=dp(TOUCH), padding=(dp(8), 0),
        )  # fmt: skip
        chip.label = label
        words, chosen = Word(label, 16, False, "ink"), Word(label, 16, True, "on_brand")
        chip.width = chosen.width + dp(36)  # with the sign and without: nothing moves under a second tap
        if on:
            chip.add_widget(Icon("check", 18, "on_brand", size_hint=(None, 1), width=dp(20)))
            chip.add_widget(chosen)
        else:
            middle = AnchorLayout()
            middle.add_widget(words)
            chip.add_widget(middle)
        return chip

    def choose(self, value):
        if self._many:
            value = [v for v, _ in self._options if (v in self.chosen) != (v == value)]
        self.chosen = value
        Clock.schedule_once(lambda _dt: self._build(), 0)
        if self._on_choose:
            self._on_choose(value)


class Working(BoxLayout):
    """A sign that turns, and what is being done."""

    def __init__(self, text, **kwargs):
        super().__init__(size_hint_y=None, height=dp(64), padding=dp(16), spacing=dp(12), **kwargs)
        paint(self, "paper", "line", RADIUS_CONTROL)
        icon = Icon("refresh_cw", 24, "brand")
        with icon.canvas.before:
            PushMatrix()
            self._turn = Rotate(angle=0)
        with icon.canvas.after:
            PopMatrix()
        icon.bind(center=lambda _icon, middle: setattr(self._turn, "origin", middle))
        self.add_widget(icon)
        self.add_widget(Text(text, 16, pos_hint={"center_y": 0.5}))
        Clock.schedule_interval(self._on, 1 / 20)

    def _on(self, dt):
        self._turn.angle = (self._turn.angle - 240 * dt) % 360
        return self.get_parent_window() is not None


class Notice(BoxLayout):
    """A tinted line with an icon and words: info, good, warn or bad."""

    ICONS: ClassVar = {"info": "info", "good": "circle_check", "warn": "triangle_alert", "bad": "circle_x"}

    def __init__(self, text, kind="info", **kwargs):
        super().__init__(size_hint_y=None, padding=(dp(12), dp(10)), spacing=dp(10), **kwargs)
        paint(self, "paper", radius=RADIUS_CONTROL)
        paint(self, kind, radius=RADIUS_CONTROL, alpha=TINT)
        self.bind(minimum_height=self.setter("height"))
        self.add_widget(Icon(self.ICONS[kind], 20, kind, size_hint=(None, None), size=(dp(22), dp(24))))
        self.add_widget(Text(text, 14, pos_hint={"center_y": 0.5}))
