"""What the order history feeds: value, interval, the wish for a visit, the timeline."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Account
from server.demands.models import DemandState, VisitDemand
from server.orders import feeding, queries, service
from server.orders.service import NewLine, NewOrder

TODAY = date(2026, 11, 26)


@pytest.fixture
def order_on(session: Any, scope: Any, rita: Any, amann: Any) -> Any:
    """Place an order of some day: `order_on(45)` days before today."""

    def place(days_ago: int, net: str = "100") -> Any:
        line = NewLine(fields={"text": "Coffee", "unit_price": net})
        fields = {"day": TODAY - timedelta(days=days_ago)}
        order = service.draft(session, scope(rita), NewOrder(amann.id, lines=[line], fields=fields, currency="EUR"))
        return service.place(session, scope(rita), order.id)

    return place


@pytest.fixture(autouse=True)
def taxed(standard: Any) -> None:
    """There is a tax class."""


def test_the_usual_gap_is_the_median_of_the_days_between_orders(session: Any, amann: Any, order_on: Any) -> None:
    for ago in (129, 101, 73):
        order_on(ago)
    assert feeding.rhythm_of(session, amann.id, TODAY) is None, "three orders are no habit"
    order_on(45)
    rhythm = feeding.rhythm_of(session, amann.id, TODAY)
    assert rhythm == feeding.Rhythm(4, TODAY - timedelta(days=45), 28)
    assert rhythm.is_late(TODAY)
    assert not rhythm.is_late(TODAY - timedelta(days=10))
    assert not rhythm.is_late(TODAY + timedelta(days=300)), "after so long it is no habit any more"


def test_a_visit_is_wanted_when_an_order_stays_away_and_no_more_when_it_comes(
    session: Any, amann: Any, order_on: Any
) -> None:
    for ago in (129, 101, 73, 45):
        order_on(ago)
    assert feeding.ask_for_visits(session, TODAY) == 1
    (demand,) = session.scalars(select(VisitDemand)).all()
    assert (demand.origin, demand.sentence) == ("order", "Usually orders every 28 days, the last time on 12 Oct 2026.")
    feeding.ask_for_visits(session, TODAY + timedelta(days=1))
    session.refresh(demand)
    assert demand.rev == 1, "the next night changes nothing"
    order_on(0)
    assert demand.state == DemandState.WITHDRAWN


def test_an_account_that_shall_not_be_visited_for_it_is_left_alone(session: Any, amann: Any, order_on: Any) -> None:
    for ago in (129, 101, 73, 45):
        order_on(ago)
    feeding.set_habit(session, amann.id, value_follows=False, asks_for_visits=False)
    assert feeding.ask_for_visits(session, TODAY) == 0


def test_a_value_follows_twelve_months_of_orders_where_it_shall(
    session: Any, scope: Any, rita: Any, amann: Any, order_on: Any
) -> None:
    order_on(400, "1000")
    recent = order_on(30, "250.50")
    session.execute(Account.__table__.update().values(yearly_value=7))
    assert feeding.follow_values(session, TODAY) == 0
    feeding.set_habit(session, amann.id, value_follows=True, asks_for_visits=True)
    assert feeding.follow_values(session, TODAY) == 1
    session.refresh(amann)
    assert amann.yearly_value == Decimal("250.50")
    assert feeding.follow_values(session, TODAY) == 0
    service.cancel(session, scope(rita), recent.id, None)
    feeding.follow_values(session, TODAY)
    session.refresh(amann)
    assert amann.yearly_value == 0


def test_orders_stand_on_the_timeline_of_who_may_see_them(
    session: Any, scope: Any, rita: Any, otto: Any, amann: Any, order_on: Any
) -> None:
    order = order_on(3)
    ours = select(Account.id).where(Account.id == amann.id)
    (row,) = session.execute(queries.happenings(scope(rita), ours)).all()
    assert (row.kind, row.id, row.title, row.facts["gross"]) == ("order", order.id, order.number, "108.100")
    assert session.execute(queries.happenings(scope(otto), ours)).all() == []
