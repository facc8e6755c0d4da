"""The map: vector tiles from a pack on the phone, with the route, pins and me on top."""

import math
from dataclasses import replace
from functools import partial

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.graphics import Color, InstructionGroup, PopMatrix, PushMatrix, Rectangle, Rotate, Translate
from kivy.metrics import dp, sp

from mobile.field.maps.clusters import Spot, clusters
from mobile.field.maps.labels import Label, place
from mobile.field.maps.projection import metres_to_world, to_lonlat, to_world, zoom_for
from mobile.widgets import mapmarks
from mobile.widgets.base import colour, font_of
from mobile.widgets.gestures import MIN_ZOOM, Gestures
from mobile.widgets.icons import ICONS
from mobile.widgets.mapstyle import name
from mobile.widgets.maptile import TILE_PX, TileGraphics

KEPT_TILES = 80
PICTURES_OCTETS = 64_000_000
"""Memory for tiles' pictures; those in view are kept in any case."""
MOST_STRETCH = 2.0
"""A picture is painted anew while fingers still move when it is stretched or shrunk by more."""
FINE_FROM = 14.6
"""Houses and paths are drawn from this zoom on."""


class MapView(Gestures):
    """Pan with one finger, zoom and turn with two, zoom with the wheel or a double tap. Works without network."""

    def __init__(self, packs, on_pin=None, on_hold=None, **kwargs):
        super().__init__(**kwargs)
        self.packs, self.on_pin, self.on_hold = packs, on_pin, on_hold
        self.centre, self.zoom, self.bearing = (0.5, 0.35), 8.0, 0.0
        self.pins, self.lines, self.me = [], [], None
        self._tiles, self._wanted, self._dull, self._touches = {}, [], [], {}
        self._textures, self._fit, self._alone = {}, None, []
        self.covers = []  # widgets that lie above the map
        self._placed, self._shown, self._gathered, self._crowds = [], None, {}, {}
        self._ground, self._base, self._names = (InstructionGroup() for _ in range(3))
        self._routes, self._marks = mapmarks.Routes(), mapmarks.Marks()
        for group in (self._ground, self._base, self._routes, self._marks, self._names):
            self.canvas.add(group)
        self._middle, self._turn = Translate(0, 0), Rotate(angle=0, axis=(0, 0, 1))
        self.bind(size=self._resized, pos=lambda *_a: self.refresh())
        self._settle = Clock.create_trigger(lambda _dt: self._rest(), 0.08)
        self._redraw_soon = Clock.create_trigger(lambda _dt: self._redraw(), -1)
        self._load = Clock.create_trigger(lambda _dt: self._load_one(), 0)

    # -- what is shown

    def show(self, pins=(), lines=(), me=None):
        """Put things on the map: pins, lines as lists of (lon, lat) with their kind (mapmarks.stroke), my fix."""
        self.pins, self.lines, self.me = list(pins), list(lines), me
        self._gathered, self._at = {}, {pin.key: to_world(pin.lon, pin.lat) for pin in self.pins}
        self._by_key = {pin.key: pin for pin in self.pins}
        self._alone = [pin for pin in self.pins if not pin.gathers]
        self._routes.show([([to_world(*p) for p in points], kind) for points, kind in self.lines])
        self._marks.forget()
        self._redraw()
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

    @property
    def view(self):
        """Where one looks: centre in world units, zoom, bearing."""
        return self.centre, self.zoom, self.bearing

    @view.setter
    def view(self, kept):
        self._fit = None
        self.centre, self.zoom, self.bearing = kept
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
        x, y = (wx - self.centre[0]) * self.scale, (self.centre[1] - wy) * self.scale
        cos, sin = math.cos(self.bearing), math.sin(self.bearing)
        return self.center_x + x * cos - y * sin, self.center_y + x * sin + y * cos

    def _projection(self):
        """From the world to the window, for many places of one view."""
        scale, (left, top), (x0, y0) = self.scale, self.centre, self.center
        along, across = math.cos(self.bearing) * scale, math.sin(self.bearing) * scale

        def at(wx, wy):
            east, north = wx - left, top - wy
            return x0 + east * along - north * across, y0 + east * across + north * along

        return at

    def lonlat_px(self, lon, lat):
        return self.to_window_px(*to_world(lon, lat))

    def to_world_px(self, x, y):
        """The place under a point of the window, in world units."""
        x, y = x - self.center_x, y - self.center_y
        cos, sin = math.cos(self.bearing), math.sin(self.bearing)
        return self.centre[0] + (x * cos + y * sin) / self.scale, self.centre[1] + (x * sin - y * cos) / self.scale

    def px_lonlat(self, x, y):
        """The place under a point of the window."""
        return to_lonlat(*self.to_world_px(x, y))

    def _hold_fast(self, place, x, y):
        """Move the map until a place of the world lies under that point of the window."""
        now = self.to_world_px(x, y)
        self.centre = (self.centre[0] + place[0] - now[0], self.centre[1] + place[1] - now[1])

    def _window_box(self):
        """West, north, east and south of what can be seen, in world units."""
        cos, sin = abs(math.cos(self.bearing)), abs(math.sin(self.bearing))
        half_x = (self.width * cos + self.height * sin) / 2 / self.scale
        half_y = (self.width * sin + self.height * cos) / 2 / self.scale
        return self.centre[0] - half_x, self.centre[1] - half_y, self.centre[0] + half_x, self.centre[1] + half_y

    # -- drawing

    def refresh(self):
        """Redraw with the next frame for the present centre and zoom; names are chosen when the view rests."""
        self._redraw_soon()
        self._settle.cancel()
        self._settle()

    def _redraw(self):
        if self.width < 2 or self.height < 2:
            return
        self._ground.clear()
        self._ground.add(Color(*colour("map_ground")))
        self._ground.add(Rectangle(pos=self.pos, size=self.size))
        self._place_tiles()
        self._move_top()
        self._move_names()

    def _visible(self):
        """Tiles in view as (pack index, z, x, y), for each pack at its own best zoom."""
        west, north, east, south = self._window_box()
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
        """Move the tiles' pictures; put together anew only when other tiles come into view."""
        visible = list(self._visible())[:KEPT_TILES]
        drawn = [key for key in visible if key in self._tiles]
        self._middle.xy, self._turn.angle = self.center, math.degrees(self.bearing)
        for key in drawn:
            self._put(key)
        if drawn != self._shown:
            self._shown = drawn
            self._base.clear()
            parts = (PushMatrix(), self._middle, self._turn, *(self._tiles[key] for key in drawn), PopMatrix())
            for part in parts:
                self._base.add(part)
        self._wanted = [key for key in visible if key not in self._tiles]
        self._dull = [key for key in drawn if self._is_dull(key, MOST_STRETCH)]
        if self._wanted or self._dull:
            self._load()
        self._let_go([key for key in self._tiles if key not in visible], drawn)

    def _let_go(self, hidden, drawn):
        """Forget the tiles out of view that are too many, and pictures of them that take too much memory."""
        for key in hidden[: max(0, len(self._tiles) - KEPT_TILES)]:
            del self._tiles[key]
        room = PICTURES_OCTETS - sum(self._tiles[key].octets for key in drawn)
        for key in reversed([key for key in hidden if key in self._tiles]):
            room -= self._tiles[key].octets
            if room < 0:
                self._tiles[key].forget()

    def _is_dull(self, key, most):
        """Whether a tile's picture is stretched by more than that and can be painted sharper."""
        tile, side = self._tiles[key], self._side(key)
        return tile.stretches(side) > most and not tile.is_sharp(side, self._is_fine)

    def _side(self, key):
        """The length of a tile's side in pixels of the window."""
        return self.scale / 2 ** key[1]

    @property
    def _is_fine(self):
        """Whether houses and paths are drawn."""
        return self.zoom >= FINE_FROM

    def _put(self, key):
        _index, z, x, y = key
        left, top = (x / 2**z - self.centre[0]) * self.scale, (self.centre[1] - y / 2**z) * self.scale
        self._tiles[key].put(left, top, self._side(key))

    def _load_one(self):
        """Draw one missing tile per frame, or paint one anew that is stretched, so that a finger never waits."""
        if self._wanted:
            key = self._wanted.pop(0)
            index, z, x, y = key
            self._tiles[key] = TileGraphics(self.packs[index].tile(z, x, y), z)
        elif self._dull:
            key = self._dull.pop(0)
        else:
            return
        self._tiles[key].paint(self._side(key), self._is_fine)
        wanted, dull = self._wanted, self._dull
        self._place_tiles()
        self._wanted, self._dull = wanted, dull
        self._settle()
        if self._wanted or self._dull:
            self._load()

    def _rest(self):
        """The view rests: choose the names, and paint what is stretched anew."""
        self._move_top(rests=True)
        self._draw_names()
        self._dull = [key for key in self._shown or () if self._is_dull(key, 0)]
        if self._dull:
            self._load()

    def load_all(self):
        """Draw every missing tile now, and all of them sharp (for pictures and tests)."""
        self._redraw()
        while self._wanted:
            self._load_one()
        self._rest()
        while self._dull:
            self._load_one()
        self._draw_names()

    def _move_top(self, *, rests=False):
        """Move routes, pins and me."""
        self._routes.put(self.center, self.bearing, self.centre, self.scale, rests=rests)
        self._marks.show(self._wanted_marks())

    def _wanted_marks(self):
        """What is in view, the lowest first: bubbles and pins that gather, the others, me."""
        at, level, self._crowds = self._projection(), int(self.zoom), {}
        for number, found in enumerate(self._clusters(level)):
            x, y = at(found.x, found.y)
            if not self._is_near(x, y, dp(30)):
                continue
            if len(found.keys) == 1:
                yield self._pin_mark(self._by_key[found.keys[0]], x, y)
            else:
                radius = dp(13 + min(9, 2.2 * math.log2(len(found.keys))))
                self._crowds[found] = (x, y, radius)
                yield ("crowd", level, number), x, y, partial(self._draw_crowd, found, radius)
        signs = [(*at(*self._at[pin.key]), dp(pin.size)) for pin in self._alone if not pin.icon]
        for pin in reversed(self._alone):
            x, y = at(*self._at[pin.key])
            x, y = mapmarks.beside(x, y, dp(pin.size), signs) if pin.icon else (x, y)
            if self._is_near(x, y, dp(pin.size) + self._doubt(pin)):
                yield self._pin_mark(pin, x, y)
        if self.me is not None:
            wide = max(metres_to_world(self.me.accuracy_m, self.me.lat) * self.scale, dp(14))
            yield ("me", round(wide)), *at(*to_world(self.me.lon, self.me.lat)), partial(mapmarks.me, wide)

    def _is_near(self, x, y, reach):
        """Whether something that reaches so far around a point of the window is seen."""
        return self.x - reach < x < self.right + reach and self.y - reach < y < self.top + reach

    def _doubt(self, pin):
        """The radius of a pin's uncertainty in pixels."""
        return metres_to_world(pin.uncertainty_m, pin.lat) * self.scale if pin.uncertainty_m else 0

    def _clusters(self, level):
        """Pins that gather, as one where they lie close."""
        if level not in self._gathered:
            spots = [
                Spot(pin.key, *self._at[pin.key], pin.ink) for pin in self.pins if pin.gathers and pin.since <= level
            ]
            clear = [self._at[pin.key] for pin in self._alone]
            self._gathered[level] = clusters(spots, level, clear)
        return self._gathered[level]

    def _pin_mark(self, pin, x, y):
        """A pin in its place."""
        wide = self._doubt(pin)
        wide = wide if wide > dp(pin.size) * 1.5 else 0
        return (pin, round(wide)), x, y, partial(self._draw_pin, pin, wide)

    def _draw_pin(self, pin, wide):
        token = "on_brand" if pin.ink == "brand" else "#FFFFFF"
        texture = self._texture(pin.label, 13, token, halo=False) if pin.label else None
        if pin.icon:
            texture = self._texture(ICONS[pin.icon], 15, "paper", halo=False, font="Icons")
        sign = self._texture(ICONS[pin.sign], 10, "#FFFFFF", halo=False, font="Icons") if pin.sign else None
        return mapmarks.pin(dp(pin.size), pin.ink, wide, texture, hollow=pin.is_ring, sign=sign)

    def _draw_crowd(self, found, radius):
        texture = self._texture(str(len(found.keys)), 13, "ink", halo=False)
        late = dict(found.inks).get(mapmarks.LATE)
        said = self._texture(str(late), 11, "paper", halo=False) if late else None
        return mapmarks.crowd(radius, found.inks, texture, said)

    # -- names

    def _texture(self, text, size, token, halo=True, font=None):
        font = font or font_of(text)
        key = (text, size, token, halo, font)
        if key not in self._textures:
            if len(self._textures) > 600:
                self._textures.clear()
            extra = {"outline_width": 2, "outline_color": colour("map_halo")[:3]} if halo else {}
            label = CoreLabel(
                text=text,
                font_name=font,
                font_size=sp(size),
                color=colour(token),
                bold=not halo and font == "Inter",
                **extra,
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
                    at = (x + tx) / 2**z, (y + ty) / 2**z
                    for aside in (0, -dp(26), dp(26)) if layer == "place" else (0,):
                        label = Label(text, px - self.x, py - self.y + aside, width, height, style.rank)
                        yield label, (style.size, at, aside)

    def _obstacles(self):
        """What names must not cover, or lie under: me, numbered stops and bubbles, and the buttons above the map."""
        for one in self.covers:
            x, y = one.center_x - self.x, one.center_y - self.y
            yield Label(f"\0{id(one)}", x, y, one.width, one.height, -1)
        if self.me is not None:
            x, y = self.lonlat_px(self.me.lon, self.me.lat)
            yield Label("\0me", x - self.x, y - self.y, dp(28), dp(28), -1)
        for pin in self._alone:
            x, y = self.lonlat_px(pin.lon, pin.lat)
            yield Label(f"\0{pin.key}", x - self.x, y - self.y, dp(2 * pin.size), dp(2 * pin.size), -1)
        for found, (x, y, radius) in self._crowds.items():
            yield Label(f"\0{found.keys[0]}", x - self.x, y - self.y, 2 * radius, 2 * radius, -1)

    def _draw_names(self):
        """Choose the names for the view as it rests."""
        known, wanted = {}, list(self._obstacles())
        hindering = len(wanted)
        for label, written in self._candidates():
            known[label] = written
            wanted.append(label)
        chosen = place(wanted, self.width, self.height, at_most=60 + hindering)
        self._placed = [(label, *known[label]) for label in chosen if label in known]
        self._move_names()

    def _move_names(self):
        """Names follow their places upright; one that would come to lie on a better one is hidden meanwhile."""
        self._names.clear()
        moved = {}
        for label, size, at, aside in self._placed:
            x, y = self.to_window_px(*at)
            moved[replace(label, x=x - self.x, y=y - self.y + aside)] = size
        for label in place(moved, self.width, self.height):
            texture = self._texture(label.text, moved[label], "map_label")
            x, y = self.x + label.x - texture.width / 2, self.y + label.y - texture.height / 2
            self._names.add(Color(1, 1, 1))
            self._names.add(Rectangle(texture=texture, size=texture.size, pos=(math.floor(x), math.floor(y))))
