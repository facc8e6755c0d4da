"""Weeks, months, quarters and years follow each other without gaps."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.errors import Invalid
from server.reports.periods import Against, Period, Span, around, chosen, spelled

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@given(DAYS, st.sampled_from(list(Span)))
def test_a_day_lies_in_its_period_and_periods_follow_each_other(day: date, span: Span) -> None:
    period = around(day, span)
    assert period.first <= day <= period.last
    assert period.shifted(1).first == period.last + timedelta(days=1)
    assert period.shifted(-1).shifted(1) == period
    assert period.compared(Against.BEFORE) == period.shifted(-1)


@given(DAYS, st.integers(0, 730))
def test_chosen_days_are_moved_by_their_own_length(day: date, more: int) -> None:
    period = chosen(day, day + timedelta(days=more))
    assert period.days == more + 1
    assert period.shifted(-1).last == period.first - timedelta(days=1)
    assert period.compared(Against.YEAR).last < period.last


def test_a_year_ago_is_the_same_month_quarter_and_weekday() -> None:
    day = date(2026, 11, 26)
    assert around(day, Span.MONTH).compared(Against.YEAR).name == "2025-11"
    assert around(day, Span.QUARTER).compared(Against.YEAR).name == "2025 Q4"
    assert around(day, Span.WEEK).compared(Against.YEAR).first.weekday() == 0
    assert chosen(date(2024, 2, 29), date(2024, 3, 1)).compared(Against.YEAR) == Period(
        date(2023, 2, 28), date(2023, 3, 1)
    )


def test_days_that_are_no_period_are_refused() -> None:
    with pytest.raises(Invalid, match="before the first"):
        chosen(date(2026, 2, 1), date(2026, 1, 1))
    with pytest.raises(Invalid, match="two years"):
        chosen(date(2020, 1, 1), date(2026, 1, 1))


def test_periods_are_said_as_people_say_them() -> None:
    day = date(2026, 11, 26)
    said = [spelled(around(day, span), "en") for span in Span]
    assert said == ["Week 48, 2026", "November 2026", "Q4 2026", "2026"]
    assert [spelled(around(date(2027, 3, 1), span), "de") for span in Span][:2] == ["KW 9, 2027", "März 2027"]
    assert spelled(chosen(date(2026, 1, 31), date(2026, 2, 1)), "de") == "31. Januar 2026 – 1. Februar 2026"
    assert spelled(around(date(2027, 1, 1), Span.WEEK), "en") == "Week 53, 2026", "the year of its Thursday"


@pytest.mark.parametrize("day", [date.min, date(1899, 12, 31), date(2200, 1, 1), date.max])
@pytest.mark.parametrize("span", Span)
def test_days_of_no_report_are_refused(day: date, span: Span) -> None:
    with pytest.raises(Invalid, match="no reports"):
        around(day, span)
    with pytest.raises(Invalid, match="no reports"):
        chosen(day, day)


@pytest.mark.parametrize("span", Span)
def test_the_first_and_the_last_period_have_neighbours(span: Span) -> None:
    for day in (date(1900, 1, 1), date(2199, 12, 31)):
        for against in Against:
            assert around(day, span).compared(against).days
        assert around(day, span).shifted(1).days
