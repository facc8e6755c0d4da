"""The made-up company's people: an admin, a manager, four reps in two teams, marketing and support."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth.models import Role
from server.auth.queries import user_by_login
from server.auth.service import create_user, set_team, set_working_day
from server.balance import service as balance
from server.closures import holidays
from server.closures import service as closures
from server.demo.split import halves
from server.kit import clock
from server.kit.settings import settings
from server.records.service import Actor, acting
from server.regions.models import Region
from server.territories import queries as territories

PASSWORD = "waymark-demo"  # noqa: S105 (of people who do not exist, on the loopback address)


@dataclass(frozen=True)
class Person:
    """Somebody of the company."""

    login: str
    name: str
    role: Role


PEOPLE = (
    Person("admin", "Ada Admin", Role.ADMIN),
    Person("mara", "Mara Manager", Role.MANAGER),
    Person("nora", "Nora North", Role.REP),
    Person("nils", "Nils North", Role.REP),
    Person("sara", "Sara South", Role.REP),
    Person("sven", "Sven South", Role.REP),
    Person("milo", "Milo Marketing", Role.MARKETING),
    Person("sina", "Sina Support", Role.SUPPORT),
)
REPS = tuple(person.login for person in PEOPLE if person.role is Role.REP)
NORTH, SOUTH = REPS[:2], REPS[2:]
WEEK: dict[str, Any] = {"weekdays": (0, 1, 2, 3, 4), "shift_start": time(8), "shift_end": time(17)}
WEEKS: dict[str, dict[str, Any]] = {
    "sara": {"weekdays": (0, 1, 2, 3), "shift_end": time(12, 30), "break_earliest": None, "break_latest": None},
    "sven": {"weekdays": (1, 2, 3, 4, 5)},
}
"""Who works otherwise: Sara part-time, with more to do than her mornings hold; Sven on Saturdays, not on Mondays."""

HOME = text(
    """
    select st_x(point), st_y(point) from region_address
    where region_id = :region and st_covers((select area from territory where id = :territory), point)
    order by md5(source_id || :salt) limit 1
    """
)


def hire(session: Session) -> dict[str, UUID]:
    """Let everybody in who is not there yet; gives their ids by login."""
    acting(session, Actor(user_id=None, source="cli"))
    ids = {}
    for person in PEOPLE:
        user = user_by_login(session, person.login) or create_user(
            session,
            login=person.login,
            name=person.name,
            role=person.role,
            password=PASSWORD,
            email=f"{person.login}@company.example",
        )
        ids[person.login] = user.id
    set_team(session, "Field", [ids["mara"], *(ids[login] for login in REPS)])
    return ids


def assign(session: Session, region: Region, ids: dict[str, UUID]) -> int:
    """Draw the two territories, give each its two reps, and settle the reps at homes inside; returns how many."""
    acting(session, Actor(user_id=ids["admin"], source="cli"))
    known = {territory.name for territory in territories.active(session)}
    today = clock.today(settings().zone)
    if not known:
        keep_holidays(session, region.country, today)
    for name, area, logins in zip(("North", "South"), halves(session, region), (NORTH, SOUTH), strict=True):
        if name in known:
            continue
        members = [ids[login] for login in logins]
        territory = balance.create(session, name=name, area=area, members=members, day=today)
        for login in logins:
            home = session.execute(HOME, {"region": region.id, "territory": territory.id, "salt": login}).one_or_none()
            week = WEEK | WEEKS.get(login, {}) | {"weekdays": weekdays_of(login, today)}
            set_working_day(
                session, ids[login], week | ({"home": (home[0], home[1]), "home_name": "Home"} if home else {})
            )
    return len(territories.active(session))


def weekdays_of(login: str, today: date) -> list[int]:
    """A rep's working days; who founds the company at a weekend finds everybody at work that day too."""
    usual = (WEEK | WEEKS.get(login, {}))["weekdays"]
    return sorted({*usual} | ({today.weekday()} if today.weekday() > 4 else set()))


def keep_holidays(session: Session, country: str, today: date) -> None:
    """Keep the public holidays of the region's country; founded on one, the company has none: customers are closed."""
    if country in holidays.countries() and holidays.name_of(country, "", today) is None:
        closures.keep_calendar(session, country)
