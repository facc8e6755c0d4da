"""Two reps at one appointment reach the planner as one meeting, and begin together."""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select

from server.activities.models import Appointment, Visit
from server.activities.service import PlannedVisit, plan_visits
from server.kit.ids import uuid7
from server.plans import computing
from server.plans.models import Route, Stop
from tests.server.plans.test_planning import ZONE, local


def test_who_comes_along_begins_at_the_same_moment(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    account = make_account("Amann", (9.51, 47.1), owner_id=people["rita"].id)
    promised = PlannedVisit(
        account_id=account.id, site_id=account.sites[0].id, rep_id=people["rita"].id, day=monday, zone=ZONE,
        starts_at=local(monday, 10), ends_at=local(monday, 11), appointment=Appointment.FLEXIBLE_DAY,
        meeting_id=uuid7(),
    )  # fmt: skip
    plan_visits(session, [promised, replace(promised, rep_id=people["otto"].id)])
    plan = plan_now(people["mona"], [people["rita"], people["otto"]], monday)
    drawn = computing.prepare(session, plan)
    (meeting,) = drawn.problem(computing.travel(session, drawn.points).matrix).meetings
    assert len(meeting.visits) == 2
    stops = session.scalars(select(Stop).join(Route).where(Route.plan_id == plan.id)).all()
    assert len(stops) == 2
    assert len({stop.starts_at for stop in stops}) == 1
    assert {session.get_one(Visit, stop.visit_id).rep_id for stop in stops} == {people["rita"].id, people["otto"].id}
