"""Turning the rows of a timeline into what people read: edits of one moment together, names in place of ids."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import User
from server.fields import queries as fields
from server.fields.values import Shape, as_it_is, in_words, shape_of
from server.records.editing import CUSTOM
from server.records.merging import Json
from server.territories.models import Territory
from server.timeline.edits import word_of

OUT_OF_REACH = "an account of somebody else"
NAMED = frozenset({
    "owner_id", "preferred_rep_id", "territory_id", "merged_into", "parent_id", "pin", "grade", "is_main", "deleted_at",
})  # fmt: skip
"""Fields whose stored values mean nothing to people."""


@dataclass(frozen=True)
class Change:
    """One field of an edit."""

    label: str
    old: str | None
    new: str | None
    shape: Shape | None = None
    """Of one of the company's own fields: by it a page says `given` in its own language."""
    given: tuple[Json, Json] = (None, None)
    """Before and after, as they are stored."""
    entity: str = ""
    field: str = ""
    """As it is stored."""

    @property
    def is_named(self) -> bool:
        """Whether `old` and `new` say more than what is stored: names in place of ids, places in place of points."""
        return self.shape is None and self.field in NAMED


@dataclass
class Entry:
    """One thing that happened."""

    at: datetime
    kind: str
    entity: str
    id: UUID
    account_id: UUID
    actor_id: UUID | None
    title: str | None
    body: str | None
    is_internal: bool
    facts: dict[str, Any]
    who: str | None = None
    link: str | None = None
    changes: list[Change] = field(default_factory=list)
    """What an edit changed."""

    @property
    def inside(self) -> Mapping[str, Any]:
        """What is not for the customer."""
        return self.facts.get("inside") or {}


def grouped(rows: Sequence[Entry], limit: int) -> tuple[list[Entry], Entry | None]:
    """The entries of a page, and the last row that they take in when there are more.

    What one person changed by one door within a minute is one entry. One that goes on behind the page is left to the
    next page, unless it is all there is.
    """
    page = list(rows[:limit])
    groups = groups_of(page)
    if len(rows) <= limit:
        return shown(groups), None
    if len(groups) > 1 and moment_of(groups[-1][-1]) == moment_of(rows[limit]) is not None:
        groups.pop()
    return shown(groups), groups[-1][-1]


def groups_of(rows: Sequence[Entry]) -> list[list[Entry]]:
    """Rows that make one entry, next to each other."""
    groups: list[list[Entry]] = []
    for row in rows:
        if groups and moment_of(row) is not None and moment_of(groups[-1][0]) == moment_of(row):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def moment_of(row: Entry) -> tuple[object, ...] | None:
    """What edits, or files, that belong together have in common; None for what stands alone."""
    if row.kind == "file":
        return (row.actor_id, row.facts["row_id"], row.at.date())
    if row.kind != "edit" or "field" not in row.facts:
        return None
    creation = row.facts["row_id"] if row.facts["field"] == "*" else None
    return (row.actor_id, row.facts.get("source"), row.at.replace(second=0, microsecond=0), creation)


def shown(groups: Iterable[list[Entry]]) -> list[Entry]:
    """One entry for each group: its latest row, with the changes of all."""
    entries = []
    for group in groups:
        entry = group[0]
        if entry.kind == "file":
            entry.facts["files"] = [{**row.facts, "id": str(row.id), "name": row.title} for row in group]
        elif moment_of(entry) is not None:
            seen: set[str] = set()
            for row in group:
                name = row.facts["field"]
                word = word_of(name)
                if word and word not in seen:
                    seen.add(word)
                    entry.changes.append(
                        Change(name, row.facts.get("old"), row.facts.get("new"), entity=row.facts["of"])
                    )
            entry.facts["what"] = "edited"
            if entry.facts["field"] == "*":
                entry.facts["what"] = "created" if entry.facts["of"] == "account" else "site_added"
            entry.title = entry.body = None
        entries.append(entry)
    return entries


def fill_in(session: Session, scope: Scope, entries: Sequence[Entry]) -> None:
    """Put names in place of ids, with one query for a page; a parent out of reach has none."""
    people: set[UUID] = {entry.actor_id for entry in entries if entry.actor_id}
    areas: set[UUID] = set()
    merged: set[UUID] = set()
    parents: set[UUID] = set()
    wanted = {
        "owner_id": people,
        "preferred_rep_id": people,
        "territory_id": areas,
        "merged_into": merged,
        "parent_id": parents,
    }
    for change in (change for entry in entries for change in entry.changes):
        if change.label in wanted:
            wanted[change.label] |= {UUID(str(value)) for value in (change.old, change.new) if value}
    seen = accounts.seen_of(session, scope, parents)
    parts = [
        select(table.id, table.name).where(table.id.in_(ids))
        for table, ids in ((User, people), (Territory, areas), (Account, merged | seen))
    ]
    names = dict.fromkeys(map(str, parents - seen), OUT_OF_REACH)
    names |= {str(key): name for key, name in session.execute(union_all(*parts))}
    is_own = any(change.label.startswith(CUSTOM) for entry in entries for change in entry.changes)
    own = fields.ever(session, ("account", "site")) if is_own else {}
    for entry in entries:
        entry.who = names.get(str(entry.actor_id))
        entry.changes = [
            as_own(shape_of(own[one.entity, one.label]), one)
            if (one.entity, one.label) in own
            else Change(
                word_of(one.label) or one.label,
                *as_changed(one.label, one.old, one.new, names),
                given=(one.old, one.new),
                entity=one.entity,
                field=one.label,
            )
            for one in entry.changes
        ]


def as_own(shape: Shape, one: Change) -> Change:
    """A change of one of the company's own fields, called as the company calls it."""
    return Change(
        shape.label,
        in_words(shape, one.old),
        in_words(shape, one.new),
        shape,
        (one.old, one.new),
        one.entity,
        one.label,
    )


def as_changed(name: str, old: Any, new: Any, names: Mapping[str, str]) -> tuple[str | None, str | None]:
    """What was before and what is now, as people read it; a pin that stood elsewhere has moved."""
    if name == "pin" and old and new:
        return None, "moved"
    return as_read(name, old, names), as_read(name, new, names)


def as_read(name: str, value: Any, names: Mapping[str, str]) -> str | None:
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
    if isinstance(value, dict | bool | float):
        return as_it_is(value)
    return names.get(str(value), str(value))
