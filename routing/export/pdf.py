"""The sheet to print: head, map, timetable, what did not fit, sources; several days have an overview in front."""

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from routing.export import fonts, look, navigation, wording
from routing.export.pdf_ground import Ground
from routing.export.pdf_map import PIN, RouteMap, draw_pin
from routing.export.tour import Tour
from routing.export.types import DaySheet, DayStop
from routing.roads.types import Leg

_MARGIN = 14 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_MAP_HEIGHT = 118 * mm
_FRAME_PADDING = 6

_TITLE = ParagraphStyle("title", fontName=fonts.BOLD, fontSize=19, leading=23, textColor=HexColor(look.INK))
_BODY = ParagraphStyle("body", fontName=fonts.REGULAR, fontSize=8.5, leading=11, textColor=HexColor(look.INK))
_QUIET = ParagraphStyle("quiet", parent=_BODY, fontSize=7.5, leading=9.5, textColor=HexColor(look.QUIET))
_LABEL = ParagraphStyle("label", parent=_QUIET, fontName=fonts.BOLD)
_FIGURE = ParagraphStyle("figure", parent=_BODY, fontName=fonts.BOLD, fontSize=12, leading=15)
_WARN = ParagraphStyle("warn", parent=_QUIET, textColor=HexColor(look.WARN))
_HEADING = ParagraphStyle("heading", parent=_FIGURE, spaceBefore=10, spaceAfter=4)


def render(tour: Tour) -> bytes:
    """The PDF file; the same tour gives the same bytes."""
    fonts.register()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN - _FRAME_PADDING,
        rightMargin=_MARGIN - _FRAME_PADDING,
        topMargin=12 * mm,
        bottomMargin=17 * mm,
        invariant=1,
        title=f"{tour.rep}, {wording.period(tour)}",
        author=tour.company,
        subject="Day plan" if tour.is_day else "Plan of several days",
        creator="Waymark",
    )

    def foot(canvas: Canvas, _document: Any) -> None:
        _foot(canvas, tour)

    document.build(_story(tour), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(tour: Tour) -> list[Flowable]:
    ground = Ground(tour.background)
    if tour.is_day:
        return _day(tour, tour.days[0], ground)
    story: list[Flowable] = [
        *_head(tour, wording.period(tour)),
        _figures(*tour.days),
        Spacer(0, 10),
        _overview(tour),
        Spacer(0, 8),
        _paragraph(" · ".join(tour.attribution), _QUIET),
    ]
    for day in tour.days:
        story += [PageBreak(), *_day(tour, day, ground)]
    return story


def _head(tour: Tour, days: str) -> list[Flowable]:
    return [
        _paragraph(f"{tour.company} · day plan", _QUIET),
        _paragraph(tour.rep, _TITLE, bold=True),
        _paragraph(days, _BODY),
        Spacer(0, 6),
    ]


def _day(tour: Tour, sheet: DaySheet, ground: Ground) -> list[Flowable]:
    story: list[Flowable] = [
        *_head(tour, wording.day(sheet.day)),
        _figures(sheet),
        Spacer(0, 8),
        RouteMap(sheet, ground, _WIDTH, _MAP_HEIGHT),
        _paragraph(" · ".join(tour.attribution), _QUIET),
        Spacer(0, 8),
        _timetable(sheet),
        Spacer(0, 8),
        _routes(sheet),
    ]
    if sheet.left_out:
        story += [_paragraph("Not planned", _HEADING, bold=True), _left_out(sheet)]
    return story


def _routes(sheet: DaySheet) -> Flowable:
    """Links along the day, for whoever reads the sheet on a screen."""
    links = [_link(link.url, f"{link.app} {link.part}") for link in navigation.along_day(sheet)]
    return Paragraph(f"Navigate along the stops: {' · '.join(links)}", _QUIET)


def _overview(tour: Tour) -> Flowable:
    titles = ("Day", "Stops", "Leaves", "Returns", "Driving", "Distance", "At customers")
    rows = [[_paragraph(text, _LABEL, bold=True) for text in titles]]
    for day in tour.days:
        cells = [
            str(len(day.stops)),
            wording.clock(day, day.leaves_at),
            wording.clock(day, day.returns_at),
            wording.duration(day.drive_s),
            wording.distance(day.metres) + (" (estimated)" if day.estimated else ""),
            wording.duration(day.service_s),
        ]
        rows.append([_paragraph(wording.day(day.day), _BODY, bold=True), *(_paragraph(cell, _BODY) for cell in cells)])
    widths = [52 * mm, *[(_WIDTH - 52 * mm) / (len(titles) - 1)] * (len(titles) - 1)]
    return Table(rows, colWidths=widths, style=_rules())


def _figures(*sheets: DaySheet) -> Flowable:
    figures = {"Stops": str(sum(len(sheet.stops) for sheet in sheets))}
    if len(sheets) == 1:
        figures["Leaves"] = wording.clock(sheets[0], sheets[0].leaves_at)
        figures["Returns"] = wording.clock(sheets[0], sheets[0].returns_at)
    figures |= {
        "Driving": wording.duration(sum(sheet.drive_s for sheet in sheets)),
        "Distance": wording.distance(sum(sheet.metres for sheet in sheets)),
        "At customers": wording.duration(sum(sheet.service_s for sheet in sheets)),
    }
    cells = [[_paragraph(label, _QUIET), _paragraph(value, _FIGURE, bold=True)] for label, value in figures.items()]
    style = TableStyle(
        [("LEFTPADDING", (0, 0), (-1, -1), 0), ("LINEABOVE", (0, 0), (-1, 0), 1.2, HexColor(look.FOREST))]
    )
    return Table([cells], colWidths=[_WIDTH / len(cells)] * len(cells), style=style)


def _timetable(sheet: DaySheet) -> Flowable:
    head = [_paragraph(text, _LABEL, bold=True) for text in ("", "Time", "Account", "What for", "Drive to here")]
    leave = wording.clock(sheet, sheet.leaves_at)
    back, home = wording.clock(sheet, sheet.returns_at), _drive(sheet.last_leg)
    rows: list[list[Any]] = [
        head,
        [_Pin("S"), _paragraph(leave, _BODY, bold=True), _paragraph(f"Leave {sheet.start.name}", _BODY), "", ""],
        *(_row(sheet, position, stop) for position, stop in enumerate(sheet.stops, 1)),
        [_Pin("E"), _paragraph(back, _BODY, bold=True), _paragraph(f"Arrive {sheet.end.name}", _BODY), "", home],
    ]
    if sheet.rest_before is not None:
        starts, text = wording.rest(sheet)
        rest = ["", _paragraph(starts, _BODY, bold=True), _paragraph(text, _BODY), "", ""]
        rows.insert(2 + sheet.rest_before, rest)
    widths = [9 * mm, 25 * mm, 60 * mm, _WIDTH - 122 * mm, 28 * mm]
    return Table(rows, colWidths=widths, repeatRows=1, style=_rules())


def _row(sheet: DaySheet, position: int, stop: DayStop) -> list[Any]:
    times = [
        _paragraph(f"{wording.clock(sheet, stop.starts_at)} – {wording.clock(sheet, stop.ends_at)}", _BODY, bold=True)
    ]
    if stop.arrives_at < stop.starts_at:
        times.append(_paragraph(f"arrive {wording.clock(sheet, stop.arrives_at)}", _QUIET))
    if stop.appointment:
        times.append(_paragraph(wording.APPOINTMENTS.get(stop.appointment, stop.appointment), _WARN))
    facts = " · ".join(filter(None, [stop.account_number, stop.account_class and f"class {stop.account_class}"]))
    account = [_paragraph(wording.stop_name(stop), _BODY, bold=True)]
    account += [_paragraph(text, _QUIET) for text in (stop.address, stop.phone, facts) if text]
    links = [_link(link.url, link.app.removesuffix(" Maps")) for link in navigation.to_place(stop.point, stop.account)]
    account.append(Paragraph(" · ".join(links), _QUIET))
    purpose = [_paragraph(stop.objective, _BODY)] if stop.objective else []
    purpose += [_paragraph(stop.why, _QUIET)] if stop.why else []
    return [_Pin(str(position)), times, account, purpose, _drive(stop.leg)]


def _drive(leg: Leg) -> list[Flowable]:
    lines = [_paragraph(f"{wording.duration(leg.seconds)} · {wording.distance(leg.metres)}", _BODY)]
    return [*lines, _paragraph("estimated", _WARN)] if leg.estimated else list(lines)


def _left_out(sheet: DaySheet) -> Flowable:
    titles = ["Account", "Why not", "What would help"]
    rows: list[list[Any]] = [
        [
            [_paragraph(item.account, _BODY, bold=True), _paragraph(item.address, _QUIET)],
            _paragraph(item.reason, _BODY),
            _paragraph(item.remedy, _BODY),
        ]
        for item in sheet.left_out
    ]
    if not any(item.remedy for item in sheet.left_out):
        titles, rows = titles[:2], [row[:2] for row in rows]
    head = [_paragraph(text, _LABEL, bold=True) for text in titles]
    widths = [_WIDTH / 3, *[_WIDTH * 2 / 3 / (len(titles) - 1)] * (len(titles) - 1)]
    return Table([head, *rows], colWidths=widths, repeatRows=1, style=_rules())


def _rules() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor(look.LINE)),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor(look.INK)),
        ]
    )


def _paragraph(text: str, style: ParagraphStyle, bold: bool = False) -> Paragraph:
    return Paragraph(fonts.markup(text, bold), style)


def _link(url: str, name: str) -> str:
    return f'<a href="{escape(url, {chr(34): "&quot;"})}" color="{look.FOREST}">{escape(name)}</a>'


class _Pin(Flowable):
    """The same pin as on the map."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label, self.width, self.height = label, 2 * PIN + 3, 2 * PIN + 1

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        draw_pin(self.canv, PIN + 1, PIN, self.label, is_stop=self.label.isdigit())


def _foot(canvas: Canvas, tour: Tour) -> None:
    left = f"Version {tour.mark} · made with Waymark · times in {tour.days[0].zone}"
    right = f"{tour.rep} · {tour.span} · page {canvas.getPageNumber()}"
    canvas.saveState()
    for text, x in ((left, _MARGIN), (right, A4[0] - _MARGIN - fonts.width(right, 7))):
        line = canvas.beginText(x, 9 * mm)
        line.setFillColor(HexColor(look.QUIET))
        for name, piece in fonts.runs(text):
            line.setFont(name, 7)
            line.textOut(piece)
        canvas.drawText(line)
    canvas.restoreState()
