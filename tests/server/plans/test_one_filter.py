"""One filter, six places: list, map, tiles, selection, export and what a route may visit hold the same accounts."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.queries import sites_of
from server.activities.models import Visit, VisitState
from server.kit import clock
from server.plans.models import Plan

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FILTERS = (
    "",
    "class = A",
    "class in (A, B) and not city = Schaan",
    "tag = baker or value > 900",
    "not visited since 30 days",
    "in polygon (9.505 47.05, 9.56 47.05, 9.56 47.15, 9.505 47.15)",
    "within 1200 m of 9.50, 47.10 and status = customer",
    'owner = rita and name ~ "1"',
    "visits.count() over 12 months > 0",
)


@pytest.fixture
def world(session: Session, people: Mapping[str, Any], make_account: Any) -> set[str]:
    """Twenty-four accounts of all sorts, each with one pin and a visit long due; some were visited."""
    cities, classes, statuses = ("Vaduz", "Schaan", "Triesen"), ("A", "B", "C", "A"), ("customer", "prospect")
    made, lately = [], clock.now().date() - timedelta(days=7)  # due whatever the stretch of an overloaded day
    for k in range(24):
        account = make_account(
            f"Account {k}",
            (9.49 + 0.005 * (k % 8), 47.09 + 0.01 * (k // 8)),
            account_class=classes[k % 4],
            status=statuses[k % 5 == 0],
            tags=["baker"] if k % 7 == 0 else [],
            yearly_value=50 * k,
            interval_days=1,
            owner_id=people[("rita", "otto")[k % 3 == 0]].id,
            last_visit_on=lately if k % 6 == 0 else date(2020, 1, 1),
            street=f"Gasse {k}",
        )
        made.append(account)
    sites = {site.account_id: site for site in sites_of(session, [account.id for account in made])}
    for k, account in enumerate(made):
        sites[account.id].city = cities[k % 3]
    session.flush()
    for account in made[::6]:
        session.add(
            Visit(
                account_id=account.id, site_id=sites[account.id].id, rep_id=people["rita"].id, zone="UTC",
                day=lately, state=VisitState.DONE,
            )
        )  # fmt: skip
    session.flush()
    return {str(account.id) for account in made}


def test_the_same_accounts_everywhere(
    world: set[str], clients: dict[str, TestClient], people: Any, plan_now: Any, monday: date
) -> None:
    for filter in FILTERS:
        agree(
            filter,
            world,
            clients["mona"],
            lambda **asked: plan_now(people["mona"], [people["rita"], people["otto"]], monday, **asked),
        )


def agree(filter: str, world: set[str], mona: TestClient, plan_of: Callable[..., Plan]) -> None:
    """Ask for the accounts of a filter in six ways."""
    asked = {"filter": filter} if filter else {}
    rows = mona.get("/api/v1/accounts", params={**asked, "limit": 100}).json()["items"]
    listed = {row["id"] for row in rows}
    assert listed, filter
    assert (listed == world) is (not filter), filter
    page = mona.get("/home/accounts", params=asked).text
    assert set(re.findall(f'data-account="({UUID.pattern})"', page)) == listed
    tiles = b"".join(mona.get(f"/tiles/accounts/9/269/{y}", params=asked).content for y in (178, 179))
    assert set(UUID.findall(tiles.decode(errors="ignore"))) & world == listed
    exported = csv.DictReader(io.StringIO(mona.get("/api/v1/accounts/export.csv", params=asked).text.lstrip("\ufeff")))
    assert {row["name"] for row in exported} == {row["name"] for row in rows}
    drawn = mona.get("/api/v1/accounts/export.geojson", params=asked).json()
    assert {feature["id"] for feature in drawn["features"]} == listed
    if filter:
        segment = mona.post("/api/v1/segments", json={"name": f"These {FILTERS.index(filter)}", **asked}).json()
        members = mona.get(
            "/api/v1/accounts", params={"filter": f'in segment "{segment["name"]}"', "limit": 100}
        ).json()["items"]
        assert {row["id"] for row in members} == listed
    plan = plan_of(**asked)
    stops = {str(stop.account_id) for route in plan.routes for stop in route.stops}
    assert stops | {str(left.account_id) for left in plan.unplanned} == listed
