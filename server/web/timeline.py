"""What happened at an account: visits and edits in one order, the latest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.schemas import AccountRead
from server.accounts.values import ACCOUNT, SITE
from server.activities import queries as activities
from server.activities.models import Visit
from server.auth.access import Scope
from server.auth.models import User
from server.records.models import FieldHistory
from server.records.queries import history
from server.territories.models import Territory

LABELS = {name: rule.label for name, rule in {**SITE, **ACCOUNT}.items()} | {
    "pin": "Pin",
    "grade": "Grade of the pin",
    "deleted_at": "Deleted",
    "is_main": "Main site",
    "merged_into": "Merged into",
}
"""The fields whose changes people want to read; the rest is machinery."""

AT_MOST = 100


@dataclass(frozen=True)
class FieldChange:
    """One field of an edit."""

    label: str
    old: str | None
    new: str | None


@dataclass
class Entry:
    """One thing that happened."""

    at: datetime
    kind: str
    """`visit`, `edit` or `created`."""
    who: str | None
    source: str = ""
    visit: Visit | None = None
    changes: list[FieldChange] = field(default_factory=list)


def timeline(session: Session, scope: Scope, account: AccountRead) -> list[Entry]:
    """Visits and edits of an account that somebody may see."""
    entries = [*visits(session, scope, account.id), *edits(session, account)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return entries[:AT_MOST]


def visits(session: Session, scope: Scope, account_id: UUID) -> list[Entry]:
    """The visits, planned ones too."""
    if not scope.may("activities:read"):
        return []
    family = session.scalars(accounts.family(account_id)).all()
    found = activities.rows(session, activities.of_accounts(scope, family), limit=AT_MOST)
    return [Entry(moment(row.visit), "visit", row.rep_name, visit=row.visit) for row in found]


def moment(visit: Visit) -> datetime:
    """When a visit took place, or will."""
    start_of_day = datetime.combine(visit.day, time(12), ZoneInfo(visit.zone))
    return visit.done_at or visit.checked_in_at or visit.planned_start_at or start_of_day


def edits(session: Session, account: AccountRead) -> list[Entry]:
    """The edits of an account and its sites; what one person changed within a minute is one entry."""
    family = session.scalars(accounts.family(account.id)).all()
    sites = accounts.all_sites_of(session, family) if len(family) > 1 else [site.id for site in account.sites]
    rows = history(session, "account", family, limit=AT_MOST)
    rows += history(session, "site", sites, limit=AT_MOST)
    names = names_in(session, rows)
    entries: dict[tuple[object, ...], Entry] = {}
    for row in rows:
        key = (row.actor, row.source, row.at.replace(second=0, microsecond=0), row.field == "*" and row.row_id)
        entry = entries.setdefault(key, Entry(row.at, "edit", names.get(str(row.actor)), row.source))
        if row.field == "*":
            entry.kind = "created" if row.entity == "account" else "site"
        elif row.field in LABELS and all(LABELS[row.field] != change.label for change in entry.changes):
            entry.changes.append(
                FieldChange(LABELS[row.field], shown(row.field, row.old, names), shown(row.field, row.new, names))
            )
    return [entry for entry in entries.values() if entry.changes or entry.kind != "edit"]


def names_in(session: Session, rows: Iterable[FieldHistory]) -> Mapping[str, str]:
    """The names behind the ids in a history: people and territories."""
    people, areas, merged = set(), set(), set()
    for row in rows:
        if row.actor:
            people.add(str(row.actor))
        for value in (row.old, row.new):
            if row.field == "owner_id" and value:
                people.add(str(value))
            elif row.field == "territory_id" and value:
                areas.add(str(value))
            elif row.field == "merged_into" and value:
                merged.add(str(value))
    found = {str(key): name for key, name in session.execute(select(User.id, User.name).where(User.id.in_(people)))}
    areas_found = session.execute(select(Territory.id, Territory.name).where(Territory.id.in_(areas)))
    merged_found = session.execute(select(Account.id, Account.name).where(Account.id.in_(merged)))
    return found | {str(key): name for key, name in (*areas_found, *merged_found)}


def shown(name: str, value: Any, names: Mapping[str, str]) -> str | None:
    """A value as people read it."""
    if value is None or value in ("", []):
        return None
    if name == "pin":
        return "placed"
    if name in ("is_main", "deleted_at"):
        return "✓" if value else None
    if name == "service_s":
        return f"{int(value) // 60} min"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return names.get(str(value), str(value))
