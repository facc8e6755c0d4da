"""What the forms of calls, meetings and tasks send, as the fields of an activity."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from starlette.datastructures import FormData

from server.auth.access import Scope
from server.kit.errors import Invalid, WaymarkError
from server.web.forms import number, text
from server.web.pages import render

PLAIN = ("account_id", "site_id", "contact_id", "subject", "note", "place", "priority", "outcome", "due_on", "rrule")


def fields_of(sent: FormData, zone: str) -> dict[str, Any]:
    """The fields that a form has; what it does not have is left out.

    Refuses a day or a time that cannot be read, by the form's field.
    """
    values: dict[str, Any] = {name: text(sent, name) for name in PLAIN if name in sent}
    if values.get("priority", "") is None:
        values.pop("priority")
    if "minutes" in sent and "day" not in sent:
        minutes = number(sent, "minutes")
        values["effort_s"] = int(minutes * 60) if minutes else None
    if "reminder_min" in sent:
        values["reminder_min"] = text(sent, "reminder_min")
    if "with_id" in sent:
        values["participant_ids"] = [one for one in sent.getlist("with_id") if one]
    if "has_private" in sent:
        values["is_private"] = "is_private" in sent
    if "day" in sent:
        values |= times_of(sent, zone)
    return values


def times_of(sent: FormData, zone: str) -> dict[str, Any]:
    """Start and end of a form with a day, a time and a duration; a day alone is a whole one."""
    if not text(sent, "day"):
        return {"starts_at": None, "ends_at": None}
    day, at = _day(text(sent, "day") or ""), text(sent, "time")
    is_all_day = "is_all_day" in sent or at is None
    starts = datetime.combine(day, time() if is_all_day else _time(at or ""), ZoneInfo(zone))
    minutes = number(sent, "minutes") or 30
    if not 0 < minutes <= 89_280:
        raise Invalid("It lasts between a minute and 62 days.", field="minutes")
    ends = starts + (timedelta(days=1) if is_all_day else timedelta(minutes=minutes))
    return {"starts_at": starts, "ends_at": ends, "is_all_day": is_all_day, "zone": zone}


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise Invalid(f"“{written}” is not a day.", help="Write it like 2026-11-26.", field="day") from error


def _time(written: str) -> time:
    try:
        return time.fromisoformat(written)
    except ValueError as error:
        raise Invalid(f"“{written}” is not a time.", help="Write it like 10:40.", field="time") from error


def refused(request: Request, scope: Scope, error: Exception) -> Response:
    """What was refused, with the way back."""
    shown = error if isinstance(error, WaymarkError) else Invalid("The form is not one of ours.", help="Reload it.")
    return render(request, "calendar/refused.html", scope, status=int(shown.status), error=shown)
