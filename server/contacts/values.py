"""What each field of a contact and of its place at an account accepts, and how edits of two people merge."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from server.fields.service import rules_of
from server.kit.errors import Invalid
from server.records.editing import Editor
from server.records.merging import Json, Rules
from server.records.values import Rule, day, email, flag, identity, language, plain, text, worded

EARLIEST = 1900
"""The first year in which somebody who is met can be born."""
MOST = 20
"""Phones, or mail addresses, of one person."""


def reached_at(clean: Callable[[object], str | None], trouble: str) -> Callable[[object], list[dict[str, str]]]:
    """A rule for several phones or mail addresses: texts, or objects of label and value."""

    def rule(value: object) -> list[dict[str, str]]:
        parts = value.replace("\n", ",").split(",") if isinstance(value, str) else value or ()
        if not isinstance(parts, Iterable):
            raise Invalid(trouble)
        found: dict[str, dict[str, str]] = {}
        for part in parts:
            one: Mapping[str, Any] = part if isinstance(part, Mapping) else {"value": part}
            written = clean(one.get("value"))
            if written:
                label = plain(one.get("label"), 40) or ""
                found.setdefault(written.casefold(), {"label": label, "value": written})
        if len(found) > MOST:
            raise Invalid(f"{len(found)} are too many", help=f"At most {MOST}.")
        return list(found.values())

    return rule


def phone(value: object) -> str | None:
    """A phone number as it is written; refuses what has no digits."""
    written = plain(worded(value), 60)
    if written is not None and sum(sign.isdigit() for sign in written) < 3:
        raise Invalid(f"“{written}” is not a phone number", help="Write it like +423 237 12 12.")
    return written


def languages(value: object) -> list[str]:
    """Languages, each once, the preferred one first."""
    parts = value.replace(";", ",").split(",") if isinstance(value, str) else value or ()
    if not isinstance(parts, Iterable):
        raise Invalid("needs a list of languages")
    return list(dict.fromkeys(code for part in parts if (code := language(part))))


def birthday(value: object) -> date | None:
    """A day in the past."""
    found = day(value or None)
    if found is not None and not EARLIEST <= found.year <= 2100:
        raise Invalid(f"{found} cannot be a birthday", help="Leave it empty when it is not known.")
    return found


def roles(value: object) -> list[str]:
    """Words of the pick list `contact_role`, each once."""
    parts = value.split(",") if isinstance(value, str) else value or ()
    if not isinstance(parts, Iterable):
        raise Invalid("needs a list of roles")
    return list(dict.fromkeys(role for part in parts if (role := plain(part, 60))))


CONTACT: dict[str, Rule] = {
    "prefix": Rule(text(40), "Title"),
    "first_name": Rule(text(120), "First name"),
    "last_name": Rule(text(120), "Last name"),
    "title": Rule(text(160), "Function"),
    "languages": Rule(languages, "Languages"),
    "phones": Rule(reached_at(phone, "needs a list of phones"), "Phones"),
    "mails": Rule(reached_at(email, "needs a list of addresses"), "E-mail"),
    "birthday": Rule(birthday, "Birthday"),
    "note": Rule(text(20_000, lines=True), "Note"),
    "do_not_contact": Rule(flag, "Do not contact"),
    "do_not_contact_reason": Rule(text(500), "Reason"),
    "owner_id": Rule(identity, "Owner"),
}
"""The fields of a contact that people edit."""

LINK: dict[str, Rule] = {
    "roles": Rule(roles, "Roles"),
    "is_primary": Rule(flag, "First to ask"),
    "site_id": Rule(identity, "Site"),
    "since": Rule(lambda value: day(value or None), "Since"),
    "until": Rule(lambda value: day(value or None), "Until"),
}
"""What a person is at an account."""

CONTACT_RULES = Rules(groups=(frozenset({"do_not_contact", "do_not_contact_reason"}),))
LINK_RULES = Rules(groups=(frozenset({"since", "until"}),))


def wire(_name: str, value: object) -> Json:
    """A field's value as it travels and as it is compared."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        kept: Json = list(value)
        return kept
    return str(value)


def editor(session: Session) -> Editor:
    """How contacts are edited: their own fields, and those that the company has added."""
    return Editor(CONTACT | rules_of(session, "contact"), CONTACT_RULES, wire)


LINKS = Editor(LINK, LINK_RULES, wire)
