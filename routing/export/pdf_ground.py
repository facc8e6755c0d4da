"""The quiet base map of a printed page: projected once for all days, cut to each page, written without detours.

A page shows tens of thousands of corners. They are projected and thinned as arrays, and written as path operators of
their own (PDF 32000-1, 8.5.2), because a call per corner takes seconds per sheet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from routing.export import look
from routing.export.projection import Projection, worlds
from routing.export.types import MapFeature

_FINEST = 0.5
"""Corners closer than this (points of paper) fall together."""

type _Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Style:
    fill: str = ""
    stroke: str = ""
    width: float = 0.0
    dashed: bool = False


@dataclass(frozen=True)
class _Shape:
    style: _Style
    parts: tuple[NDArray[np.float64], ...]
    """Lines or rings that are drawn as one path, in world widths."""
    is_area: bool
    box: _Box


class Ground:
    """The base map of a tour, ready to be drawn under each of its days."""

    def __init__(self, features: Sequence[MapFeature]) -> None:
        order = {layer: number for number, layer in enumerate(look.LAYERS)}
        drawn = [feature for feature in features if feature.layer != "place"]
        drawn.sort(key=lambda feature: (order.get(feature.layer, 9), _rank(feature)))
        self._shapes = [shape for feature in drawn for shape in _shapes(feature)]
        self.places = tuple(
            one for one in features if one.layer == "place" and one.name and one.geometry["type"] == "Point"
        )
        """What has a name to be written."""

    def draw(self, canvas: Canvas, projection: Projection) -> None:
        """Draw what lies on the page."""
        west, north = projection.world(0, projection.height)
        east, south = projection.world(projection.width, 0)
        last = None
        for shape in self._shapes:
            box = shape.box
            if box[0] > east or box[2] < west or box[1] > south or box[3] < north:
                continue
            path = "\n".join(filter(None, (operators(projection.points(part), shape.is_area) for part in shape.parts)))
            if path and shape.style != last:
                last = shape.style
                _take_pen(canvas, last)
            if path:
                canvas.addLiteral(f"{path}\n{'f*' if shape.style.fill else 'S'}")


def _take_pen(canvas: Canvas, style: _Style) -> None:
    if style.fill:
        canvas.setFillColor(HexColor(style.fill))
        return
    canvas.setStrokeColor(HexColor(style.stroke))
    canvas.setLineWidth(style.width)
    canvas.setLineJoin(1)
    canvas.setLineCap(0 if style.dashed else 1)
    canvas.setDash([3, 2] if style.dashed else [])


def operators(places: NDArray[np.float64], is_area: bool = False) -> str:
    """The path operators of a line or ring on the paper, thinned; empty when nothing of it can be seen."""
    points = np.round(places, 1)
    steps = np.abs(np.diff(points, axis=0)).max(axis=1)
    keep = np.concatenate([[True], steps > _FINEST])
    keep[-1] = True
    points = points[keep]
    if len(points) < (4 if is_area else 2):
        return ""
    corners = ["%g %g" % (x, y) for x, y in points.tolist()]  # noqa: UP031 -- twice as fast, and there are many
    close = "\nh" if is_area else ""
    return f"{corners[0]} m\n" + " l\n".join(corners[1:]) + f" l{close}"


def _shapes(feature: MapFeature) -> Iterator[_Shape]:
    for lines, is_area in _parts(feature.geometry):
        style = _style(feature, is_area)
        if style is None:
            continue
        parts = tuple(worlds(np.asarray(line, dtype=float)[:, :2]) for line in lines if len(line) > 1)
        if parts:
            corners = np.concatenate(parts)
            box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
            yield _Shape(style, parts, is_area, box)


def _style(feature: MapFeature, is_area: bool) -> _Style | None:
    fill, stroke = look.fill(feature.layer, feature.kind), look.stroke(feature.layer, feature.kind)
    if is_area and fill:
        return _Style(fill)
    return _Style("", *stroke) if stroke else None


def _rank(feature: MapFeature) -> tuple[float, str, str]:
    stroke = look.stroke(feature.layer, feature.kind)
    return (stroke[1] if stroke else 0.0, feature.kind, feature.name)


def _parts(geometry: Any) -> Iterator[tuple[Sequence[Any], bool]]:
    """Lines or rings of a geometry that are drawn as one path, and whether they enclose an area."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind == "LineString":
        yield [coordinates], False
    elif kind == "MultiLineString":
        yield coordinates, False
    elif kind == "Polygon":
        yield coordinates, True
    elif kind == "MultiPolygon":
        for polygon in coordinates:
            yield polygon, True
