"""Where deals are, for the filter language: at the sites of their accounts."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from server.accounts.models import Account, Site
from server.accounts.reaching import Spots
from server.opportunities.models import Opportunity


def of_sites(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some site of the deal's account fulfils it."""
    found = select(Site.account_id).where(Site.deleted_at.is_(None), condition).correlate(None)
    return Opportunity.account_id.in_(found)


def in_areas(areas: Select[Any]) -> ColumnElement[bool]:
    """The deal's account, or one of its sites, is in one of these territories."""
    accounts = select(Account.id).where(Account.territory_id.in_(areas)).correlate(None)
    return Opportunity.account_id.in_(accounts) | of_sites(Site.territory_id.in_(areas))


OF_ACCOUNTS = Spots(Site.id, Site.pin, Site.deleted_at.is_(None), of_sites, in_areas)
