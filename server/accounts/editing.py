"""One edit of an account or a site, made on some revision of it: merged field by field, whoever sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.accounts.values import ACCOUNT, ACCOUNT_RULES, SITE, SITE_RULES, Rule, cleaned, wire
from server.kit.errors import PreconditionFailed
from server.records import queries as records
from server.records.merging import Clash, Current, Delta, Json, Merge, Rules, merge
from server.records.models import FieldConflict
from server.records.service import Actor, keep_clash


@dataclass(frozen=True)
class Outcome:
    """What came of an edit."""

    rev: int
    """The revision afterwards."""
    applied: frozenset[str]
    """Fields that now hold the wanted value because of this edit."""
    same: frozenset[str]
    """Fields that held it already."""
    clashes: tuple[Clash, ...] = ()
    conflicts: tuple[FieldConflict, ...] = field(default=())
    """The clashes as they were stored for somebody to decide."""


class ChangedMeanwhile(PreconditionFailed):
    """Two people changed the same field differently."""


def changed_meanwhile(name: str, rev: int, clashes: tuple[Clash, ...]) -> ChangedMeanwhile:
    """The refusal of an edit, with both values of every field."""
    both = [
        {"field": clash.field, "kind": clash.kind, "base": clash.base, "yours": clash.mine, "stored": clash.server}
        for clash in clashes
    ]
    return ChangedMeanwhile(
        f"Somebody else changed {', '.join(clash.field for clash in clashes)} of “{name}” in between.",
        help="Compare both values, then send your change again with the present ETag.",
        rev=rev,
        conflicts=both,
    )


def rules_of(row: Account | Site) -> tuple[Mapping[str, Rule], Rules]:
    """The editable fields of a row and how they merge."""
    return (ACCOUNT, ACCOUNT_RULES) if isinstance(row, Account) else (SITE, SITE_RULES)


def wire_values(row: Account | Site) -> dict[str, Json]:
    """The editable fields of a row as they travel."""
    return {name: wire(name, getattr(row, name)) for name in rules_of(row)[0]}


def deltas_since(session: Session, row: Account | Site, base_rev: int, changes: Mapping[str, Any]) -> dict[str, Delta]:
    """What an editor changed who saw the row at `base_rev` and now wants these values."""
    rules, current = rules_of(row)[0], wire_values(row)
    wanted = {name: wire(name, cleaned(rules, name, value)) for name, value in changes.items()}
    if base_rev >= row.rev:
        seen: Mapping[str, Json] = current
    else:
        seen = records.values_at(session, row.__tablename__, row.id, base_rev, wanted, current)
    return {name: Delta(old=wire(name, seen[name]), new=value) for name, value in wanted.items()}


def merged(row: Account | Site, base_rev: int, deltas: Mapping[str, Delta], *, in_scope: bool = True) -> Merge:
    """The three-way merge of an edit into the row as it is now; refuses values that the fields do not accept."""
    rules, merging = rules_of(row)
    checked = {name: Delta(delta.old, wire(name, cleaned(rules, name, delta.new))) for name, delta in deltas.items()}
    current = Current(wire_values(row), row.rev, row.frev, deleted=row.deleted_at is not None)
    return merge(current, base_rev, checked, merging, in_scope=in_scope)


def written(row: Account | Site, values: Mapping[str, Json]) -> dict[str, Any]:
    """Values of a merge as they are stored."""
    rules = rules_of(row)[0]
    return {name: cleaned(rules, name, value) for name, value in values.items()}


def kept(session: Session, row: Account | Site, merge: Merge, actor: Actor) -> tuple[FieldConflict, ...]:
    """Store every clash, so that no value is lost."""
    return tuple(keep_clash(session, row.__tablename__, row.id, clash, actor) for clash in merge.clashes)


def require_revision(name: str, row_id: UUID, rev: int, base_rev: int) -> None:
    """Refuse what would undo somebody else's change unseen."""
    if base_rev < rev:
        raise ChangedMeanwhile(
            f"“{name}” was changed after you read it.",
            help="Look at it again, then repeat with the present ETag.",
            rev=rev,
            id=str(row_id),
        )
