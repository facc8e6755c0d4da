"""Pins, bubbles and routes on the map: drawn once, and only moved while fingers move the map."""

import math
from dataclasses import dataclass

from kivy.graphics import (
    Color,
    Ellipse,
    InstructionGroup,
    Line,
    PopMatrix,
    PushMatrix,
    Rectangle,
    Rotate,
    Scale,
    Translate,
)
from kivy.metrics import dp

from mobile.widgets.base import colour

LATE = "bad"
"""The colour of what is late: such pins are counted at the edge of a bubble."""
KEPT = 400
"""Marks that are remembered."""


@dataclass(frozen=True)
class Pin:
    """A point to show; `key` is handed back when it is tapped."""

    key: str
    lon: float
    lat: float
    label: str = ""
    ink: str = "brand"
    size: float = 12
    uncertainty_m: float = 0
    gathers: bool = False
    """Whether it is counted together with its neighbours when the map is small."""
    is_ring: bool = False
    """Whether it is hollow."""
    sign: str = ""
    """The name of an icon at its edge, so that colour does not stand alone."""
    icon: str = ""
    """The name of an icon in its middle."""
    since: int = 0
    """From which zoom on it is there."""


def disc(radius, token, alpha=1.0):
    """A filled circle around the origin."""
    yield Color(*colour(token, alpha))
    yield Ellipse(pos=(-radius, -radius), size=(2 * radius, 2 * radius), segments=32)


def writing(texture):
    """A text in the middle of the origin."""
    yield Color(1, 1, 1)
    yield Rectangle(texture=texture, size=texture.size, pos=(-texture.width / 2, -texture.height / 2))


def pin(radius, ink, wide, texture, *, hollow=False, sign=None):
    """A pin, its doubt around it when that is wider, what is written on it, and a sign at its edge."""
    if wide:
        yield from disc(wide, ink, 0.15)
    yield from disc(radius + dp(2), "map_halo")
    yield from disc(radius, ink)
    if hollow:
        yield from disc(radius - dp(2), "map_halo")
    if texture is not None:
        yield from writing(texture)
    if sign is not None:
        yield from badge(radius * 0.85, 6, 7.5, ink, sign)


def crowd(radius, inks, texture, late=None):
    """A bubble with a count, and a ring of the shares of the colours; how many are late stands at its edge."""
    yield from disc(radius + dp(2), "map_halo")
    count, start = sum(many for _, many in inks), 0.0
    for ink, many in inks:
        end = start + 360 * many / count
        yield Color(*colour(ink))
        box = {"pos": (-radius, -radius), "size": (2 * radius, 2 * radius)}
        yield Ellipse(**box, angle_start=start, angle_end=end, segments=24)
        start = end
    yield from disc(radius - dp(4), "paper")
    yield from writing(texture)
    if late is not None:
        yield from badge(radius * 0.8, 9, 10, LATE, late)


def badge(away, wide_dp, halo_dp, ink, texture):
    """A small disc with something written on it, above to the right."""
    yield PushMatrix()
    yield Translate(away, away)
    yield from disc(dp(halo_dp), "map_halo")
    yield from disc(dp(wide_dp), ink)
    yield from writing(texture)
    yield PopMatrix()


def me(wide):
    """Where I am, and how surely."""
    yield from disc(wide, "info", 0.2)
    yield from disc(dp(9), "map_halo")
    yield from disc(dp(6.5), "info")


class Mark(InstructionGroup):
    """Something upright at a place of the window."""

    def __init__(self, parts):
        super().__init__()
        self._place = Translate(0, 0)
        for part in (PushMatrix(), self._place, *parts, PopMatrix()):
            self.add(part)

    def put(self, x, y):
        self._place.xy = x, y


class Marks(InstructionGroup):
    """The marks in view, the first lowest."""

    def __init__(self):
        super().__init__()
        self._made, self._order = {}, []

    def show(self, wanted):
        """Put marks: each a key that says all of its look, its place in the window, and what draws it once."""
        order = []
        for key, x, y, draw in wanted:
            if key not in self._made:
                self._made[key] = Mark(draw())
            self._made[key].put(x, y)
            order.append(key)
        if order != self._order:
            self._order = order
            self.clear()
            for key in order:
                self.add(self._made[key])
        if len(self._made) > KEPT + len(order):
            self._made = {key: self._made[key] for key in order}

    def forget(self):
        """Everything looks otherwise from now on."""
        self.clear()
        self._made, self._order = {}, []


class Routes(InstructionGroup):
    """Lines that turn and stretch with the map; drawn anew when it rests at another scale."""

    def __init__(self):
        super().__init__()
        self._lines, self._from, self._inside = [], None, InstructionGroup()
        self._middle, self._turn = Translate(0, 0), Rotate(angle=0, axis=(0, 0, 1))
        self._shift, self._stretch = Translate(0, 0), Scale(1, 1, 1)
        before = (PushMatrix(), self._middle, self._turn, self._shift, self._stretch)
        for part in (*before, self._inside, PopMatrix()):
            self.add(part)

    def show(self, lines):
        """Lines of places of the world, each with its kind."""
        self._lines, self._from = lines, None

    def put(self, middle, bearing, centre, scale, *, rests=False):
        """Move them to the middle of the window; `scale` is the pixels per side of the world."""
        stretch = scale / self._from[2] if self._from else 0
        if not 0.5 <= stretch <= 2 or (rests and stretch != 1):
            self._draw(centre, scale)
            stretch = 1
        x, y, _ = self._from
        self._middle.xy, self._turn.angle = middle, math.degrees(bearing)
        self._shift.xy = (x - centre[0]) * scale, (centre[1] - y) * scale
        self._stretch.xyz = stretch, stretch, 1

    def _draw(self, centre, scale):
        self._from = (*centre, scale)
        self._inside.clear()
        for places, kind in self._lines:
            flat = [c for x, y in places for c in ((x - centre[0]) * scale, (centre[1] - y) * scale)]
            if len(flat) >= 4:
                for part in stroke(flat, kind):
                    self._inside.add(part)


def stroke(flat, kind):
    """A line: "route" with a halo, "guess" straight and dashed, "track" as a broad band that a route lies on."""
    if kind == "track":
        yield Color(*colour("info", 0.5))
        yield Line(points=flat, width=dp(5), joint="round", cap="round")
        return
    if kind == "route":
        yield Color(*colour("map_halo", 0.9))
        yield Line(points=flat, width=dp(3.2), joint="round", cap="round")
    yield Color(*colour("accent"))
    if kind == "guess":
        yield Line(points=flat, width=1, dash_length=dp(8), dash_offset=dp(5))
    else:
        yield Line(points=flat, width=dp(1.8), joint="round", cap="round")


def beside(x, y, reach, signs):
    """Where a sign that reaches so far is drawn, so that it and others (x, y and reach in pixels) are seen whole: it
    gives way to each that it would touch."""
    for other_x, other_y, other in signs:
        near, least = math.hypot(x - other_x, y - other_y), reach + other
        if near < least:
            along, up = ((x - other_x) / near, (y - other_y) / near) if near else (0.0, 1.0)
            x, y = other_x + along * least, other_y + up * least
    return x, y
