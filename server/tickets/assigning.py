"""Who gets a ticket: the rule of its queue, with the reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.models import User
from server.closures.models import RepAbsence
from server.kit import clock
from server.kit.settings import settings
from server.territories.models import TerritoryMember
from server.tickets.fields import UNSOLVED_NOW
from server.tickets.models import Assignment, Queue, Ticket


@dataclass(frozen=True)
class Choice:
    """Somebody, and why."""

    user_id: UUID
    why: str


def choose(session: Session, queue: Queue, ticket: Ticket) -> Choice | None:
    """Who gets a ticket of a queue; nobody when its people take tickets themselves or none of them is there.

    Where the account has nobody who fits, the one with the fewest open tickets gets it. Two tickets that come at the
    same moment are given one after the other.
    """
    session.refresh(queue, with_for_update=True)
    if queue.assignment == Assignment.HAND:
        return None
    if queue.assignment == Assignment.OWNER:
        return _owner(session, ticket) or _least_loaded(session, queue)
    if queue.assignment == Assignment.TERRITORY:
        return _of_territory(session, ticket) or _least_loaded(session, queue)
    return _by_turns(session, queue) if queue.assignment == Assignment.ROUND_ROBIN else _least_loaded(session, queue)


def present(session: Session, user_ids: Sequence[UUID], zone: str) -> list[UUID]:
    """Those who may sign in and are not absent today, in the order given."""
    today = clock.today(zone)
    away = select(RepAbsence.user_id).where(
        RepAbsence.deleted_at.is_(None), RepAbsence.first_day <= today, RepAbsence.last_day >= today
    )
    there = select(User.id).where(
        User.id.in_(user_ids), User.active, User.deleted_at.is_(None), User.id.not_in(away.correlate(None))
    )
    known = set(session.scalars(there))
    return [one for one in user_ids if one in known]


def _owner(session: Session, ticket: Ticket) -> Choice | None:
    account = _account(session, ticket)
    if account is None or account.owner_id is None or not present(session, [account.owner_id], "UTC"):
        return None
    return Choice(account.owner_id, "owns the account")


def _of_territory(session: Session, ticket: Ticket) -> Choice | None:
    account = _account(session, ticket)
    if account is None or account.territory_id is None:
        return None
    today = clock.today(settings().zone)
    members = session.scalars(
        select(TerritoryMember.user_id)
        .where(
            TerritoryMember.territory_id == account.territory_id,
            TerritoryMember.valid_from <= today,
            or_(TerritoryMember.valid_to.is_(None), TerritoryMember.valid_to > today),
        )
        .order_by(TerritoryMember.user_id)
    ).all()
    there = present(session, members, "UTC")
    if account.owner_id in there:
        return Choice(account.owner_id, "works the territory and owns the account")
    return Choice(_fewest(session, there), "works the territory") if there else None


def _by_turns(session: Session, queue: Queue) -> Choice | None:
    there = present(session, queue.agent_ids, queue.zone)
    if not there:
        return None
    turns = queue.agent_ids
    last = turns.index(queue.last_agent_id) if queue.last_agent_id in turns else -1
    after = [turns[(last + step) % len(turns)] for step in range(1, len(turns) + 1)]
    chosen = next(one for one in after if one in there)
    queue.last_agent_id = chosen
    return Choice(chosen, "is next in turn")


def _least_loaded(session: Session, queue: Queue) -> Choice | None:
    there = present(session, queue.agent_ids, queue.zone)
    if not there:
        return None
    chosen = _fewest(session, there)
    return Choice(chosen, "has the fewest open tickets")


def _fewest(session: Session, user_ids: Sequence[UUID]) -> UUID:
    counted = select(Ticket.assignee_id, func.count()).where(UNSOLVED_NOW, Ticket.assignee_id.in_(user_ids))
    loads = {user_id: count for user_id, count in session.execute(counted.group_by(Ticket.assignee_id))}
    return min(user_ids, key=lambda one: (loads.get(one, 0), user_ids.index(one)))


def _account(session: Session, ticket: Ticket) -> Account | None:
    return session.get(Account, accounts.surviving(session, ticket.account_id)) if ticket.account_id else None
