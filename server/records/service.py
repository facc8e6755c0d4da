"""Who acts, and what is kept when two people change the same thing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Conflict, NotFound
from server.records.merging import Clash, Policy
from server.records.models import ConflictState, FieldConflict

BY_PEOPLE = ("web", "api", "sync")
"""Doors by which people change a record themselves."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, and by which door."""

    user_id: UUID | None
    """None for the system itself (jobs, migrations)."""
    source: str
    """`web`, `api`, `sync`, `import`, `undo`, `job`, `cli`."""
    device_id: UUID | None = None
    op_id: UUID | None = None


def acting(session: Session, actor: Actor, ops: Mapping[UUID, UUID] | None = None) -> None:
    """Say who acts in this transaction; the history trigger writes it down with each change.

    Where the rows of one statement change by several ops, `ops` names the op by row.
    """
    by_row = json.dumps({str(row_id): str(op_id) for row_id, op_id in ops.items()}) if ops else ""
    session.execute(
        SAID,
        {"actor": str(actor.user_id or ""), "source": actor.source, "op": str(actor.op_id or ""), "ops": by_row},
    )


SAID = text(
    """
    select set_config('waymark.actor', :actor, true), set_config('waymark.source', :source, true),
           set_config('waymark.op_id', :op, true), set_config('waymark.ops', :ops, true)
    """
)


def keep_clash(session: Session, entity: str, row_id: UUID, clash: Clash, actor: Actor) -> FieldConflict:
    """Store both values of a field for somebody to decide. An applied `take_field` clash is stored too."""
    conflict = FieldConflict(
        entity=entity,
        row_id=row_id,
        field=clash.field,
        kind=clash.kind,
        policy=clash.policy,
        base=clash.base,
        mine=clash.mine,
        server=clash.server,
        state=ConflictState.OPEN,
        actor=actor.user_id,
        device_id=actor.device_id,
        op_id=actor.op_id,
    )
    session.add(conflict)
    session.flush()
    return conflict


def decide(session: Session, conflict_id: UUID, state: ConflictState, actor: Actor) -> FieldConflict:
    """Mark a conflict as decided. The value itself is written by an ordinary edit of the record's room.

    Refuses a conflict that somebody else has decided already.
    """
    conflict = session.get(FieldConflict, conflict_id, with_for_update=True)
    if conflict is None:
        raise NotFound("There is no such conflict.")
    if conflict.state != ConflictState.OPEN:
        raise Conflict("Somebody has decided this already.", help="Reload to see the outcome.")
    conflict.state = state
    conflict.resolved_by = actor.user_id
    conflict.resolved_at = clock.now()
    session.flush()
    return conflict


def wins(conflict: FieldConflict) -> str:
    """Which value stands in the record now: `mine` or `server`."""
    return "mine" if conflict.policy == Policy.TAKE_FIELD else "server"
