"""Writing the days of every rep to disk, and asking for it to be done.

The writers (folium with its pandas, reportlab, openpyxl) are loaded when the first file is written, so that every other
command and every server process starts without them.
"""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

import server
from routing.export.tour import Span, Tour
from server.auth.access import Scope
from server.auth.queries import visible_users
from server.kit import clock
from server.kit.errors import Invalid, Unavailable
from server.kit.settings import settings
from server.plans.exporting import folders, sheets

if TYPE_CHECKING:
    from routing.export.web_map import Assets

VENDOR = Path(server.__file__).parent / "web" / "static" / "vendor"


class NoMapLibrary(Unavailable):
    """The mailed map cannot be written without its library."""

    code = "no_map_library"


def write_day(session: Session, day: date, target: Path | None = None) -> list[Path]:
    """Export the published day of every rep; returns the folders. Refuses a day for which nothing is published."""
    return write(session, Span.of(day), target)


def write(session: Session, span: Span, target: Path | None = None) -> list[Path]:
    """Export the published routes of some days, one set of files per rep; returns the folders.

    Refuses days for which nothing is published.
    """
    found = sheets.tours(session, span)
    if not found:
        raise folders.NoExport(f"No route is published for {span}.", help="Publish a plan that covers these days.")
    written = [_write(tour, target) for tour in found]
    if target is None:
        folders.remove_others(span, {tour.login for tour in found})
    return written


def write_rep(session: Session, span: Span, rep_id: UUID) -> folders.Export | None:
    """Export one rep's published days; without a route nothing happens."""
    found = sheets.tours(session, span, rep_id)
    if not found:
        return None
    _write(found[0], None)
    return folders.export_of(span, found[0].login)


def visible_logins(session: Session, scope: Scope) -> set[str]:
    """Whose exports somebody may see."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("exports:read"))
    return {person.login for person in session.scalars(people)}


def visible_export(session: Session, scope: Scope, span: Span, login: str) -> folders.Export:
    """One rep's export; for a stranger's there is none."""
    if login not in visible_logins(session, scope):
        raise folders.NoExport(f"There is no export of {login} for {span}.")
    return folders.export_of(span, login)


def span_of(written: str) -> Span:
    """Some days as an address names them; refuses what is none."""
    try:
        return Span.parse(written)
    except ValueError as error:
        raise Invalid(
            f"“{written}” is neither a day nor some days.", help="Write 2026-11-24 or 2026-11-23--2026-11-27."
        ) from error


def day_to_export() -> date | None:
    """Tomorrow, when its export is due by the settings' hour and days; also when that hour was slept through."""
    now = clock.now().astimezone(ZoneInfo(settings().zone))
    weekdays = {int(number) for number in settings().export_days.split(",") if number.strip()}
    if now.weekday() not in weekdays or now.hour < settings().export_hour:
        return None
    tomorrow = now.date() + timedelta(days=1)
    return tomorrow if now.hour == settings().export_hour or not folders.exports_of(tomorrow) else None


@cache
def map_library() -> "Assets":
    """The map library that the server's own pages are served with; refuses when it is not installed."""
    from routing.export.web_map import Assets

    try:
        return Assets.of(VENDOR)
    except FileNotFoundError as error:
        raise NoMapLibrary(
            f"The map library is not installed ({error.filename} is missing).",
            help="Run `python -m server.web.vendor`, or `make setup`.",
        ) from error


def _write(tour: Tour, target: Path | None) -> Path:
    from routing.export import bundle

    return folders.store(tour.span, tour.login, bundle.write(tour, map_library()), target)
