"""The past that the demonstration makes up can be looked at like any other."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.queries import today_of
from server.activities.models import Visit
from server.auth.access import system_scope
from server.demo import driven
from server.plans import board, scorecard
from server.plans.models import Plan, Stop
from tests.server.plans.conftest import add_account, add_company


def test_past_weeks_open_on_the_board_with_their_figures(session: Session) -> None:
    rita, scope = add_company(session)["rita"], system_scope()
    for number in range(4):
        add_account(session, f"Account {number}", (9.5 + number / 100, 47.1), account_class="A", owner_id=rita.id)
    today = today_of(scope)
    made = driven.drive(session, today)
    assert made == session.scalar(select(func.count(Visit.id))) + session.scalar(select(func.count(Stop.id)))
    assert driven.drive(session, today) == 0, "a second time nothing is missing"
    plan = session.scalars(select(Plan).order_by(Plan.first_day.desc())).first()
    assert plan is not None
    assert plan.summary is not None
    assert sum(len(route.stops) for route in board.board_of(session, scope, plan.id).routes) == plan.summary["visits"]
    assert scorecard.of_plan(session, scope, plan.id).total.visits == plan.summary["visits"]
