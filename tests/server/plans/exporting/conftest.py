"""A published day of one rep, in a home of the test's own."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from geoalchemy2 import WKTElement
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads import polyline
from server.accounts.models import Account, Site
from server.auth.models import Role, User
from server.kit.settings import settings
from server.plans.exporting import service
from server.plans.models import Plan, PlanState, Route, Stop, Unplanned

DAY = date(2026, 11, 24)
HOME, SHOP = LonLat(9.52, 47.14), LonLat(9.53, 47.15)

type MakeUser = Callable[..., User]
type Publish = Callable[..., Route]


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


PUBLISHED = at(1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings(), "home", tmp_path)
    return tmp_path


@pytest.fixture
def libraries() -> None:
    """For tests that write the mailed map."""
    if not (service.VENDOR / "leaflet.js").exists():
        pytest.skip("needs the browser libraries: python -m server.web.vendor")


@pytest.fixture
def rita(make_user: MakeUser) -> User:
    return make_user("rita", Role.REP)


@pytest.fixture
def publish(session: Session) -> Publish:
    """Publish a day with one stop: `publish(rita)`; `published_at=None` leaves it a proposal."""

    def make(rep: User, day: date = DAY, published_at: datetime | None = PUBLISHED, number: str = "007") -> Route:
        account = Account(
            name="Mühle Łódź", number=f"{number}-{rep.login}-{day:%d}", account_class="A", phone="+423 233 11 22"
        )
        session.add(account)
        session.flush()
        pin = WKTElement(f"POINT({SHOP.lon} {SHOP.lat})", srid=4326)
        site = Site(account_id=account.id, is_main=True, street="Dorf 1", postcode="9490", city="Vaduz", pin=pin)
        missed = Account(name="Hofladen")
        plan = Plan(
            state=PlanState.PUBLISHED, rep_ids=[rep.id], first_day=day, days=1, engine="ortools", seed=1, steps=1,
            requested_by=rep.id,
        )  # fmt: skip
        session.add_all([site, missed, plan])
        session.flush()
        anchor = {"name": "Home", "lon": HOME.lon, "lat": HOME.lat}
        route = Route(
            plan_id=plan.id, rep_id=rep.id, day=day, zone="Europe/Vaduz", start_anchor=anchor, end_anchor=anchor,
            leaves_at=at(7), returns_at=at(9), drive_s=1200, distance_m=4000, estimated=True, published_at=published_at,
            polylines=[polyline.encode([HOME, SHOP]), polyline.encode([SHOP, HOME])],
            legs=[
                {"seconds": 600, "metres": 2000, "estimated": False},
                {"seconds": 600, "metres": 2000, "estimated": True},
            ],
        )  # fmt: skip
        session.add(route)
        session.flush()
        stop = Stop(
            route_id=route.id, account_id=account.id, site_id=site.id, position=1, arrives_at=at(7, 10),
            starts_at=at(7, 30), ends_at=at(8), drive_s=600, distance_m=2000, estimated=False,
            why="A customer, 12 days overdue", prize_s=3600, overdue_days=12,
        )  # fmt: skip
        left_out = Unplanned(
            plan_id=plan.id, account_id=missed.id, rep_ids=[rep.id], mandatory=False, prize_s=60, overdue_days=0,
            reasons=[{"code": "closed", "text": "It is closed all day."}],
        )  # fmt: skip
        session.add_all([stop, left_out])
        session.flush()
        return route

    return make
