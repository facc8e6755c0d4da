"""What files of other rooms name: accounts, people, own fields, days, moments, amounts. One way of reading for all."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.importing import cells
from server.accounts.models import Account
from server.auth.access import Scope
from server.fields.queries import fields_of
from server.fields.values import Shape, accepted, shape_of
from server.imports.declared import ids_by_cell
from server.imports.statements import WAYMARK_ID, Field, Link
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.records.editing import CUSTOM
from server.records.values import MAX_MONEY, identity

YES = {"yes", "y", "ja", "j", "true", "wahr", "1", "x", "oui", "si", "sì"}
NO = {"no", "n", "nein", "false", "falsch", "0", "non"}

ACCOUNT_NAMES = (
    "account konto firma firmenname kunde kundenname customer customername client organisation organization accountname"
)
"""Titles under which files name an account."""
ACCOUNT_TITLES = (
    f"{ACCOUNT_NAMES} company companyname accountnumber accountno kontonummer kontonr kundennummer kundennr kdnr"
    " customerno customernumber debitor debitorennummer"
)
"""The same, and those under which they carry its number."""

ACCOUNTS = """
    select w.cell, a.id, 0 as rank from unnest(cast(:cells as text[])) w(cell)
    join account a on a.id = case when w.cell ~ '^[0-9a-f]{8}-[0-9a-f-]{27}$' then w.cell::uuid end
    union all
    select w.cell, account_surviving(a.id), 1 from unnest(cast(:cells as text[])) w(cell)
    join account a on a.number = w.cell and a.deleted_at is null
    union all
    select w.cell, a.id, 2 from unnest(cast(:cells as text[])) w(cell)
    join account a on search_text(a.name) = search_text(w.cell) and a.deleted_at is null and a.merged_into is null
"""
PEOPLE = """
    select w.cell, u.id, 0 as rank from unnest(cast(:cells as text[])) w(cell)
    join app_user u on lower(w.cell) in (lower(u.login), lower(u.email)) and u.deleted_at is null
    union all
    select w.cell, u.id, 1 from unnest(cast(:cells as text[])) w(cell)
    join app_user u on search_text(u.name) = search_text(w.cell) and u.deleted_at is null
"""


def account_link(permission: str) -> Link:
    """Accounts by number, name or id, within the reach of a permission."""

    def find(session: Session, scope: Scope | None, cells: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        found = ids_by_cell(session, ACCOUNTS, cells)
        if scope is None or not found:
            return found
        every = [one for ids in found.values() for one in ids]
        named = Account.id == any_(literal(every, ARRAY(Uuid)))
        seen = set(session.scalars(queries.visible_to(scope, permission).where(named).with_only_columns(Account.id)))
        return {cell: [one for one in ids if one in seen] for cell, ids in found.items()}

    return Link("account", "accounts", "the account's number", find, "Import the accounts first, or correct the cell.")


def people(session: Session, _scope: Scope | None, cells: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    """Users by login, mail address or name."""
    return ids_by_cell(session, PEOPLE, cells)


PERSON = Link("user", "users", "the login", people, "Write a login, a mail address or a name.")
IDENTITY = Field(
    WAYMARK_ID, "Waymark's id", value="id", clean=identity, is_strict=True, is_stored=False, present="o.values -> 'id'"
)
"""What our own exports carry, so that a file that was mended finds its records again."""


def own_fields(session: Session, object: str) -> tuple[Field, ...]:
    """The fields that the company has added to an object."""
    return tuple(own_field(CUSTOM + one.key, one.key, shape_of(one)) for one in fields_of(session, object))


def own_field(name: str, key: str, shape: Shape) -> Field:
    """One field of the company's own; files carry it under its label or its key."""
    return Field(name, shape.label, key, clean=lambda cell: accepted(shape, cell), is_stored=False)


def on_day(cell: str) -> str:
    """A day in any usual writing."""
    found = cells.day(cell)
    if found is None or not 1900 <= found[0].year <= 2199:
        raise Invalid(f"“{cell[:60]}” is not a day", help="Write it like 2026-11-26.")
    return found[0].isoformat()


CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(am|pm)?", re.IGNORECASE)


def at_moment(cell: str) -> str:
    """A moment in any usual writing; without a zone it is the company's, without a time noon of the day."""
    try:
        exact = datetime.fromisoformat(cell)
    except ValueError:
        exact = None
    if exact is None or ":" not in cell:
        day, clock = datetime.fromisoformat(on_day(cell)).date(), CLOCK.search(cell)
        exact = datetime.combine(day, time(12))
        if clock is not None:
            hour = int(clock[1]) % 12 + 12 * (clock[4].lower() == "pm") if clock[4] else int(clock[1])
            if hour > 23 or int(clock[2]) > 59:
                raise Invalid(f"“{cell[:60]}” is not a moment", help="Write it like 2026-11-26 10:40.")
            exact = datetime.combine(day, time(hour, int(clock[2]), int(clock[3] or 0)))
    if not 1900 <= exact.year <= 2199:
        raise Invalid(f"“{cell[:60]}” is not a moment", help="Write it like 2026-11-26 10:40.")
    known = exact if exact.tzinfo else exact.replace(tzinfo=ZoneInfo(settings().zone))
    return known.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def amount(cell: str) -> Decimal:
    """An amount in any usual writing; not negative."""
    found = cells.amount(cell)
    if found is None or not 0 <= found[0] <= MAX_MONEY:
        raise Invalid(f"“{cell[:60]}” is no amount", help="Write it like 12500.00.")
    return found[0]


def yes_or_no(cell: str) -> bool:
    """Yes or no, in some languages."""
    word = cell.strip().lower()
    if word not in YES | NO:
        raise Invalid(f"“{cell[:60]}” is neither yes nor no", help="Write yes or no.")
    return word in YES


def one_of(words: Mapping[str, str]) -> Any:
    """A rule for one of a few words, in whatever language files have them."""

    def rule(cell: str) -> str:
        word = cell.strip().lower().replace(" ", "_")
        if word not in words:
            known = ", ".join(dict.fromkeys(words.values()))
            raise Invalid(f"“{cell[:60]}” is not known", help=f"One of: {known}.")
        return words[word]

    return rule


def spelled(**words: str) -> dict[str, str]:
    """Words of files by what they mean: `spelled(call="anruf telefonat")`."""
    return {one: meaning for meaning, others in words.items() for one in (meaning, *others.split())}
