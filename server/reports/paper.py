"""A report on paper: the whole on the first page, then a table for each measure. The same report, the same bytes."""

import io
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from routing.export import fonts, look
from server.kit.settings import settings
from server.reports.figures import Group, Report
from server.reports.measures import Measure, Sums, Unit
from server.reports.periods import Period, spelled, spelled_day

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "code": "en",
        "title": "Report", "against": "against {period}", "everything": "Everything", "none": "none",
        "measure": "Measure", "value": "Value", "before": "Before", "counted": "Counted", "of": "of",
        "page": "page {n}",
        "person": "Person", "team": "Team", "territory": "Territory", "sales_region": "Sales region", "class": "Class",
        "filter": "Accounts: {filter}", "apart": "In currencies without a rate, in no sum: {amounts}",
        "letter": "Hello {name},\n\nhere is “{report}” for {period}.",
    },
    "de": {
        "code": "de",
        "title": "Bericht", "against": "gegen {period}", "everything": "Alles", "none": "ohne",
        "measure": "Kennzahl", "value": "Wert", "before": "Vorher", "counted": "Gezählt", "of": "von",
        "page": "Seite {n}", "person": "Person", "team": "Team", "territory": "Gebiet",
        "sales_region": "Verkaufsregion", "class": "Klasse", "filter": "Konten: {filter}",
        "apart": "In Währungen ohne Kurs, in keiner Summe: {amounts}",
        "letter": "Guten Tag {name}\n\nHier ist «{report}» für {period}.",
        "coverage": "Abdeckung", "call_cycle": "Einhaltung der Besuchsintervalle", "overdue": "Überfällige Konten",
        "visits": "Besuche", "strike_rate": "Auftragsquote", "plan_adherence": "Einhaltung der Pläne",
        "drive_share": "Fahranteil", "km_per_visit": "Kilometer je Besuch",
        "revenue_per_drive_hour": "Umsatz je Fahrstunde", "hours": "Geplante Stunden",
    },
}  # fmt: skip
"""What stands on a report; the English names of measures are their own."""

_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_BODY = ParagraphStyle("body", fontName=fonts.REGULAR, fontSize=9, leading=12, textColor=HexColor(look.INK))
_RIGHT = ParagraphStyle("right", parent=_BODY, alignment=TA_RIGHT)
_QUIET = ParagraphStyle("quiet", parent=_BODY, fontSize=7.5, leading=10, textColor=HexColor(look.QUIET))
_QUIET_RIGHT = ParagraphStyle("quiet-right", parent=_QUIET, alignment=TA_RIGHT)
_TITLE = ParagraphStyle("title", parent=_BODY, fontSize=18, leading=23)
_HEAD = ParagraphStyle("head", parent=_BODY, fontSize=12, leading=16)


def file_name(name: str, period: Period) -> str:
    """Plain letters and digits, for every file system."""
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{name}-{period.name}").strip("-").lower() or "report"


def printed(report: Report, words: Mapping[str, str], title: str | None = None) -> bytes:
    """The PDF file."""
    fonts.register()
    file = io.BytesIO()
    head = f"{title or words['title']}: {spelled(report.period, words['code'])}"
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=_MARGIN - 6, rightMargin=_MARGIN - 6, topMargin=14 * mm, bottomMargin=20 * mm,
        invariant=1, title=head, author=settings().company, subject=head, creator="Waymark",
    )  # fmt: skip

    def foot(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(fonts.REGULAR, 7.5)
        canvas.setFillColor(HexColor(look.QUIET))
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, words["page"].format(n=canvas.getPageNumber()))

    document.build(_story(report, words, head), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(report: Report, words: Mapping[str, str], head: str) -> list[Flowable]:
    shown = [one for one in report.measures if report.shows(one)]
    code = words["code"]
    days = " – ".join(spelled_day(one, code) for one in (report.period.first, report.period.last))
    dates = f"{days}, {words['against'].format(period=spelled(report.compared, code))}"
    story: list[Flowable] = [_text(settings().company, _QUIET), _text(head, _TITLE, bold=True), _text(dates, _QUIET)]
    if report.filter:
        story.append(_text(words["filter"].format(filter=report.filter), _QUIET))
    story += [
        Spacer(0, 10),
        _table([[_name(one, words), *_cells(one, report.total, words)] for one in shown], words["measure"], words),
    ]
    if report.total.now.apart:
        amounts = ", ".join(f"{_number(amount, 2, code)} {of}" for of, amount in sorted(report.total.now.apart.items()))
        story += [Spacer(0, 6), _text(words["apart"].format(amounts=amounts), _QUIET)]
    for measure in shown:
        story += [Spacer(0, 14), KeepTogether(_of_measure(report, measure, words))] if report.groups else []
    return story


def _of_measure(report: Report, measure: Measure, words: Mapping[str, str]) -> list[Flowable]:
    values = [measure.value(group.now) or 0.0 for group in report.groups]
    most = max([*values, 1e-9])
    rows = [
        [_named(group, words, value / most), *_cells(measure, group, words)]
        for group, value in zip(report.groups, values, strict=True)
    ]
    head = [_text(_name(measure, words), _HEAD, bold=True)]
    if (before := report.compared_for(measure)) != report.compared:
        head.append(_text(words["against"].format(period=spelled(before, words["code"])), _QUIET))
    return [*head, Spacer(0, 4), _table(rows, words[str(report.by)], words)]


def _named(group: Group, words: Mapping[str, str], share: float) -> list[Flowable]:
    bar = Drawing(60 * mm, 5)
    length = max(60 * mm * min(max(share, 0), 1), 0.5)
    drawn = Rect(0, 1, length, 3)
    drawn.fillColor, drawn.strokeColor = HexColor(look.FOREST), None
    bar.add(drawn)
    return [_text(group.name or words["none"], _BODY), bar]


def _cells(measure: Measure, group: Group, words: Mapping[str, str]) -> list[str]:
    code = words["code"]
    values = [value_of(measure, measure.value(side), code) for side in (group.now, group.then)]
    return values + [_counted(name, group.now, code) if name else "" for name in (measure.upper, measure.lower)]


def _counted(name: str, sums: Sums, code: str) -> str:
    """A sum with its unit, where it counts something else than rows."""
    unit = settings().currency if name == "revenue" else name.rpartition("_")[2]
    value = float(getattr(sums, name))
    if unit not in ("h", "km", settings().currency):
        return _number(value, 0, code)
    return f"{_number(value, 1 if unit == 'h' else 0, code)} {unit}"


def value_of(measure: Measure, value: float | None, code: str) -> str:
    """A value with its unit; `code` is the reader's language."""
    if value is None:
        return "–"
    if measure.unit is Unit.SHARE:
        return f"{_number(value * 100, 1, code)} %"
    if measure.unit is Unit.KM:
        return f"{_number(value, 1, code)} km"
    return f"{_number(value, 0, code)} {settings().currency}" if measure.unit is Unit.MONEY else _number(value, 0, code)


def _number(value: float | Decimal, digits: int, code: str) -> str:
    """As the pages write it: 1,284 or 1.284."""
    written = f"{value:,.{digits}f}"
    return written if code == "en" else written.translate(str.maketrans(",.", ".,"))


def _name(measure: Measure, words: Mapping[str, str]) -> str:
    return words.get(measure.key, measure.name)


def _text(text: str, style: ParagraphStyle, *, bold: bool = False) -> Paragraph:
    return Paragraph(fonts.markup(text, bold=bold), style)


def _table(rows: list[list[Any]], first: str, words: Mapping[str, str]) -> Table:
    titles = [first, words["value"], words["before"], words["counted"], words["of"]]
    head = [_text(title, _QUIET if not place else _QUIET_RIGHT, bold=True) for place, title in enumerate(titles)]
    body = [
        [row[0] if isinstance(row[0], list) else _text(row[0], _BODY), *(_text(cell, _RIGHT) for cell in row[1:])]
        for row in rows
    ]
    rest = 26 * mm
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(look.LINE)),
        ]
    )
    return Table([head, *body], colWidths=[_WIDTH - 4 * rest, *[rest] * 4], repeatRows=1, style=style)
