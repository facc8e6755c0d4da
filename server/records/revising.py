"""One edit of a record that its editor saw at some revision: checked and merged field by field, whatever the room."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from server.kit.errors import Invalid, PreconditionFailed
from server.records import queries
from server.records.editing import refuse_unknown
from server.records.merging import Current, Delta, Json, Rules, merge


class ChangedMeanwhile(PreconditionFailed):
    """Two people changed the same field differently."""


@dataclass(frozen=True)
class Rule:
    """What a field accepts."""

    label: str
    clean: Callable[[object], Any]
    """Gives the value as it is stored, or refuses it."""


class Revised(Protocol):
    """A record."""

    __tablename__: str
    id: Any
    rev: Any
    frev: Any
    deleted_at: Any


def cleaned(rules: Mapping[str, Rule], name: str, value: object) -> Any:
    """The value as it is stored. Refuses unknown fields and wrong values; names the field."""
    rule = rules.get(name)
    if rule is None:
        raise Invalid(f"There is no field “{name}” to edit.", help="Known: " + ", ".join(rules) + ".", field=name)
    try:
        return rule.clean(value)
    except Invalid as error:
        raise Invalid(f"{rule.label}: {error.message}.", help=error.help, field=name) from error


def wire(value: object) -> Json:
    """A value as it is compared: numbers as text without zeros at their end, days and ids as text."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date | UUID):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)


def revised(
    session: Session,
    row: Revised,
    rules: Mapping[str, Rule],
    base_rev: int,
    changes: Mapping[str, object],
    *,
    called: str,
    merging: Rules | None = None,
) -> dict[str, Any]:
    """The values to write for an edit made at `base_rev`; refuses one whose field somebody else has changed since."""
    refuse_unknown(row.rev, base_rev)
    wanted = {name: cleaned(rules, name, value) for name, value in changes.items()}
    current = {name: wire(getattr(row, name)) for name in rules}
    seen: Mapping[str, Json] = current
    if base_rev < row.rev:
        then = queries.values_at(session, row.__tablename__, row.id, base_rev, wanted, current)
        seen = {name: wire(rules[name].clean(value)) for name, value in then.items()}
    deltas = {name: Delta(seen[name], wire(value)) for name, value in wanted.items()}
    stored = Current(current, row.rev, row.frev, deleted=row.deleted_at is not None)
    outcome = merge(stored, base_rev, deltas, merging or Rules())
    if outcome.clashes:
        raise ChangedMeanwhile(
            f"Somebody else changed {', '.join(clash.field for clash in outcome.clashes)} of “{called}” in between.",
            help="Compare both values, then change it again.",
            rev=row.rev,
            conflicts=[
                {"field": one.field, "kind": one.kind, "base": one.base, "yours": one.mine, "stored": one.server}
                for one in outcome.clashes
            ],
        )
    return {name: wanted[name] for name in outcome.apply}


def require_revision(row: Revised, base_rev: int, *, called: str) -> None:
    """Refuse what would undo somebody else's change unseen."""
    refuse_unknown(row.rev, base_rev)
    if base_rev < row.rev:
        raise ChangedMeanwhile(
            f"“{called}” was changed after you read it.",
            help="Look at it again, then repeat it.",
            rev=row.rev,
            id=str(row.id),
        )
