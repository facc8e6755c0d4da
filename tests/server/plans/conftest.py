"""A manager with two reps and a handful of accounts around one town; no region, so all drives are estimates."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from server.accounts import service as accounts
from server.accounts.models import Account
from server.accounts.service import NewAccount
from server.auth.access import Scope, scope_of, system_scope
from server.auth.models import Role, User
from server.auth.service import create_user, set_team, set_working_day
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.plans import computing, service
from server.plans.models import Plan
from server.plans.schemas import PlanRequest

type MakeAccount = Callable[..., Account]
HOME = (9.50, 47.10)


def next_monday() -> date:
    """The Monday after today."""
    today = clock.today(settings().zone)
    return today + timedelta(days=7 - today.weekday())


def add_account(session: Session, name: str, at: tuple[float, float] | None, **more: Any) -> Account:
    """An account with one site."""
    site = {key: more.pop(key) for key in ("street", "opening_hours", "service_s") if key in more}
    site |= {"lon": at[0], "lat": at[1]} if at else {}
    last = more.pop("last_visit_on", None)
    account = accounts.create(
        session, system_scope(), NewAccount({"name": name, **more}, [site] if site else []), force=True
    )
    account.last_visit_on = last
    session.flush()
    return account


def add_company(session: Session) -> dict[str, User]:
    """Mona manages Rita and Otto; Nora is nobody's."""
    people = {
        login: create_user(session, login=login, name=login.title(), role=role)
        for login, role in [("mona", Role.MANAGER), ("rita", Role.REP), ("otto", Role.REP), ("nora", Role.REP)]
    }
    set_team(session, "North", [people["mona"].id, people["rita"].id, people["otto"].id])
    for login in ("rita", "otto", "nora"):
        set_working_day(session, people[login].id, {"home": HOME, "home_name": "Vaduz"})
        session.refresh(people[login])
    return people


@pytest.fixture
def monday() -> date:
    return next_monday()


@pytest.fixture
def people(session: Session) -> dict[str, User]:
    return add_company(session)


@pytest.fixture
def scope(session: Session) -> Callable[[User], Scope]:
    return lambda user: scope_of(session, user, source="api")


@pytest.fixture
def make_account(session: Session) -> MakeAccount:
    """Create accounts: `make_account("Müller", (9.51, 47.11), account_class="A", owner_id=rita.id)`."""
    return lambda name, at=None, **more: add_account(session, name, at, **more)


@pytest.fixture
def plan_now(session: Session, scope: Callable[[User], Scope]) -> Callable[..., Plan]:
    """Ask for a plan and compute it in the test's own transaction."""

    def make(asker: User, reps: list[User], first_day: date, days: int = 1, **more: Any) -> Plan:
        wanted = PlanRequest(rep_ids=[r.id for r in reps], first_day=first_day, days=days, steps=2_000, **more)
        plan = service.request(session, scope(asker), wanted)
        drawn = computing.prepare(session, plan)
        journey = computing.travel(session, drawn.points, drawn.hours)
        computed = computing.work_out(plan, drawn, journey, lambda step: None)
        return computing.store(session, plan.id, computed)

    return make


@pytest.fixture
def committed(empty_database: Engine) -> dict[str, Any]:
    """A company in the real tables, for jobs that open transactions of their own."""
    with transaction() as session:
        people = add_company(session)
        for k in range(4):
            at = (9.5 + 0.01 * k, 47.1)
            add_account(session, f"Account {k}", at, account_class="B", owner_id=people["rita"].id)
        mona = scope_of(session, people["mona"], source="api")
        wanted = PlanRequest(rep_ids=[people["rita"].id], first_day=next_monday(), days=1, steps=500)
        plan = service.request(session, mona, wanted)
    return {"plan_id": plan.id, "mona": mona, "rita": people["rita"]}


@pytest.fixture
def clients(client_for: Callable[[User | None], TestClient], people: dict[str, User]) -> dict[str, TestClient]:
    """API clients by login."""
    return {login: client_for(user) for login, user in people.items()}
