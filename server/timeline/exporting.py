"""A timeline as a file for the customer or for the archive: CSV or PDF."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.access import Scope
from server.kit.settings import settings
from server.kit.spreadsheets import harmless
from server.timeline import queries
from server.timeline.entries import Entry
from server.timeline.queries import Wish

BATCH = 500
AT_MOST = 20_000
COLUMNS = ("when", "what", "who", "title", "text", "details")
INK, QUIET = HexColor("#16211C"), HexColor("#5B6862")


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    PDF = "pdf"


MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.PDF: "application/pdf"}


def export(session: Session, scope: Scope, account: Account, wish: Wish, kind: Format) -> bytes:
    """What a wish leaves of an account's timeline, the latest first; 20,000 entries at most."""
    entries = everything(session, scope, account, wish)
    return as_csv(entries, scope) if kind is Format.CSV else as_pdf(entries, scope, account.name, wish)


def everything(session: Session, scope: Scope, account: Account, wish: Wish) -> Iterator[Entry]:
    """All pages, one after the other."""
    cursor, count = None, 0
    while count < AT_MOST:
        found = queries.page(session, scope, account.id, wish, cursor=cursor, limit=BATCH)
        yield from found.entries
        count, cursor = count + BATCH, found.next_cursor
        if cursor is None:
            return


def when(entry: Entry, scope: Scope) -> datetime:
    """The moment where the person works."""
    return entry.at.astimezone(ZoneInfo(scope.zone or settings().zone))


def details(entry: Entry) -> str:
    """What is known besides, in words."""
    parts = [f"{one.label}: {one.old or '–'} → {one.new or '–'}" for one in entry.changes]
    parts += [str(entry.facts[name]) for name in ("state", "what") if entry.facts.get(name)]
    return "; ".join(parts).replace("_", " ")


def as_csv(entries: Iterator[Entry], scope: Scope) -> bytes:
    """One line for each entry; no cell is a formula."""
    file = io.StringIO()
    file.write("\ufeff")  # spreadsheets read UTF-8 only with this mark
    sheet = csv.writer(file)
    sheet.writerow(COLUMNS)
    for one in entries:
        cells = (one.kind, one.who or "", one.title or "", one.body or "", details(one))
        sheet.writerow([f"{when(one, scope):%Y-%m-%d %H:%M}", *(harmless(cell) for cell in cells)])
    return file.getvalue().encode()


def as_pdf(entries: Iterator[Entry], scope: Scope, name: str, wish: Wish) -> bytes:
    """Pages to hand over: what happened, by day."""
    plain = ParagraphStyle("plain", fontName="Helvetica", fontSize=9.5, leading=13, textColor=INK)
    quiet = ParagraphStyle("quiet", parent=plain, textColor=QUIET, fontSize=8.5)
    title = ParagraphStyle("title", parent=plain, fontName="Helvetica-Bold", fontSize=18, leading=24)
    day = ParagraphStyle("day", parent=plain, fontName="Helvetica-Bold", spaceBefore=8, spaceAfter=3)
    kind = "Shared history" if wish.shareable else "History, internal"
    story = [Paragraph(written(name), title), Paragraph(written(f"{settings().company} · {kind}"), quiet), Spacer(1, 8)]
    last = None
    for entry in entries:
        at = when(entry, scope)
        if at.date() != last:
            last = at.date()
            story.append(Paragraph(f"{last:%A, %d %B %Y}", day))
        line = f"<b>{written(entry.title or entry.kind.capitalize())}</b> · {written(entry.who or settings().company)}"
        story.append(Paragraph(f"{at:%H:%M} &nbsp; {line}", plain))
        if text := entry.body if not entry.changes else None:
            story.append(Paragraph(written(text).replace("\n", "<br/>"), plain))
        if more := details(entry):
            story.append(Paragraph(written(more), quiet))
        story.append(Spacer(1, 5))
    if last is None:
        story.append(Paragraph("Nothing to show.", quiet))
    file = io.BytesIO()
    margin = 18 * mm
    SimpleDocTemplate(
        file, pagesize=A4, title=name, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin
    ).build(story)
    return file.getvalue()


def written(text: str) -> str:
    """A text as the page writes it; letters that its typeface does not have become question marks."""
    plain = text.replace("→", "->").replace("✓", "yes").replace("–", "-")
    return escape(plain.encode("cp1252", "replace").decode("cp1252"))
