"""What plans tell a timeline: an account's place in a published plan, that it lost it, and that it found none."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import aliased

from server.auth.access import Scope
from server.auth.models import User
from server.plans.models import Plan, Route, Stop, Unplanned
from server.plans.queries import visible_to
from server.records.happenings import happening


def seen(scope: Scope) -> ColumnElement[bool]:
    """Whether the person may see a plan."""
    conditions = visible_to(scope).whereclause
    return true() if conditions is None else conditions


def planned(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """Visits that came into a published plan, and whether they stood elsewhere before."""
    earlier, before = aliased(Stop), aliased(Route)
    stood = (
        select(earlier.id)
        .join(before, before.id == earlier.route_id)
        .where(earlier.visit_id == Stop.visit_id, before.published_at < Route.published_at)
        .correlate(Stop, Route)
        .exists()
    )
    facts = func.jsonb_build_object("what", "planned", "moved", stood, "because", Stop.because).concat(
        where_it_stands()
    )
    columns = happening(
        at=Route.published_at,
        kind="plan",
        entity="stop",
        id=Stop.id,
        account_id=Stop.account_id,
        actor_id=Plan.requested_by,
        body=Stop.why,
        is_internal=Stop.id.is_not(None),
        facts=facts,
    )
    return stops(columns, scope, account_ids).where(Route.published_at.is_not(None))


def taken_back(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """Visits that were in a published plan and are in none any more."""
    later, now = aliased(Stop), aliased(Route)
    stands = (
        select(later.id)
        .join(now, now.id == later.route_id)
        .where(later.visit_id == Stop.visit_id, now.published_at.is_not(None), now.deleted_at.is_(None))
        .correlate(Stop)
        .exists()
    )
    gone = or_(Route.deleted_at.is_not(None), Stop.deleted_at.is_not(None))
    columns = happening(
        at=func.coalesce(Stop.deleted_at, Route.deleted_at),
        kind="plan",
        entity="taken_back",
        id=Stop.id,
        account_id=Stop.account_id,
        is_internal=Stop.id.is_not(None),
        facts=func.jsonb_build_object("what", "taken_back").concat(where_it_stands()),
    )
    return stops(columns, scope, account_ids).where(Route.published_at.is_not(None), gone, ~stands)


def where_it_stands() -> Any:
    """Day, time and rep of a stop."""
    return func.jsonb_build_object(
        "day", Route.day, "zone", Route.zone, "starts_at", Stop.starts_at, "rep", User.name, "plan_id", Plan.id
    )


def stops(columns: list[Any], scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """Stops at some accounts in plans that the person may see."""
    return (
        select(*columns)
        .select_from(Stop)
        .join(Route, Route.id == Stop.route_id)
        .join(Plan, Plan.id == Route.plan_id)
        .join(User, User.id == Route.rep_id)
        .where(Stop.account_id.in_(account_ids), seen(scope))
    )


def left_out(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """Visits that were wanted and found no place in a published plan, with the reasons."""
    columns = happening(
        at=Plan.published_at,
        kind="plan",
        entity="unplanned",
        id=Unplanned.id,
        account_id=Unplanned.account_id,
        actor_id=Plan.requested_by,
        body=Unplanned.reasons[0]["text"].astext,
        is_internal=Unplanned.id.is_not(None),
        facts=func.jsonb_build_object(
            "what", "left_out", "day", Plan.first_day, "days", Plan.days, "plan_id", Plan.id, "reasons",
            Unplanned.reasons,
        ),
    )  # fmt: skip
    return (
        select(*columns)
        .select_from(Unplanned)
        .join(Plan, Plan.id == Unplanned.plan_id)
        .where(Unplanned.account_id.in_(account_ids), Plan.published_at.is_not(None), seen(scope))
    )
