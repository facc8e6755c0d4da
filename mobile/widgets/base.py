"""Text, icons, cards and columns: the few pieces everything else is made of."""

import functools
import re
from pathlib import Path

from kivy import kivy_data_dir
from kivy.base import EventLoop
from kivy.clock import Clock, mainthread
from kivy.core.text import LabelBase
from kivy.graphics import Color, Line, RoundedRectangle
from kivy.metrics import dp, sp
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.scrollview import ScrollView

from mobile.theme import LIGHT, LINE_HEIGHT, RADIUS_CARD, Palette, rgba
from mobile.widgets.icons import ICONS

READABLE_DP = 760
FONTS = Path(__file__).parent.parent / "fonts"


class Look:
    """The palette in use; screens are built anew when it changes."""

    palette: Palette = LIGHT


look = Look()


def colour(token, alpha=1.0):
    """A token's name, or a #RRGGBB value, as Kivy wants it."""
    return rgba(token if token.startswith("#") else getattr(look.palette, token), alpha)


def register_fonts():
    """Make Inter the app's text, Kivy's own DejaVu that of other writings, and Lucide the icons."""
    LabelBase.register("Inter", str(FONTS / "Inter-Regular.otf"), fn_bold=str(FONTS / "Inter-SemiBold.otf"))
    other = Path(kivy_data_dir) / "fonts" / "DejaVuSans.ttf"
    LabelBase.register("Other", str(other if other.exists() else FONTS / "Inter-Regular.otf"))
    LabelBase.register("Icons", str(FONTS / "lucide.ttf"))


EMOJI = re.compile("[\u2600-\u2712\u2714-\u27bf\U0001f000-\U0001faff][\u2600-\u27bf\U0001f000-\U0001faff\ufe0f\u200d]*")
"""Signs that the fonts lack: drawn as they are they would be nothing at all."""
LATIN = (
    "\\s -~\u00a0-\u0148\u014a-\u017f\u0218-\u021b\u1e9e\u2009-\u2011\u2013\u2014\u2018\u2019\u201c-\u201e"
    "\u2022\u2026\u202f\u2032\u2033\u20ac\u2190-\u2193\u2212\u2248\u2264\u2265\u2713"
)
DOT = re.compile(" +(?=· )")
"""The spaces before a dot between parts: no line begins with one."""
OTHER = re.compile(f"[^{LATIN}]")
"""Letters that Inter, as it is bundled, lacks."""


def font_of(text):
    """The font that has a text's letters: Greek, Cyrillic, Hebrew and the like would be gaps in Inter."""
    return "Other" if OTHER.search(text) else "Inter"


def drawn(text):
    """How a text is drawn: signs that no font has by their name, dots beside what stands before them, and the font that
    has its letters."""
    text = DOT.sub(lambda spaces: "\u00a0" * len(spaces[0]), EMOJI.sub("(Emoji)", text))
    return {"text": text, "font_name": font_of(text)}


def follow_letters(widget, text):
    """Let a widget whose text changes keep a font that has its letters."""
    widget.font_name = font_of(text)


def draw_anew(widget, text):
    """Draw a text that changes like one that does not."""
    for name, value in drawn(text).items():
        setattr(widget, name, value)


class Text(Label):
    """Words that wrap to the width they get and are as tall as they need."""

    def __init__(self, text="", size=16, bold=False, ink="ink", lines=0, align="left", **kwargs):
        super().__init__(
            **drawn(text),
            font_size=sp(size),
            bold=bold,
            color=colour(ink),
            line_height=1.0,
            halign=align,
            valign="middle",
            size_hint_y=None,
            max_lines=lines,
            shorten=lines == 1,
            shorten_from="right",
            **kwargs,
        )
        self._padding = sp(size) * (LINE_HEIGHT - 1.2)
        self.bind(text=draw_anew, width=self._wrap, texture_size=self._grow)
        self._wrap()
        self._grow()

    def _wrap(self, *_args):
        self.text_size = (self.width, None)

    def _grow(self, *_args):
        self.height = self.texture_size[1] + self._padding if self.text else 0


class Word(Label):
    """One line, exactly as wide as its words."""

    def __init__(self, text, size=16, bold=False, ink="ink", **kwargs):
        super().__init__(
            **drawn(text),
            font_size=sp(size),
            bold=bold,
            color=colour(ink),
            size_hint=(None, 1),
            valign="middle",
            **kwargs,
        )
        self.bind(texture_size=lambda _label, size: setattr(self, "width", size[0]))
        self.texture_update()


class Icon(Label):
    """One glyph of the icon font in a square."""

    def __init__(self, name, glyph=20, ink="ink", **kwargs):
        kwargs.setdefault("size_hint", (None, None))
        kwargs.setdefault("size", (dp(glyph) * 1.2, dp(glyph) * 1.2))
        kwargs.setdefault("pos_hint", {"center_y": 0.5})
        super().__init__(text=ICONS[name], font_name="Icons", font_size=dp(glyph), color=colour(ink), **kwargs)


class Column(BoxLayout):
    """Children under each other, as tall as all of them."""

    def __init__(self, *children, spacing=8, padding=0, **kwargs):
        kwargs.setdefault("size_hint_y", None)
        kwargs.setdefault("orientation", "vertical")
        insets = [dp(p) for p in padding] if isinstance(padding, list | tuple) else dp(padding)
        super().__init__(spacing=dp(spacing), padding=insets, **kwargs)
        if self.size_hint_y is None:
            self.height = 0
            self.bind(minimum_height=self.setter("height"))
        for child in children:
            if child is not None:
                self.add_widget(child)


class Row(BoxLayout):
    """Children beside each other, as tall as the tallest."""

    def __init__(self, *children, spacing=8, padding=0, height=None, **kwargs):
        kwargs.setdefault("size_hint_y", None)
        insets = [dp(p) for p in padding] if isinstance(padding, list | tuple) else dp(padding)
        super().__init__(orientation="horizontal", spacing=dp(spacing), padding=insets, **kwargs)
        if height is not None:
            self.height = dp(height)
        elif self.size_hint_y is None:
            self.bind(minimum_height=self.setter("height"))
        for child in children:
            if child is not None:
                self.add_widget(child)


def paint(widget, fill=None, line=None, radius=0, alpha=1.0):
    """Give a widget a background and a hairline that follow its size."""
    with widget.canvas.before:
        if fill:
            widget.fill_colour = Color(*colour(fill, alpha))
            shape = RoundedRectangle(radius=[dp(radius)] * 4)
        if line:
            Color(*colour(line))
            edge = Line(width=dp(0.75))

    def follow(*_args):
        if fill:
            shape.pos, shape.size = widget.pos, widget.size
        if line:
            edge.rounded_rectangle = (widget.x, widget.y, widget.width, widget.height, dp(radius or 1))

    widget.bind(pos=follow, size=follow)
    follow()


class Card(Column):
    """A raised piece of paper."""

    def __init__(self, *children, padding=16, fill="paper", line="line", radius=RADIUS_CARD, **kwargs):
        super().__init__(*children, padding=padding, **kwargs)
        paint(self, fill, line, radius)


LOST_S = 3.0
"""After so long a finger that never came up again is forgotten."""
STRAY_DP = 24
"""A finger that comes up farther from where it went down was moving something, however late that was seen."""


def between_touches(run):
    """For what another thread reports: run by the thread of the window while no finger is on it. A tap on a screen that
    is built anew before the finger comes up would be lost."""

    def wait(args, since):
        if any(one.is_touch for one in EventLoop.touches) and Clock.get_time() - since < LOST_S:
            Clock.schedule_once(lambda _dt: wait(args, since), 0)
        else:
            run(*args)

    @mainthread
    @functools.wraps(run)
    def report(*args):
        wait(args, Clock.get_time())

    return report


class Touchable(ButtonBehavior, BoxLayout):
    """Anything that reacts to a tap as a whole, with a visible press."""

    def __init__(self, on_tap=None, fill="paper", line=None, radius=0, **kwargs):
        super().__init__(**kwargs)
        self._fill = fill
        self._finger = None
        paint(self, fill, line, radius)
        if on_tap is not None:
            self.bind(on_release=lambda *_args: on_tap())
        self.bind(state=self._press)

    def on_touch_down(self, touch):
        """A second finger on it is no second tap; one that was lost on its way up holds nothing for long."""
        is_held = self._finger is not None and touch.time_start - self._finger.time_start < LOST_S
        if is_held and self.collide_point(*touch.pos):
            return True
        taken = super().on_touch_down(touch)
        self._finger = touch if taken and touch.ud.get(self) else None
        return taken

    def on_touch_up(self, touch):
        if touch is self._finger:
            self._finger = None
        if touch.grab_current is self and abs(touch.x - touch.ox) + abs(touch.y - touch.oy) > dp(STRAY_DP):
            touch.ungrab(self)
            self.state = "normal"
            return True
        return super().on_touch_up(touch)

    def _press(self, *_args):
        if self._fill:
            self.fill_colour.rgba = colour("line") if self.state == "down" else colour(self._fill)


def margin_of(width):
    """What stays empty on each side of a wide window, so that lines are short enough to read."""
    return max(0, (width - dp(READABLE_DP)) / 2)


def readable(column):
    """Keep a column's lines short enough to read on wide windows; the rest is margin."""
    left, top, right, bottom = column.padding

    def follow(_column, width):
        margin = margin_of(width)
        column.padding = (left + margin, top, right + margin, bottom)

    column.bind(width=follow)
    return column


class Scroller(ScrollView):
    """A column that scrolls."""

    def __init__(self, *children, spacing=12, padding=(16, 12, 16, 24), is_readable=True, **kwargs):
        super().__init__(do_scroll_x=False, bar_width=dp(3), bar_color=colour("quiet", 0.5), **kwargs)
        self.scroll_type = ["bars", "content"]
        self.column = Column(*children, spacing=spacing, padding=padding)
        self.bind(height=self._rest, viewport_size=self._rest)
        if is_readable:
            readable(self.column)
        self.add_widget(self.column)

    def _rest(self, *_args):
        """What fits stays at the top when the room for it changes; Kivy lets it swing for a second."""
        if self.viewport_size[1] <= self.height:
            self.effect_y.velocity, self.effect_y.value, self.scroll_y = 0, self.effect_y.max, 1

    def show_soon(self, child):
        """Scroll to something as soon as everything has its height."""

        def scroll(_dt):
            if self.viewport_size[1] > self.height:
                self.scroll_to(child, padding=dp(16), animate=False)

        Clock.schedule_once(lambda _dt: Clock.schedule_once(scroll, 0), 0)

    def begin_with(self, child):
        """The same with something at the upper edge, unless the rep has scrolled already."""

        def scroll(_dt):
            more = self.column.height - self.height
            if more > 0 and self.scroll_y == 1:
                self.scroll_y = min(1.0, max(0.0, 1 - (self.column.height - child.top) / more))

        Clock.schedule_once(lambda _dt: Clock.schedule_once(scroll, 0), 0)


def gap(height=8):
    """Empty space."""
    return BoxLayout(size_hint_y=None, height=dp(height))


def rule():
    """A hairline."""
    line = BoxLayout(size_hint_y=None, height=dp(1))
    paint(line, "line")
    return line
