"""Find a time: the three best of all days first, all of them by day below."""

from datetime import UTC, date, datetime, timedelta

import pytest

from mobile.field import offers
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window
MONDAY = datetime(2026, 11, 30, 8, tzinfo=UTC)


def day(n, *detours, closed=False):
    """A planned day with a time every hour, by what each costs in minutes."""
    begins = MONDAY + timedelta(days=n)
    found = [
        offers.Offer(begins + timedelta(hours=at), begins + timedelta(hours=at, minutes=30), minutes * 60, "")
        for at, minutes in enumerate(detours)
    ]
    return offers.DayOffers(date(2026, 11, 30) + timedelta(days=n), "Europe/Vaduz", tuple(found), closed)


def shown(screen, monkeypatch, *days):
    monkeypatch.setattr(offers, "offers", lambda *_args, **_more: list(days))
    screen.app.go("times", account_id=uid(1001))
    screen.frames()
    return [w.label for w in screen.widgets() if "(+" in str(getattr(w, "label", ""))]


def test_the_three_best_stand_first_and_the_days_below_more(screen, monkeypatch):
    found = shown(screen, monkeypatch, day(0, 9, 4, 30), day(1, 3, 12), day(2, closed=True), day(7, 5, 20))
    assert found == ["Tue 09:00 (+3 min)", "Mon 10:00 (+4 min)", "Mon 09:00 (+5 min)"]
    assert screen.shows("Mon 7 Dec, 09:00"), "which Monday"
    assert not screen.shows("Closed on this day.")
    screen.tap("4 more times, by day")
    labels = [w.label for w in screen.widgets() if "(+" in str(getattr(w, "label", ""))]
    assert (labels[:3], len(labels)) == (found, 3 + 7)
    assert screen.shows("Closed on this day.")
    screen.app.back()
    assert screen.app.trail == [("today", {})]


def test_few_times_stand_by_day_at_once(screen, monkeypatch):
    found = shown(screen, monkeypatch, day(0, 9, 4, 30), day(1, 3, 12, 8))
    assert len(found) == 6
    assert not screen.shows("With the least driving")


def test_where_nothing_fits_the_days_say_why(screen, monkeypatch):
    assert shown(screen, monkeypatch, day(0), day(1, closed=True)) == []
    assert screen.shows("Nothing fits on this day.")
    assert screen.shows("Closed on this day.")
