"""Everything that a plan must know of its reps' work: candidates, the stretch of their intervals, days off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.auth.access import Scope
from server.auth.models import User
from server.kit.filtering.guard import in_time
from server.plans import candidates, capacity, wishes
from server.plans.candidates import Candidates, Unplaceable
from server.plans.due import worked
from server.plans.rules import rules
from server.segments import queries as segments


@dataclass(frozen=True)
class Collected:
    """What wants a visit, and by how much the intervals were lengthened for it."""

    candidates: Candidates
    stretch: float


def find(
    session: Session,
    scope: Scope,
    reps: Sequence[User],
    first_day: date,
    last_day: date,
    other_rep_ids: Sequence[UUID] = (),
    segment_id: UUID | None = None,
    filter: str | None = None,
) -> Collected:
    """What these reps should visit on some days: what was promised, what is due, what is wanted besides.

    With a segment or a filter only its accounts are due or wanted; promises are kept, and the stretch is that of all
    the work.
    """
    rep_ids = [rep.id for rep in reps]
    work = worked(session, scope, rep_ids, first_day, other_rep_ids)
    stretch = capacity.load(session, reps, work, first_day).stretch if rules(session).stretches else 1.0
    if segment_id is not None:
        members = set(session.scalars(segments.members(session, scope, segments.find(session, scope, segment_id))))
        work = [one for one in work if one.account.id in members]
    if filter:
        found = accounts.chosen(Reaching(session), scope, filter=filter).with_only_columns(Account.id)
        with in_time(session, filter):
            fitting = set(session.scalars(found))
        work = [one for one in work if one.account.id in fitting]
    promises, homeless = candidates.promised(session, rep_ids, first_day, last_day)
    elsewhere = candidates.planned_elsewhere(session, rep_ids, first_day, last_day)
    busy = {one.account_id for one in promises} | {one.account_id for one in homeless} | elsewhere
    due = candidates.due([one for one in work if one.account.id not in busy], first_day, last_day, stretch)
    placeable, unplaceable = wishes.joined(session, work, [*promises, *due.placeable], busy, first_day, last_day)
    everything = replace(
        due,
        placeable=tuple(placeable),
        unplaceable=(*homeless, *_once([*due.unplaceable, *unplaceable])),
    )
    return Collected(everything, stretch)


def _once(found: Iterable[Unplaceable]) -> Iterable[Unplaceable]:
    """What an account wants by its interval and what is asked for besides, as one visit."""
    by_account: dict[UUID, Unplaceable] = {}
    for one in found:
        first = by_account.get(one.account_id)
        by_account[one.account_id] = (
            one
            if first is None
            else replace(
                first,
                rep_ids=first.rep_ids | one.rep_ids,
                prize_s=first.prize_s + one.prize_s,
                mandatory=first.mandatory or one.mandatory,
            )
        )
    return by_account.values()
