"""One tile of the map pack as Kivy graphics, in tile units, drawn once and only moved afterwards."""

import math
from array import array
from collections import defaultdict

from kivy.graphics import Color, InstructionGroup, Mesh, PopMatrix, PushMatrix, Scale, Translate
from kivy.graphics.tesselator import TYPE_POLYGONS, WINDING_ODD, Tesselator

from mobile.field.maps.pack import EXTENT, LINE, POINT, POLYGON
from mobile.widgets.base import colour
from mobile.widgets.mapstyle import Fill, Stroke, name, style

MAX_VERTICES = 60_000
TILE_PX = 256
CORNERS = 16
"""Of a piece of a polygon; Kivy's default of 65,535 reserves 256 KB for every piece."""


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
        self.names, self._is_fine = [], True
        self._move, self._scale = Translate(0, 0), Scale(1, 1, 1)
        self.add(PushMatrix())
        self.add(self._move)
        self.add(self._scale)
        self._fine = []
        for fine, token, triangles in self._triangles(features, z):
            triangles.flush()
            parts, group = [Color(*colour(token)), *triangles.meshes], self
            if fine:
                group = InstructionGroup()
                self._fine.append((group, parts))
                self.add(group)
            for part in parts:
                group.add(part)
        self.add(PopMatrix())

    def put(self, x, y, size, fine=True):
        """The tile's upper left corner and the length of its side, in pixels; whether houses and paths are drawn."""
        self._move.x, self._move.y = x, y
        self._scale.x, self._scale.y = size / EXTENT, -size / EXTENT
        if fine != self._is_fine:
            self._is_fine = fine
            for group, parts in self._fine:
                group.clear()
                for part in parts if fine else ():
                    group.add(part)

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
