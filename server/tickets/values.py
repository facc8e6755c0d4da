"""What each field of a ticket, a queue and a canned answer accepts: one rule for forms, API, phones and imports."""

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from zoneinfo import available_timezones

from server.accounts.opening_hours import parse_hours
from server.accounts.values import Rule, country, email, flag, identity, opening_hours, plain, tags, text
from server.closures.holidays import check_place
from server.kit.errors import Invalid
from server.records.merging import Json, Rules
from server.tickets.models import Assignment, ClockKind, Priority, TicketState

LONGEST_SUBJECT = 300
LONGEST_BODY = 100_000
MOST_MINUTES = 525_600
LANGUAGES = ("en", "de")


def required(limit: int, what: str, *, lines: bool = False) -> Callable[[object], str]:
    """A rule for text that cannot be empty."""

    def rule(value: object) -> str:
        written = plain(value, limit, lines=lines)
        if written is None:
            raise Invalid("is missing", help=what)
        return written

    return rule


def one_of(kind: type[StrEnum]) -> Callable[[object], str]:
    """A rule for one of a few values."""

    def rule(value: object) -> str:
        written = (plain(value, 100) or "").lower()
        if written not in [str(member) for member in kind]:
            raise Invalid(f"“{written}” is not known", help="One of: " + ", ".join(kind) + ".")
        return written

    return rule


def lower_email(value: object) -> str | None:
    """A mail address, in small letters."""
    found = email(value)
    return found.lower() if found else None


def language(value: object) -> str | None:
    """A language that letters are written in."""
    written = (plain(value, 20) or "")[:2].lower()
    return written if written in LANGUAGES else None


def custom(value: object) -> dict[str, Any]:
    """Fields of the company's own, by name."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(json.dumps(value, default=str)) > 20_000:
        raise Invalid("needs a small object of names and values")
    return dict(value)


def number(low: int, high: int) -> Callable[[object], int]:
    """A rule for a whole number that must be there."""

    def rule(value: object) -> int:
        try:
            found = int(str(value))
        except ValueError as error:
            raise Invalid(f"“{plain(value, 100)}” is not a whole number") from error
        if not low <= found <= high:
            raise Invalid(f"{found} cannot be", help=f"A whole number from {low} to {high:,}.")
        return found

    return rule


def zone(value: object) -> str:
    """An IANA time zone."""
    written = plain(value, 60) or ""
    if written not in available_timezones():
        raise Invalid(f"“{written}” is no time zone", help="An IANA name such as Europe/Zurich.")
    return written


def working_hours(value: object) -> str:
    """Opening hours within which somebody works at least once a week."""
    written = opening_hours(value)
    if written is None or not any(parse_hours(written)):
        raise Invalid("says no hours at all", help="For example: Mo-Fr 08:00-12:00,13:00-17:00; PH off.")
    return written


def holiday_country(value: object) -> str | None:
    """A country whose holidays are known."""
    found = country(value)
    if found is not None:
        check_place(found, "")
    return found


def form_key(value: object) -> str:
    """A word for the address of a public form."""
    written = (plain(value, 60) or "").lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,59}", written):
        raise Invalid(f"“{written}” cannot stand in an address", help="Small letters, digits and hyphens.")
    return written


def targets(value: object) -> dict[str, dict[str, int]]:
    """Minutes of working time by priority; refuses a solution that is due before its first answer."""
    if not isinstance(value, Mapping):
        raise Invalid("needs an object of priorities")
    found: dict[str, dict[str, int]] = {}
    for priority, minutes in value.items():
        one_of(Priority)(priority)
        if not isinstance(minutes, Mapping) or set(minutes) - set(ClockKind):
            raise Invalid(f"of {priority} needs minutes to “answer” and to “solve”")
        known = {str(k): number(1, MOST_MINUTES)(v) for k, v in minutes.items() if v not in (None, "")}
        if known.get("answer", 0) > known.get("solve", MOST_MINUTES):
            raise Invalid(f"of {priority}: the solution is due before the first answer", help="Swap the two.")
        found[str(priority)] = known
    return found


def identities(value: object) -> list[Any]:
    """References to some people."""
    if not isinstance(value, list | tuple):
        raise Invalid("needs a list of ids")
    return list(dict.fromkeys(found for one in value if (found := identity(one)) is not None))


def state_after(value: object) -> str | None:
    """A state that an answer may bring; empty for none."""
    return one_of(TicketState)(value) if value not in (None, "") else None


TICKET: dict[str, Rule] = {
    "subject": Rule(required(LONGEST_SUBJECT, "Say in a few words what it is about."), "Subject"),
    "queue_id": Rule(identity, "Queue"),
    "state": Rule(one_of(TicketState), "State"),
    "priority": Rule(one_of(Priority), "Priority"),
    "assignee_id": Rule(identity, "Assignee"),
    "account_id": Rule(identity, "Account"),
    "site_id": Rule(identity, "Site"),
    "contact_id": Rule(identity, "Contact"),
    "requester_name": Rule(text(200), "Name"),
    "requester_email": Rule(lower_email, "E-mail"),
    "requester_phone": Rule(text(60), "Phone"),
    "tags": Rule(tags, "Tags"),
    "custom": Rule(custom, "Own fields"),
    "language": Rule(language, "Language"),
}
"""The fields of a ticket that people edit."""

TICKET_RULES = Rules(groups=(frozenset({"account_id", "site_id", "contact_id"}),))
"""How edits of two people merge: a site belongs to its account."""

QUEUE: dict[str, Rule] = {
    "name": Rule(required(100, "Every queue needs a name."), "Name"),
    "form_key": Rule(form_key, "Address of the form"),
    "form_is_open": Rule(flag, "Form is open"),
    "form_intro": Rule(text(2000, lines=True), "Above the form"),
    "mail_address": Rule(lower_email, "Mail address"),
    "signature": Rule(text(2000, lines=True), "Signature"),
    "confirms": Rule(flag, "Confirms what comes in"),
    "asks_rating": Rule(flag, "Asks whether people are content"),
    "priority": Rule(one_of(Priority), "Priority"),
    "hours": Rule(working_hours, "Hours"),
    "zone": Rule(zone, "Time zone"),
    "country": Rule(holiday_country, "Holidays of"),
    "targets": Rule(targets, "Targets"),
    "reopen_days": Rule(number(0, 365), "Days to open again"),
    "assignment": Rule(one_of(Assignment), "Assignment"),
    "agent_ids": Rule(identities, "Who works it"),
}
"""The fields of a queue."""

ANSWER: dict[str, Rule] = {
    "title": Rule(required(100, "Give it a title to find it by."), "Title"),
    "body": Rule(required(LONGEST_BODY, "Write the answer.", lines=True), "Answer"),
    "queue_id": Rule(identity, "Queue"),
    "language": Rule(language, "Language"),
    "state_after": Rule(state_after, "State afterwards"),
    "tags": Rule(tags, "Tags"),
}
"""The fields of a canned answer."""


def wire(value: object) -> Json:
    """A field's value as it travels and as it is compared: ids as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, StrEnum) else value
    if isinstance(value, Mapping):
        return {str(name): wire(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [wire(one) for one in value]
    return str(value)
