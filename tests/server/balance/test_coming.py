"""What waits for its day is told account by account to whoever reaches them, and its people hear of it."""

from datetime import date, timedelta
from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from server.accounts.models import Account
from server.auth import rights
from server.auth.models import Role, User
from server.auth.service import create_user
from server.auth.tokens import create_api_token
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.notifications.models import Notification
from server.territories import members
from server.territories.members import Span
from server.territories.models import Territory
from tests.server.balance.test_balancing import company, computed, few_areas

__all__ = ["company", "few_areas"]
COMING = "/api/v1/territory-changes/coming"


def rep_of(name: str, login: str) -> tuple[UUID, dict[str, str]]:
    """A rep who works a territory, and how they sign in."""
    with transaction() as session:
        user = create_user(session, login=login, name=login.title(), role=Role.REP, password="three words make one")
        place = session.scalars(select(Territory).where(Territory.name == name)).one()
        members.put(session, place, (Span(user.id, clock.today(settings().zone), None),))
        return user.id, {"Authorization": f"Bearer {create_api_token(session, user.id, 'test', None, None)[1]}"}


def told(user_id: UUID) -> list[tuple[str, dict[str, str]]]:
    """What somebody was told of changes to come."""
    with transaction() as session:
        mine = select(Notification).where(Notification.user_id == user_id, Notification.kind == "moving")
        return [(one.link, one.gaps) for one in session.scalars(mine.order_by(Notification.id))]


def in_two_days() -> date:
    return clock.today(settings().zone) + timedelta(days=2)


def test_a_rep_sees_which_of_their_accounts_a_waiting_balance_moves(
    company: TestClient, empty_database: Engine
) -> None:
    rita, as_rita = rep_of("East", "rita")
    wim, as_wim = rep_of("West", "wim")
    run = computed(company)
    path = f"/api/v1/balance-runs/{run['id']}/scenarios/even/apply"
    assert company.get(COMING, headers=as_rita).json()["items"] == []
    assert company.post(path, json={"apply_on": in_two_days().isoformat()}).status_code == 200
    moved = next(one for one in run["scenarios"] if one["key"] == "even")["moved_accounts"]
    (seen,) = company.get(COMING, headers=as_rita).json()["items"]
    assert (seen["kind"], seen["count"], len(seen["movers"]), seen["trouble"]) == ("balance", moved, moved, "")
    assert {(one["from_name"], one["to_name"]) for one in seen["movers"]} == {("East", "West")}
    (nothing,) = company.get(COMING, headers=as_wim).json()["items"]
    assert (nothing["count"], nothing["movers"]) == (0, []), "not yet his to see"
    page = company.get("/territories/coming", headers=as_rita | {"Accept": "text/html"}).text
    assert f"{moved} of the accounts that you see move" in page
    assert seen["movers"][0]["name"] in page
    german = company.get("/territories/coming", headers=as_wim | {"Accept": "text/html", "Accept-Language": "de"}).text
    assert "Keines der Konten, die Sie sehen, wechselt." in german
    assert told(rita) == told(wim) == [("/territories/coming", {"names": "East, West"})]


def test_what_cannot_be_done_any_more_says_why_and_moves_nothing(company: TestClient, empty_database: Engine) -> None:
    run = computed(company)
    path = f"/api/v1/balance-runs/{run['id']}/scenarios/even/apply"
    assert company.post(path, json={"apply_on": in_two_days().isoformat()}).status_code == 200
    east = run["territory_ids"][run["territories"].index("East")]
    area = {"type": "Polygon", "coordinates": [[[9.05, 47], [9.2, 47], [9.2, 47.06], [9.05, 47.06], [9.05, 47]]]}
    change = {"kind": "reshape", "territory_id": east, "area": area}
    made = company.post("/api/v1/territory-changes", json={"operation": change})
    assert made.status_code == 201, made.text
    (seen,) = company.get(COMING).json()["items"]
    assert (seen["count"], seen["movers"]) == (0, [])
    assert "changed “East”" in seen["trouble"]


def test_a_waiting_merge_is_told_with_its_accounts_but_not_to_whoever_set_it(
    company: TestClient, empty_database: Engine
) -> None:
    rita, _ = rep_of("East", "rita")
    places = {one["name"]: one for one in company.get("/api/v1/territories").json()["items"]}
    merge = {
        "kind": "merge",
        "territory_ids": [places[name]["id"] for name in ("West", "East")],
    }
    made = company.post("/api/v1/territory-changes", json={"operation": merge, "apply_on": in_two_days().isoformat()})
    assert made.status_code == 201, made.text
    (seen,) = company.get(COMING).json()["items"]
    assert (seen["kind"], seen["day"]) == ("merge", in_two_days().isoformat())
    assert seen["count"] > 0
    assert len(told(rita)) == 1
    with transaction() as session:
        ada = session.scalars(select(User.id).where(User.login == "ada")).one()
        count = len(session.scalars(select(Account.id)).all())
    assert (told(ada), count) == ([], 200)


def test_the_class_is_told_only_to_whoever_may_see_it(company: TestClient, empty_database: Engine) -> None:
    _, as_rita = rep_of("East", "rita")
    run = computed(company)
    path = f"/api/v1/balance-runs/{run['id']}/scenarios/even/apply"
    assert company.post(path, json={"apply_on": in_two_days().isoformat()}).status_code == 200
    with transaction() as session:
        ada = session.scalars(select(User.id).where(User.login == "ada")).one()
        rights.change_role(session, "rep", levels={}, fields={"account.account_class": "hidden"}, actor=ada)
    (seen,) = company.get(COMING, headers=as_rita).json()["items"]
    assert {one["account_class"] for one in seen["movers"]} == {None}
