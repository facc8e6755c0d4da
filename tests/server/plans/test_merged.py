"""Plans keep what was promised to an account that went into another one, and visit the two as one."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from server.accounts import queries
from server.accounts.duplicates import merging
from server.accounts.duplicates.merging import MergeWish
from server.activities import queries as activities
from server.activities.models import Appointment
from server.activities.service import PlannedVisit, plan_visit
from server.auth.access import system_scope
from server.plans import service
from tests.server.plans.test_planning import ZONE, stops


def test_a_promise_to_the_loser_is_kept_at_the_winner_and_the_two_are_visited_once(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date
) -> None:
    rita = people["rita"].id
    last = monday - timedelta(days=30)
    winner = make_account("Garage Beck", (9.51, 47.1), account_class="A", owner_id=rita, last_visit_on=last)
    loser = make_account("Beck Garage", (9.51, 47.1), account_class="A", owner_id=rita, last_visit_on=last)
    at = datetime(monday.year, monday.month, monday.day, 11, tzinfo=ZoneInfo(ZONE))
    promised = PlannedVisit(
        account_id=loser.id, site_id=loser.sites[0].id, rep_id=rita, day=monday, zone=ZONE, starts_at=at,
        ends_at=at + timedelta(minutes=45), appointment=Appointment.FIXED,
    )  # fmt: skip
    visit = plan_visit(session, promised)
    merging.merge(session, system_scope(), winner.id, loser.id, MergeWish({}, same_place=True))
    plan = plan_now(people["mona"], [people["rita"]], monday)
    found = stops(session, plan)
    assert set(found) == {"Garage Beck"}
    assert (found["Garage Beck"].account_id, found["Garage Beck"].starts_at) == (winner.id, at)
    assert plan.summary["visits"] == 1
    assert [one.id for one in session.scalars(activities.of_accounts(system_scope(), [loser.id]))] == [visit.id]


def test_a_plan_made_before_the_merge_is_published_at_the_winner(
    session: Any, people: Any, make_account: Any, plan_now: Any, monday: date, scope: Any
) -> None:
    rita = people["rita"].id
    winner = make_account("Garage Beck", (9.51, 47.1), owner_id=rita)
    last = monday - timedelta(days=30)
    loser = make_account("Beck Garage", (9.51, 47.1), account_class="A", owner_id=rita, last_visit_on=last)
    plan = plan_now(people["mona"], [people["rita"]], monday)
    merging.merge(session, system_scope(), winner.id, loser.id, MergeWish({}, same_place=True))
    service.publish(session, scope(people["mona"]), plan.id)
    (visit,) = session.scalars(activities.of_accounts(system_scope(), [winner.id, loser.id])).all()
    assert (visit.account_id, visit.site_id) == (winner.id, queries.sites_of(session, [winner.id])[0].id)
