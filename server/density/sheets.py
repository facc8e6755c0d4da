"""Density and white space as workbooks: figures, kinds, territories, and a sheet that says how and from what."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h3
from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.density import figures, firms, queries, reach
from server.density.choosing import Chosen
from server.density.whitespace import Gap, Ranked, Wish, sees_values
from server.kit import clock
from server.kit.settings import settings
from server.kit.spreadsheets import harmless

USUAL = 8
"""The resolution of hexagons when none is asked for."""
FORMULAS = (
    ("potential", "prospects + customers: all firms that could be customers, or are"),
    ("penetration", "customers / potential; empty where it is not known: see unknown_kind"),
    ("low_90, high_90", "Wilson score interval of the penetration (Wilson 1927)"),
    ("expected", "customers that were to be expected: sum over the firms of the rate of their kind"),
    ("chance_low, chance_high", "expected -/+ 1.645 x root of the variance, and half a customer: 9 of 10 by chance"),
    ("unknown_kind", "of a kind: customers that may be of it, because theirs is not known; not among the customers"),
    (
        "rate of a kind",
        "(customers + 20 x rate of all kinds) / (firms + 20); customers of no known kind are shared out",
    ),
    ("value", "sum over the prospects of rate x mean yearly value of customers of their kind"),
    (
        "drive_h",
        "there and back for every 10 stops, and a tour of 0.7124 x root (stops x area) x 1.35 at 30 km/h inside",
    ),
    ("visit_h", "30 minutes for each prospect and lead, for an account as long as is planned there"),
    ("per_hour", "value / (drive_h + visit_h); firms / (drive_h + visit_h) where nothing is known of values"),
)
"""The figures in words, as each workbook brings them along."""
_FIGURES = (
    "prospects", "customers", "potential", "penetration", "low_90", "high_90", "expected", "chance_low",
    "chance_high", "value",
)  # fmt: skip


def write_market(session: Session, scope: Scope, path: Path, chosen: Chosen) -> None:
    """Write hexagons, territories, kinds and customers that somebody may see."""
    seen, shows, trades = reach.of(session, scope), sees_values(scope), chosen.trades(session)
    book = Workbook(write_only=True)
    header, cells = _hexagons(session, scope, chosen)
    _sheet(book, "hexagons", header, cells)
    areas = figures.by_territory(session, seen, trades)
    lines = ([area.name, *_line(area.figures, shows, of_kind=trades is not None)] for area in areas)
    _sheet(book, "territories", ["territory", *header[3:]], lines)
    own = firms.customers(session, scope, chosen.filter, trades)
    listed = ([one.name, one.kind, one.account_class, *map(_rounded, one.point)] for one in own)
    _sheet(book, "customers", ["name", "kind", "class", "lon", "lat"], listed)
    kinds = ([k.kind, k.firms, k.customers, k.rate, *([k.value] if shows else [])] for k in queries.kinds(session))
    _sheet(book, "kinds", ["kind", "firms", "customers", "rate", *(["value"] if shows else [])], kinds)
    _about(session, book, chosen.lines())
    book.save(path)


def write_csv(session: Session, scope: Scope, path: Path, chosen: Chosen) -> None:
    """Write the hexagons that somebody may see as a table, with the sources in a column of their own."""
    header, cells = _hexagons(session, scope, chosen)
    credit = "; ".join(firms.sources(session)) or "no region"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "sources"])
        writer.writerows([*line, credit] for line in cells)


def _hexagons(session: Session, scope: Scope, chosen: Chosen) -> tuple[list[str], Iterator[list[Any]]]:
    """The columns of hexagons, and their lines."""
    shows, trades = sees_values(scope), chosen.trades(session)
    names = [name for name in _FIGURES if shows or name != "value"]
    seen = reach.of(session, scope)
    cells = queries.cells(session, chosen.resolution or USUAL, seen, trades, figure=chosen.figure)
    of_kind = trades is not None
    told = ((h3.int_to_str(cell.cell), figures.figures(cell, 0)) for cell in cells)
    lines = ([name, *_places(name), *_line(found, shows, of_kind=of_kind)] for name, found in told)
    return ["cell", "lon", "lat", *names, *(["unknown_kind"] if of_kind else [])], lines


def write_white_space(session: Session, scope: Scope, wish: Wish, found: Ranked, path: Path) -> None:
    """Write white space in its order."""
    shows = sees_values(scope)
    book = Workbook(write_only=True)
    header = [
        "rank", "cell", "lon", "lat", "territory", "prospects", "leads", "accounts", "kinds",
        *(["value"] if shows else []), "nearest_start", "drive_out_min", "by_road", "drive_h", "visit_h",
        "per_hour",
    ]  # fmt: skip
    _sheet(book, "white space", header, (_gap(rank, gap, shows) for rank, gap in enumerate(found.gaps, 1)))
    asked = [
        ("which", wish.which.value), ("kind", wish.kind or "all"), ("class", wish.account_class or "all"),
        ("days without a visit", wish.days), ("hexagons found", found.total),
        ("ranked by", "value" if found.by_value else "firms"),
    ]  # fmt: skip
    _about(session, book, asked)
    book.save(path)


def _gap(rank: int, gap: Gap, shows: bool) -> list[Any]:
    kinds = ", ".join(f"{kind} ({count})" for kind, count in gap.kinds)
    return [
        rank, gap.cell, round(gap.at.lon, 5), round(gap.at.lat, 5), gap.territory, gap.prospects, gap.leads,
        gap.accounts, kinds, *([round(gap.value, 2)] if shows else []), gap.rep,
        None if gap.out_s is None else round(gap.out_s / 60, 1), gap.by_road, _rounded(gap.drive_h),
        _rounded(gap.visit_h), _rounded(gap.per_hour),
    ]  # fmt: skip


def _places(cell: str) -> list[float]:
    lat, lon = h3.cell_to_latlng(cell)
    return [round(lon, 5), round(lat, 5)]


def _line(found: figures.Figures, shows: bool, *, of_kind: bool) -> list[Any]:
    share = found.penetration
    numbers = [
        found.prospects, found.customers, found.potential,
        *([None] * 3 if found.not_known else [share.share, share.low, share.high]),
        found.chance.expected, found.chance.low, found.chance.high, *([found.value] if shows else []),
        *([found.unknown] if of_kind else []),
    ]  # fmt: skip
    return [_rounded(number) for number in numbers]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _sheet(book: Workbook, title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(list(header))
    for row in rows:
        sheet.append([harmless(value) for value in row])


def _about(session: Session, book: Workbook, asked: Sequence[tuple[str, Any]]) -> None:
    """What it was made from, when, and what the columns mean."""
    when = queries.totals(session).refreshed_at or clock.now()
    rows = [("counted", f"{when:%Y-%m-%d %H:%M} UTC"), ("money", settings().currency), *asked]
    rows += [("source", line) for line in firms.sources(session) or ["no region"]]
    _sheet(book, "about", ["what", "meaning"], [*rows, *FORMULAS])
