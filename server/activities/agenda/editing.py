"""One edit of an activity, made on some revision of it: merged field by field."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from server.activities.agenda.models import Activity
from server.activities.agenda.values import FIELDS, RULES, as_wire, cleaned, wire
from server.kit.errors import PreconditionFailed
from server.records import queries as records
from server.records.editing import refuse_unknown
from server.records.merging import Clash, Current, Delta, Json, merge
from server.records.service import Actor, keep_clash


class ChangedMeanwhile(PreconditionFailed):
    """Two people changed the same field differently."""

    code = "changed_meanwhile"


def wire_values(row: Activity) -> dict[str, Json]:
    """The editable fields as they travel."""
    return {name: wire(getattr(row, name)) for name in FIELDS}


def changed(session: Session, row: Activity, changes: Mapping[str, Any], base_rev: int, actor: Actor) -> dict[str, Any]:
    """What an edit made at `base_rev` comes to now: the values to store.

    Refuses a field that somebody else changed differently; such a refusal names both values.
    """
    refuse_unknown(row.rev, base_rev)
    wanted = {name: wire(cleaned(name, value)) for name, value in changes.items()}
    current = wire_values(row)
    seen: Mapping[str, Json] = current
    if base_rev < row.rev:
        before = records.values_at(session, row.__tablename__, row.id, base_rev, wanted, current)
        seen = {name: as_wire(name, value) for name, value in before.items()}
    deltas = {name: Delta(seen[name], value) for name, value in wanted.items()}
    outcome = merge(Current(current, row.rev, row.frev, deleted=row.deleted_at is not None), base_rev, deltas, RULES)
    refused = tuple(clash for clash in outcome.clashes if clash.field not in outcome.apply)
    if refused:
        raise changed_meanwhile(row, refused)
    for clash in outcome.clashes:
        keep_clash(session, row.__tablename__, row.id, clash, actor)
    return {name: cleaned(name, value) for name, value in outcome.apply.items()}


def changed_meanwhile(row: Activity, clashes: tuple[Clash, ...]) -> ChangedMeanwhile:
    """The refusal of an edit, with both values of every field."""
    both = [
        {"field": one.field, "kind": one.kind, "base": one.base, "yours": one.mine, "stored": one.server}
        for one in clashes
    ]
    return ChangedMeanwhile(
        f"Somebody else changed {', '.join(one.field for one in clashes)} of “{row.subject}” in between.",
        help="Compare both values, then send your change again with the present ETag.",
        rev=row.rev,
        conflicts=both,
    )
