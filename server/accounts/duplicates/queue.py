"""The pairs that wait for somebody, what became of the others, and what people decide without merging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from server.accounts import queries
from server.accounts.duplicates import merging
from server.accounts.duplicates import pairs as duplicate_pairs
from server.accounts.duplicates.models import AccountMerge, AccountPair, DuplicateRun, PairState
from server.accounts.duplicates.resemblance import Signs, reasons
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.errors import NotFound
from server.records.joining import UNDO

MERGE = "accounts:merge"

ONE, OTHER = aliased(Account), aliased(Account)


@dataclass(frozen=True)
class Waiting:
    """Two accounts that may be the same, as the queue shows them."""

    pair: AccountPair
    one: Account
    other: Account
    one_place: str | None
    other_place: str | None

    @property
    def worth(self) -> Any:
        """What the greater of the two is worth in a year."""
        return max(worth_of(self.one), worth_of(self.other))

    def reasons(self) -> list[str]:
        """Why the two may be the same."""
        return reasons(signs_of(self.pair))


def signs_of(pair: AccountPair) -> Signs:
    """What people are told of a pair."""
    return Signs(
        pair.name_similarity, pair.same_phone, pair.same_email, pair.same_domain, pair.same_address, pair.distance_m
    )


def worth_of(account: Account) -> Any:
    """Yearly value, or potential when that is more."""
    return max(account.yearly_value or 0, account.yearly_potential or 0)


WORTH: ColumnElement[Any] = func.greatest(
    func.coalesce(ONE.yearly_value, 0), func.coalesce(ONE.yearly_potential, 0),
    func.coalesce(OTHER.yearly_value, 0), func.coalesce(OTHER.yearly_potential, 0),
)  # fmt: skip

ORDER = (
    func.floor(AccountPair.score * 20).desc(),
    WORTH.desc(),
    AccountPair.score.desc(),
    AccountPair.low_id,
    AccountPair.high_id,
)
"""The surest first; among those of one twentieth of score the most valuable."""


def open_pairs(scope: Scope) -> Select[AccountPair, Account, Account]:
    """The pairs of which somebody may merge both accounts."""
    mine = queries.visible_to(scope, MERGE).with_only_columns(Account.id).order_by(None)
    return (
        select(AccountPair, ONE, OTHER)
        .join(ONE, ONE.id == AccountPair.low_id)
        .join(OTHER, OTHER.id == AccountPair.high_id)
        .where(AccountPair.state == PairState.OPEN, AccountPair.low_id.in_(mine), AccountPair.high_id.in_(mine))
    )


def waiting(session: Session, scope: Scope, *, first: int = 0, limit: int = 50) -> list[Waiting]:
    """The pairs that wait, the surest and most valuable first."""
    rows = session.execute(open_pairs(scope).order_by(*ORDER).offset(first).limit(limit)).all()
    places = places_of(session, [account.id for _, one, other in rows for account in (one, other)])
    return [Waiting(pair, one, other, places.get(one.id), places.get(other.id)) for pair, one, other in rows]


def count(session: Session, scope: Scope) -> int:
    """How many pairs wait."""
    return session.scalar(select(func.count()).select_from(open_pairs(scope).subquery())) or 0


def places_of(session: Session, account_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Where accounts are, in words."""
    statement = select(Site.account_id, Site.street, Site.postcode, Site.city).where(
        Site.account_id.in_(account_ids), Site.is_main, Site.deleted_at.is_(None)
    )
    return {
        key: ", ".join(part for part in (street, " ".join(filter(None, (postcode, city)))) if part)
        for key, street, postcode, city in session.execute(statement)
    }


def find(session: Session, scope: Scope, one: UUID, other: UUID) -> AccountPair | None:
    """What is stored of two accounts. Refuses accounts that the person may not merge."""
    for key in (one, other):
        reach = select(Account.id).where(
            Account.id == key, Account.deleted_at.is_(None), queries.within_reach(scope, MERGE)
        )
        if session.scalar(reach) is None:
            raise NotFound("There is no such account.", id=str(key))
    return session.get(AccountPair, (min(one, other), max(one, other)), populate_existing=True)


def after(session: Session, scope: Scope, one: UUID, other: UUID) -> Waiting | None:
    """The pair that comes next in the queue when one is left for later; the first when it is not in it any more."""
    low, high = min(one, other), max(one, other)
    ids = session.execute(
        open_pairs(scope).with_only_columns(AccountPair.low_id, AccountPair.high_id).order_by(*ORDER)
    ).all()
    at = next((place for place, pair in enumerate(ids) if tuple(pair) == (low, high)), -1)
    if not ids or len(ids) == 1 == at + 1:
        return None
    return next(iter(waiting(session, scope, first=(at + 1) % len(ids), limit=1)), None)


def keep_apart(session: Session, scope: Scope, one: UUID, other: UUID) -> None:
    """Say that two accounts are not the same: they come back only when one of them changes materially.

    Refuses two that have been merged, and accounts out of reach.
    """
    find(session, scope, one, other)
    rows = merging.locked(session, *sorted((one, other)))
    merging.refuse_merged(session, rows[0], rows[1])
    duplicate_pairs.decide(session, (one, other), PairState.NOT_DUPLICATE, scope.user_id)


def look_again(session: Session, scope: Scope, one: UUID, other: UUID) -> None:
    """Take back that two accounts are not the same."""
    pair = find(session, scope, one, other)
    if pair is None:
        raise NotFound("There is no such pair.")
    if pair.state == PairState.NOT_DUPLICATE:
        pair.state, pair.decided_by, pair.decided_at = PairState.OPEN, None, None
    session.flush()


@dataclass(frozen=True)
class Done:
    """A merge as the history shows it."""

    merge: AccountMerge
    winner: str
    loser: str
    winner_number: str | None
    loser_number: str | None
    person: str | None

    @property
    def winner_called(self) -> str:
        """Name and number: those of a merge are often called alike."""
        return " · ".join(filter(None, (self.winner, self.winner_number)))

    @property
    def loser_called(self) -> str:
        """Name and number of the one that is part of the other now."""
        return " · ".join(filter(None, (self.loser, self.loser_number)))

    @property
    def undo_until(self) -> datetime:
        """The last moment to take it back."""
        return self.merge.merged_at + UNDO

    @property
    def can_undo(self) -> bool:
        """Whether it can still be taken back."""
        return self.merge.undone_at is None and clock.now() <= self.undo_until


def merges(session: Session, scope: Scope, *, limit: int = 100, batch_id: UUID | None = None) -> list[Done]:
    """The latest merges whose outcome somebody may see."""
    seen = queries.reached_through(AccountMerge.winner_id, scope, MERGE)
    statement = (
        select(AccountMerge, ONE.name, OTHER.name, ONE.number, OTHER.number, User.name)
        .join(ONE, ONE.id == AccountMerge.winner_id)
        .join(OTHER, OTHER.id == AccountMerge.loser_id)
        .outerjoin(User, User.id == AccountMerge.merged_by)
        .where(seen)
        .order_by(AccountMerge.merged_at.desc(), AccountMerge.id.desc())
        .limit(limit)
    )
    if batch_id is not None:
        statement = statement.where(AccountMerge.batch_id == batch_id)
    return [Done(*row) for row in session.execute(statement)]


def merges_into(session: Session, family: Sequence[UUID]) -> list[Done]:
    """The merges that stand in an account, the latest first; `family` is that account and what was merged into it."""
    if len(family) < 2:
        return []
    statement = (
        select(AccountMerge, ONE.name, OTHER.name, ONE.number, OTHER.number, User.name)
        .join(ONE, ONE.id == AccountMerge.winner_id)
        .join(OTHER, OTHER.id == AccountMerge.loser_id)
        .outerjoin(User, User.id == AccountMerge.merged_by)
        .where(AccountMerge.winner_id.in_(family), AccountMerge.undone_at.is_(None))
        .order_by(AccountMerge.merged_at.desc(), AccountMerge.id.desc())
    )
    return [Done(*row) for row in session.execute(statement)]


def last_run(session: Session) -> DuplicateRun | None:
    """The latest search that had something to look at."""
    return session.scalars(select(DuplicateRun).order_by(DuplicateRun.id.desc()).limit(1)).one_or_none()
