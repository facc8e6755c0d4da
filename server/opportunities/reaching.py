"""Whom deals are in reach of, and where they are: at the sites of their accounts."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, literal, select
from sqlalchemy.orm import aliased

from server.accounts import queries as accounts
from server.accounts.models import Account, Folded, Site
from server.accounts.reaching import Spots
from server.auth.access import Scope
from server.opportunities.models import Opportunity


def reached(scope: Scope, permission: str, *, few: bool = False) -> ColumnElement[bool]:
    """Whether a permission below the right over all reaches a deal: by its account, or as one's own."""
    mine = Opportunity.owner_id == scope.user_id if scope.may(permission) else false()
    return accounts.own_or_reached(Opportunity.id, Opportunity.account_id, scope, permission, mine, few=few)


@cache
def account_lives() -> ColumnElement[bool]:
    """Whether the account that stands for a deal's is not deleted: the few that are, met by themselves."""
    gone, folded = aliased(Account), aliased(Folded)
    deleted = select(literal(1)).where(gone.deleted_at.is_not(None)).correlate(Opportunity)
    itself = deleted.where(gone.id == Opportunity.account_id, gone.merged_into.is_(None))
    survivor = deleted.where(gone.id == folded.survivor_id, folded.id == Opportunity.account_id)
    return and_(~itself.exists(), ~survivor.exists())


def of_sites(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some site of the deal's account fulfils it."""
    found = select(Site.account_id).where(Site.deleted_at.is_(None), condition).correlate(None)
    return Opportunity.account_id.in_(found)


def in_areas(areas: Select[Any]) -> ColumnElement[bool]:
    """The deal's account, or one of its sites, is in one of these territories."""
    there = select(Account.id).where(Account.territory_id.in_(areas)).correlate(None)
    return Opportunity.account_id.in_(there) | of_sites(Site.territory_id.in_(areas))


OF_ACCOUNTS = Spots(Site.id, Site.pin, Site.deleted_at.is_(None), of_sites, in_areas)
