"""Writing the day of every rep to disk, and asking for it to be done.

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
from routing.export.types import DaySheet
from server.auth.access import Scope
from server.auth.queries import visible_users
from server.kit import clock
from server.kit.errors import Unavailable
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
    found = sheets.of_day(session, day)
    if not found:
        raise folders.NoExport(f"No route is published for {day}.", help="Publish a plan that covers the day.")
    written = [_write(sheet, target) for sheet in found]
    if target is None:
        folders.remove_others(day, {sheet.login for sheet in found})
    return written


def write_rep(session: Session, day: date, rep_id: UUID) -> Path | None:
    """Export one rep's published day; without one nothing happens."""
    found = sheets.of_day(session, day, rep_id)
    return _write(found[0], None) if found else None


def visible_logins(session: Session, scope: Scope) -> set[str]:
    """Whose exports somebody may see."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("exports:read"))
    return {person.login for person in session.scalars(people)}


def visible_export(session: Session, scope: Scope, day: date, login: str) -> folders.Export:
    """One rep's export; for a stranger's there is none."""
    if login not in visible_logins(session, scope):
        raise folders.NoExport(f"There is no export of {login} for {day}.")
    return folders.export_of(day, login)


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


def _write(sheet: DaySheet, target: Path | None) -> Path:
    from routing.export import bundle

    return folders.store(sheet.day, sheet.login, bundle.write(sheet, map_library()), target)
