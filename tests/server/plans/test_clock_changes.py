"""On two days of a year the clocks jump; plans of those days stay lawful in real time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy.orm import Session

from routing.budget import Budget
from routing.solve import solve
from routing.types import Problem, RepDay, Visit, Window
from server.auth.service import set_working_day
from server.plans.build import evenly, moment, on_days_clock, seconds_of, shifts_of

ZONE = "Europe/Vaduz"
SPRING, AUTUMN, ORDINARY = date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)
H = 3600


def wall(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(ZONE))


@pytest.mark.parametrize("day", [SPRING, AUTUMN, ORDINARY])
def test_from_the_change_on_the_days_clock_shows_what_the_clocks_show(day: date) -> None:
    for hour in range(3, 24):
        assert moment(day, ZONE, hour * H) == wall(day, hour)
        assert seconds_of(wall(day, hour), day, ZONE) == evenly(hour * H, day, ZONE) == hour * H
    assert moment(day, ZONE, 24 * H) == wall(day + timedelta(days=1), 0)


@pytest.mark.parametrize("day", [SPRING, AUTUMN, ORDINARY])
def test_the_days_clock_runs_evenly_through_the_change(day: date) -> None:
    moments = [moment(day, ZONE, s).astimezone(UTC) for s in range(0, 26 * H, 600)]
    assert {b - a for a, b in pairwise(moments)} == {timedelta(seconds=600)}
    assert all(seconds_of(at, day, ZONE) == k * 600 for k, at in enumerate(moments))


def test_opening_hours_before_and_after_the_change_are_the_real_ones_and_skipped_ones_fall_away() -> None:
    night = (Window(1 * H, 2 * H), Window(2 * H + 600, 3 * H - 600), Window(3 * H, 5 * H))
    first, second = on_days_clock(night, SPRING, ZONE)
    assert moment(SPRING, ZONE, first.open_s) == wall(SPRING, 1)
    assert moment(SPRING, ZONE, first.close_s) == moment(SPRING, ZONE, second.open_s) == wall(SPRING, 3)
    assert moment(SPRING, ZONE, second.close_s) == wall(SPRING, 5)
    autumn = on_days_clock((Window(2 * H, 3 * H),), AUTUMN, ZONE)
    assert autumn == (Window(1 * H, 3 * H),)  # two o'clock comes twice
    assert on_days_clock(night, ORDINARY, ZONE) == night


@pytest.mark.parametrize("day", [SPRING, AUTUMN, ORDINARY])
def test_a_night_shift_over_the_change_drives_and_serves_in_real_time(
    session: Session, people: dict[str, Any], day: date
) -> None:
    rita = people["rita"]
    hours = {"shift_start": time(1), "shift_end": time(7), "break_earliest": None, "break_latest": None}
    set_working_day(session, rita.id, {"weekdays": list(range(7)), **hours})
    session.refresh(rita)
    (shift,) = shifts_of(rita, [day], ZONE)
    real_hours = (wall(day, 7).astimezone(UTC) - wall(day, 1).astimezone(UTC)) / timedelta(hours=1)
    assert shift.close_s - shift.open_s == real_hours * H  # 5, 7 or 6
    windows = on_days_clock((Window(0, 24 * H),), day, ZONE)
    visits = tuple(Visit(f"v{k}", k + 1, H // 2, windows, prize=9 * H) for k in range(8))
    rep_day = RepDay("rita", "rita", 0, 0, 0, shift.open_s, shift.close_s)
    drives = np.full((9, 9), H // 2) - H // 2 * np.eye(9, dtype=int)
    plan = solve(Problem((rep_day,), visits, drives), engine="insertion", budget=Budget(steps=10))
    (route,) = plan.routes
    assert len(route.stops) == real_hours - 1
    left = shift.moment(route.leaves_s).astimezone(UTC)
    assert left >= wall(day, 1).astimezone(UTC)
    for stop in route.stops:
        begins, ends = (shift.moment(s).astimezone(UTC) for s in (stop.starts_s, stop.ends_s))
        assert begins - left >= timedelta(minutes=30)
        assert ends - begins == timedelta(minutes=30)
        left = ends
    assert left + timedelta(minutes=30) <= wall(day, 7).astimezone(UTC)


def test_a_shift_of_the_day_keeps_its_hours_on_both_days(session: Session, people: dict[str, Any]) -> None:
    set_working_day(session, people["rita"].id, {"weekdays": list(range(7))})
    session.refresh(people["rita"])
    for shift in shifts_of(people["rita"], [SPRING, AUTUMN], ZONE):
        profile = people["rita"].rep_profile
        assert shift.moment(shift.open_s) == datetime.combine(shift.day, profile.shift_start, ZoneInfo(ZONE))
        assert shift.moment(shift.close_s) == datetime.combine(shift.day, profile.shift_end, ZoneInfo(ZONE))


@pytest.mark.parametrize(("month", "offsets"), [(3, (1, 2, 2)), (10, (2, 1, 1))])
def test_a_plan_over_the_change_visits_at_what_the_clocks_show_on_each_day(
    month: int, offsets: tuple[int, ...], session: Session, people: Any, make_account: Any, monday: date, plan_now: Any
) -> None:
    end = date(monday.year + 1, month, 31)
    saturday = end - timedelta(days=(end.weekday() + 1) % 7 + 1)
    rita = people["rita"]
    rita.zone = ZONE
    set_working_day(session, rita.id, {"weekdays": list(range(7))})
    for name in ("Sa", "Su", "Mo"):
        make_account(name, (9.51, 47.1), account_class="A", owner_id=rita.id, opening_hours=f"{name} 10:00-10:40")
    session.flush()
    found = plan_now(people["mona"], [rita], saturday, days=3).routes
    starts = [route.stops[0].starts_at.astimezone(ZoneInfo(ZONE)) for route in found]
    assert [at.utcoffset() for at in starts] == [timedelta(hours=hours) for hours in offsets]
    assert all(time(10) <= at.time() <= time(10, 10) for at in starts)
    assert all(route.leaves_at >= wall(route.day, 7) for route in found)
