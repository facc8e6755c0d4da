"""One edit of an activity, made on some revision of it: merged field by field."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from server.activities.agenda.models import Activity
from server.activities.agenda.values import FIELDS, RULES, as_wire, cleaned, wire
from server.kit.errors import PreconditionFailed
from server.records import queries as records
from server.records.editing import refuse_unknown, spelled_alike
from server.records.merging import Clash, Current, Delta, Json, merge
from server.records.service import Actor, keep_clash


class ChangedMeanwhile(PreconditionFailed):
    """Two people changed the same field differently."""

    code = "changed_meanwhile"


def wire_values(row: Activity) -> dict[str, Json]:
    """The editable fields as they travel."""
    return {name: wire(getattr(row, name)) for name in FIELDS}


def deltas_since(session: Session, row: Activity, changes: Mapping[str, Any], base_rev: int) -> dict[str, Delta]:
    """What an editor changed who saw the row at `base_rev` and now wants these values."""
    refuse_unknown(row.rev, base_rev)
    wanted = {name: wire(cleaned(name, value)) for name, value in changes.items()}
    current = wire_values(row)
    seen: Mapping[str, Json] = current
    if base_rev < row.rev:
        before = records.values_at(session, row.__tablename__, row.id, base_rev, wanted, current)
        seen = {name: as_wire(name, value) for name, value in before.items()}
    return {name: Delta(seen[name], value) for name, value in wanted.items()}


def merged(
    session: Session,
    row: Activity,
    deltas: Mapping[str, Delta],
    base_rev: int,
    actor: Actor,
    own: Collection[str] = (),
) -> tuple[dict[str, Any], ChangedMeanwhile | None]:
    """What an edit made at `base_rev` comes to now: the values to store, and what is to be said of fields that somebody
    else changed differently, with both values. What stands in the fields in `own` is the same editor's."""
    values = wire_values(row)
    checked = {name: spelled_alike(delta, values.get(name), partial(as_wire, name)) for name, delta in deltas.items()}
    current = Current(values, row.rev, row.frev, row.deleted_at is not None, frozenset(own))
    outcome = merge(current, base_rev, checked, RULES)
    refused = tuple(clash for clash in outcome.clashes if clash.field not in outcome.apply)
    for clash in outcome.clashes:
        if clash not in refused:
            keep_clash(session, row.__tablename__, row.id, clash, actor)
    found = {name: cleaned(name, value) for name, value in outcome.apply.items()}
    return found, changed_meanwhile(row, refused) if refused else None


def changed_meanwhile(row: Activity, clashes: tuple[Clash, ...]) -> ChangedMeanwhile:
    """The refusal of an edit, with both values of every field."""
    both = [
        {"field": one.field, "kind": one.kind, "base": one.base, "yours": one.mine, "stored": one.server}
        for one in clashes
    ]
    return ChangedMeanwhile(
        f"Somebody else changed {', '.join(one.field for one in clashes)} of “{row.subject}” in between.",
        help="Compare both values, then change it again.",
        rev=row.rev,
        conflicts=both,
    )
