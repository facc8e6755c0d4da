"""The map of the printed sheet: quiet base map, the drive in the colour of the day, numbered pins."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from geo.types import LonLat
from routing.export import fonts, look
from routing.export.pdf_ground import Ground, operators
from routing.export.projection import Projection, apart, round_length_m, worlds
from routing.export.types import DaySheet
from routing.export.wording import distance
from routing.roads import polyline
from routing.roads.types import Leg

PIN = 6.2
_STRIP = 16.0

type Place = tuple[float, float]
type Box = tuple[float, float, float, float]


class RouteMap(Flowable):
    """The map with its legend and scale underneath, where they hide nothing."""

    def __init__(self, sheet: DaySheet, ground: Ground, width: float, height: float) -> None:
        super().__init__()
        self.sheet, self.width, self.height = sheet, width, height
        self.projection = Projection.of(sheet, width, height - _STRIP)
        self.ground = ground

    def wrap(self, _available_width: float, _available_height: float) -> tuple[float, float]:
        """The size is given."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw at the flowable's place."""
        fonts.register()
        canvas: Canvas = self.canv
        canvas.saveState()
        canvas.translate(0, _STRIP)
        frame = canvas.beginPath()
        frame.roundRect(0, 0, self.width, self.height - _STRIP, 4)
        canvas.clipPath(frame, stroke=0, fill=0)
        canvas.setFillColor(HexColor(look.LAND))
        canvas.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        self.ground.draw(canvas, self.projection)
        self._legs(canvas)
        self._place_names(canvas)
        self._pins(canvas)
        canvas.restoreState()
        canvas.setStrokeColor(HexColor(look.LINE))
        canvas.setLineWidth(0.7)
        canvas.roundRect(0, _STRIP, self.width, self.height - _STRIP, 4, stroke=1, fill=0)
        self._legend(canvas)
        self._scale(canvas)

    def _legs(self, canvas: Canvas) -> None:
        lines = []
        for leg in self.sheet.legs:
            points = self.projection.points(worlds(np.array(polyline.decode(leg.polyline6))))
            path = operators(points)
            if path:
                lines.append((points, path, leg))
        for _points, path, _leg in lines:
            _pen(canvas, look.PAPER, 4.2, ())
            canvas.addLiteral(f"{path}\nS")
        for _points, path, leg in lines:
            _pen(canvas, look.BLAZE, 2.0, _dash(leg))
            canvas.addLiteral(f"{path}\nS")
        canvas.setDash([])
        for points, _path, _leg in lines:
            _arrow(canvas, points.tolist())

    def _place_names(self, canvas: Canvas) -> None:
        taken = [self.projection.at(point) for point in self.sheet.points]
        boxes: list[Box] = [(x - PIN, y - PIN, x + PIN, y + PIN) for x, y in taken]
        for feature in sorted(self.ground.places, key=lambda f: (-look.place_size(f.kind), f.name)):
            size = look.place_size(feature.kind)
            at = self.projection.at(LonLat(*feature.geometry["coordinates"][:2]))
            box = self._free_box(at, fonts.width(feature.name, size), size, boxes)
            if box:
                boxes.append(box)
                _text(canvas, box[0] + 2, box[1] + 2, feature.name, size, look.QUIET, halo=True)

    def _free_box(self, at: Place, width: float, size: float, taken: Sequence[Box]) -> Box | None:
        """Room for a name at its place, else beside it where no pin and no other name is."""
        beside = width / 2 + PIN + 5
        for right, up in ((0.0, 0.0), (0.0, -size - PIN), (0.0, size + PIN), (beside, 0.0), (-beside, 0.0)):
            left, low = at[0] + right - width / 2 - 2, at[1] + up - size / 2 - 2
            box = (left, low, left + width + 4, low + size + 3)
            inside = left > 0 and box[2] < self.width and low > 0 and box[3] < self.height - _STRIP
            if inside and not any(_overlap(box, other) for other in taken):
                return box
        return None

    def _pins(self, canvas: Canvas) -> None:
        for missed in self.sheet.left_out:
            if missed.point:
                _ring(canvas, *self.projection.at(missed.point))
        stops = [self.projection.at(stop.point) for stop in self.sheet.stops]
        ends = [self.projection.at(self.sheet.start.point), self.projection.at(self.sheet.end.point)]
        same = math.dist(*ends) < PIN
        places = [*stops, *(ends[:1] if same else ends)]
        labels = [str(n) for n in range(1, len(stops) + 1)] + (["S/E"] if same else ["S", "E"])
        moved = apart(places, 2 * PIN + 1)
        for true, pin in zip(places, moved, strict=True):
            if math.dist(true, pin) > 2:
                _stroke(canvas, [true, pin], look.INK, 0.7, ())
                canvas.setFillColor(HexColor(look.INK))
                canvas.circle(*true, 1.3, stroke=0, fill=1)
        for number, (pin, label) in enumerate(zip(moved, labels, strict=True)):
            draw_pin(canvas, *pin, label, is_stop=number < len(stops))

    def _legend(self, canvas: Canvas) -> None:
        x, y = 0.0, 4.0
        for label, draw in _legend_entries(self.sheet):
            draw(canvas, x + 8, y + 2.5)
            _text(canvas, x + 19, y, label, 7, look.QUIET)
            x += 19 + fonts.width(label, 7) + 12

    def _scale(self, canvas: Canvas) -> None:
        per_point = self.projection.metres_per_point()
        length_m = round_length_m(90 * per_point)
        right, left, y = self.width, self.width - length_m / per_point, 4.0
        _pen(canvas, look.INK, 1.0, ())
        canvas.lines([(left, y, right, y), (left, y, left, y + 3), (right, y, right, y + 3)])
        label = distance(length_m) if length_m < 1000 else f"{length_m / 1000:.0f} km"
        _text(canvas, left - fonts.width(label, 7) - 4, y, label, 7, look.QUIET)


def draw_pin(canvas: Canvas, x: float, y: float, label: str, is_stop: bool) -> None:
    """A numbered pin of a stop, or the square of an anchor."""
    canvas.setFillColor(HexColor(look.PAPER))
    fill, size = HexColor(look.FOREST if is_stop else look.INK), 7.0 if len(label) < 3 else 5.4
    if is_stop:
        canvas.circle(x, y, PIN + 1.3, stroke=0, fill=1)
        canvas.setFillColor(fill)
        canvas.circle(x, y, PIN, stroke=0, fill=1)
    else:
        canvas.roundRect(x - PIN - 1, y - PIN - 1, 2 * PIN + 2, 2 * PIN + 2, 3, stroke=0, fill=1)
        canvas.setFillColor(fill)
        canvas.roundRect(x - PIN, y - PIN, 2 * PIN, 2 * PIN, 2, stroke=0, fill=1)
    _text(canvas, x - fonts.width(label, size, bold=True) / 2, y - size * 0.36, label, size, look.PAPER, bold=True)


def _legend_entries(sheet: DaySheet) -> Iterator[tuple[str, Any]]:
    def line(dash: tuple[int, ...]) -> Any:
        return lambda canvas, x, y: _stroke(canvas, [(x - 8, y), (x + 8, y)], look.BLAZE, 2.0, dash)

    yield "stop", lambda canvas, x, y: draw_pin(canvas, x, y, "1", is_stop=True)
    yield "start, end", lambda canvas, x, y: draw_pin(canvas, x, y, "S", is_stop=False)
    if not all(leg.estimated for leg in sheet.legs):
        yield "drive", line(())
    if sheet.estimated:
        yield "estimated, straight line", line((4, 3))
    if any(missed.point for missed in sheet.left_out):
        yield "not planned", _ring


def _ring(canvas: Canvas, x: float, y: float) -> None:
    _pen(canvas, look.QUIET, 1.2, ())
    canvas.setFillColor(HexColor(look.PAPER))
    canvas.circle(x, y, 3.2, stroke=1, fill=1)


def _dash(leg: Leg) -> tuple[int, ...]:
    return (4, 3) if leg.estimated else ()


def _pen(canvas: Canvas, colour: str, width: float, dash: tuple[int, ...]) -> None:
    canvas.setStrokeColor(HexColor(colour))
    canvas.setLineWidth(width)
    canvas.setLineJoin(1)
    canvas.setLineCap(0 if dash else 1)
    canvas.setDash(list(dash))


def _stroke(canvas: Canvas, line: Sequence[Place], colour: str, width: float, dash: tuple[int, ...]) -> None:
    if len(line) < 2:
        return
    _pen(canvas, colour, width, dash)
    path = canvas.beginPath()
    path.moveTo(*line[0])
    for place in line[1:]:
        path.lineTo(*place)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.setDash([])


def _arrow(canvas: Canvas, line: Sequence[Sequence[float]]) -> None:
    """A small head in the middle of a leg that is long enough to need a direction."""
    pieces = [math.dist(a, b) for a, b in itertools.pairwise(line)]
    half = sum(pieces) / 2
    if half < 16:
        return
    for (a, b), piece in zip(itertools.pairwise(line), pieces, strict=True):
        if half <= piece and piece:
            share, angle = half / piece, math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
            canvas.saveState()
            canvas.translate(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
            canvas.rotate(angle)
            head = canvas.beginPath()
            head.moveTo(3.6, 0)
            for corner in ((-2.6, 3.0), (-1.4, 0.0), (-2.6, -3.0)):
                head.lineTo(*corner)
            head.close()
            canvas.setFillColor(HexColor(look.BLAZE))
            _pen(canvas, look.PAPER, 0.6, ())
            canvas.drawPath(head, stroke=1, fill=1)
            canvas.restoreState()
            return
        half -= piece


def _text(
    canvas: Canvas, x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False, halo: bool = False
) -> None:
    for mode in (1, 0) if halo else (0,):
        canvas.saveState()
        line = canvas.beginText(x, y)
        line.setTextRenderMode(mode)
        _pen(canvas, look.PAPER, 2.2, ())
        canvas.setFillColor(HexColor(colour))
        for name, piece in fonts.runs(text, bold):
            line.setFont(name, size)
            line.textOut(piece)
        canvas.drawText(line)
        canvas.restoreState()


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
