"""A made-up market: the made-up region with a few customers of our own in it."""

from collections.abc import Callable

import pytest
from geoalchemy2 import WKTElement
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
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
