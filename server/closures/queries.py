"""Reads of holidays, closed sites and absent reps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, Date, Select, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.accounts.values import country_code
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.closures import holidays
from server.closures.models import CompanyDay, HolidayCalendar, RepAbsence, RepCalendar, SiteClosure
from server.kit.errors import NotFound

KINDS = {"vacation": "On vacation", "sick": "Sick", "training": "At a training", "other": "Absent"}
"""What a plan says of somebody who is not there."""

type Place = tuple[str, str]
"""Country and part of it, as `holidays` takes them."""
type Spell = tuple[date, date, str]
"""First and last day, and why."""


@dataclass(frozen=True)
class DaysOff:
    """What is not as on an ordinary day, for some reps, sites and days."""

    company: Mapping[date, tuple[str, bool]] = field(default_factory=dict)
    """Days of the company's own: name, and whether it is at work then."""
    main: Place | None = None
    """The calendar that holds when nothing else does."""
    reps: Mapping[UUID, Place] = field(default_factory=dict)
    """Reps with another calendar."""
    countries: Mapping[str, Place] = field(default_factory=dict)
    """The calendar of each country in which sites may lie."""
    absences: Mapping[UUID, Sequence[Spell]] = field(default_factory=dict)
    closures: Mapping[UUID, Sequence[Spell]] = field(default_factory=dict)

    def of_rep(self, rep_id: UUID, day: date) -> str | None:
        """Why a rep does not work on a day; None when nothing keeps them."""
        away = _during(self.absences.get(rep_id, ()), day)
        if away is not None:
            return away
        name, is_working = self.company.get(day, (None, False))
        if name is not None:
            return None if is_working else name
        place = self.reps.get(rep_id, self.main)
        return holidays.name_of(*place, day) if place else None

    def of_site(self, site_id: UUID, day: date) -> str | None:
        """Why a site is closed on a day by way of exception; holidays are for its opening hours to say."""
        return _during(self.closures.get(site_id, ()), day)

    def holiday_at(self, country: str | None, day: date) -> str | None:
        """The public holiday that a day is in a country; without a country, or in an unknown one, the company's."""
        place = self.countries.get(country_code(country) or "", self.main) if country else self.main
        return holidays.name_of(*place, day) if place else None


def _during(spells: Iterable[Spell], day: date) -> str | None:
    return next((why for first, last, why in spells if first <= day <= last), None)


def days_off(session: Session, rep_ids: Iterable[UUID], first: date, last: date) -> DaysOff:
    """Everything that is not ordinary between two days."""
    calendars = calendars_of(session)
    main = next((_place(one) for one in calendars if one.is_main), None)
    countries: dict[str, Place] = {}
    for one in calendars:
        countries.setdefault(one.country, _place(one))
    by_rep = select(RepCalendar.user_id, HolidayCalendar).join(HolidayCalendar)
    by_rep = by_rep.where(HolidayCalendar.deleted_at.is_(None))
    days = session.scalars(
        select(CompanyDay).where(CompanyDay.deleted_at.is_(None), CompanyDay.day.between(first, last))
    )
    absences: dict[UUID, list[Spell]] = {}
    for away in session.scalars(_overlapping(RepAbsence, first, last).where(RepAbsence.user_id.in_(list(rep_ids)))):
        absences.setdefault(away.user_id, []).append((away.first_day, away.last_day, KINDS[away.kind]))
    closures: dict[UUID, list[Spell]] = {}
    for site_id, closure in session.execute(
        _overlapping(SiteClosure, first, last).with_only_columns(func.site_standing(SiteClosure.site_id), SiteClosure)
    ):
        closures.setdefault(site_id, []).append((closure.first_day, closure.last_day, closure.reason))
    return DaysOff(
        company={one.day: (one.name, one.is_working) for one in days},
        main=main,
        reps={user_id: _place(one) for user_id, one in session.execute(by_rep)},
        countries=countries,
        absences=absences,
        closures=closures,
    )


def days_off_of(session: Session, user_id: UUID, first: date, last: date) -> DaysOff:
    """What is not ordinary for one rep between two days, in one statement; nothing of sites."""
    company, main, own, away = session.execute(_OF_REP, {"rep": user_id, "first": first, "last": last}).one()
    calendar = own or main
    return DaysOff(
        company={date.fromisoformat(day): (name, is_working) for day, name, is_working in company or ()},
        main=(calendar[0], calendar[1]) if calendar else None,
        absences={
            user_id: [
                (date.fromisoformat(since), date.fromisoformat(until), KINDS[kind]) for since, until, kind in away or ()
            ]
        },
    )


_FIRST, _LAST = bindparam("first", type_=Date), bindparam("last", type_=Date)
_CALENDAR = func.json_build_array(HolidayCalendar.country, HolidayCalendar.part)
_OF_REP = select(
    select(func.json_agg(func.json_build_array(CompanyDay.day, CompanyDay.name, CompanyDay.is_working)))
    .where(CompanyDay.deleted_at.is_(None), CompanyDay.day.between(_FIRST, _LAST))
    .scalar_subquery(),
    select(_CALENDAR).where(HolidayCalendar.is_main, HolidayCalendar.deleted_at.is_(None)).scalar_subquery(),
    select(_CALENDAR)
    .join(RepCalendar, RepCalendar.calendar_id == HolidayCalendar.id)
    .where(RepCalendar.user_id == bindparam("rep", type_=Uuid), HolidayCalendar.deleted_at.is_(None))
    .scalar_subquery(),
    select(
        func.json_agg(
            aggregate_order_by(
                func.json_build_array(RepAbsence.first_day, RepAbsence.last_day, RepAbsence.kind),
                RepAbsence.first_day,
                RepAbsence.id,
            )
        )
    )
    .where(
        RepAbsence.user_id == bindparam("rep", type_=Uuid),
        RepAbsence.deleted_at.is_(None),
        RepAbsence.first_day <= _LAST,
        RepAbsence.last_day >= _FIRST,
    )
    .scalar_subquery(),
)
"""The company's own days, its main calendar, the rep's other one, and when they are absent."""


def _overlapping[T: (RepAbsence, SiteClosure)](table: type[T], first: date, last: date) -> Select[T]:
    statement = select(table).where(table.deleted_at.is_(None), table.first_day <= last, table.last_day >= first)
    return statement.order_by(table.first_day, table.id)


def _place(calendar: HolidayCalendar) -> Place:
    return calendar.country, calendar.part


def calendars_of(session: Session) -> list[HolidayCalendar]:
    """The calendars that the company keeps, the main one first."""
    statement = select(HolidayCalendar).where(HolidayCalendar.deleted_at.is_(None))
    return list(
        session.scalars(
            statement.order_by(HolidayCalendar.is_main.desc(), HolidayCalendar.country, HolidayCalendar.part)
        )
    )


def calendar_of(session: Session, user_id: UUID) -> UUID | None:
    """The calendar that a rep has instead of the company's."""
    return session.scalar(select(RepCalendar.calendar_id).where(RepCalendar.user_id == user_id))


def company_days(session: Session, first: date) -> list[CompanyDay]:
    """The company's own days from a day on."""
    statement = select(CompanyDay).where(CompanyDay.deleted_at.is_(None), CompanyDay.day >= first)
    return list(session.scalars(statement.order_by(CompanyDay.day)))


def absences_visible_to(scope: Scope, permission: str = "closures:read") -> Select[RepAbsence]:
    """The absences of the people that a permission of somebody reaches."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level(permission)).with_only_columns(User.id)
    return select(RepAbsence).where(RepAbsence.deleted_at.is_(None), RepAbsence.user_id.in_(people.order_by(None)))


def absences_from(session: Session, scope: Scope, day: date) -> list[tuple[RepAbsence, str]]:
    """Who is not there from a day on, with their names."""
    statement = absences_visible_to(scope).where(RepAbsence.last_day >= day)
    named = statement.join(User, User.id == RepAbsence.user_id).with_only_columns(RepAbsence, User.name)
    return [(one, name) for one, name in session.execute(named.order_by(RepAbsence.first_day, User.name))]


def absence(session: Session, scope: Scope, absence_id: UUID) -> RepAbsence:
    """The absence of that id, to change it; for a stranger's there is none."""
    statement = absences_visible_to(scope, "closures:write").where(RepAbsence.id == absence_id)
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("There is no such absence.")
    return found


def closures_visible_to(scope: Scope, permission: str = "accounts:read") -> Select[SiteClosure]:
    """The closures of sites that a permission of somebody reaches."""
    seen = accounts.visible_to(scope, permission).with_only_columns(Account.id).order_by(None)
    sites = select(Site.id).where(Site.deleted_at.is_(None), Site.account_id.in_(seen))
    return select(SiteClosure).where(SiteClosure.deleted_at.is_(None), SiteClosure.site_id.in_(sites))


def closures_of(session: Session, scope: Scope, site_ids: Iterable[UUID], day: date) -> list[SiteClosure]:
    """The closures of some sites that are not over on a day."""
    statement = closures_visible_to(scope).where(SiteClosure.site_id.in_(list(site_ids)), SiteClosure.last_day >= day)
    return list(session.scalars(statement.order_by(SiteClosure.first_day, SiteClosure.id)))


def closures_at(session: Session, site_ids: Iterable[UUID], day: date) -> list[SiteClosure]:
    """The same of living sites that the caller has checked."""
    return list(session.scalars(CLOSURES, {"ids": list(site_ids), "day": day}))


CLOSURES = (
    select(SiteClosure)
    .where(
        SiteClosure.deleted_at.is_(None),
        SiteClosure.site_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        SiteClosure.last_day >= bindparam("day", type_=Date()),
    )
    .order_by(SiteClosure.first_day, SiteClosure.id)
)


def closure(session: Session, scope: Scope, closure_id: UUID) -> SiteClosure:
    """The closure of that id, to change it; for a stranger's there is none."""
    statement = closures_visible_to(scope, "accounts:write").where(SiteClosure.id == closure_id)
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("There is no such closure.")
    return found
