"""One tile of the map pack as Kivy graphics: painted once into a picture, which is only moved, turned and stretched.

Drawing thousands of triangles takes a software renderer, or a cheap phone, a tenth of a second; a picture next to none.
"""

import math
from array import array
from collections import defaultdict

from kivy.graphics import ClearBuffers, ClearColor, Color, Fbo, InstructionGroup, Mesh, Rectangle, Scale, Translate
from kivy.graphics.tesselator import TYPE_POLYGONS, WINDING_ODD, Tesselator

from mobile.field.maps.pack import EXTENT, LINE, POINT, POLYGON
from mobile.widgets.base import colour
from mobile.widgets.mapstyle import Fill, Stroke, name, style

MAX_VERTICES = 60_000
TILE_PX = 256
GUTTER = 2
"""Pixels around a tile's picture in which its neighbours' edges are drawn too, so that no seam shows when turned."""
STEPS = (256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048)
"""Sides of pictures; beyond the last one they are stretched."""
FINELY = 640
"""Tiles of screens with large pixels."""
CORNERS = 16
"""Of a piece of a polygon; Kivy's default of 65,535 reserves 256 KB for every piece."""


def _pixels(size):
    """The side of the picture that a tile of a size on the screen is painted on."""
    return next((step for step in STEPS if step >= size - 1), STEPS[-1])


def _dense(side):
    """Points of a picture for each pixel of the window, in a row: small ones are painted finer, for smooth edges."""
    return 2 if side <= FINELY else 1


class Triangles:
    """Triangles of one colour, handed to the graphics card in as few meshes as possible."""

    def __init__(self):
        self.vertices, self.indices = array("f"), array("H")
        self.meshes = []

    def add(self, points, triangles):
        """Points as x, y pairs; triangles index into them."""
        base = len(self.vertices) // 4
        if base + len(points) > MAX_VERTICES:
            self.flush()
            base = 0
        self.vertices.extend([v for x, y in points for v in (x, y, 0.0, 0.0)])
        self.indices.extend([base + i for i in triangles])

    def flush(self):
        if self.indices:
            self.meshes.append(Mesh(vertices=self.vertices, indices=self.indices, mode="triangles"))
        self.vertices, self.indices = array("f"), array("H")


def polygon(rings):
    """A polygon with holes as points and triangles."""
    tess = Tesselator()
    for ring in rings:
        if len(ring) >= 6:
            tess.add_contour(array("f", ring))
    if not tess.tesselate(WINDING_ODD, TYPE_POLYGONS, CORNERS):
        return
    for vertices, _mode in tess.meshes:
        points = list(zip(vertices[0::4], vertices[1::4], strict=True))
        yield points, [i for n in range(1, len(points) - 1) for i in (0, n, n + 1)]


def stroke(coords, width):
    """A line as quads, each a little longer than its segment so that bends close."""
    half = width / 2
    points, triangles = [], []
    for i in range(0, len(coords) - 3, 2):
        x1, y1, x2, y2 = coords[i : i + 4]
        length = math.hypot(x2 - x1, y2 - y1)
        if length == 0:
            continue
        ux, uy = (x2 - x1) / length * half, (y2 - y1) / length * half
        ext = 0.5
        x1, y1, x2, y2 = x1 - ux * ext, y1 - uy * ext, x2 + ux * ext, y2 + uy * ext
        n = len(points)
        points += [(x1 - uy, y1 + ux), (x1 + uy, y1 - ux), (x2 + uy, y2 - ux), (x2 - uy, y2 + ux)]
        triangles += [n, n + 1, n + 2, n, n + 2, n + 3]
    return points, triangles


class TileGraphics(InstructionGroup):
    """A drawn tile that can be put anywhere at any scale."""

    ORDER = ("landuse", "water", "building", "rail", "road", "boundary")

    def __init__(self, features, z):
        super().__init__()
        self.names = []
        self._layers = []
        for fine, token, triangles in self._triangles(features, z):
            triangles.flush()
            self._layers.append((fine, [Color(*colour(token)), *triangles.meshes]))
        self._picture, self._painted = None, None
        self._quad = Rectangle(size=(0, 0))
        self.add(Color(1, 1, 1))
        self.add(self._quad)

    def is_sharp(self, size, fine):
        """Whether it is painted for this length of its side, with or without houses and paths."""
        return self._painted == (_pixels(size), fine)

    def stretches(self, size):
        """How many pixels of the window one of its own is, or the reverse; 1 when it is sharp."""
        ratio = size / self._painted[0] if self._painted else math.inf
        return max(ratio, 1 / ratio)

    def paint(self, size, fine):
        """Paint it for a length of its side in pixels; whether houses and paths are drawn."""
        side = _pixels(size)
        dense = _dense(side)
        whole = dense * (side + 2 * GUTTER)
        if self._picture is None or self._picture.size[0] != whole:
            self._picture = Fbo(size=(whole, whole))
            self._picture.add_reload_observer(lambda _picture: self.forget())
        parts = [part for only_fine, layer in self._layers if fine or not only_fine for part in layer]
        scale = dense * side / EXTENT
        place = Translate(dense * GUTTER, dense * (GUTTER + side)), Scale(scale, -scale, 1)
        for part in (ClearColor(*colour("map_ground")[:3], 0), ClearBuffers(), *place, *parts):
            self._picture.add(part)
        self._picture.draw()
        self._picture.clear()
        self._quad.texture, self._painted = self._picture.texture, (side, fine)

    def forget(self):
        """Let go of the picture; it is painted anew when the tile is in view again."""
        self._picture, self._painted, self._quad.texture, self._quad.size = None, None, None, (0, 0)

    @property
    def octets(self):
        """What the picture takes of the memory."""
        return 4 * self._picture.size[0] ** 2 if self._painted else 0

    def put(self, x, y, size):
        """The tile's upper left corner and the length of its side, in pixels."""
        if self._painted is None:
            return
        edge = GUTTER * size / self._painted[0]
        self._quad.pos, self._quad.size = (x - edge, y - size - edge), (size + 2 * edge, size + 2 * edge)

    def _triangles(self, features, z):
        """Per layer and colour, casings before the roads they frame."""
        painted = {layer: (defaultdict(Triangles), defaultdict(Triangles)) for layer in self.ORDER}
        unit = EXTENT / TILE_PX
        for feature in features:
            if feature.name:
                self._note_name(feature)
            drawn = style(feature.layer, feature.kind, z) if feature.layer in painted else None
            if drawn is None:
                continue
            below, above = painted[feature.layer]
            if isinstance(drawn, Fill) and feature.type == POLYGON:
                for points, triangles in polygon(feature.coords):
                    above[drawn.token].add(points, triangles)
            elif isinstance(drawn, Stroke):
                for coords in (
                    [feature.coords] if feature.type == LINE else feature.coords if feature.type == POLYGON else []
                ):
                    if drawn.casing:
                        below[drawn.casing].add(*stroke(coords, (drawn.width + 1.4) * unit))
                    above[drawn.token].add(*stroke(coords, drawn.width * unit))
        for layer in self.ORDER:
            for group in painted[layer]:
                for ink, triangles in group.items():
                    yield layer == "building" or ink == "map_road_minor", ink, triangles

    def _note_name(self, feature):
        if feature.type == POINT:
            x, y = feature.coords[:2]
        elif feature.type == LINE:
            middle = len(feature.coords) // 4 * 2
            x, y = feature.coords[middle : middle + 2]
        else:
            ring = feature.coords[0]
            x, y = sum(ring[0::2]) / (len(ring) // 2), sum(ring[1::2]) / (len(ring) // 2)
        if 0 <= x <= EXTENT and 0 <= y <= EXTENT and name(feature.layer, feature.kind, 22):
            self.names.append((feature.name, feature.layer, feature.kind, x / EXTENT, y / EXTENT))
