"""Hotel nights: offered near far-away work, as many as a rep may take, and driven to."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from geo.types import LonLat
from server.accounts.pins import wkt
from server.kit.ids import uuid7
from server.plans import computing, hotels
from server.plans.build import Lodging
from server.plans.models import Route
from server.regions.models import Prospect, Region

FAR = LonLat(10.6, 47.1)
HOTEL = LonLat(10.61, 47.1)


@pytest.fixture
def hotel(session: Any) -> None:
    """A hotel near the far-away work, 80 km from home."""
    facts = {"sha256": "0" * 64, "version": 1, "source": "alps.osm.pbf", "licence": "ODbL", "attribution": []}
    region = Region(id=uuid7(), name="Alps", state="ready", **facts)
    session.add(region)
    session.flush()
    session.add(
        Prospect(region_id=region.id, id=uuid7(), source_id="n1", name="Post", kind="tourism=hotel", tags={}, cell=1,
                 pin=wkt(HOTEL))
    )  # fmt: skip
    session.flush()


def far_work(make_account: Any, owner: Any, count: int = 6) -> None:
    for k in range(count):
        at = (FAR.lon + 0.002 * k, FAR.lat)
        make_account(f"Far {k}", at, account_class="A", owner_id=owner.id, service_s=7200, yearly_value=1_000_000)


def lodgings(session: Any, plan: Any) -> tuple[Lodging, ...]:
    return computing.prepare(session, plan).lodgings


def test_no_hotel_is_offered_to_who_drives_home(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date, hotel: None
) -> None:
    far_work(make_account, people["rita"])
    assert lodgings(session, plan_now(people["mona"], [people["rita"]], monday, days=5)) == ()


def test_as_many_evenings_are_offered_as_a_rep_may_be_away(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date, hotel: None
) -> None:
    far_work(make_account, people["rita"])
    people["rita"].rep_profile.nights_a_week = 2
    session.flush()
    plan = plan_now(people["mona"], [people["rita"]], monday, days=5)
    found = lodgings(session, plan)
    assert [one.name for one in found] == ["Post", "Post"]
    assert len({one.evening for one in found}) == 2
    assert all(one.point == HOTEL for one in found)


def test_work_near_home_needs_no_hotel(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date, hotel: None
) -> None:
    make_account("Near", (9.55, 47.1), account_class="A", owner_id=people["rita"].id)
    people["rita"].rep_profile.nights_a_week = 2
    session.flush()
    assert lodgings(session, plan_now(people["mona"], [people["rita"]], monday, days=5)) == ()


def test_a_night_that_is_worth_it_is_spent_in_the_hotel(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date, hotel: None
) -> None:
    far_work(make_account, people["rita"], 8)
    people["rita"].rep_profile.nights_a_week = 1
    session.flush()
    plan = plan_now(people["mona"], [people["rita"]], monday, days=2)
    routes = session.scalars(select(Route).where(Route.plan_id == plan.id).order_by(Route.day)).all()
    assert [(route.start_anchor["name"], route.end_anchor["name"]) for route in routes] == [
        ("Vaduz", "Post"),
        ("Post", "Vaduz"),
    ]
    assert hotels.FAR_M < 80_000
