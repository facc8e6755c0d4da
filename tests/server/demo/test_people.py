"""The demonstration's working weeks: those of a real team, with something to look at on the day it is founded."""

from datetime import date
from uuid import uuid4

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from server.auth.models import Role
from server.auth.service import create_user, set_working_day
from server.closures import queries
from server.demo.people import PEOPLE, REPS, WEEK, WEEKS, keep_holidays, weekdays_of

THURSDAY, SUNDAY, CHRISTMAS = date(2026, 11, 26), date(2026, 11, 29), date(2026, 12, 25)


def test_nobody_works_seven_days_and_one_works_part_time_and_one_on_saturdays() -> None:
    weeks = {login: weekdays_of(login, THURSDAY) for login in REPS}
    assert weeks == {"nora": [0, 1, 2, 3, 4], "nils": [0, 1, 2, 3, 4], "sara": [0, 1, 2, 3], "sven": [1, 2, 3, 4, 5]}
    assert all(6 in weekdays_of(login, SUNDAY) for login in REPS), "who founds it on a Sunday sees people at work"


def test_everybodys_working_day_can_be_worked(empty_database: Engine) -> None:
    with Session(empty_database) as session:
        for person in PEOPLE:
            user = create_user(session, login=person.login, name=person.name, role=person.role)
            if person.role is Role.REP:
                set_working_day(session, user.id, WEEK | WEEKS.get(person.login, {}))


def test_holidays_are_kept_but_not_by_a_company_founded_on_one(empty_database: Engine) -> None:
    with Session(empty_database) as session:
        for country, today in (("LI", CHRISTMAS), ("", THURSDAY)):
            keep_holidays(session, country, today)
            assert queries.calendars_of(session) == []
        keep_holidays(session, "LI", THURSDAY)
        assert queries.days_off(session, [], CHRISTMAS, CHRISTMAS).of_rep(uuid4(), CHRISTMAS) == "Weihnachten"
