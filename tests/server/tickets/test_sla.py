"""The clock of a ticket against a count of every single minute."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from server.accounts.opening_hours import holiday_hours, parse_hours
from server.tickets.sla import Hours, due, open_spans, worked

MINUTE = timedelta(minutes=1)
OFFICE = Hours(parse_hours("Mo-Fr 08:00-12:00,13:30-17:00"), "Europe/Vaduz")
WEEKS = (
    "Mo-Fr 08:00-12:00,13:30-17:00",
    "24/7",
    "Mo-Su 01:30-02:45; PH off",
    "Fr-Sa 20:00-04:00; Su 02:00-03:30",
    "Mo 00:00-24:00; Tu 23:59-00:01; PH 10:00-11:00",
    "off",
)
ZONES = ("Europe/Vaduz", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")


def is_open(hours: Hours, at: datetime) -> bool:
    """What the wall clock says at a moment."""
    local = at.astimezone(ZoneInfo(hours.zone))
    minute = local.hour * 60 + local.minute
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    return any(a <= minute < b for a, b in hours.of(today)) or any(
        a <= minute + 1440 < b for a, b in hours.of(yesterday)
    )


def counted(hours: Hours, start: datetime, end: datetime) -> int:
    """Working minutes, one by one."""
    minutes, at = 0, start
    while at < end:
        minutes += is_open(hours, at)
        at += MINUTE
    return minutes


def days_off(every: int) -> Callable[[date], bool]:
    return lambda day: every > 0 and day.toordinal() % every == 0


ANY_HOURS = some.builds(
    lambda text, zone, every: Hours(parse_hours(text), zone, days_off(every), holiday_hours(text) or ()),
    some.sampled_from(WEEKS), some.sampled_from(ZONES), some.integers(0, 9),
)  # fmt: skip
NEAR_A_CHANGE = some.sampled_from(
    [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 3, 7, tzinfo=UTC),
     datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 12, 24, tzinfo=UTC)]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(hours=ANY_HOURS, day=NEAR_A_CHANGE, ahead=some.integers(0, 2880), length=some.integers(0, 4320))
def test_working_time_is_what_a_count_of_minutes_finds(hours: Hours, day: datetime, ahead: int, length: int) -> None:
    start = day + ahead * MINUTE
    end = start + length * MINUTE
    assert worked(hours, start, end) == counted(hours, start, end) * MINUTE


@settings(max_examples=60, deadline=None)
@given(hours=ANY_HOURS, day=NEAR_A_CHANGE, ahead=some.integers(0, 2880), minutes=some.integers(1, 3000))
def test_what_is_due_is_due_when_the_work_is_used_up_and_not_a_minute_before(
    hours: Hours, day: datetime, ahead: int, minutes: int
) -> None:
    start = day + ahead * MINUTE
    at = due(hours, start, minutes * MINUTE)
    if at is None:
        assert not list(open_spans(hours, start, start + timedelta(days=300)))
        return
    assert worked(hours, start, at) == minutes * MINUTE
    assert worked(hours, start, at - MINUTE) == (minutes - 1) * MINUTE


@settings(max_examples=60, deadline=None)
@given(hours=ANY_HOURS, day=NEAR_A_CHANGE, parts=some.lists(some.integers(0, 1500), min_size=3, max_size=3))
def test_a_pause_in_between_only_takes_its_own_time_away(hours: Hours, day: datetime, parts: list[int]) -> None:
    a = day + parts[0] * MINUTE
    b, c = a + parts[1] * MINUTE, a + (parts[1] + parts[2]) * MINUTE
    assert worked(hours, a, b) + worked(hours, b, c) == worked(hours, a, c)


def test_a_friday_afternoon_goes_on_on_monday() -> None:
    friday = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)  # 16:30 in Vaduz
    assert due(OFFICE, friday, timedelta(hours=1)) == datetime(2026, 11, 30, 7, 30, tzinfo=UTC)


def test_a_holiday_is_no_working_day() -> None:
    hours = Hours(OFFICE.week, OFFICE.zone, lambda day: day == date(2026, 11, 30))
    friday = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
    assert due(hours, friday, timedelta(hours=1)) == datetime(2026, 12, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "minutes"),
    [(datetime(2026, 3, 29, tzinfo=UTC), 60), (datetime(2026, 10, 25, tzinfo=UTC), 180)],
    ids=["an hour that is skipped", "an hour that comes twice"],
)
def test_the_night_when_the_clocks_change(day: datetime, minutes: int) -> None:
    night = Hours(parse_hours("Mo-Su 01:00-03:00"), "Europe/Vaduz")
    assert worked(night, day - timedelta(hours=1), day + timedelta(hours=12)) == minutes * MINUTE


def test_nothing_is_ever_due_where_nobody_works() -> None:
    assert due(Hours(parse_hours("off"), "UTC"), datetime(2026, 1, 1, tzinfo=UTC), MINUTE) is None
