"""Request visit: times with their detour, or only a deadline; the stop that serves a ticket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, AccountRep
from server.activities.models import Visit, VisitState
from server.auth.access import Scope, requires
from server.auth.models import Role, User
from server.demands import service as demands
from server.demands.models import DemandState, VisitDemand
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.plans import offers
from server.territories.models import TerritoryMember
from server.tickets import queries, visits
from server.tickets.visits import VisitWish
from server.web.offers import DayChoices, by_day
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/tickets/{ticket_id}/visit", include_in_schema=False)

WriteTickets = Annotated[Scope, requires("tickets:write")]
SHOWN_DAYS = 10


@dataclass(frozen=True)
class PlannedVisit:
    """The next visit to an account."""

    day: date
    starts_at: datetime | None
    zone: str
    rep: str
    is_for_ticket: bool
    """Whether it serves the ticket's demand."""


def planned_visit(session: Session, demand: VisitDemand | None, account_id: UUID | None) -> PlannedVisit | None:
    """The visit that serves a ticket, else the next one that is planned at its account."""
    if account_id is None:
        return None
    rows = select(Visit, User.name).join(User, User.id == Visit.rep_id).where(Visit.deleted_at.is_(None))
    if demand is not None and demand.visit_id is not None:
        found = session.execute(rows.where(Visit.id == demand.visit_id)).one_or_none()
        if found is not None:
            visit, name = found
            at = visit.done_at or visit.checked_in_at or visit.planned_start_at
            return PlannedVisit(visit.day, at, visit.zone, name, is_for_ticket=True)
    coming = rows.where(
        Visit.account_id == account_id, Visit.state == VisitState.PLANNED, Visit.day >= clock.today(settings().zone)
    )
    found = session.execute(coming.order_by(Visit.day, Visit.planned_start_at).limit(1)).one_or_none()
    if found is None:
        return None
    return PlannedVisit(found[0].day, found[0].planned_start_at, found[0].zone, found[1], is_for_ticket=False)


def reps_of(session: Session, account: Account, team: bool) -> Sequence[User]:
    """Who could go: the account's owner, who is assigned to it and who works its territory; or every rep."""
    people = select(User).where(User.role == Role.REP, User.active, User.deleted_at.is_(None)).order_by(User.name)
    today = clock.today(settings().zone)
    members = select(TerritoryMember.user_id).where(
        TerritoryMember.territory_id == account.territory_id,
        TerritoryMember.valid_from <= today,
        or_(TerritoryMember.valid_to.is_(None), TerritoryMember.valid_to > today),
    )
    assigned = select(AccountRep.user_id).where(AccountRep.account_id == account.id)
    if not team:
        people = people.where(or_(User.id == account.owner_id, User.id.in_(members), User.id.in_(assigned)))
    found = session.scalars(people.limit(50)).all()
    return [rep for rep in found if rep.rep_profile is not None and rep.rep_profile.home is not None]


@router.get("")
def show(
    request: Request,
    ticket_id: UUID,
    scope: WriteTickets,
    session: Db,
    minutes: Annotated[int | None, Query(ge=5, le=720)] = None,
    team: bool = False,
) -> Response:
    """The times of the next days, coloured by detour, and a deadline to choose instead."""
    return visit_page(request, scope, session, ticket_id, minutes, team=team)


def visit_page(
    request: Request,
    scope: Scope,
    session: Session,
    ticket_id: UUID,
    minutes: int | None = None,
    *,
    team: bool = False,
    error: WaymarkError | None = None,
    values: dict[str, Any] | None = None,
) -> Response:
    """The page, with what was refused."""
    row = queries.detail(session, scope, ticket_id, "tickets:write")
    days: list[DayChoices] = []
    reps: Sequence[User] = []
    service_s = (minutes or 30) * 60
    no_times: WaymarkError | None = None
    if row.account_id is not None:
        try:
            with attempt(session):
                asked = offers.asked_for(session, scope, row.account_id, minutes * 60 if minutes else None)
                service_s = asked.service_s
                reps = reps_of(session, asked.account, team)
                days = (
                    by_day(offers.times(session, asked, reps, clock.today(settings().zone), SHOWN_DAYS)) if reps else []
                )
        except WaymarkError as refused:
            no_times = refused
    else:
        error = error or visits.NoAccount("The ticket belongs to no account.", help="Choose its account first.")
    return render(
        request,
        "tickets/visit.html",
        scope,
        status=int(error.status) if error else 200,
        row=row,
        ticket=row.ticket,
        days=days,
        reps=reps,
        team=team,
        minutes=service_s // 60,
        demand=visits.latest(session, row.ticket),
        usual_deadline=clock.today(settings().zone) + timedelta(days=DEADLINE_DAYS[row.ticket.priority]),
        values=values or {},
        no_times=no_times,
        error=error,
    )


DEADLINE_DAYS = {"urgent": 1, "high": 3, "normal": 7, "low": 21}
"""Days until the deadline that the form proposes, by priority."""


@router.post("")
def request_visit(
    request: Request,
    ticket_id: UUID,
    scope: WriteTickets,
    session: Db,
    deadline: Annotated[str, Form()] = "",
    earliest: Annotated[str, Form()] = "",
    slot: Annotated[str, Form()] = "",
    minutes: Annotated[int, Form(ge=5, le=720)] = 30,
    mandatory: Annotated[bool, Form()] = False,
    team: Annotated[bool, Form()] = False,
) -> Response:
    """Ask for a visit by a deadline, or promise a time: then it stands in the rep's calendar at once."""
    try:
        with attempt(session):
            if slot:
                promise(session, scope, ticket_id, slot, minutes, team=team)
            else:
                first = _day(earliest, "earliest") if earliest else None
                wish = VisitWish(_day(deadline, "deadline"), first, minutes * 60, (), mandatory)
                if wish.deadline < clock.today(settings().zone):
                    raise Invalid("The deadline is over.", help="Choose a day to come.", field="deadline")
                visits.request_visit(session, scope, ticket_id, wish)
    except WaymarkError as error:
        values = {"deadline": deadline, "earliest": earliest}
        return visit_page(request, scope, session, ticket_id, minutes, team=team, error=error, values=values)
    return go(f"/tickets/{ticket_id}")


def promise(session: Session, scope: Scope, ticket_id: UUID, slot: str, minutes: int, *, team: bool) -> None:
    """Put the chosen time into the rep's calendar and tie it to the ticket. Refuses a time that is taken by now."""
    try:
        rep, at = slot.split("|")
        rep_id, starts_at = UUID(rep), datetime.fromisoformat(at)
    except ValueError as wrong:
        raise Invalid("This is none of the times.", help="Choose one of the list.") from wrong
    ticket = queries.find(session, scope, ticket_id, "tickets:write")
    row = queries.detail(session, scope, ticket_id, "tickets:write")
    if row.account_id is None:
        raise visits.NoAccount("The ticket belongs to no account.", help="Choose its account first.")
    asked = offers.asked_for(session, scope, row.account_id, minutes * 60)
    chosen = next((one for one in reps_of(session, asked.account, team) if one.id == rep_id), None)
    if chosen is None:
        raise Invalid("This rep does not go there.", help="Choose one of the times.")
    day = starts_at.date()
    before = visits.latest(session, ticket)
    if before is not None and before.state == DemandState.PLANNED and before.visit_id is not None:
        raise Invalid("A visit is planned for this ticket already.", help="Withdraw it first.")
    demand = visits.request_visit(session, scope, ticket_id, VisitWish(day, day, minutes * 60, (rep_id,), True))
    visit = offers.promised(session, chosen, asked, starts_at, visits.sentence(ticket))
    demands.planned(session, {demand.id: visit.id})


def _day(written: str, field: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise Invalid("The day is missing.", help="Choose a day.", field=field) from error


@router.post("/withdraw")
def withdraw(ticket_id: UUID, scope: WriteTickets, session: Db) -> Response:
    """Want the visit no more."""
    visits.withdraw(session, scope, ticket_id)
    return go(f"/tickets/{ticket_id}")
