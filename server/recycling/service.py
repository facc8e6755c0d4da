"""The rules of the bin: bringing back through the rules of the room, and removing for good."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import NotFound
from server.kit.settings import settings
from server.recycling.kinds import KINDS


def restore(session: Session, scope: Scope, entity: str, row_id: UUID) -> None:
    """Bring something back with what hung on it. Refuses what is not the person's to bring back."""
    kind = KINDS.get(entity)
    if kind is None or not scope.may(kind.permission):
        raise NotFound("There is nothing like that in the bin.", entity=entity)
    kind.restore(session, scope, row_id)


def purge(session: Session) -> dict[str, int]:
    """Remove for good what has been in the bin for longer than the setting says; says how many of each kind.

    What other rows refer to, such as an account with visits, stays in the bin.
    """
    before = clock.now() - timedelta(days=settings().bin_days)
    order = ("note", "order", "opportunity", "ticket", "lead", "activity", "contact", "site", "account")
    # what hangs on something goes before it
    names = [*order, *(name for name in KINDS if name not in order)]
    return {name: purge(session, before) for name in names if (purge := KINDS[name].purge) is not None}
