"""One edit of a ticket, queue or canned answer, made on some revision of it: merged field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from server.accounts.editing import changed_meanwhile
from server.accounts.values import Rule, cleaned
from server.records import queries as records
from server.records.editing import refuse_unknown
from server.records.merging import Current, Delta, Rules, merge
from server.tickets.models import CannedAnswer, Queue, Ticket
from server.tickets.values import ANSWER, QUEUE, TICKET, TICKET_RULES, wire

type Row = Ticket | Queue | CannedAnswer


@dataclass(frozen=True)
class Edited:
    """What came of an edit."""

    before: Mapping[str, Any]
    """The values of the fields that it changed, as they were."""
    applied: frozenset[str]
    same: frozenset[str]
    """Fields that held the wanted value already."""


def rules_of(row: Row) -> tuple[Mapping[str, Rule], Rules, str]:
    """The editable fields of a row, how they merge, and how people call the row."""
    if isinstance(row, Ticket):
        return TICKET, TICKET_RULES, f"#{row.number} {row.subject}"
    return (QUEUE, Rules(), row.name) if isinstance(row, Queue) else (ANSWER, Rules(), row.title)


def edit(session: Session, row: Row, base_rev: int, changes: Mapping[str, Any]) -> Edited:
    """Change fields of a locked row that the editor saw at `base_rev`.

    An older revision is merged field by field; where somebody else changed the same field, nothing is applied and both
    values come back.
    """
    refuse_unknown(row.rev, base_rev)
    rules, merging, name = rules_of(row)
    wanted = {field: cleaned(rules, field, value) for field, value in changes.items()}
    current = {field: wire(getattr(row, field)) for field in rules}
    seen: Mapping[str, Any] = current
    if base_rev < row.rev:
        seen = records.values_at(session, row.__tablename__, row.id, base_rev, wanted, current)
    deltas = {field: Delta(seen[field], wire(value)) for field, value in wanted.items()}
    found = merge(Current(current, row.rev, row.frev), base_rev, deltas, merging)
    if found.clashes:
        raise changed_meanwhile(name, row.rev, found.clashes)
    before = {field: getattr(row, field) for field in found.apply}
    for field in found.apply:
        setattr(row, field, wanted[field])
    session.flush()
    return Edited(before, frozenset(found.apply), found.same)
