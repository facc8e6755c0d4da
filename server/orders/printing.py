"""A quote, an order or a credit note on paper; the same document is the same bytes."""

import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle
from sqlalchemy.orm import Session

from routing.export import fonts, look
from server.accounts.models import Account, Site
from server.accounts.queries import sites_of, surviving
from server.kit.settings import settings
from server.orders import queries
from server.orders.models import Kind, Order, State
from server.products.money import plain
from server.products.totals import Totals
from server.records.currencies import digits

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "quote": "quote", "order": "order confirmation", "credit": "credit note", "draft": "Draft", "day": "Date",
        "until": "Valid until", "wanted": "Delivery on", "reference": "Your reference", "of": "For order",
        "text": "Description", "quantity": "Quantity", "price": "Unit price", "discount": "Disc.", "tax": "Tax",
        "amount": "Amount", "net": "Net", "on": "Tax {p} % on {n}", "total": "Total", "terms": "Payment terms",
        "gross": "incl. tax", "page": "page {n}",
    },
    "de": {
        "quote": "Angebot", "order": "Auftragsbestätigung", "credit": "Gutschrift", "draft": "Entwurf", "day": "Datum",
        "until": "Gültig bis", "wanted": "Lieferung am", "reference": "Ihre Referenz", "of": "Zu Auftrag",
        "text": "Bezeichnung", "quantity": "Menge", "price": "Einzelpreis", "discount": "Rabatt", "tax": "MWST",
        "amount": "Betrag", "net": "Netto", "on": "MWST {p} % auf {n}", "total": "Total",
        "terms": "Zahlungsbedingungen", "gross": "inkl. MWST", "page": "Seite {n}",
    },
}  # fmt: skip
"""What stands on documents."""

_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_BODY = ParagraphStyle("body", fontName=fonts.REGULAR, fontSize=9, leading=12, textColor=HexColor(look.INK))
_RIGHT = ParagraphStyle("right", parent=_BODY, alignment=TA_RIGHT)
_QUIET = ParagraphStyle("quiet", parent=_BODY, fontSize=7.5, leading=10, textColor=HexColor(look.QUIET))
_QUIET_RIGHT = ParagraphStyle("quiet-right", parent=_QUIET, alignment=TA_RIGHT)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=fonts.BOLD, fontSize=18, leading=23)
_COMPANY = ParagraphStyle("company", parent=_BODY, fontName=fonts.BOLD, fontSize=12, leading=15)


@dataclass(frozen=True)
class PaperLine:
    """A line as it is printed."""

    text: str
    number: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    is_gross: bool
    discount: Decimal
    tax: Decimal | None
    amount: Decimal


@dataclass(frozen=True)
class Paper:
    """All that stands on a document."""

    company: str
    address: str
    footer: str
    language: str
    kind: str
    number: str | None
    customer: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """Label and value, in the order of the head."""
    currency: str
    lines: tuple[PaperLine, ...]
    sums: Totals
    terms: str
    note: str

    @property
    def words(self) -> dict[str, str]:
        """The words of its language."""
        return WORDS[self.language]

    @property
    def title(self) -> str:
        """What it is called."""
        name = self.words[self.kind]
        name = name[0].upper() + name[1:]
        return f"{name} {self.number}" if self.number else f"{name} – {self.words['draft']}"

    @property
    def file_name(self) -> str:
        """Plain letters and digits, for every file system."""
        return f"{self.number or f'{self.kind}-draft'}.pdf"

    def money(self, amount: Decimal, places: int | None = None) -> str:
        """An amount as the language writes it."""
        written = f"{amount:,.{digits(self.currency) if places is None else places}f}"
        return written if self.language == "en" else written.translate(str.maketrans(",.", ".,"))

    def figure(self, number: Decimal) -> str:
        """A quantity or a percentage."""
        return plain(number) if self.language == "en" else plain(number).replace(".", ",")


def paper_of(session: Session, order: Order) -> Paper:
    """All that stands on a document, read from the tables."""
    head, lines = queries.letterhead(session), queries.lines_of(session, order.id)
    account = session.get_one(Account, surviving(session, order.account_id))
    numbers = queries.product_numbers(session, [line.product_id for line in lines if line.product_id])
    sold = session.get(Order, order.credits_id) if order.credits_id else None
    sites = sites_of(session, [account.id])
    site = next((one for one in sites if one.id == order.site_id), sites[0] if sites else None)
    return Paper(
        company=settings().company,
        address=head.address,
        footer=head.footer,
        language=order.language,
        kind=order.kind,
        number=order.number,
        customer=_customer(account, site),
        facts=tuple(_facts(order, sold)),
        currency=order.currency,
        lines=tuple(
            PaperLine(
                line.text, numbers.get(line.product_id, "") if line.product_id else "", line.quantity, line.unit,
                line.unit_price, line.is_gross, line.discount_percent, line.tax_percent, line.amount,
            )
            for line in lines
        ),
        sums=queries.sums(order, lines),
        terms=(order.payment_terms or "") if order.kind != Kind.CREDIT else "",
        note=order.note or "",
    )  # fmt: skip


def _customer(account: Account, site: Site | None) -> tuple[str, ...]:
    if site is None:
        return (account.name,)
    town = " ".join(filter(None, (site.postcode, site.city)))
    return tuple(filter(None, (account.name, site.street, town, site.country)))


def _facts(order: Order, sold: Order | None) -> list[tuple[str, str]]:
    words = WORDS[order.language]

    def day(value: date) -> str:
        return value.isoformat() if order.language == "en" else f"{value:%d.%m.%Y}"

    found = [(words["day"], day(order.day))]
    if order.kind == Kind.QUOTE and order.valid_until:
        found.append((words["until"], day(order.valid_until)))
    if order.wanted_on and order.state != State.CANCELLED:
        found.append((words["wanted"], day(order.wanted_on)))
    if order.reference:
        found.append((words["reference"], order.reference))
    if sold is not None and sold.number:
        found.append((words["of"], sold.number))
    return found


def render(paper: Paper) -> bytes:
    """The PDF file; the same paper gives the same bytes."""
    fonts.register()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=_MARGIN - 6, rightMargin=_MARGIN - 6, topMargin=14 * mm, bottomMargin=22 * mm,
        invariant=1, title=paper.title, author=paper.company, subject=paper.title, creator="Waymark",
    )  # fmt: skip

    def foot(canvas: Canvas, _document: Any) -> None:
        _foot(canvas, paper)

    document.build(_story(paper), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(paper: Paper) -> list[Flowable]:
    story: list[Flowable] = [
        _head(paper), Spacer(0, 26), _paragraph(paper.title, _TITLE, bold=True), Spacer(0, 8), _lines(paper),
        Spacer(0, 10), _sums(paper),
    ]  # fmt: skip
    if paper.terms:
        story += [Spacer(0, 14), _paragraph(paper.words["terms"], _QUIET, bold=True), *_text(paper.terms)]
    if paper.note:
        story += [Spacer(0, 10), *_text(paper.note)]
    return story


def _head(paper: Paper) -> Flowable:
    sender = [_paragraph(paper.company, _COMPANY, bold=True), *_text(paper.address, _QUIET), Spacer(0, 22)]
    left = [*sender, *(_paragraph(line, _BODY) for line in paper.customer)]
    facts = Table(
        [[_paragraph(label, _QUIET), _paragraph(value, _BODY)] for label, value in paper.facts],
        colWidths=[28 * mm, 42 * mm],
        style=_plain(),
    )
    return Table([[left, facts]], colWidths=[_WIDTH - 70 * mm, 70 * mm], style=_plain())


def _lines(paper: Paper) -> Flowable:
    words = paper.words
    has_discount = any(line.discount for line in paper.lines)
    titles = [words["text"], words["quantity"], words["price"], words["discount"], words["tax"],
              f"{words['amount']} {paper.currency}"]  # fmt: skip
    widths = [_WIDTH - 111 * mm, 23 * mm, 27 * mm, 15 * mm, 16 * mm, 30 * mm]
    rows = [[_paragraph(title, _QUIET if not place else _QUIET_RIGHT, bold=True) for place, title in enumerate(titles)]]
    rows += [_line(paper, line) for line in paper.lines]
    if not has_discount:
        rows = [row[:3] + row[4:] for row in rows]
        widths = [widths[0] + widths[3], *widths[1:3], *widths[4:]]
    return Table(rows, colWidths=widths, repeatRows=1, style=_ruled())


def _line(paper: Paper, line: PaperLine) -> list[Any]:
    text = [*_text(line.text), *([_paragraph(line.number, _QUIET)] if line.number else [])]
    places = max(digits(paper.currency), -int(line.unit_price.normalize().as_tuple().exponent))
    price = [_paragraph(paper.money(line.unit_price, places), _RIGHT)]
    price += [_paragraph(paper.words["gross"], _QUIET_RIGHT)] if line.is_gross else []
    return [
        text,
        _paragraph(f"{paper.figure(line.quantity)} {line.unit}", _RIGHT),
        price,
        _paragraph(f"{paper.figure(line.discount)} %" if line.discount else "", _RIGHT),
        _paragraph(f"{paper.figure(line.tax)} %" if line.tax is not None else "–", _RIGHT),
        _paragraph(paper.money(line.amount), _RIGHT),
    ]


def _sums(paper: Paper) -> Flowable:
    rows = [(paper.words["net"], paper.money(paper.sums.net))]
    for tax in paper.sums.taxes:
        label = paper.words["on"].format(p=paper.figure(tax.percent), n=paper.money(tax.net))
        rows.append((label, paper.money(tax.tax)))
    cells = [[_paragraph(label, _BODY), _paragraph(amount, _RIGHT)] for label, amount in rows]
    total = f"{paper.words['total']} {paper.currency}"
    cells.append([_paragraph(total, _BODY, bold=True), _paragraph(paper.money(paper.sums.gross), _RIGHT, bold=True)])
    style = _plain()
    style.add("LINEABOVE", (0, -1), (-1, -1), 0.8, HexColor(look.INK))
    return Table(cells, colWidths=[52 * mm, 32 * mm], hAlign="RIGHT", style=style)


def _plain() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
    )


def _ruled() -> TableStyle:
    style = _plain()
    style.add("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor(look.LINE))
    style.add("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor(look.INK))
    style.add("TOPPADDING", (0, 0), (-1, -1), 4)
    style.add("BOTTOMPADDING", (0, 0), (-1, -1), 5)
    return style


def _paragraph(text: str, style: ParagraphStyle, bold: bool = False) -> Paragraph:
    return Paragraph(fonts.markup(text, bold), style)


def _text(text: str, style: ParagraphStyle = _BODY) -> list[Flowable]:
    return [_paragraph(line, style) for line in text.splitlines() if line.strip()]


def _foot(canvas: Canvas, paper: Paper) -> None:
    number = f"{paper.title} · {paper.words['page'].format(n=canvas.getPageNumber())}"
    lines = paper.footer.splitlines()[:3]
    canvas.saveState()
    for place, text in enumerate(lines):
        _draw(canvas, text, _MARGIN, 17 * mm - place * 3.4 * mm)
    _draw(canvas, number, A4[0] - _MARGIN - fonts.width(number, 7), 17 * mm - 6.8 * mm)
    canvas.restoreState()


def _draw(canvas: Canvas, text: str, x: float, y: float) -> None:
    line = canvas.beginText(x, y)
    line.setFillColor(HexColor(look.QUIET))
    for name, piece in fonts.runs(text):
        line.setFont(name, 7)
        line.textOut(piece)
    canvas.drawText(line)
