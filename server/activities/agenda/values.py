"""The editable fields of an activity: what each accepts, how it travels, which merge together."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from server.activities.agenda.models import Direction, Priority, Result, State
from server.activities.agenda.recurrence import checked_rule
from server.kit.errors import Invalid
from server.records.merging import Json, Rules

FIRST_YEAR, LAST_YEAR = 1970, 2199
LONGEST_SUBJECT, LONGEST_NOTE = 300, 100_000
MOST_REMINDER_MIN = 40_320
"""Four weeks."""

type Rule = Callable[[str, Any], Any]


def words(longest: int) -> Rule:
    """Text on one line, or nothing."""

    def rule(name: str, value: Any) -> str | None:
        if value is None:
            return None
        found = " ".join(str(value).split())
        if len(found) > longest:
            raise Invalid(f"{name} is longer than {longest} characters.", help="Write less.", field=name)
        return found or None

    return rule


def subject(name: str, value: Any) -> str:
    """What it is about; never empty."""
    found = words(LONGEST_SUBJECT)(name, value)
    if not found:
        raise Invalid("The subject is empty.", help="Say in a few words what it is about.", field=name)
    return str(found)


def prose(name: str, value: Any) -> str | None:
    """Text of several lines, or nothing."""
    found = str(value or "").replace("\r\n", "\n").strip()
    if len(found) > LONGEST_NOTE:
        raise Invalid(f"{name} is longer than {LONGEST_NOTE} characters.", help="Write less.", field=name)
    return found or None


def moment(name: str, value: Any) -> datetime | None:
    """A moment with its zone, in whole seconds, in UTC."""
    if value is None or value == "":
        return None
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid(f"“{value}” is not a moment.", help="Write it like 2026-11-26T10:40:00Z.", field=name) from error
    if found.tzinfo is None:
        raise Invalid(f"{name} has no time zone.", help="Write it like 2026-11-26T10:40:00Z.", field=name)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Invalid(f"Years go from {FIRST_YEAR} to {LAST_YEAR}.", field=name)
    return found.astimezone(UTC).replace(microsecond=0)


def moments(name: str, value: Any) -> list[datetime]:
    """Several moments, each once, the earliest first."""
    return sorted({found for one in value or [] if (found := moment(name, one)) is not None})


def day(name: str, value: Any) -> date | None:
    """A day, or nothing."""
    if value is None or value == "":
        return None
    try:
        found = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid(f"“{value}” is not a day.", help="Write it like 2026-11-26.", field=name) from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Invalid(f"Years go from {FIRST_YEAR} to {LAST_YEAR}.", field=name)
    return found


def zone(name: str, value: Any) -> str:
    """A time zone that IANA knows."""
    try:
        ZoneInfo(str(value))
    except (KeyError, ValueError, OSError) as error:
        raise Invalid(
            f"There is no time zone “{value}”.", help="Use a name such as Europe/Zurich.", field=name
        ) from error
    return str(value)


def one_of(choices: type[StrEnum], *, may_be_empty: bool = False) -> Rule:
    """One of a few words."""

    def rule(name: str, value: Any) -> str | None:
        if may_be_empty and value in (None, ""):
            return None
        if value not in [one.value for one in choices]:
            raise Invalid(f"“{value}” is no {name}.", help="One of: " + ", ".join(choices) + ".", field=name)
        return str(value)

    return rule


def whole(least: int, most: int) -> Rule:
    """A whole number within limits, or nothing."""

    def rule(name: str, value: Any) -> int | None:
        if value is None or value == "":
            return None
        try:
            found = int(value)
        except (TypeError, ValueError) as error:
            raise Invalid(f"“{value}” is not a whole number.", field=name) from error
        if not least <= found <= most:
            raise Invalid(f"{name} lies between {least} and {most}.", field=name)
        return found

    return rule


def key(name: str, value: Any) -> UUID | None:
    """The id of another record, or nothing."""
    if value is None or value == "":
        return None
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError as error:
        raise Invalid(f"“{value}” is not an id.", field=name) from error


def keys(name: str, value: Any) -> list[UUID]:
    """The ids of other records, each once."""
    return sorted({found for one in value or [] if (found := key(name, one)) is not None})


def flag(name: str, value: Any) -> bool:
    """Yes or no."""
    del name
    return bool(value)


def repeat(name: str, value: Any) -> str | None:
    """How it repeats, as RFC 5545 says it."""
    return checked_rule(str(value), field=name) if value else None


FIELDS: Mapping[str, Rule] = {
    "account_id": key,
    "site_id": key,
    "contact_id": key,
    "opportunity_id": key,
    "ticket_id": key,
    "lead_id": key,
    "owner_id": key,
    "participant_ids": keys,
    "subject": subject,
    "note": prose,
    "starts_at": moment,
    "ends_at": moment,
    "is_all_day": flag,
    "zone": zone,
    "due_on": day,
    "effort_s": whole(60, 604_800),
    "place": words(1000),
    "state": one_of(State),
    "priority": one_of(Priority),
    "outcome": one_of(Result, may_be_empty=True),
    "direction": one_of(Direction, may_be_empty=True),
    "rrule": repeat,
    "exdates": moments,
    "reminder_min": whole(0, MOST_REMINDER_MIN),
    "is_private": flag,
}
"""Every field that people edit, with what it accepts."""

TIMES = frozenset({"starts_at", "ends_at", "is_all_day", "zone", "rrule"})
RULES = Rules(
    take_field=frozenset({"state", "outcome"}),
    groups=(TIMES, frozenset({"account_id", "site_id"}), frozenset({"state", "outcome"})),
)
"""Who did it knows better what came of it; times, and account with site, only make sense together."""


def cleaned(name: str, value: Any) -> Any:
    """A field's value as it is stored; refuses what the field does not accept."""
    rule = FIELDS.get(name)
    if rule is None:
        raise Invalid(f"An activity has no field “{name}” that can be written.", field=name)
    return rule(name, value)


def wire(value: Any) -> Json:
    """A stored value as it travels and as history keeps it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [wire(one) for one in value]
    return value if isinstance(value, bool | int | float | str) else None


def as_wire(name: str, value: Any) -> Json:
    """A value of a field as it travels, whoever wrote it: history keeps moments as PostgreSQL writes them."""
    return wire(cleaned(name, value))
