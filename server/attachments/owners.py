"""What a file can hang on, and whose right decides about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.models import Visit
from server.activities.notes.models import Note
from server.attachments.models import AttachedFile
from server.auth.access import Scope
from server.kit.errors import Invalid, NotFound
from server.orders import queries as orders
from server.orders.models import Order
from server.tickets import queries as tickets
from server.tickets.models import Ticket

AT_ACCOUNTS = ("account", "visit", "note")
"""Whoever sees the story of the account sees these."""


@dataclass(frozen=True)
class Owner:
    """A kind of row that files hang on."""

    model: Any
    visible_to: Callable[[Scope, str], Select[Any]] | None = None
    """Its own rule; None: as the account's story."""


OWNERS: Mapping[str, Owner] = {
    "account": Owner(Account),
    "visit": Owner(Visit),
    "note": Owner(Note),
    "ticket": Owner(Ticket, tickets.visible_to),
    "order": Owner(Order, orders.visible_to),
}


def reach(scope: Scope, action: str) -> ColumnElement[bool]:
    """Whether somebody may read or write what hangs on a row: as they may the row itself."""
    seen = accounts.visible_to(scope, f"activities:{action}").with_only_columns(Account.id)
    parts = [and_(AttachedFile.entity.in_(AT_ACCOUNTS), accounts.standing_for(AttachedFile.account_id, seen))]
    for entity, owner in OWNERS.items():
        if owner.visible_to is not None and scope.may(f"{entity}s:{action}"):
            rows = owner.visible_to(scope, f"{entity}s:{action}").with_only_columns(owner.model.id).order_by(None)
            parts.append(and_(AttachedFile.entity == entity, AttachedFile.row_id.in_(rows)))
    return or_(*parts)


def account_of(session: Session, scope: Scope, entity: str, row_id: UUID, action: str) -> UUID:
    """The account of a row that somebody may hang a file on, or read its files. Refuses what is not theirs."""
    owner = OWNERS.get(entity)
    if owner is None:
        raise Invalid(f"Files do not hang on “{entity}”.", help=f"There are: {', '.join(OWNERS)}.", field="entity")
    missing = NotFound(f"There is no such {entity}.", field="row_id", id=str(row_id))
    if owner.visible_to is not None:
        if not scope.may(f"{entity}s:{action}"):
            raise missing
        row = session.scalars(owner.visible_to(scope, f"{entity}s:{action}").where(owner.model.id == row_id)).first()
        if row is None:
            raise missing
        if row.account_id is None:
            raise Invalid("It belongs to no account yet.", help="Choose its account first.", field="row_id")
        return accounts.surviving(session, row.account_id)
    column: Any = owner.model.id if entity == "account" else owner.model.account_id
    statement = select(column).where(owner.model.id == row_id, owner.model.deleted_at.is_(None))
    found = session.scalar(statement)
    account_id = accounts.surviving(session, found) if found else None
    seen = accounts.visible_to(scope, f"activities:{action}").where(Account.id == account_id)
    if account_id is None or session.scalars(seen).first() is None:
        raise missing
    return account_id
