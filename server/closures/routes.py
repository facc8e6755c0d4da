"""JSON API of holidays, closed sites and absent reps."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.auth.access import Scope, requires
from server.closures import queries, service
from server.closures.models import AbsenceKind
from server.kit import clock
from server.kit.database import Db
from server.kit.paging import Page
from server.kit.settings import settings

router = APIRouter(prefix="/api/v1", tags=["closures"])

ReadClosures = Annotated[Scope, requires("closures:read")]
WriteClosures = Annotated[Scope, requires("closures:write")]
WritePlanning = Annotated[Scope, requires("planning:write")]
ReadAccounts = Annotated[Scope, requires("accounts:read")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]


class Spell(BaseModel):
    """From a day to a day."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    first_day: date
    last_day: date


class AbsenceWrite(Spell):
    """A rep who does not work."""

    user_id: UUID
    kind: AbsenceKind
    note: str | None = Field(default=None, max_length=500)


class AbsenceRead(AbsenceWrite):
    """The same as it is stored."""

    id: UUID


class ClosureWrite(Spell):
    """A site that is closed."""

    reason: str = Field(max_length=200)


class ClosureRead(ClosureWrite):
    """The same as it is stored."""

    id: UUID
    site_id: UUID


class CalendarWrite(BaseModel):
    """A country, or a part of it, whose holidays the company keeps."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    country: str = Field(min_length=2, max_length=2)
    part: str = Field(default="", max_length=10)


class CalendarRead(CalendarWrite):
    """The same as it is stored."""

    id: UUID
    is_main: bool


class CompanyDayWrite(BaseModel):
    """A day on which the company does otherwise than its calendar says."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    day: date
    name: str = Field(max_length=200, description="Why, for instance Company outing.")
    is_working: bool = Field(default=False, description="At work although it is a holiday.")


class CompanyDayRead(CompanyDayWrite):
    """The same as it is stored."""

    id: UUID


class RepCalendarWrite(BaseModel):
    """Whose holidays a rep keeps."""

    model_config = ConfigDict(extra="forbid")

    calendar_id: UUID | None = Field(description="Null: the company's.")


@router.get("/absences")
def list_absences(scope: ReadClosures, session: Db, first_day: date | None = None) -> Page[AbsenceRead]:
    """Who is not there, from today or another day on."""
    found = queries.absences_from(session, scope, first_day or clock.today(settings().zone))
    return Page(items=[AbsenceRead.model_validate(one) for one, _name in found])


@router.post("/absences", status_code=201)
def be_absent(body: AbsenceWrite, scope: WriteClosures, session: Db) -> AbsenceRead:
    """Take a rep out of plans from a day to a day."""
    made = service.be_absent(session, scope, body.user_id, body.first_day, body.last_day, body.kind, body.note)
    return AbsenceRead.model_validate(made)


@router.delete("/absences/{absence_id}", status_code=204)
def be_back(absence_id: UUID, scope: WriteClosures, session: Db) -> None:
    """Take an absence back."""
    service.be_back(session, scope, absence_id)


@router.get("/sites/{site_id}/closures")
def list_closures(site_id: UUID, scope: ReadAccounts, session: Db) -> Page[ClosureRead]:
    """The closures of a site that are not over."""
    found = queries.closures_of(session, scope, [site_id], clock.today(settings().zone))
    return Page(items=[ClosureRead.model_validate(one) for one in found])


@router.post("/sites/{site_id}/closures", status_code=201)
def close_site(site_id: UUID, body: ClosureWrite, scope: WriteAccounts, session: Db) -> ClosureRead:
    """Close a site from a day to a day."""
    made = service.close_site(session, scope, site_id, body.first_day, body.last_day, body.reason)
    return ClosureRead.model_validate(made)


@router.delete("/closures/{closure_id}", status_code=204)
def open_site(closure_id: UUID, scope: WriteAccounts, session: Db) -> None:
    """Take a closure back."""
    service.open_site(session, scope, closure_id)


@router.get("/holiday-calendars")
def list_calendars(scope: ReadClosures, session: Db) -> Page[CalendarRead]:
    """The calendars that the company keeps, the main one first."""
    return Page(items=[CalendarRead.model_validate(one) for one in queries.calendars_of(session)])


@router.post("/holiday-calendars", status_code=201)
def keep_calendar(body: CalendarWrite, scope: WritePlanning, session: Db) -> CalendarRead:
    """Keep the holidays of a country or a part of it."""
    return CalendarRead.model_validate(service.keep_calendar(session, body.country, body.part))


@router.post("/holiday-calendars/{calendar_id}/main", status_code=204)
def make_main(calendar_id: UUID, scope: WritePlanning, session: Db) -> None:
    """Let a calendar hold for everybody who has no other one."""
    del scope
    service.make_main(session, calendar_id)


@router.delete("/holiday-calendars/{calendar_id}", status_code=204)
def drop_calendar(calendar_id: UUID, scope: WritePlanning, session: Db) -> None:
    """Keep a calendar's holidays no more; its reps go back to the company's."""
    del scope
    service.drop_calendar(session, calendar_id)


@router.put("/users/{user_id}/holiday-calendar", status_code=204)
def set_calendar(user_id: UUID, body: RepCalendarWrite, scope: WriteClosures, session: Db) -> None:
    """Let a rep keep another calendar than the company's."""
    service.set_calendar(session, scope, user_id, body.calendar_id)


@router.get("/company-days")
def list_company_days(scope: ReadClosures, session: Db, first_day: date | None = None) -> Page[CompanyDayRead]:
    """The company's own days, from today or another day on."""
    del scope
    found = queries.company_days(session, first_day or clock.today(settings().zone))
    return Page(items=[CompanyDayRead.model_validate(one) for one in found])


@router.put("/company-days")
def set_company_day(body: CompanyDayWrite, scope: WritePlanning, session: Db) -> CompanyDayRead:
    """Close the company on a day, or let it work on a holiday; the same day again changes what it is."""
    del scope
    made = service.set_company_day(session, body.day, body.name, is_working=body.is_working)
    return CompanyDayRead.model_validate(made)


@router.delete("/company-days/{day_id}", status_code=204)
def drop_company_day(day_id: UUID, scope: WritePlanning, session: Db) -> None:
    """Let a day be as the calendar says."""
    del scope
    service.drop_company_day(session, day_id)
