"""Who acts, and what is kept when two people change the same thing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Conflict
from server.records.merging import Clash, Json
from server.records.models import ConflictState, FieldConflict

BY_PEOPLE = ("web", "api", "sync")
"""Doors by which people change a record themselves."""


BY_ITSELF = "(h.source = 'job' and h.actor is null)"
"""SQL over `field_history h`: what background work follows with; not what it carries out because somebody said so."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, and by which door."""

    user_id: UUID | None
    """None for the system itself (jobs, migrations)."""
    source: str
    """`web`, `api`, `sync`, `import`, `undo`, `job`, `cli`; `checkins` where those of several days agree on a place."""
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


def hold(session: Session, conflict: FieldConflict) -> None:
    """Keep a conflict for oneself until the transaction ends. Refuses one that somebody else has decided already."""
    session.refresh(conflict, with_for_update=True)
    if conflict.state != ConflictState.OPEN:
        raise Conflict("Somebody has decided this already.", help="Reload to see the outcome.")


def decide(
    session: Session, conflict: FieldConflict, state: ConflictState, actor: Actor, *, stood: Json, chosen: Json
) -> None:
    """Mark a conflict as decided: what stood in the field, and what was chosen. The value itself is written by an
    ordinary edit of the record's room."""
    conflict.state = state
    conflict.resolved_by = actor.user_id
    conflict.resolved_at = clock.now()
    conflict.stood, conflict.chosen = stood, chosen
    session.flush()


def reopen(session: Session, conflict: FieldConflict) -> None:
    """Let a conflict wait again, as if nobody had decided it."""
    conflict.state = ConflictState.OPEN
    conflict.resolved_by = conflict.resolved_at = conflict.stood = conflict.chosen = None
    session.flush()
