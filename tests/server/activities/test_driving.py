"""What was driven is compared with what the roads say, and the planner's drives follow it."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import service as accounts
from server.accounts.queries import sites_of
from server.accounts.service import NewAccount
from server.activities import driving
from server.activities.models import Visit
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.kit.settings import settings
from server.regions.models import Region
from server.roads import graphs, service, traffic
from tests.server.roads.conftest import make_region

WEST, EAST = LonLat(9.0, 47.0), LonLat(9.02, 47.0)
FAR_EAST = LonLat(9.09, 47.0)
MONDAY = date(2026, 3, 16)
"""After twenty weeks of winter time."""


@pytest.fixture
def long_street(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    """Seven kilometres of street, about twelve minutes."""
    monkeypatch.setattr(settings(), "home", tmp_path)
    from tests.routing.roads.test_merging import write_half

    street = write_half(tmp_path / "s.osm.pbf", {1: WEST, 2: EAST, 3: FAR_EAST}, 1)
    region = make_region(session, "street", street.read_bytes(), bbox=(8.9, 46.9, 9.2, 47.1))
    graphs.build_graph(session, region)
    yield region
    graphs.stop_all()


@pytest.fixture
def visit(session: Session, make_user: Callable[..., User]) -> Callable[..., Visit]:
    """A recorded visit: `visit("rita", WEST, arrived, left)`."""
    ada = make_user("ada")
    reps = {"rita": make_user("rita", Role.REP), "otto": make_user("otto", Role.REP)}
    places: dict[LonLat, Any] = {}

    def make(rep: str, at: LonLat, arrived: datetime, left: datetime | None = None, **more: Any) -> Visit:
        if at not in places:
            new = NewAccount({"name": f"At {at.lon}"}, [{"lon": at.lon, "lat": at.lat}])
            account = accounts.create(session, scope_of(session, ada, source="api"), new, force=True)
            places[at] = sites_of(session, [account.id])[0]
        site = places[at]
        made = Visit(
            account_id=site.account_id, site_id=site.id, rep_id=reps[rep].id, day=arrived.date(), zone="Europe/Vaduz",
            state="done", checked_in_at=arrived, done_at=left or arrived + timedelta(minutes=30), **more,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made

    return make


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def there_and_back(visit: Callable[..., Visit], rep: str, day: date, minutes: float) -> None:
    """From West at 7:30 UTC to Far East in so many minutes."""
    visit(rep, WEST, at(day, 7), at(day, 7, 30))
    visit(rep, FAR_EAST, at(day, 7, 30) + timedelta(minutes=minutes))


@pytest.mark.usefixtures("long_street")
def test_a_drive_lies_between_the_end_of_a_visit_and_the_next_check_in(
    session: Session, visit: Callable[..., Visit]
) -> None:
    there_and_back(visit, "rita", MONDAY, 15)
    (drive,) = driving.drives(session, MONDAY)["street"]
    assert (drive.weekday, drive.hour, drive.took_s) == (0, 8, 900), "by the clock of Vaduz"
    assert drive.expected_s == service.engine(session, [WEST]).matrix([WEST], [FAR_EAST]).seconds[0, 0]


@pytest.mark.usefixtures("long_street")
def test_other_reps_other_days_and_doubtful_check_ins_make_no_drive(
    session: Session, visit: Callable[..., Visit]
) -> None:
    visit("rita", WEST, at(MONDAY, 7))
    visit("otto", FAR_EAST, at(MONDAY, 8))
    visit("rita", FAR_EAST, at(MONDAY + timedelta(days=1), 8))
    visit("rita", FAR_EAST, at(MONDAY, 8), verification="suspected_mock")
    visit("rita", FAR_EAST, at(MONDAY, 20))
    assert driving.drives(session, MONDAY + timedelta(days=2)) == {}


def test_without_roads_nothing_is_learned(session: Session, visit: Callable[..., Visit]) -> None:
    there_and_back(visit, "rita", MONDAY, 15)
    assert driving.drives(session, MONDAY) == {}
    assert traffic.relearn(session, driving.drives(session, MONDAY)) == 0


@pytest.mark.usefixtures("long_street")
def test_a_slow_hour_makes_the_planners_drives_longer(session: Session, visit: Callable[..., Visit]) -> None:
    usual = service.engine(session, [WEST, FAR_EAST]).matrix([WEST, FAR_EAST])
    minutes = usual.seconds[0, 1] / 60 * 1.5
    for week in range(20):
        there_and_back(visit, "rita", MONDAY - timedelta(weeks=week), minutes)
        there_and_back(visit, "otto", MONDAY - timedelta(weeks=week), minutes)
    assert traffic.relearn(session, driving.drives(session, MONDAY)) == 1
    factor = traffic.week(session, "street")[0, 8]
    assert (factor.drives, factor.value) == (40, pytest.approx(1.4, abs=0.08))
    slow = service.engine(session, [WEST, FAR_EAST], [(0, 8)])
    assert slow.matrix([WEST, FAR_EAST]).seconds[0, 1] == round(usual.seconds[0, 1] * factor.value)
    assert slow.route([WEST, FAR_EAST])[0].seconds == slow.matrix([WEST, FAR_EAST]).seconds[0, 1]
    half = service.engine(session, [WEST, FAR_EAST], [(0, 8), (0, 9)])
    assert half.matrix([WEST, FAR_EAST]).seconds[0, 1] < slow.matrix([WEST, FAR_EAST]).seconds[0, 1]
    assert service.engine(session, [WEST, FAR_EAST], [(1, 8)]).key == service.engine(session, [WEST]).key


@pytest.mark.usefixtures("long_street")
def test_learning_again_replaces_what_was_learned(session: Session, visit: Callable[..., Visit]) -> None:
    there_and_back(visit, "rita", MONDAY, 15)
    traffic.relearn(session, driving.drives(session, MONDAY))
    traffic.relearn(session, {})
    assert traffic.learned(session) == {}
