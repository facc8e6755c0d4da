"""A company with a pipeline, two reps with a territory each, and a manager."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy.orm import Session

from server.accounts import service as accounts
from server.accounts.models import Account
from server.accounts.queries import today_of
from server.accounts.service import NewAccount
from server.auth.access import Scope, scope_of, system_scope
from server.auth.models import Role, User
from server.auth.service import set_team
from server.opportunities import pipelines, queries, service
from server.opportunities.models import Opportunity, Stage
from server.opportunities.service import NewDeal
from server.territories import service as territories

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
"""The id of no row."""
DEALS = "/api/v1/opportunities"
type MakeDeal = Callable[..., Opportunity]


@pytest.fixture
def scope(session: Session) -> Callable[[User], Scope]:
    """The scope of a user: `scope(rita)`."""
    return lambda user: scope_of(session, user, source="api")


@pytest.fixture
def people(session: Session, make_user: Callable[..., User]) -> dict[str, User]:
    """Ada is the admin; Mona manages Rita (west); Otto (east) is in no team."""
    made = {
        "ada": make_user("ada", Role.ADMIN),
        "mona": make_user("mona", Role.MANAGER),
        "rita": make_user("rita", Role.REP),
        "otto": make_user("otto", Role.REP),
    }
    set_team(session, "Field", [made["mona"].id, made["rita"].id])
    day = today_of(system_scope()) - timedelta(days=900)
    for name, login, west, east in (("West", "rita", 9.0, 9.5), ("East", "otto", 9.5, 10.0)):
        area = territories.create(session, name=name, area=MultiPolygon([box(west, 47.0, east, 47.5)]))
        territories.set_members(session, area.id, [made[login].id], day=day)
    return made


@pytest.fixture
def clients(people: dict[str, User], client_for: Callable[..., TestClient]) -> dict[str, TestClient]:
    """A client for each of the people."""
    return {name: client_for(user) for name, user in people.items()}


@pytest.fixture
def make_account(session: Session) -> Callable[..., Account]:
    """Create accounts: `make_account("Amann", (9.2, 47.1))`."""

    def make(name: str, at: tuple[float, float] | None = None, **more: Any) -> Account:
        site = [{"lon": at[0], "lat": at[1]}] if at else []
        account = accounts.create(session, system_scope(), NewAccount({"name": name, **more}, site), force=True)
        session.refresh(account)
        return account

    return make


@pytest.fixture
def stages(session: Session) -> dict[str, Stage]:
    """The stages of the usual pipeline by name."""
    pipeline = pipelines.create_usual(session)
    return {stage.name: stage for stage in queries.stages(session, pipeline.id)}


@pytest.fixture
def make_deal(session: Session, stages: dict[str, Stage], make_account: Callable[..., Account]) -> MakeDeal:
    """Open deals: `make_deal("Oven", account, amount=1000, owner_id=rita.id)`."""

    def make(name: str = "Oven", account: Account | None = None, stage: str = "Qualify", **more: Any) -> Opportunity:
        place = account or make_account(f"{name} & Co.", (9.2, 47.1))
        today = today_of(system_scope())
        usual: dict[str, Any] = {
            "name": name, "account_id": place.id, "amount": Decimal(1000), "close_on": today + timedelta(days=20),
            "next_step": "Call", "next_step_on": today + timedelta(days=2),
        }  # fmt: skip
        return service.create(session, system_scope(), NewDeal(usual | more, stage_id=stages[stage].id))

    return make


def body(account: Any, **more: Any) -> dict[str, Any]:
    today = today_of(system_scope())
    return {
        "name": "Oven", "account_id": str(account.id), "amount": "1200.50", "currency": "EUR",
        "close_on": str(today + timedelta(days=30)), "next_step": "Send the quote",
        "next_step_on": str(today + timedelta(days=3)),
    } | more  # fmt: skip
