"""Where rows of rooms above stand on the map: at the site that they name, else at the sites of their account."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from server.accounts.models import Account, Site
from server.accounts.queries import standing_for
from server.accounts.reaching import Spots


def through(account_id: Any, site_id: Any) -> Spots:
    """The places of rows that carry an account's id and perhaps a site's; merged accounts are where they went."""

    def of(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        living = (Site.deleted_at.is_(None), condition)
        named = site_id.in_(select(Site.id).where(*living).correlate(None))
        theirs = standing_for(account_id, select(Site.account_id).where(*living).correlate(None))
        return or_(named, and_(site_id.is_(None), theirs))

    def in_areas(areas: Select[Any]) -> ColumnElement[bool]:
        inside = select(Account.id).where(Account.territory_id.in_(areas)).correlate(None)
        return standing_for(account_id, inside) | of(Site.territory_id.in_(areas))

    return Spots(Site.id, Site.pin, Site.deleted_at.is_(None), of, in_areas)
