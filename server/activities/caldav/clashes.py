"""What a linked calendar and ours could not bring together: each is settled by its owner."""

from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity
from server.activities.agenda.values import cleaned
from server.auth.access import Scope
from server.kit.errors import NotFound
from server.records.models import ConflictState, FieldConflict
from server.records.service import decide, hold

type Take = Literal["ours", "theirs"]


def of_user(session: Session, scope: Scope) -> list[tuple[FieldConflict, Activity]]:
    """The clashes of one's own activities, the latest first."""
    statement = (
        select(FieldConflict, Activity)
        .join(Activity, Activity.id == FieldConflict.row_id)
        .where(
            FieldConflict.entity == "activity",
            FieldConflict.state == ConflictState.OPEN,
            Activity.owner_id == scope.user_id,
        )
        .order_by(FieldConflict.created_at.desc())
        .limit(50)
    )
    return list(session.execute(statement).tuples())


def settle(session: Session, scope: Scope, clash_id: UUID, take: Take) -> None:
    """Keep our value of a field, or take theirs. Refuses a clash that is not one's own or is settled."""
    found = [pair for pair in of_user(session, scope) if pair[0].id == clash_id]
    if not found:
        raise NotFound("There is no such conflict any more.", help="Reload the page.")
    clash, row = found[0]
    hold(session, clash)
    takes = take == "theirs" and clash.field != "deleted_at"
    if takes:
        agenda.write(session, row, {clash.field: cleaned(clash.field, clash.mine)})
    state = ConflictState.TOOK_MINE if takes else ConflictState.KEPT_SERVER
    decide(session, clash, state, scope.actor, stood=clash.server, chosen=clash.mine if takes else clash.server)
