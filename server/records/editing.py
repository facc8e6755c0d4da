"""One edit of a record, made on some revision of it: merged field by field, whoever sends it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from server.kit.errors import Invalid, PreconditionFailed
from server.records import queries as records
from server.records.currencies import in_minor_units
from server.records.merging import Clash, Current, Delta, Json, Merge, Rules, merge
from server.records.models import FieldConflict
from server.records.service import Actor, keep_clash
from server.records.values import Rule, cleaned

CUSTOM = "custom."
"""What the names of a company's own fields begin with; their values lie together in the column `custom`."""


class Editable(Protocol):
    """A record as an edit sees it."""

    __tablename__: str
    id: Any
    rev: Any
    frev: Any
    deleted_at: Any


@dataclass(frozen=True)
class Editor:
    """How the records of one table are edited."""

    rules: Mapping[str, Rule]
    """The editable fields; the company's own ones begin with `custom.`."""
    merging: Rules
    wire: Callable[[str, object], Json]
    """A field's value as it travels and as it is compared."""
    amounts: tuple[str, ...] = ()
    """Fields that hold amounts in the record's currency."""

    def values(self, row: Editable) -> dict[str, Json]:
        """The editable fields of a row as they travel."""
        plain = {name: self.wire(name, getattr(row, name)) for name in self.rules if not name.startswith(CUSTOM)}
        return plain | {CUSTOM + key: value for key, value in (getattr(row, "custom", None) or {}).items()}

    def travelling(self, name: str, value: object) -> Json:
        """A value, checked, as it travels; refuses unknown fields and wrong values."""
        return self._wired(name, cleaned(self.rules, name, value))

    def deltas_since(
        self, session: Session, row: Editable, base_rev: int, changes: Mapping[str, Any]
    ) -> dict[str, Delta]:
        """What an editor changed who saw the row at `base_rev` and now wants these values."""
        refuse_unknown(row.rev, base_rev)
        current = self.values(row)
        wanted = {name: self.travelling(name, value) for name, value in changes.items()}
        if base_rev == row.rev:
            seen: Mapping[str, Json] = current
        else:
            seen = records.values_at(session, row.__tablename__, row.id, base_rev, wanted, current)
        return {name: Delta(old=self._wired(name, seen.get(name)), new=value) for name, value in wanted.items()}

    def merged(
        self,
        row: Editable,
        base_rev: int,
        deltas: Mapping[str, Delta],
        *,
        in_scope: bool = True,
        own: Collection[str] = (),
    ) -> Merge:
        """The three-way merge of an edit into the row as it is now; refuses values that the fields do not accept. The
        values of the fields in `own` are the editor's own."""
        values = self.values(row)
        checked = {
            name: spelled_alike(delta, values.get(name), partial(self.travelling, name))
            for name, delta in deltas.items()
        }
        current = Current(values, row.rev, row.frev, row.deleted_at is not None, frozenset(own))
        return merge(current, base_rev, checked, self.merging, in_scope=in_scope)

    def written(self, row: Editable, values: Mapping[str, Json]) -> dict[str, Any]:
        """Values of a merge as they are stored."""
        stored = {name: cleaned(self.rules, name, value) for name, value in values.items()}
        stored = in_minor_units(stored, self.amounts, row)
        own = {name.removeprefix(CUSTOM): stored.pop(name) for name in [*stored] if name.startswith(CUSTOM)}
        if own:
            together = (getattr(row, "custom", None) or {}) | own
            stored["custom"] = {key: value for key, value in together.items() if value is not None}
        return stored

    def _wired(self, name: str, value: Any) -> Json:
        kept: Json = value if name.startswith(CUSTOM) else self.wire(name, value)
        return kept


def spelled_alike(delta: Delta, stored: Json, travelling: Callable[[object], Json]) -> Delta:
    """A change with both values as they are compared; refuses a new one that the field does not accept. What was seen
    stays as it came where that is stored, where the field does not accept it, and where it is but another spelling of
    what is wanted."""
    wanted = travelling(delta.new)
    if delta.old == stored:
        return Delta(delta.old, wanted)
    try:
        seen = travelling(delta.old)
    except Invalid:
        seen = delta.old
    return Delta(delta.old if seen == wanted else seen, wanted)


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


def refuse_unknown(rev: int, base_rev: int) -> None:
    """Refuse an edit of a revision that there is not yet: it is of another database or made up, and does not say what
    its maker saw."""
    if base_rev > rev:
        raise ChangedMeanwhile(
            f"There is no revision {base_rev} yet.",
            help="Look at it again, then repeat it.",
            rev=rev,
        )


def changed_meanwhile(name: str, rev: int, clashes: tuple[Clash, ...]) -> ChangedMeanwhile:
    """The refusal of an edit, with both values of every field."""
    both = [
        {"field": clash.field, "kind": clash.kind, "base": clash.base, "yours": clash.mine, "stored": clash.server}
        for clash in clashes
    ]
    return ChangedMeanwhile(
        f"Somebody else changed {', '.join(clash.field for clash in clashes)} of “{name}” in between.",
        help="Compare both values, then change it again.",
        rev=rev,
        conflicts=both,
    )


def kept(session: Session, row: Editable, merge: Merge, actor: Actor) -> tuple[FieldConflict, ...]:
    """Store every clash, so that no value is lost."""
    return tuple(keep_clash(session, row.__tablename__, row.id, clash, actor) for clash in merge.clashes)


def require_revision(name: str, row_id: UUID, rev: int, base_rev: int) -> None:
    """Refuse what would undo somebody else's change unseen."""
    refuse_unknown(rev, base_rev)
    if base_rev < rev:
        raise ChangedMeanwhile(
            f"“{name}” was changed after you read it.",
            help="Look at it again, then repeat it.",
            rev=rev,
            id=str(row_id),
        )
