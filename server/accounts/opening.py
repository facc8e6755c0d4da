"""An account that somebody opens: what many parts of its page ask is asked once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.accounts.place_models import PinProposal
from server.accounts.proposed_pins import ProposedPin, with_names
from server.accounts.queries import (
    IDS,
    ONE,
    TODAY,
    Row,
    family,
    reach_by_level,
    today_of,
    with_details,
)
from server.accounts.reach import LIVING
from server.auth.access import Scope


@dataclass(frozen=True)
class Opened:
    """An account that somebody opens, with what many parts of its page ask."""

    account_id: UUID
    """What stands for it after all merges."""
    granted: frozenset[str]
    """The permissions that reach it."""
    family: Sequence[UUID] = ()
    """Itself and what was merged into it."""
    has_children: bool = False
    """Whether some account hangs below it, seen or not."""


KIN = family(ONE).subquery()
CHILD = select(literal(1)).where(
    Account.parent_id.in_(select(KIN.c.id)), Account.merged_into.is_(None), Account.id != ONE
)
OPENED = select(
    func.account_surviving(ONE), select(func.array_agg(KIN.c.id)).scalar_subquery(), CHILD.correlate(None).exists()
)


def opened(session: Session, scope: Scope, account_id: UUID | Opened, permissions: Iterable[str]) -> Opened:
    """Open an account, in one query, unless it is: which of these permissions of somebody reach it. Refuses nothing by
    itself; who opens it for other parts asks for what they ask.
    """
    if isinstance(account_id, Opened):
        return account_id
    held = {permission: scope.level(permission) for permission in permissions if scope.may(permission)}
    reach = reach_by_level(scope, account_id, held)
    into, family, has_children, *found = session.execute(
        OPENED.add_columns(*reach.values()), {"account_id": account_id}
    ).one()
    if into is not None and into != account_id:
        return opened(session, scope, into, permissions)
    reached = dict(zip(reach, found, strict=True))
    seen = frozenset(permission for permission, level in held.items() if reached[level])
    return Opened(account_id, seen, family or (), has_children)


DETAIL = with_details(select(Account).where(LIVING, Account.id == ONE), TODAY)


def detail_of(session: Session, scope: Scope, account_id: UUID) -> Row | None:
    """An account as lists show it, that the caller has checked."""
    found = session.execute(DETAIL, {"account_id": account_id, "today": today_of(scope)}).one_or_none()
    return Row(*found) if found else None


PROPOSALS = (
    with_names(select(PinProposal))
    .where(PinProposal.deleted_at.is_(None), PinProposal.site_id == IDS)
    .order_by(PinProposal.proposed_at.desc(), PinProposal.id.desc())
    .limit(50)
)


def proposals_at(session: Session, site_ids: Iterable[UUID]) -> list[ProposedPin]:
    """All proposals for some living sites that the caller has checked, the latest first."""
    return [ProposedPin(*row) for row in session.execute(PROPOSALS, {"ids": list(site_ids)})]
