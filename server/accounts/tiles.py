"""Accounts as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from typing import Any

from sqlalchemy import and_, cast, func, null
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts import queries
from server.accounts.fields import overdue_days
from server.accounts.models import Account, Site
from server.accounts.reaching import Reaching
from server.auth.access import Scope
from server.kit.filtering.guard import answers_in_time
from server.kit.layers import WORLD_M, Layer
from server.kit.tiles import Tile


@answers_in_time
def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The accounts of a tile that somebody may see: single ones, or clusters with counts by class below zoom 9."""
    layer = Layer("accounts", at, Site.pin)
    accounts = queries.chosen(Reaching(session), scope, filter=filter, search=search)
    inside = layer.inside(accounts.join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None))))
    grade = Account.account_class if scope.sees("account", "account_class") else cast(null(), Text)
    if layer.is_clustered:
        rows = layer.clusters(inside, grade.label("class"), totals=by_class)
    else:
        rows = layer.singles(inside, *told(queries.today_of(scope), grade))
    return layer.encoded(session, rows)


def told(today: Any, grade: Any) -> tuple[Any, ...]:
    """What is told of each site; the account's class is as its reader may know it."""
    return (
        cast(Account.id, Text).label("id"),
        cast(Site.id, Text).label("site_id"),
        Account.name,
        Account.number,
        grade.label("account_class"),
        Account.status,
        cast(Account.owner_id, Text).label("owner_id"),
        overdue_days(today).label("overdue_days"),
        Site.grade,
        Site.uncertainty_m,
        # Radius of the circle of doubt in pixels at zoom 14, for tiles of 512 pixels.
        (Site.uncertainty_m * (512 * 2**14 / WORLD_M) / func.cos(func.radians(func.ST_Y(Site.pin)))).label("doubt_px"),
    )


def by_class(points: Any) -> list[Any]:
    """How many of each class a cell holds."""
    return [func.count().filter(points["class"] == name).label(name.lower()) for name in ("A", "B", "C")]
