"""Reads of suggested classes; who sees them follows from the account."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, select
from sqlalchemy.orm import Session, aliased

from server.accounts import queries as accounts
from server.accounts.classes.models import ClassChange, ClassState
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import User


@dataclass(frozen=True)
class ChangeRow:
    """A suggestion with what a list shows beside it."""

    change: ClassChange
    account: Account
    owner: str | None
    decider: str | None = None


def visible_to(scope: Scope, permission: str = "accounts:read") -> Select[ClassChange]:
    """The suggestions for accounts that a permission of somebody reaches."""
    seen = accounts.visible_to(scope, permission).with_only_columns(Account.id).correlate(None)
    return select(ClassChange).where(ClassChange.account_id.in_(seen))


def page(session: Session, scope: Scope, *, state: ClassState = ClassState.OPEN, limit: int = 500) -> list[ChangeRow]:
    """Suggestions that somebody may decide or has decided, the most valuable first; they tell class and value."""
    for name in ("account_class", "yearly_value", "yearly_potential"):
        scope.need_sees("account", name)
    person = aliased(User)
    decider = select(person.name).where(person.id == ClassChange.decided_by).scalar_subquery()
    statement = (
        visible_to(scope, "accounts:assign")
        .where(ClassChange.state == state)
        .join(Account, Account.id == ClassChange.account_id)
        .outerjoin(User, User.id == Account.owner_id)
        .with_only_columns(ClassChange, Account, User.name, decider)
        .order_by(ClassChange.decided_at.desc().nulls_last(), ClassChange.worth.desc(), ClassChange.id)
    )
    return [ChangeRow(*row) for row in session.execute(statement.limit(limit))]


def open_of(session: Session, account_id: UUID) -> ClassChange | None:
    """What is suggested for an account and waits for somebody."""
    return session.scalars(OPEN_OF, {"account_id": account_id}).one_or_none()


OPEN_OF = select(ClassChange).where(
    ClassChange.account_id == bindparam("account_id", type_=Uuid()), ClassChange.state == ClassState.OPEN
)
