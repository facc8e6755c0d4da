"""JSON API of visits."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities import queries, service
from server.activities.answering import known_outcome
from server.activities.models import Visit
from server.activities.schemas import VisitDetail, VisitEventRead, VisitPlan, VisitRead, VisitReportWrite
from server.auth.access import Scope, requires
from server.auth.models import User
from server.auth.queries import visible_users
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.paging import Limit, Page
from server.kit.settings import settings

router = APIRouter(prefix="/api/v1/visits", tags=["visits"])

ReadActivities = Annotated[Scope, requires("activities:read")]
WriteActivities = Annotated[Scope, requires("activities:write")]


def zone_of(session: Session, user_id: UUID) -> str:
    """The time zone of a person's days."""
    user = session.get(User, user_id)
    return (user.zone if user else None) or settings().zone


def need_account(session: Session, scope: Scope, account_id: UUID) -> None:
    """Refuse an account that the person may not see."""
    seen = accounts.visible_to(scope).where(Account.id == account_id).with_only_columns(Account.id)
    if session.execute(seen.order_by(None)).first() is None:
        raise NotFound("There is no such account.", field="account_id")


def need_rep(session: Session, scope: Scope, rep_id: UUID) -> None:
    """Refuse a rep whose calendar is not the person's to write."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("activities:write"))
    if rep_id != scope.user_id and session.scalars(people.where(User.id == rep_id)).one_or_none() is None:
        raise NotFound("There is no such rep.", field="rep_id")


@router.get("")
def list_visits(
    scope: ReadActivities,
    session: Db,
    first_day: Annotated[date | None, Query(description="Left out: today.")] = None,
    last_day: Annotated[date | None, Query(description="Left out: the first day.")] = None,
    rep_id: UUID | None = None,
    account_id: UUID | None = None,
    limit: Limit = 200,
) -> Page[VisitRead]:
    """The visits of some days, or of an account."""
    if account_id is not None:
        statement = queries.of_accounts(scope, [account_id])
        if first_day is not None:
            statement = statement.where(Visit.day >= first_day)
        if last_day is not None:
            statement = statement.where(Visit.day <= last_day)
    else:
        first = first_day or clock.today(settings().zone)
        last = last_day or first
        if last < first or last - first > timedelta(days=366):
            raise Invalid("last_day lies before first_day, or more than a year after it.", field="last_day")
        statement = queries.between(scope, first, last, rep_id=rep_id)
    found = queries.rows(session, statement, limit=limit)
    return Page(items=[VisitRead.of(row.visit, account_name=row.account_name, rep_name=row.rep_name) for row in found])


@router.post("", status_code=201)
def plan_visit(body: VisitPlan, scope: WriteActivities, session: Db) -> VisitRead:
    """Put a visit into a rep's calendar."""
    need_account(session, scope, body.account_id)
    rep_id = body.rep_id or scope.user_id
    need_rep(session, scope, rep_id)
    site = body.site_id or getattr(service.main_site(session, body.account_id), "id", None)
    if site is None:
        raise Invalid("The account has no site to visit.", help="Add a site with an address first.", field="site_id")
    planned = service.PlannedVisit(
        account_id=body.account_id,
        site_id=site,
        rep_id=rep_id,
        day=body.day,
        zone=zone_of(session, rep_id),
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        appointment=body.appointment,
        objective=body.objective,
    )
    return VisitRead.of(service.plan_visit(session, planned))


@router.post("/report", status_code=201)
def report_visit(body: VisitReportWrite, scope: WriteActivities, session: Db) -> VisitRead:
    """Record what happened at a visit, planned or not."""
    need_account(session, scope, body.account_id)
    event_id = body.id or uuid7()
    visit_id = body.visit_id or event_id
    known = session.get(Visit, visit_id)
    rep_id = known.rep_id if known else scope.user_id
    need_rep(session, scope, rep_id)
    zone = known.zone if known else zone_of(session, rep_id)
    occurred_at = body.occurred_at or clock.now()
    service.check_days(occurred_at)
    report = service.VisitReport(
        event_id=event_id,
        visit_id=visit_id,
        account_id=body.account_id,
        site_id=body.site_id,
        rep_id=rep_id,
        state=body.state,
        day=known.day if known else clock.day_of(occurred_at, zone),
        zone=zone,
        occurred_at=occurred_at,
        outcome=known_outcome(session, body.outcome),
        note=body.note,
        fix=body.checkin.as_fix() if body.checkin else None,
        visit_type_id=body.visit_type_id,
        answers=body.answers,
    )
    return VisitRead.of(service.record_visit(session, report, scope.actor))


@router.get("/{visit_id}")
def get_visit(visit_id: UUID, scope: ReadActivities, session: Db) -> VisitDetail:
    """One visit with its facts."""
    visit = session.scalars(queries.visible_to(scope).where(Visit.id == visit_id)).one_or_none()
    if visit is None:
        raise NotFound("There is no such visit.")
    events = [VisitEventRead.of(event) for event in queries.events_of(session, [visit.id])]
    return VisitDetail(**VisitRead.of(visit).model_dump(), events=events)
