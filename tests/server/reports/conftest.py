"""A small team with visits, published routes and orders whose figures can be worked out by hand."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy import update
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.accounts.queries import sites_of
from server.activities.models import Outcome, Visit, VisitState
from server.auth.access import Scope, scope_of, system_scope
from server.auth.models import Role, User
from server.kit import clock
from server.kit.settings import settings
from server.orders.models import Kind, Order, State
from server.plans.models import Plan, PlanState, Route, Stop
from server.reports.periods import Period, Span, around
from server.territories import service as territories
from tests.server.plans.conftest import HOME, add_account, add_company

type World = dict[str, Account]
type People = dict[str, User]


def today() -> date:
    """The company's day."""
    return clock.today(settings().zone)


@pytest.fixture
def period() -> Period:
    """The month that ended last: nothing of it lies ahead."""
    return around(today(), Span.MONTH).shifted(-1)


@pytest.fixture
def people(session: Session) -> dict[str, User]:
    """Mona manages Rita and Otto; Nora is nobody's; Ada is the admin."""
    made = add_company(session)
    made["ada"] = User(login="ada", name="Ada", role=Role.ADMIN)
    session.add(made["ada"])
    session.flush()
    return made


@pytest.fixture
def scope(session: Session) -> Callable[[User], Scope]:
    """The scope of a user: `scope(rita)`."""
    return lambda user: scope_of(session, user, source="web")


@pytest.fixture
def clients(people: dict[str, User], client_for: Callable[..., TestClient]) -> dict[str, TestClient]:
    """A client for each of the people."""
    return {name: client_for(user) for name, user in people.items()}


def add_visit(
    session: Session, account: Account, rep: User, day: date, state: str = VisitState.DONE, **more: Any
) -> Visit:
    """A visit."""
    visit = Visit(account_id=account.id, rep_id=rep.id, day=day, zone=settings().zone, state=state, **more)
    session.add(visit)
    session.flush()
    if state == VisitState.DONE:
        account.last_visit_on = max(filter(None, (account.last_visit_on, day)))
    return visit


def at(day: date, hour: int) -> datetime:
    """An hour of a day."""
    return datetime.combine(day, time(hour), ZoneInfo(settings().zone))


def add_route(session: Session, rep: User, day: date, stops: list[tuple[Account, Visit]]) -> Route:
    """A published route from 8 to 16 o'clock: two hours of driving, 80 km."""
    plan = Plan(
        state=PlanState.PUBLISHED, rep_ids=[rep.id], first_day=day, days=1, engine="ruin_recreate", seed=1, steps=1,
        requested_by=rep.id,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    anchor = {"name": "Home", "lon": HOME[0], "lat": HOME[1]}
    route = Route(
        plan_id=plan.id, rep_id=rep.id, day=day, zone=settings().zone, start_anchor=anchor, end_anchor=anchor,
        leaves_at=at(day, 8), returns_at=at(day, 16), drive_s=7_200, distance_m=80_000, estimated=False, polylines=[],
        legs=[], published_at=at(day, 7),
    )  # fmt: skip
    session.add(route)
    session.flush()
    for position, (account, visit) in enumerate(stops, start=1):
        session.add(
            Stop(
                route_id=route.id,
                visit_id=visit.id,
                account_id=account.id,
                site_id=sites_of(session, [account.id])[0].id,
                position=position,
                arrives_at=at(day, 9),
                starts_at=at(day, 9),
                ends_at=at(day, 10),
                drive_s=0,
                distance_m=0,
                estimated=False,
                why="It is due.",
                prize_s=1,
                overdue_days=0,
            )
        )
    session.flush()
    return route


def add_order(session: Session, account: Account, owner: User, day: date, net: str, currency: str = "") -> None:
    """An order that counts."""
    session.add(
        Order(
            kind=Kind.ORDER,
            state=State.PLACED,
            account_id=account.id,
            owner_id=owner.id,
            day=day,
            zone=settings().zone,
            currency=currency or settings().currency,
            net=Decimal(net),
            gross=Decimal(net),
            number=f"O-{account.name}-{net}",
        )
    )
    session.flush()


@pytest.fixture
def world(session: Session, people: dict[str, User], period: Period) -> dict[str, Account]:
    """Rita's three accounts in the west, Otto's one in the east; all known for two years.

    Rita drove one route with two stops, one of which was done with an order, one missed; Otto visited outside a plan.
    """
    rita, otto = people["rita"], people["otto"]
    for name, west, rep in (("West", 9.4, rita), ("East", 9.6, otto)):
        area = territories.create(session, name=name, area=MultiPolygon([box(west, 47.0, west + 0.2, 47.3)]))
        territories.set_members(session, area.id, [rep.id], day=date(2020, 1, 1))
    made = {
        name: add_account(session, name, (lon, 47.1), account_class=letter, owner_id=rep.id)
        for name, lon, letter, rep in (
            ("Amann", 9.5, "A", rita), ("Beck", 9.51, "A", rita), ("Cavegn", 9.52, "B", rita), ("Dürr", 9.7, "C", otto),
        )
    }  # fmt: skip
    session.execute(update(Account).values(created_at=clock.now() - timedelta(days=730)))
    session.expire_all()
    first = period.first
    done = add_visit(session, made["Amann"], rita, first, outcome=Outcome.ORDER)
    missed = add_visit(session, made["Beck"], rita, first, VisitState.MISSED)
    add_route(session, rita, first, [(made["Amann"], done), (made["Beck"], missed)])
    add_visit(session, made["Dürr"], otto, first + timedelta(days=3), outcome=Outcome.INFORMATION)
    add_visit(session, made["Cavegn"], rita, first - timedelta(days=300), outcome=Outcome.ORDER)
    add_order(session, made["Amann"], rita, first, "500")
    add_order(session, made["Dürr"], otto, first, "70", "XAU")
    session.flush()
    return made


@pytest.fixture
def system() -> Scope:
    """Who sees everything."""
    return system_scope()
