"""Reads of proposals of a better pin, by the rights over their accounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from server.accounts.models import Account, Site
from server.accounts.place_models import PinProposal, ProposalState
from server.accounts.queries import visible_to
from server.auth.access import Scope
from server.auth.models import User


@dataclass(frozen=True)
class ProposedPin:
    """A proposal of a better pin with what a list shows beside it."""

    proposal: PinProposal
    site: Site
    account_name: str
    yearly_value: Decimal | None
    proposer: str | None
    """Who proposed it; None: the check-ins."""
    decider: str | None
    lon: float
    lat: float
    away_m: float | None
    """From the pin as it is now."""


def proposals_visible_to(scope: Scope, permission: str = "accounts:read") -> Select[PinProposal]:
    """The proposals for sites that a permission of somebody reaches; with `pins:place` those they may decide."""
    accounts = visible_to(scope, permission).with_only_columns(Account.id)
    sites = select(Site.id).where(Site.deleted_at.is_(None), Site.account_id.in_(accounts))
    return select(PinProposal).where(PinProposal.deleted_at.is_(None), PinProposal.site_id.in_(sites))


def open_proposals(
    session: Session, scope: Scope, *, permission: str = "accounts:read", limit: int = 200
) -> list[ProposedPin]:
    """Proposals that wait for a decision, those of the most valuable accounts first."""
    statement = proposals_visible_to(scope, permission).where(PinProposal.state == ProposalState.OPEN)
    order = (Account.yearly_value.desc().nulls_last(), PinProposal.proposed_at, PinProposal.id)
    return proposed(session, statement, *order, limit=limit)


def proposals_of(session: Session, scope: Scope, site_ids: Iterable[UUID], *, limit: int = 50) -> list[ProposedPin]:
    """All proposals for some sites, the latest first."""
    statement = proposals_visible_to(scope).where(PinProposal.site_id.in_(list(site_ids)))
    return proposed(session, statement, PinProposal.proposed_at.desc(), PinProposal.id.desc(), limit=limit)


def proposed(session: Session, statement: Select[PinProposal], *order: Any, limit: int) -> list[ProposedPin]:
    """Proposals with names, values and distances."""
    return [ProposedPin(*row) for row in session.execute(with_names(statement).order_by(*order).limit(limit))]


def with_names(statement: Select[PinProposal]) -> Select[Any]:
    """A selection of proposals with the columns of `ProposedPin`."""
    decider = aliased(User)
    return (
        statement.join(Site, Site.id == PinProposal.site_id)
        .join(Account, Account.id == Site.account_id)
        .outerjoin(User, User.id == PinProposal.proposed_by)
        .outerjoin(decider, decider.id == PinProposal.decided_by)
        .with_only_columns(
            PinProposal,
            Site,
            Account.name,
            Account.yearly_value,
            User.name,
            decider.name,
            func.ST_X(PinProposal.pin),
            func.ST_Y(PinProposal.pin),
            func.ST_DistanceSphere(PinProposal.pin, Site.pin),
        )
    )
