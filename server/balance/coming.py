"""What waits for its day, account by account: which of somebody's accounts will lie in another territory, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import String, cast, null, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import User
from server.balance import balancing, moves, saving, service
from server.balance.drafts import Change
from server.kit.errors import WaymarkError
from server.territories import queries
from server.territories.models import ChangeState, TerritoryChange

MOST = 500
"""Accounts that are named of one change."""


@dataclass(frozen=True)
class Mover:
    """An account that will lie in another territory."""

    account_id: UUID
    name: str
    account_class: str | None
    """None also where the reader may not see it."""
    from_name: str | None
    """None: it lies in no territory."""
    to_name: str | None
    """None: it will lie in none."""


@dataclass(frozen=True)
class Coming:
    """A change that waits for its day, with what it moves, as it is now, of the accounts that somebody reaches."""

    kind: str
    id: UUID
    """Of the change; of a `balance`, of the balance."""
    day: date
    by: str | None
    """Who set the day."""
    territories: tuple[str, ...]
    count: int
    movers: tuple[Mover, ...]
    """`MOST` of them at most, class A first."""
    trouble: str
    """Why it will not be done, in words."""


def seen_by(session: Session, scope: Scope) -> list[Coming]:
    """All that waits for its day, the next first."""
    return sorted([*balances(session, scope), *changes(session, scope)], key=lambda one: (one.day, one.id))


def balances(session: Session, scope: Scope) -> Iterator[Coming]:
    """The scenarios that wait."""
    for one in balancing.waiting(session):
        change, trouble = None, ""
        try:
            change = balancing.change_of(session, one.run_id, one.key)
        except WaymarkError as error:
            trouble = error.message
        count, movers = moved(session, scope, change)
        yield Coming("balance", one.run_id, one.day, one.by, one.territories, count, movers, trouble)


def changes(session: Session, scope: Scope) -> Iterator[Coming]:
    """The changes that wait."""
    statement = (
        select(TerritoryChange, User.name)
        .outerjoin(User, User.id == TerritoryChange.actor_id)
        .where(TerritoryChange.state == ChangeState.WAITING)
    )
    for one, by in session.execute(statement).tuples().all():
        change, trouble = service.standing(session, one)
        count, movers = moved(session, scope, change)
        names = saving.names_in(saving.parts_of(session, one.id))
        yield Coming(one.kind, one.id, one.apply_on or date.max, by, names, count, movers, trouble)


def moved(session: Session, scope: Scope, change: Change | None) -> tuple[int, tuple[Mover, ...]]:
    """How many accounts that somebody reaches a change moves, and the first of them by class and name."""
    if change is None or not change.moves_ground:
        return 0, ()
    ways = {row[0]: row[1:] for row in moves.movers(session, change.drafts)}
    mine = accounts.visible_to(scope, listed=True).where(Account.id.in_(ways))
    ranked = Account.account_class if scope.sees("account", "account_class") else cast(null(), String)
    told = mine.with_only_columns(Account.id, Account.name, ranked)
    found = session.execute(told.order_by(ranked.asc().nulls_last(), Account.name, Account.id)).all()
    names = {row.id: row.name for row in queries.active(session)} | {one.id: one.name for one in change.drafts}
    return len(found), tuple(
        Mover(id, name, account_class, *(names.get(place) if place else None for place in ways[id]))
        for id, name, account_class in found[:MOST]
    )
