"""Merging without a person: the rule that an admin may switch on, what it would do, and what it did."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import Session

from server.accounts.duplicates import merging
from server.accounts.duplicates.choices import proposed_winner
from server.accounts.duplicates.merging import MergeWish
from server.accounts.duplicates.models import AccountMerge, AccountPair, DuplicateRule, PairState
from server.accounts.models import Account
from server.accounts.tree import ONE_FAMILY
from server.auth.access import Scope
from server.auth.roles import Level
from server.kit import clock
from server.kit.errors import Forbidden, Invalid
from server.kit.ids import uuid7

MOST = 2000
"""Merges of one run; the rest waits for the next."""


@dataclass(frozen=True)
class Batch:
    """What one run of the rule did."""

    id: UUID
    merges: list[AccountMerge]


def rule(session: Session) -> DuplicateRule:
    """The rule as it stands; off until an admin switches it on."""
    return session.get(DuplicateRule, True) or DuplicateRule(one=True, is_on=False, threshold=0.99)


def set_rule(session: Session, scope: Scope, *, is_on: bool, threshold: float) -> DuplicateRule:
    """Switch the rule on or off, and say how sure it has to be. Only for those who may merge every account."""
    need_all(scope)
    if not 0.9 <= threshold <= 1:
        raise Invalid("The threshold lies between 0.90 and 1.", help="Use for example 0.99.", field="threshold")
    held = session.merge(rule(session))
    held.is_on, held.threshold = is_on, threshold
    held.changed_by, held.changed_at = scope.user_id, clock.now()
    session.flush()
    return held


def need_all(scope: Scope) -> None:
    """Refuse people who may not merge every account."""
    if scope.level("accounts:merge") < Level.ALL:
        raise Forbidden("Only admins decide about merging without a person.", help="Ask an admin.")


def eligible(threshold: float) -> Select[AccountPair]:
    """The pairs that the rule would merge: sure enough, one phone or one address, no field that contradicts, not of one
    family of accounts, and nobody has taken their merge back.
    """
    low, high = AccountPair.low_id, AccountPair.high_id
    both = (AccountMerge.winner_id == low) & (AccountMerge.loser_id == high)
    both |= (AccountMerge.winner_id == high) & (AccountMerge.loser_id == low)
    return select(AccountPair).where(
        AccountPair.state == PairState.OPEN,
        AccountPair.score >= threshold,
        or_(AccountPair.same_phone, AccountPair.same_address),
        func.cardinality(AccountPair.contradictions) == 0,
        text("not " + ONE_FAMILY.format(low="account_pair.low_id", high="account_pair.high_id")),
        ~select(AccountMerge.id).where(both, AccountMerge.undone_at.is_not(None)).exists(),
        *(
            select(Account.id)
            .where(Account.id == key, Account.deleted_at.is_(None), Account.merged_into.is_(None))
            .exists()
            for key in (low, high)
        ),
    )


def would_merge(session: Session, threshold: float) -> int:
    """How many pairs the rule would merge now."""
    return session.scalar(select(func.count()).select_from(eligible(threshold).subquery())) or 0


def apply(session: Session, scope: Scope) -> Batch:
    """Merge what the rule allows, as one batch that can be undone. Does nothing while the rule is off."""
    need_all(scope)
    held, batch = rule(session), Batch(uuid7(), [])
    if not held.is_on:
        return batch
    chosen = eligible(held.threshold)
    for pair in session.scalars(chosen.order_by(AccountPair.score.desc(), AccountPair.low_id).limit(MOST)).all():
        one, other = merging.locked(session, pair.low_id, pair.high_id)
        same = (AccountPair.low_id == pair.low_id) & (AccountPair.high_id == pair.high_id)
        if session.scalar(chosen.where(same)) is not None:  # the merges before may have made a family of them
            batch.merges.append(merge_by_rule(session, scope, pair, one, other, batch.id))
    return batch


def merge_by_rule(
    session: Session, scope: Scope, pair: AccountPair, one: Account, other: Account, batch_id: UUID
) -> AccountMerge:
    """Merge one pair with everything as it is proposed."""
    winner, loser = proposed_winner(one, other)
    return merging.merge(session, scope, winner.id, loser.id, MergeWish({}, batch_id=batch_id, score=pair.score))


def examples(session: Session, threshold: float, limit: int = 5) -> list[tuple[AccountPair, str, str]]:
    """The least sure pairs that the rule would merge, with both names: where it would go wrong first."""
    chosen = eligible(threshold).order_by(AccountPair.score, AccountPair.low_id).limit(limit)
    pairs = session.scalars(chosen).all()
    wanted = select(Account.id, Account.name).where(
        Account.id.in_([key for p in pairs for key in (p.low_id, p.high_id)])
    )
    names = dict(session.execute(wanted).tuples().all())
    return [(pair, names[pair.low_id], names[pair.high_id]) for pair in pairs]
