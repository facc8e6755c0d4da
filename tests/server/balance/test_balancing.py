"""Territories are balanced by a job, changed by hand, applied now or on a day, and put back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import h3
import pytest
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box, mapping
from sqlalchemy import Engine, func, select, text, update

from geo.balance import cutting
from server.accounts.models import Account, Site
from server.auth import rights
from server.auth.models import Role
from server.auth.service import create_user
from server.auth.tokens import create_api_token
from server.balance import balancing, jobs
from server.balance.models import BalanceRun, BalanceScenario
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.territories import service as territories
from server.territories.models import Territory
from tests.application import served

RUNS = "/api/v1/balance-runs"
AREA = box(9.0, 47.0, 9.2, 47.06)


@pytest.fixture
def company(empty_database: Engine) -> Iterator[TestClient]:
    """West has a fifth of the ground and of the accounts, East the rest; a client for the admin."""
    with transaction() as session:
        ada = create_user(session, login="ada", name="Ada", role=Role.ADMIN, password="three words make one")
        west = territories.create(session, name="West", area=MultiPolygon([box(9.0, 47.0, 9.04, 47.06)]))
        east = territories.create(session, name="East", area=MultiPolygon([box(9.04, 47.0, 9.2, 47.06)]))
        places = [(9.005 + (number % 20) * 0.01, 47.003 + (number // 20) * 0.006) for number in range(200)]
        owners = [west if lon < 9.04 else east for lon, _lat in places]
        accounts = [
            Account(name=f"A{number}", currency="EUR", account_class="B", yearly_value=100, territory_id=owner.id)
            for number, owner in enumerate(owners)
        ]
        session.add_all(accounts)
        session.flush()
        session.add_all(
            Site(
                account_id=account.id,
                is_main=True,
                pin=f"SRID=4326;POINT({lon} {lat})",
                pin_state="placed",
                territory_id=account.territory_id,
            )
            for account, (lon, lat) in zip(accounts, places, strict=True)
        )
        _, secret = create_api_token(session, ada.id, "test", None, None)
    with TestClient(served()) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        yield client


@pytest.fixture(autouse=True)
def few_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST", 300)  # small areas; thousands take a minute


def computed(client: TestClient) -> dict[str, Any]:
    asked = client.post(RUNS, json={})
    assert asked.status_code == 202, asked.text
    jobs.compute(run_id=asked.json()["id"])
    found: dict[str, Any] = client.get(f"{RUNS}/{asked.json()['id']}").json()
    return found


def counts() -> dict[str, int]:
    with transaction() as session:
        rows = session.execute(
            select(Territory.name, func.count())
            .join(Account, Account.territory_id == Territory.id)
            .group_by(Territory.name)
        )
        return {row[0]: row[1] for row in rows}


def test_a_balance_offers_three_scenarios_of_which_one_is_changed_applied_and_undone(company: TestClient) -> None:
    run = computed(company)
    assert run["state"] == "done", run["trouble"]
    assert [one["key"] for one in run["scenarios"]] == ["few", "even", "compact"]
    assert run["now"]["hours_spread"] > 1
    for one in run["scenarios"]:
        assert one["hours_spread"] <= 0.10
        assert one["value_spread"] <= 0.20
        assert one["pieces"] == [1, 1]
    before = counts()
    path = f"{RUNS}/{run['id']}/scenarios"
    features = company.get(f"{RUNS}/{run['id']}/areas").json()["features"]
    east = run["territories"].index("East")
    kept = next(one for one in features if one["properties"]["now"] == one["properties"]["few"] == east)
    hand = company.post(
        f"{path}/few/give",
        json={"areas": [kept["id"]], "to_id": run["territory_ids"][1 - east]},
    ).json()
    assert hand["key"] == "hand"
    seen = company.post(f"{path}/even/apply", json={"preview": True}).json()
    even = next(one for one in run["scenarios"] if one["key"] == "even")
    assert seen["effects"]["accounts"] == even["moved_accounts"]
    assert counts() == before
    page = company.get(f"/territories/balance/{run['id']}/scenarios/even/moves", headers={"Accept": "text/html"}).text
    assert f"{even['moved_accounts']} accounts move" in page
    assert "East → West" in page
    assert hand["like"] is None
    applied = company.post(f"{path}/even/apply", json={}).json()
    after = counts()
    assert sum(after.values()) == 200
    assert after["West"] - before["West"] == even["moved_accounts"]
    for body in ({}, {"apply_on": (clock.today(settings().zone) + timedelta(days=2)).isoformat()}):
        late = company.post(f"{path}/few/apply", json=body)
        assert late.status_code == 412
        assert "changed “" in late.json()["detail"]
        assert late.json()["help"] == "Balance again."
    assert company.post(f"/api/v1/territory-changes/{applied['id']}/undo").status_code == 204
    assert counts() == before
    again = company.post(f"{path}/even/apply", json={})
    assert (again.status_code, counts()) == (200, after)


def test_a_territory_that_came_to_lie_over_the_ground_makes_a_balance_old_until_it_is_taken_away(
    company: TestClient,
) -> None:
    outside = {"name": "Beyond", "area": mapping(box(9.2, 47.0, 9.3, 47.06))}
    assert company.post("/api/v1/territories", json=outside).status_code == 201
    run = computed(company)
    path, before = f"{RUNS}/{run['id']}/scenarios/even", counts()
    assert company.post(f"{path}/apply", json={"preview": True}).status_code == 200, "a neighbour is nothing new"
    between = {"name": "Between", "area": mapping(box(9.1, 47.0, 9.12, 47.06))}
    made = company.post("/api/v1/territories", json=between).json()
    tomorrow = {"apply_on": (clock.today(settings().zone) + timedelta(days=2)).isoformat()}
    for body in ({"preview": True}, {}, tomorrow):
        late = company.post(f"{path}/apply", json=body)
        assert (late.status_code, late.json()["help"]) == (412, "Balance again.")
        assert late.json()["detail"] == (
            "“Between” came to lie over ground of this balance after it was computed. "
            "20 accounts of this balance lie in “Between” by now."
        )
    german = {"Accept": "text/html", "Accept-Language": "de"}
    page = company.get(f"/territories/balance/{run['id']}/scenarios/even/moves", headers=german).text
    assert "20 Konten dieses Ausgleichs liegen jetzt in «Between»." in page
    assert "Gleichen Sie neu aus." in page
    assert company.delete(f"/api/v1/territories/{made['id']}").status_code == 204
    assert counts() == before
    assert company.post(f"{path}/apply", json={}).status_code == 200


def test_accounts_that_lie_elsewhere_by_now_make_a_balance_old_but_one_of_two_hundred_does_not(
    company: TestClient,
) -> None:
    run = computed(company)
    path = f"{RUNS}/{run['id']}/scenarios/even/apply"
    west, east = run["territory_ids"][run["territories"].index("West")], run["territories"].index("East")
    taken = select(Account.id).where(Account.territory_id == UUID(run["territory_ids"][east])).order_by(Account.id)
    with transaction() as session:
        one, *more = session.scalars(taken.limit(4)).all()
        session.execute(
            update(Account).where(Account.id == one).values(territory_id=UUID(west), territory_is_fixed=True)
        )
    seen = company.post(path, json={"preview": True})
    assert (seen.status_code, seen.json()["notes"]) == (200, ["1 account of this balance lies in “West” by now."])
    page = company.get(f"/territories/balance/{run['id']}/scenarios/even/moves", headers={"Accept": "text/html"}).text
    assert "1 account of this balance lies in “West” by now." in page
    with transaction() as session:
        session.execute(update(Account).where(Account.id.in_(more)).values(territory_id=None, territory_is_fixed=True))
    late = company.post(path, json={})
    assert (late.status_code, late.json()["help"]) == (412, "Balance again.")
    assert late.json()["detail"].startswith("3 accounts of this balance lie in no territory by now.")
    assert "in “West” by now." in late.json()["detail"]


def test_scenarios_that_come_to_nearly_the_same_say_so(company: TestClient) -> None:
    run = computed(company)
    few = next(one for one in run["scenarios"] if one["key"] == "few")
    assert few["like"] is None, "much is better than it is"
    with transaction() as session:
        kept = session.get_one(BalanceScenario, (UUID(run["id"]), "few"))
        even = session.get_one(BalanceScenario, (UUID(run["id"]), "even"))
        even.facts = kept.facts | {"hours": [one * 1.01 for one in kept.facts["hours"]], "moved_accounts": 99}
        compact = session.get_one(BalanceScenario, (UUID(run["id"]), "compact"))
        torn = {"pieces": [3 if name == "East" else 1 for name in run["territories"]]}
        compact.facts = kept.facts | torn | {"hours": [kept.facts["hours"][0] * 1.1, *kept.facts["hours"][1:]]}
    found = company.get(f"{RUNS}/{run['id']}").json()["scenarios"]
    assert [one["like"] for one in found] == [None, "few", None]
    page = company.get(f"/territories/balance/{run['id']}", headers={"Accept": "text/html"}).text
    assert page.count("data-like") == 1
    assert "Nearly the same as “Few moves”" in page
    assert page.count("data-pieces") == 1
    assert "East lies in 3 pieces." in page, "which one it is"


def test_until_a_balance_is_done_nothing_is_planned_on_it_and_beginning_again_leaves_nothing_half_done(
    company: TestClient,
) -> None:
    run_id, west = company.post(RUNS, json={}).json()["id"], company.get("/api/v1/territories").json()["items"][1]
    company.patch(f"/api/v1/territories/{west['id']}", json={"name": "Sunset", "colour": "#123456"})
    jobs.compute(run_id=run_id)
    run, path = company.get(f"{RUNS}/{run_id}").json(), f"{RUNS}/{run_id}/scenarios/few"
    give = {"areas": [0], "to_id": run["territory_ids"][0]}
    tomorrow = {"apply_on": (clock.today(settings().zone) + timedelta(days=2)).isoformat()}
    assert company.post(f"{path}/give", json=give).status_code == 200
    with transaction() as session:
        session.execute(update(BalanceRun).values(state="running"))
    for door, body in (("give", give), ("apply", {}), ("apply", tomorrow)):
        refused = company.post(f"{path}/{door}", json=body)
        assert (refused.status_code, refused.json()["detail"]) == (409, "This balance is not done.")
    jobs.compute(run_id=run_id)
    keys = [one["key"] for one in company.get(f"{RUNS}/{run_id}").json()["scenarios"]]
    assert keys == ["few", "even", "compact"]
    company.patch(f"/api/v1/territories/{west['id']}", json={"name": "West", "colour": "#654321"})
    assert company.post(f"{path}/apply", json={}).status_code == 200


def test_amounts_that_a_role_may_not_see_are_in_no_scenario(company: TestClient) -> None:
    run = computed(company)
    with transaction() as session:
        mara = create_user(session, login="mara", name="Mara", role=Role.MANAGER, password="three words make one")
        fields = dict.fromkeys(("account.yearly_value", "account.yearly_potential"), "hidden")
        rights.change_role(session, "manager", levels={}, fields=fields, actor=mara.id)
        _, secret = create_api_token(session, mara.id, "test", None, None)
    company.headers["Authorization"] = f"Bearer {secret}"
    listed = company.get(RUNS).json()["items"][0]
    for found in (listed["now"], *listed["scenarios"]):
        assert (found["value"], found["potential"]) == ([0, 0], [0, 0])
        assert (found["value_spread"], found["potential_spread"]) == (0, 0)
    assert listed["now"]["hours"] == run["now"]["hours"]


def test_one_odd_failure_stops_no_other_and_a_run_that_nobody_computes_is_given_up(
    company: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = uuid4(), uuid4()
    done = []

    def apply_one(run_id: UUID, key: str) -> None:
        if run_id == first:
            raise RuntimeError("odd")
        done.append(key)

    monkeypatch.setattr(balancing, "due", lambda session, day: [(first, "few"), (second, "even")])
    monkeypatch.setattr(jobs, "apply_one", apply_one)
    jobs.apply_due(timestamp=0)
    assert done == ["even"]
    run_id = company.post(RUNS, json={}).json()["id"]
    jobs.give_up(timestamp=0)
    assert company.get(f"{RUNS}/{run_id}").json()["state"] == "waiting"
    with transaction() as session:
        session.execute(text("update procrastinate_jobs set status = 'failed' where task_name = 'balance.compute'"))
    jobs.give_up(timestamp=0)
    found = company.get(f"{RUNS}/{run_id}").json()
    assert (found["state"], found["trouble"][:19]) == ("failed", "The work went wrong")


def test_a_scenario_is_applied_on_the_morning_that_was_set(
    company: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = computed(company)
    with transaction() as session:
        mara = create_user(session, login="mara", name="Mara", role=Role.ADMIN, password="three words make one")
        _, secret = create_api_token(session, mara.id, "test", None, None)
    company.headers["Authorization"] = f"Bearer {secret}"
    path, before = f"{RUNS}/{run['id']}/scenarios/few/apply", counts()
    today = clock.today(settings().zone)
    assert company.post(path, json={"apply_on": today.isoformat()}).status_code == 422
    never = company.post(path, json={"apply_on": "9999-12-31"})
    assert (never.status_code, never.json()["detail"]) == (422, "That day is too far off.")
    with transaction() as session:
        assert balancing.waiting(session) == []
    tomorrow = today + timedelta(days=2)
    with transaction() as session:
        balancing.fail(session, balancing.scenario(session, UUID(run["id"]), "even"), "Why not.")
    (told,) = company.get("/api/v1/notifications").json()["items"] or [{}]
    assert told == {}, "Ada asked for the run, and Mara set no day yet"
    assert company.post(path, json={"apply_on": tomorrow.isoformat()}).status_code == 200
    with transaction() as session:
        balancing.fail(session, balancing.scenario(session, UUID(run["id"]), "few"), "Why not.")
    (told,) = company.get("/api/v1/notifications").json()["items"]
    assert (told["kind"], told["link"]) == ("territory", f"/territories/balance/{run['id']}")
    assert company.post(path, json={"apply_on": tomorrow.isoformat()}).status_code == 200
    jobs.apply_due(timestamp=0)
    assert counts() == before
    with transaction() as session:
        (waits,) = balancing.waiting(session)
    assert (waits.key, waits.day, waits.territories, waits.by) == ("few", tomorrow, ("East", "West"), "Mara")
    monkeypatch.setattr(clock, "today", lambda zone: tomorrow)
    jobs.apply_due(timestamp=0)
    jobs.apply_due(timestamp=0)
    assert counts() != before
    with transaction() as session:
        found = session.get(BalanceScenario, (UUID(run["id"]), "few"))
        assert found is not None
        assert found.change_id is not None
    done = company.get("/api/v1/territory-changes").json()["items"][0]
    assert (done["kind"], done["by"]) == ("balance", "Mara")


def test_a_cancelled_balance_stops_and_stays_cancelled(company: TestClient) -> None:
    run_id = company.post(RUNS, json={}).json()["id"]
    assert company.post(f"{RUNS}/{run_id}/cancel").status_code == 204
    jobs.compute(run_id=run_id)
    found = company.get(f"{RUNS}/{run_id}").json()
    assert (found["state"], found["scenarios"]) == ("cancelled", [])
    with pytest.raises(balancing.Stopped):
        balancing.teller(UUID(run_id))(0.5)
    assert company.post(f"{RUNS}/{run_id}/cancel").status_code == 409


def test_one_territory_alone_is_not_balanced(company: TestClient) -> None:
    one = company.get("/api/v1/territories").json()["items"][0]["id"]
    refused = company.post(RUNS, json={"territory_ids": [one]})
    assert refused.status_code == 422
    assert "at least two" in refused.json()["detail"]


def test_pieces_fill_a_territory_and_know_their_neighbours() -> None:
    area = MultiPolygon([AREA])
    pieces = cutting.cut(area, 7)
    assert sum(one.area for one in pieces) == pytest.approx(area.area)
    near = cutting.borders(pieces)
    assert all(i in near[j] for i, others in enumerate(near) for j in others)
    assert max(len(one) for one in near) <= 6
    whole = next(i for i, one in enumerate(pieces) if AREA.contains(one.buffer(0.001)))
    assert len(near[whole]) == 6
    assert cutting.MOST / 8 < 100 / h3.average_hexagon_area(cutting.resolution_for([area]), "km^2") < cutting.MOST
