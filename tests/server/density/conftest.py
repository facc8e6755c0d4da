"""A made-up market: the made-up region with a few customers of our own in it."""

from collections.abc import Callable
from datetime import date

import pytest
from geoalchemy2 import WKTElement
from shapely.geometry import MultiPolygon, box
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.auth.models import RepProfile, Role, User
from server.density import service
from server.kit import clock
from server.kit.settings import settings
from server.regions.models import Prospect, Region
from server.territories import service as territories
from tests.server.regions.conftest import build, extract, home, newer_extract, region

__all__ = ["build", "customer", "extract", "home", "newer_extract", "region"]


@pytest.fixture
def customer(session: Session) -> Callable[..., Site]:
    """Create a customer with one site at a point."""

    def make(name: str, point: LonLat, status: str = "customer", **more: object) -> Site:
        account = Account(name=name, status=status, **more)
        session.add(account)
        session.flush()
        site = Site(account_id=account.id, is_main=True, pin=WKTElement(f"POINT({point.lon} {point.lat})", srid=4326))
        session.add(site)
        session.flush()
        return site

    return make


HERE = LonLat(-6.0, 46.0)
WEST, EAST = MultiPolygon([box(-7, 45, -6.0, 47)]), MultiPolygon([box(-6.0, 45, -5, 47)])


def some(session: Session, count: int) -> list[tuple[str, LonLat]]:
    rows = session.execute(
        select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).order_by(Prospect.id).limit(count)
    )
    return [(name, LonLat(lon, lat)) for name, lon, lat in rows]


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def rita(session: Session, make_user: Callable[..., User]) -> User:
    """A rep who works the west."""
    user = make_user("rita", Role.REP)
    west = territories.create(session, name="West", area=WEST)
    territories.set_members(session, west.id, [user.id], day=date(2020, 1, 1))
    session.get_one(RepProfile, user.id).home = WKTElement("POINT(-6.01 46.0)", srid=4326)
    session.flush()
    return user


@pytest.fixture
def market(session: Session, region: Region, customer: Callable[..., Site]) -> Region:
    """A few customers of known kinds, with values."""
    for name, at in some(session, 6):
        customer(name, at, yearly_value=10_000, currency="EUR", last_visit_on=clock.today(settings().zone))
    service.refresh(session)
    return region
