"""Ops that build on each other: what a phone wrote by an earlier one is no change by somebody else.

A rep who corrects an entry before it was sent, or before its answer came, says so on the revision that was there before
both. Who wrote a field last is told by the history, which names the op; whose op that was, by its answer.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.activities.agenda.models import Activity
from server.contacts.models import Contact
from server.records import queries as records
from server.records.service import Actor
from server.sync.models import QuarantinedOp, SyncReceipt

CREATION = "*"
"""What the history calls the creation of a row."""


@dataclass(frozen=True, slots=True)
class Chain:
    """An op as a link: those of its phone that came before it."""

    actor: Actor
    """Whose it is."""
    n: int
    """Its number on the phone."""
    answered: Mapping[UUID, int]
    """The ops answered along with it so far, with their numbers."""

    def written(
        self, session: Session, row: Account | Site | Contact | Activity, base_rev: int, fields: Iterable[str]
    ) -> frozenset[str]:
        """The fields of a row, changed since a revision, that hold what an earlier op of this phone wrote. `fields` are
        those that the op changes."""
        if row.rev <= base_rev:
            return frozenset()
        last = records.last_ops(session, row.__tablename__, row.id, base_rev)
        own = self.earlier(session, {op_id for op_id in last.values() if op_id is not None})
        names = {name for name, op_id in last.items() if op_id in own}
        if CREATION in names:  # all that was not changed since is as this phone made it
            names |= {*fields, *row.__table__.columns.keys()} - last.keys()
        return frozenset(names)

    def earlier(self, session: Session, op_ids: Collection[UUID]) -> set[UUID]:
        """Those of some ops that this phone made before this one. What a file or a retired phone brought in has its
        number there; where no number is known, it is as if somebody else had sent it."""
        known = {one for one in op_ids if self.answered.get(one, self.n) < self.n}
        if len(known) == len(op_ids):
            return known
        of_file = select(QuarantinedOp.n).where(QuarantinedOp.op_id == SyncReceipt.op_id).scalar_subquery()
        number = func.coalesce(func.nullif(func.greatest(SyncReceipt.n, 0), 0), of_file)
        statement = select(SyncReceipt.op_id).where(
            SyncReceipt.op_id.in_(op_ids), SyncReceipt.device_id == self.actor.device_id, number < self.n
        )
        return known | set(session.scalars(statement))
