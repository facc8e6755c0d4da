"""Changing the owner of many accounts at once."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import User
from server.kit.errors import Invalid, NotFound


def give(session: Session, scope: Scope, account_ids: Collection[UUID], owner_id: UUID) -> Mapping[UUID, UUID | None]:
    """Give accounts to one owner; says whose each was. Refuses accounts that the person may not give away."""
    statement = queries.visible_to(scope, "accounts:assign").where(Account.id.in_(account_ids))
    found = session.execute(
        statement.with_only_columns(Account.id, Account.owner_id).order_by(Account.id).with_for_update()
    )
    before = {account_id: owner for account_id, owner in found}
    missing = set(account_ids) - before.keys()
    if missing:
        raise NotFound(
            f"{len(missing):,} of the accounts are not there, or not yours to give away.",
            help="Reload the list and choose again.",
            field="account_ids",
        )
    if session.scalar(select(User.id).where(User.id == owner_id, User.deleted_at.is_(None), User.active)) is None:
        raise Invalid("Owner: there is no such person.", field="to_id")
    session.execute(update(Account).where(Account.id.in_(account_ids)).values(owner_id=owner_id))
    return before


def give_back(session: Session, owners: Mapping[UUID, UUID | None], now_of: UUID) -> set[UUID]:
    """Give accounts back to whom they belonged, as far as they are still this person's; says which."""
    statement = select(Account).where(Account.id.in_(owners), Account.owner_id == now_of, Account.deleted_at.is_(None))
    accounts = session.scalars(statement.order_by(Account.id).with_for_update()).all()
    for account in accounts:
        account.owner_id = owners[account.id]
    session.flush()
    return {account.id for account in accounts}
