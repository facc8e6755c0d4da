"""Check-ins heal bad pins: several that agree move a machine's pin, and propose against a person's."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from shapely.geometry import MultiPolygon, box
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.distance import haversine_m
from geo.madeup.checkins import moved
from geo.types import Fix, Grade, LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import align_accounts, pin_of, wkt
from server.accounts.place_models import PinProposal
from server.accounts.reviewing import proposals
from server.activities import healing
from server.activities.models import VisitState
from server.activities.service import VisitReport, record_visit
from server.auth.access import scope_of
from server.auth.models import RepProfile, Role, User
from server.kit.ids import uuid7
from server.records.service import Actor
from server.territories import service as territories

type MakeUser = Callable[..., User]
DOOR = LonLat(9.52, 47.14)
PIN = moved(DOOR, 300, 0.0)
HOME = moved(DOOR, 4000, 1.0)
MONDAY = date(2026, 3, 2)


@pytest.fixture
def rita(make_user: MakeUser) -> User:
    return make_user("rita", Role.REP)


@pytest.fixture
def site(session: Session, rita: User) -> Site:
    """A site whose pin the geocoder has put 300 m beside the door."""
    account = Account(name="Bakery", owner_id=rita.id, currency="EUR")
    session.add(account)
    session.flush()
    made = Site(
        account_id=account.id, is_main=True, pin=wkt(PIN), grade=Grade.STREET, uncertainty_m=200.0, provider="waymark",
        pin_state="placed", street="Städtle 1",
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def check_in(session: Session, site: Site, rep: User, day: int, point: LonLat, **more: object) -> None:
    fix = Fix(point, **({"accuracy_m": 8.0} | more))  # type: ignore[arg-type]
    on = MONDAY + timedelta(days=day)
    report = VisitReport(
        event_id=uuid7(), visit_id=uuid7(), account_id=site.account_id, site_id=site.id, rep_id=rep.id,
        state=VisitState.CHECKED_IN, day=on, zone="Europe/Vaduz", fix=fix,
        occurred_at=datetime.combine(on, datetime.min.time(), UTC) + timedelta(hours=9),
    )  # fmt: skip
    record_visit(session, report, Actor(rep.id, "sync"))


def days_at_the_door(session: Session, site: Site, rep: User, days: int = 3) -> None:
    for day in range(days):
        check_in(session, site, rep, day, moved(DOOR, 4 + day, 2.0 * day))


def off(session: Session, site: Site) -> float:
    session.refresh(site)
    point = pin_of(site)
    assert point is not None
    return haversine_m(point, DOOR)


def healing_jobs(session: Session) -> int:
    jobs = text("select count(*) from procrastinate_jobs where task_name = 'activities.heal_pin' and status = 'todo'")
    return int(session.execute(jobs).scalar_one())


def test_three_days_at_the_door_move_a_geocoded_pin_there(session: Session, site: Site, rita: User) -> None:
    days_at_the_door(session, site, rita, 2)
    assert healing_jobs(session) == 0
    assert healing.heal(session, site.id) is None
    days_at_the_door(session, site, rita)
    assert healing_jobs(session) == 1
    made = healing.heal(session, site.id)
    assert made is not None
    assert (made.state, made.decided_by, made.fixes) == ("accepted", None, 3)
    assert made.moved_m == pytest.approx(300, abs=6)
    assert off(session, site) < 6
    assert (site.grade, site.provider, site.geocode_reason) == ("gps_confirmed", "checkins", "checkins_agree")
    assert healing.heal(session, site.id) is None, "there is nothing better to say"


def test_one_rep_on_one_day_is_one_fix_and_another_rep_is_another(
    session: Session, site: Site, rita: User, make_user: MakeUser
) -> None:
    for _ in range(4):
        check_in(session, site, rita, 0, DOOR)
    assert healing.heal(session, site.id) is None
    for login in ("otto", "ida"):
        check_in(session, site, make_user(login, Role.REP), 0, DOOR)
    assert healing.heal(session, site.id) is not None


@pytest.mark.parametrize("lie", [{"mock": True}, {"accuracy_m": 80.0}], ids=["made up", "poor"])
def test_made_up_and_poor_fixes_heal_nothing(session: Session, site: Site, rita: User, lie: dict[str, object]) -> None:
    for day in range(5):
        check_in(session, site, rita, day, DOOR, **lie)
    assert healing.heal(session, site.id) is None
    assert healing_jobs(session) == 0


def test_check_ins_from_the_reps_home_do_not_take_the_customer_there(session: Session, site: Site, rita: User) -> None:
    session.merge(RepProfile(user_id=rita.id, home=wkt(HOME)))
    session.flush()
    for day in range(6):
        check_in(session, site, rita, day, moved(HOME, 20, day))
    assert healing.heal(session, site.id) is None


def test_a_rep_who_reports_three_customers_from_one_cafe_moves_none_of_them(
    session: Session, site: Site, rita: User
) -> None:
    others = []
    for name in ("Mill", "Garage"):
        account = Account(name=name, owner_id=rita.id, currency="EUR")
        session.add(account)
        session.flush()
        others.append(Site(account_id=account.id, is_main=True, pin=wkt(HOME), pin_state="placed"))
    session.add_all(others)
    session.flush()
    cafe = moved(PIN, 400, 2.0)
    for day in range(4):
        for place in (site, *others):
            check_in(session, place, rita, day, cafe)
    assert healing.fixes_at(session, site.id) == []
    for day in range(10, 14):
        check_in(session, site, rita, day, DOOR)
    assert healing.heal(session, site.id) is not None, "the other days count"


@pytest.mark.parametrize("grade", [Grade.MANUAL, Grade.GPS_CONFIRMED])
def test_a_pin_set_by_a_person_stays_and_a_manager_is_asked(
    session: Session, site: Site, rita: User, grade: Grade
) -> None:
    site.grade, site.uncertainty_m = grade, 10.0
    days_at_the_door(session, site, rita)
    made = healing.heal(session, site.id)
    assert made is not None
    assert (made.state, round(off(session, site))) == ("open", 300)
    days_at_the_door(session, site, rita, 5)
    newer = healing.heal(session, site.id)
    session.refresh(made)
    assert newer is not None
    assert (made.state, newer.state, newer.fixes) == ("withdrawn", "open", 5)


def test_what_a_manager_has_refused_is_not_proposed_again(
    session: Session, site: Site, rita: User, make_user: MakeUser
) -> None:
    site.grade = Grade.MANUAL
    days_at_the_door(session, site, rita)
    made = healing.heal(session, site.id)
    assert made is not None
    admin = scope_of(session, make_user("ada", Role.ADMIN), source="web")
    proposals.refuse(session, admin, made.id, "The car park")
    days_at_the_door(session, site, rita, 6)
    assert healing.heal(session, site.id) is None


def test_a_pin_is_not_moved_far_or_into_another_territory_without_a_person(
    session: Session, site: Site, rita: User
) -> None:
    for name, west in (("West", 9.0), ("East", 9.5220)):
        territories.create(session, name=name, area=MultiPolygon([box(west, 47.0, 9.5220 if west == 9.0 else 10, 48)]))
    align_accounts(session, [site.account_id])
    days_at_the_door(session, site, rita)
    made = healing.heal(session, site.id)
    assert made is not None
    assert (made.state, round(off(session, site))) == ("open", 300)


def test_check_ins_at_the_old_address_say_nothing_about_the_new_one(session: Session, site: Site, rita: User) -> None:
    days_at_the_door(session, site, rita)
    site.street = "Landstrasse 9"
    session.flush()
    assert healing.fixes_at(session, site.id) == []
    assert session.scalars(select(PinProposal)).all() == []
