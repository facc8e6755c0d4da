"""The map: vector tiles from a pack on the phone, with the route, pins and me on top."""

import math
from dataclasses import dataclass

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.graphics import Color, Ellipse, InstructionGroup, Line, Rectangle
from kivy.metrics import dp, sp
from kivy.uix.stencilview import StencilView

from mobile.field.maps.labels import Label, place
from mobile.field.maps.projection import metres_to_world, to_lonlat, to_world, zoom_for
from mobile.widgets.base import colour
from mobile.widgets.mapstyle import name
from mobile.widgets.maptile import TILE_PX, TileGraphics

MIN_ZOOM, MAX_ZOOM = 6.0, 18.0
KEPT_TILES = 80
HOLD_S = 0.6


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


class MapView(StencilView):
    """Pan with one finger, zoom with two, the wheel or a double tap. Works without network."""

    def __init__(self, packs, on_pin=None, on_hold=None, **kwargs):
        super().__init__(**kwargs)
        self.packs, self.on_pin, self.on_hold = packs, on_pin, on_hold
        self.centre, self.zoom = (0.5, 0.35), 8.0
        self.pins, self.lines, self.me = [], [], None
        self._tiles, self._wanted, self._touches = {}, [], {}
        self._textures, self._fit = {}, None
        self._ground, self._base, self._names, self._top = (InstructionGroup() for _ in range(4))
        for group in (self._ground, self._base, self._top, self._names):
            self.canvas.add(group)
        self.bind(size=self._resized, pos=lambda *_a: self.refresh())
        self._settle = Clock.create_trigger(lambda _dt: self._draw_names(), 0.08)
        self._load = Clock.create_trigger(lambda _dt: self._load_one(), 0)

    # -- what is shown

    def show(self, pins=(), lines=(), me=None):
        """Put things on the map: pins, routes as lists of (lon, lat) with "dashed", and my own fix."""
        self.pins, self.lines, self.me = list(pins), list(lines), me
        self._world_lines = [([to_world(*p) for p in points], dashed) for points, dashed in self.lines]
        self.refresh()

    def fit(self, points, most=15.5):
        """Show all the given (lon, lat) with a margin."""
        if not points:
            return
        self._fit = (list(points), most)
        world = [to_world(*p) for p in points]
        xs, ys = [p[0] for p in world], [p[1] for p in world]
        self.centre = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
        margin = dp(96)
        room = max(self.width - margin, dp(80)), max(self.height - margin, dp(80))
        self.zoom = max(MIN_ZOOM, min(most, zoom_for(world, *room, TILE_PX * dp(1))))
        self.refresh()

    def _resized(self, *_args):
        if self._fit:
            self.fit(*self._fit)
        self.refresh()

    # -- geometry

    @property
    def scale(self):
        """Pixels of the window per side of the world."""
        return TILE_PX * dp(1) * 2**self.zoom

    def to_window_px(self, wx, wy):
        scale = self.scale
        return self.center_x + (wx - self.centre[0]) * scale, self.center_y - (wy - self.centre[1]) * scale

    def lonlat_px(self, lon, lat):
        return self.to_window_px(*to_world(lon, lat))

    def px_lonlat(self, x, y):
        """The place under a point of the window."""
        scale = self.scale
        return to_lonlat(self.centre[0] + (x - self.center_x) / scale, self.centre[1] - (y - self.center_y) / scale)

    # -- drawing

    def refresh(self):
        """Redraw for the present centre and zoom; names follow when the view rests."""
        if self.width < 2 or self.height < 2:
            return
        self._ground.clear()
        self._ground.add(Color(*colour("map_ground")))
        self._ground.add(Rectangle(pos=self.pos, size=self.size))
        self._names.clear()
        self._place_tiles()
        self._draw_top()
        self._settle()

    def _visible(self):
        """Tiles in view as (pack index, z, x, y), for each pack at its own best zoom."""
        half_x, half_y = self.width / 2 / self.scale, self.height / 2 / self.scale
        west, north = self.centre[0] - half_x, self.centre[1] - half_y
        east, south = self.centre[0] + half_x, self.centre[1] + half_y
        for index, pack in enumerate(self.packs):
            z = pack.zoom_for(self.zoom)
            n = 2**z
            box = [*to_world(pack.bbox[0], pack.bbox[3]), *to_world(pack.bbox[2], pack.bbox[1])]
            xs = range(int(max(west, box[0]) * n), int(min(east, box[2]) * n) + 1)
            ys = range(int(max(north, box[1]) * n), int(min(south, box[3]) * n) + 1)
            tiles = [(index, z, x, y) for x in xs for y in ys]
            yield from sorted(
                tiles, key=lambda t: abs((t[2] + 0.5) / n - self.centre[0]) + abs((t[3] + 0.5) / n - self.centre[1])
            )

    def _place_tiles(self):
        self._base.clear()
        visible = list(self._visible())[:KEPT_TILES]
        for key in visible:
            if key in self._tiles:
                self._put(key)
        self._wanted = [key for key in visible if key not in self._tiles]
        if self._wanted:
            self._load()
        for key in [k for k in self._tiles if k not in visible][: max(0, len(self._tiles) - KEPT_TILES)]:
            del self._tiles[key]

    def _put(self, key):
        tile, (_index, z, x, y) = self._tiles[key], key
        left, top = self.to_window_px(x / 2**z, y / 2**z)
        tile.put(left, top, self.scale / 2**z)
        self._base.add(tile)

    def _load_one(self):
        """Draw one missing tile per frame, so that a finger never waits."""
        if not self._wanted:
            return
        key = self._wanted.pop(0)
        index, z, x, y = key
        self._tiles[key] = TileGraphics(self.packs[index].tile(z, x, y), z)
        self._put(key)
        self._settle()
        if self._wanted:
            self._load()

    def load_all(self):
        """Draw every missing tile now (for pictures and tests)."""
        while self._wanted:
            self._load_one()
        self._draw_names()

    def _draw_top(self):
        top = self._top
        top.clear()
        for points, dashed in getattr(self, "_world_lines", ()):
            flat = [c for p in points for c in self.to_window_px(*p)]
            if len(flat) >= 4:
                self._draw_route(flat, dashed)
        for pin in reversed(self.pins):
            self._draw_pin(pin)
        if self.me is not None:
            self._draw_me()

    def _draw_route(self, flat, dashed):
        if not dashed:
            self._top.add(Color(*colour("map_halo", 0.9)))
            self._top.add(Line(points=flat, width=dp(3.2), joint="round", cap="round"))
        self._top.add(Color(*colour("accent")))
        if dashed:
            self._top.add(Line(points=flat, width=1, dash_length=dp(8), dash_offset=dp(5)))
        else:
            self._top.add(Line(points=flat, width=dp(1.8), joint="round", cap="round"))

    def _disc(self, x, y, radius, token, alpha=1.0):
        self._top.add(Color(*colour(token, alpha)))
        self._top.add(Ellipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius)))

    def _draw_pin(self, pin):
        x, y = self.lonlat_px(pin.lon, pin.lat)
        if not (self.x - 200 < x < self.right + 200 and self.y - 200 < y < self.top + 200):
            return
        radius = dp(pin.size)
        wide = metres_to_world(pin.uncertainty_m, pin.lat) * self.scale
        if wide > radius * 1.5:
            self._disc(x, y, wide, pin.ink, 0.15)
        self._disc(x, y, radius + dp(2), "map_halo")
        self._disc(x, y, radius, pin.ink)
        if pin.label:
            texture = self._texture(pin.label, 13, "on_brand" if pin.ink == "brand" else "#FFFFFF", halo=False)
            self._top.add(Color(1, 1, 1))
            self._top.add(
                Rectangle(texture=texture, size=texture.size, pos=(x - texture.width / 2, y - texture.height / 2))
            )

    def _draw_me(self):
        x, y = self.lonlat_px(self.me.lon, self.me.lat)
        wide = metres_to_world(self.me.accuracy_m, self.me.lat) * self.scale
        self._disc(x, y, max(wide, dp(14)), "info", 0.2)
        self._disc(x, y, dp(9), "map_halo")
        self._disc(x, y, dp(6.5), "info")

    # -- names

    def _texture(self, text, size, token, halo=True):
        key = (text, size, token, halo)
        if key not in self._textures:
            if len(self._textures) > 600:
                self._textures.clear()
            extra = {"outline_width": 2, "outline_color": colour("map_halo")[:3]} if halo else {}
            label = CoreLabel(
                text=text, font_name="Inter", font_size=sp(size), color=colour(token), bold=not halo, **extra
            )
            label.refresh()
            self._textures[key] = label.texture
        return self._textures[key]

    def _candidates(self):
        for key in self._visible():
            tile = self._tiles.get(key)
            _index, z, x, y = key
            for text, layer, kind, tx, ty in tile.names if tile else ():
                style = name(layer, kind, self.zoom)
                if style is not None:
                    px, py = self.to_window_px((x + tx) / 2**z, (y + ty) / 2**z)
                    width, height = len(text) * sp(style.size) * 0.56, sp(style.size) * 1.3
                    yield Label(text, px - self.x, py - self.y, width, height, style.rank), style.size

    def _obstacles(self):
        for pin in self.pins:
            x, y = self.lonlat_px(pin.lon, pin.lat)
            yield Label(f"\0{pin.key}", x - self.x, y - self.y, dp(2 * pin.size), dp(2 * pin.size), -1)

    def _draw_names(self):
        self._names.clear()
        sizes, wanted = {}, list(self._obstacles())
        for label, size in self._candidates():
            sizes[label] = size
            wanted.append(label)
        for label in place(wanted, self.width, self.height, at_most=60 + len(self.pins)):
            if label in sizes:
                texture = self._texture(label.text, sizes[label], "map_label")
                pos = (
                    math.floor(self.x + label.x - texture.width / 2),
                    math.floor(self.y + label.y - texture.height / 2),
                )
                self._names.add(Color(1, 1, 1))
                self._names.add(Rectangle(texture=texture, size=texture.size, pos=pos))

    # -- touch

    def zoom_by(self, steps, at=None):
        """Zoom around a point of the window (the middle by default)."""
        x, y = at or self.center
        before = self.scale
        self.zoom = max(MIN_ZOOM, min(MAX_ZOOM, self.zoom + steps))
        self._fit = None
        dx, dy = x - self.center_x, y - self.center_y
        factor = 1 / before - 1 / self.scale
        self.centre = (self.centre[0] + dx * factor, self.centre[1] - dy * factor)
        self.refresh()

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
            self.centre = (self.centre[0] - touch.dx / self.scale, self.centre[1] + touch.dy / self.scale)
            self.refresh()
        return True

    def _pinch(self, touch, other):
        before = math.dist(touch.ppos, other.pos)
        after = math.dist(touch.pos, other.pos)
        if before > 1 and after > 1:
            middle = ((touch.x + other.x) / 2, (touch.y + other.y) / 2)
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
        near = [(math.dist((x, y), self.lonlat_px(p.lon, p.lat)), p) for p in self.pins]
        near = [(d, p) for d, p in near if d <= max(dp(24), dp(p.size))]
        self.on_pin(min(near, key=lambda dp_: dp_[0])[1].key if near else None)
