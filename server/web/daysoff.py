"""Days that are not ordinary: holidays, the company's own days, absences, closed sites; and visits that are wanted."""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.accounts.routes import read
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.closures import holidays, queries, service
from server.closures.models import AbsenceKind, HolidayCalendar
from server.demands import service as demands
from server.demands.models import DemandOrigin
from server.demands.routes import need_account
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.web.forms import Sent, id_of, number, text
from server.web.pages import attempt, go, render
from server.web.users import people_of
from server.web.visits import refused

router = APIRouter(include_in_schema=False)

ReadClosures = Annotated[Scope, requires("closures:read")]
WriteClosures = Annotated[Scope, requires("closures:write")]
WritePlanning = Annotated[Scope, requires("planning:write")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]
WriteDemands = Annotated[Scope, requires("demands:write")]
PAGE = "/planning/days-off"
WORTH_S = {"low": 3_600, "usual": demands.USUAL_PRIZE_S, "high": 43_200}
SHOWN_DAYS = 366


@router.get(PAGE)
def show_days_off(request: Request, scope: ReadClosures, session: Db) -> Response:
    """Who is not there, and on which days nobody works."""
    return days_off_page(request, scope, session)


def days_off_page(
    request: Request,
    scope: Scope,
    session: Session,
    error: WaymarkError | None = None,
    values: dict[str, Any] | None = None,
) -> Response:
    """The page, with what was refused."""
    today = clock.today(settings().zone)
    calendars = queries.calendars_of(session)
    names = {one.id: "-".join(filter(None, (one.country, one.part))) for one in calendars}
    reps = people_of(session, scope, Role.REP)
    own = {rep_id: names.get(found) for rep_id, _ in reps if (found := queries.calendar_of(session, rep_id))}

    def coming(calendar: HolidayCalendar) -> list[tuple[date, str]]:
        days = {
            day: name
            for year in (today.year, today.year + 1)
            for day, name in holidays.of_year(calendar.country, calendar.part, year).items()
        }
        return [(day, name) for day, name in days.items() if today <= day <= today + timedelta(days=SHOWN_DAYS)][:6]

    return render(
        request,
        "planning/daysoff.html",
        scope,
        status=int(error.status) if error else 200,
        absences=queries.absences_from(session, scope, today),
        calendars=calendars,
        coming=coming,
        countries=list(holidays.countries()),
        company_days=queries.company_days(session, today),
        reps=reps,
        own=own,
        values=values or {},
        error=error,
    )


@router.post(f"{PAGE}/absences")
def be_absent(request: Request, scope: WriteClosures, session: Db, sent: Sent) -> Response:
    """Take a rep out of plans from a day to a day."""
    values = {name: text(sent, name) for name in ("user_id", "kind", "first_day", "last_day", "note")}
    try:
        with attempt(session):
            service.be_absent(
                session,
                scope,
                UUID(values["user_id"] or ""),
                day_of(values["first_day"], "first_day"),
                day_of(values["last_day"], "last_day"),
                AbsenceKind(values["kind"] or ""),
                values["note"],
            )
    except (WaymarkError, ValueError) as error:
        shown = error if isinstance(error, WaymarkError) else Invalid("Nobody is chosen.", field="user_id")
        return days_off_page(request, scope, session, shown, values)
    return go(PAGE)


def day_of(written: str | None, field: str) -> date:
    """A day of a form; names the field that holds none."""
    try:
        return date.fromisoformat(written or "")
    except ValueError as error:
        raise Invalid(f"“{written or ''}” is no day.", help="Choose one.", field=field) from error


@router.post(f"{PAGE}/absences/{{absence_id}}/delete")
def be_back(absence_id: UUID, scope: WriteClosures, session: Db) -> Response:
    """Take an absence back."""
    service.be_back(session, scope, absence_id)
    return go(PAGE)


@router.post(f"{PAGE}/calendars")
def keep_calendar(
    request: Request,
    scope: WritePlanning,
    session: Db,
    country: Annotated[str, Form()] = "",
    part: Annotated[str, Form()] = "",
) -> Response:
    """Keep the holidays of a country or a part of it."""
    try:
        with attempt(session):
            service.keep_calendar(session, country, part)
    except WaymarkError as error:
        return days_off_page(request, scope, session, error)
    return go(PAGE)


@router.post(f"{PAGE}/calendars/{{calendar_id}}/main")
def make_main(calendar_id: UUID, scope: WritePlanning, session: Db) -> Response:
    """Let a calendar hold for the company."""
    service.make_main(session, calendar_id)
    return go(PAGE)


@router.post(f"{PAGE}/calendars/{{calendar_id}}/delete")
def drop_calendar(request: Request, calendar_id: UUID, scope: WritePlanning, session: Db) -> Response:
    """Keep a calendar's holidays no more."""
    try:
        with attempt(session):
            service.drop_calendar(session, calendar_id)
    except WaymarkError as error:
        return days_off_page(request, scope, session, error)
    return go(PAGE)


@router.post(f"{PAGE}/rep-calendar")
def set_calendar(
    scope: WriteClosures, session: Db, user_id: Annotated[UUID, Form()], calendar_id: Annotated[str, Form()] = ""
) -> Response:
    """Let a rep keep another calendar."""
    service.set_calendar(session, scope, user_id, id_of(calendar_id, "calendar_id"))
    return go(PAGE)


@router.post(f"{PAGE}/days")
def set_company_day(
    request: Request,
    scope: WritePlanning,
    session: Db,
    day: Annotated[date, Form()],
    name: Annotated[str, Form()] = "",
    is_working: Annotated[bool, Form()] = False,
) -> Response:
    """Close the company on a day, or let it work on a holiday."""
    try:
        with attempt(session):
            service.set_company_day(session, day, name, is_working=is_working)
    except WaymarkError as error:
        return days_off_page(request, scope, session, error)
    return go(PAGE)


@router.post(f"{PAGE}/days/{{day_id}}/delete")
def drop_company_day(day_id: UUID, scope: WritePlanning, session: Db) -> Response:
    """Let a day be as the calendar says."""
    service.drop_company_day(session, day_id)
    return go(PAGE)


@router.post("/accounts/{account_id}/sites/{site_id}/closures")
def close_site(
    request: Request,
    account_id: UUID,
    site_id: UUID,
    scope: WriteAccounts,
    session: Db,
    first_day: Annotated[date, Form()],
    last_day: Annotated[date, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Close a site from a day to a day."""
    read(session, scope, account_id)
    try:
        with attempt(session):
            service.close_site(session, scope, site_id, first_day, last_day, reason)
    except WaymarkError as error:
        return refused(request, scope, session, account_id, error)
    return go(f"/accounts/{account_id}#site-{site_id}")


@router.post("/accounts/{account_id}/closures/{closure_id}/open")
def open_site(account_id: UUID, closure_id: UUID, scope: WriteAccounts, session: Db) -> Response:
    """Take a closure back."""
    service.open_site(session, scope, closure_id)
    return go(f"/accounts/{account_id}#sites")


@router.post("/accounts/{account_id}/demands")
def ask(request: Request, account_id: UUID, scope: WriteDemands, session: Db, sent: Sent) -> Response:
    """Ask for a visit by hand."""
    account = read(session, scope, account_id)
    need_account(session, scope, account_id)
    try:
        with attempt(session):
            minutes = number(sent, "minutes")
            days = {
                name: day_of(text(sent, name), name) if text(sent, name) else None for name in ("earliest", "deadline")
            }
            wanted = demands.Wanted(
                account.id,
                DemandOrigin.HAND,
                str(uuid7()),
                text(sent, "sentence") or "",
                earliest=days["earliest"],
                deadline=days["deadline"],
                prize_s=WORTH_S.get(text(sent, "worth") or "usual", demands.USUAL_PRIZE_S),
                service_s=round(minutes * 60) if minutes else None,
                mandatory="mandatory" in sent,
            )
            demands.ask(session, wanted, asked_by=scope.user_id)
    except WaymarkError as error:
        return refused(request, scope, session, account_id, error)
    return go(f"/accounts/{account_id}#wanted")


@router.post("/accounts/{account_id}/demands/{demand_id}/withdraw")
def withdraw(account_id: UUID, demand_id: UUID, scope: WriteDemands, session: Db) -> Response:
    """Want the visit no more."""
    demands.take_back(session, scope, demand_id)
    return go(f"/accounts/{account_id}#wanted")
