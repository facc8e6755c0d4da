"""The rules of days that are not ordinary: keeping calendars, closing sites, absences of reps."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.queries import visible_users
from server.closures import holidays, queries
from server.closures.models import AbsenceKind, CompanyDay, HolidayCalendar, RepAbsence, RepCalendar, SiteClosure
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.locks import one_at_a_time

LONGEST_DAYS = 1100


def keep_calendar(session: Session, country: str, part: str = "") -> HolidayCalendar:
    """Keep the holidays of a country or a part of it; the first one is the company's. Refuses unknown places."""
    country, part = country.strip().upper(), part.strip()
    holidays.check_place(country, part)
    one_at_a_time(session, "holiday_calendar")
    known = queries.calendars_of(session)
    same = next((one for one in known if (one.country, one.part) == (country, part)), None)
    if same is not None:
        return same
    calendar = HolidayCalendar(country=country, part=part, is_main=not known)
    session.add(calendar)
    session.flush()
    return calendar


def make_main(session: Session, calendar_id: UUID) -> None:
    """Let a calendar hold for everybody who has no other one."""
    one_at_a_time(session, "holiday_calendar")
    calendar = _calendar(session, calendar_id)
    session.execute(update(HolidayCalendar).where(HolidayCalendar.is_main).values(is_main=False))
    session.flush()
    session.refresh(calendar)
    calendar.is_main = True
    session.flush()


def drop_calendar(session: Session, calendar_id: UUID) -> None:
    """Keep a calendar's holidays no more; its reps go back to the company's. Refuses the main one beside others."""
    calendar = _calendar(session, calendar_id)
    if calendar.is_main and len(queries.calendars_of(session)) > 1:
        raise Conflict("This calendar holds for the company.", help="Make another one the main calendar first.")
    session.execute(delete(RepCalendar).where(RepCalendar.calendar_id == calendar.id))
    calendar.deleted_at, calendar.is_main = clock.now(), False
    session.flush()


def set_calendar(session: Session, scope: Scope, user_id: UUID, calendar_id: UUID | None) -> None:
    """Let a rep keep another calendar than the company's; None: the company's again."""
    need_rep(session, scope, user_id)
    one_at_a_time(session, f"rep_calendar:{user_id}")
    session.execute(delete(RepCalendar).where(RepCalendar.user_id == user_id))
    if calendar_id is not None:
        session.add(RepCalendar(user_id=user_id, calendar_id=_calendar(session, calendar_id).id))
    session.flush()


def set_company_day(session: Session, day: date, name: str, *, is_working: bool = False) -> CompanyDay:
    """Close the company on a day, or let it work on a holiday; the same day again changes what it is."""
    if not name.strip():
        raise Invalid("The day has no name.", help="Say why, for instance “Company outing”.", field="name")
    one_at_a_time(session, f"company_day:{day}")
    known = session.scalars(select(CompanyDay).where(CompanyDay.day == day, CompanyDay.deleted_at.is_(None)))
    found = known.one_or_none() or CompanyDay(day=day)
    found.name, found.is_working = name.strip()[:200], is_working
    session.add(found)
    session.flush()
    return found


def drop_company_day(session: Session, day_id: UUID) -> None:
    """Let a day be as the calendar says."""
    found = session.get(CompanyDay, day_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("There is no such day.")
    found.deleted_at = clock.now()
    session.flush()


def close_site(
    session: Session, scope: Scope, site_id: UUID, first_day: date, last_day: date, reason: str
) -> SiteClosure:
    """Close a site from a day to a day. Refuses a site of others, days the wrong way round, and no reason."""
    site = session.get(Site, site_id)
    reach = accounts.visible_to(scope, "accounts:write").with_only_columns(Account.id).order_by(None)
    if (
        site is None
        or site.deleted_at is not None
        or session.scalar(reach.where(Account.id == site.account_id)) is None
    ):
        raise NotFound("There is no such site.", field="site_id")
    _check_days(first_day, last_day)
    if not reason.strip():
        raise Invalid("The reason is empty.", help="Say why, for instance “Company holidays”.", field="reason")
    values = {"site_id": site_id, "first_day": first_day, "last_day": last_day, "reason": reason.strip()[:200]}
    closure = _same(session, SiteClosure, values) or SiteClosure(**values)
    session.add(closure)
    session.flush()
    return closure


def open_site(session: Session, scope: Scope, closure_id: UUID) -> None:
    """Take a closure back."""
    queries.closure(session, scope, closure_id).deleted_at = clock.now()
    session.flush()


def be_absent(
    session: Session,
    scope: Scope,
    user_id: UUID,
    first_day: date,
    last_day: date,
    kind: AbsenceKind,
    note: str | None = None,
) -> RepAbsence:
    """Take a rep out of plans from a day to a day. Refuses people of others and days the wrong way round."""
    need_rep(session, scope, user_id)
    _check_days(first_day, last_day)
    values = {"user_id": user_id, "first_day": first_day, "last_day": last_day, "kind": kind.value}
    absence = _same(session, RepAbsence, values) or RepAbsence(**values)
    absence.note = (note or "").strip() or absence.note
    session.add(absence)
    session.flush()
    return absence


def be_back(session: Session, scope: Scope, absence_id: UUID) -> None:
    """Take an absence back."""
    queries.absence(session, scope, absence_id).deleted_at = clock.now()
    session.flush()


def need_rep(session: Session, scope: Scope, user_id: UUID) -> None:
    """Refuse a rep whose days are not the person's to write."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("closures:write"))
    if session.scalars(people.where(User.id == user_id, User.role == Role.REP)).one_or_none() is None:
        raise NotFound("There is no such rep.", field="user_id")


def _same[T: (RepAbsence, SiteClosure)](session: Session, table: type[T], values: dict[str, Any]) -> T | None:
    """What a second click would make once more; taking one of two back would change nothing."""
    one_at_a_time(session, f"{table.__tablename__}:{values}")
    return session.scalars(select(table).filter_by(**values, deleted_at=None).limit(1)).first()


def _calendar(session: Session, calendar_id: UUID) -> HolidayCalendar:
    calendar = session.get(HolidayCalendar, calendar_id)
    if calendar is None or calendar.deleted_at is not None:
        raise NotFound("There is no such calendar.")
    return calendar


def _check_days(first_day: date, last_day: date) -> None:
    if last_day < first_day:
        raise Invalid(
            f"The last day {last_day} lies before the first day {first_day}.", help="Swap the days.", field="last_day"
        )
    if (last_day - first_day).days > LONGEST_DAYS:
        raise Invalid("That is longer than three years.", help="Check the years.", field="last_day")
