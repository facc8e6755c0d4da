"""The week, times to offer and what lies on the phone, without a screen."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mobile.field import agenda, holdings, offers, reads, taking, zones
from tests.mobile.conftest import DAY, uid

ZONE = ZoneInfo("Europe/Vaduz")
DAY_OF = date.fromisoformat(DAY)


@pytest.fixture
def planned(phone, server):
    """A day of two visits with a route from a depot, long before anybody runs this."""
    depot = {"name": "Depot", "lon": 9.5, "lat": 47.1}
    times = {"leaves_at": f"{DAY}T07:00:00Z", "returns_at": f"{DAY}T15:00:00Z", "closes_at": f"{DAY}T16:00:00Z"}
    route = server.world.rows["route", uid(5000)]["d"]
    server.put("route", uid(5000), route | times | {"start": depot, "end": depot}, 7)
    assert phone.sync().ok
    return phone.store


def test_the_week_holds_visits_meetings_and_tasks_of_their_own_day(planned, server):
    mine = {"owner_id": server.user_id, "state": "open", "priority": "normal"}
    rows = {
        1: mine | {"kind": "meeting", "subject": "Late", "starts_at": f"{DAY}T23:30:00Z"},
        2: mine | {"kind": "task", "subject": "Due", "due_on": DAY},
        3: mine | {"kind": "meeting", "subject": "Fair", "starts_at": "2026-11-24T23:00:00Z",
                   "ends_at": "2026-11-26T23:00:00Z", "is_all_day": True, "zone": "Europe/Vaduz"},
        4: mine | {"kind": "task", "subject": "Not mine", "due_on": DAY, "owner_id": uid(77)},
    }  # fmt: skip
    with planned.page():
        for n, doc in rows.items():
            planned.cache.put_base("activity", uid(n), 1, doc | {"id": uid(n)})
    week = agenda.week(planned, server.user_id, agenda.monday_of(DAY_OF), ZONE)
    told = {d.day.isoformat()[8:]: [e.title for e in d.entries] for d in week}
    assert told == {
        "23": ["Bäckerei Näscher", "Due", "Müller GmbH"], "24": ["Late"], "25": ["Fair"], "26": ["Fair"], "27": [],
        "28": [], "29": [],
    }  # fmt: skip
    assert reads._stop(planned, {"account_id": uid(1001)}, None, {}).zone == zones.name_of(planned.outbox), (
        "a stop of a route that is not published is told in the rep's zone"
    )


def test_what_is_late_is_told_as_late_in_the_week_too():
    now = datetime.fromisoformat(f"{DAY}T12:00:00+00:00")
    hour = {"starts_at": now - timedelta(hours=2), "ends_at": now - timedelta(hours=1)}

    def late(kind, on=DAY_OF, **more):
        said = {"starts_at": None, "ends_at": None, "all_day": False, "state": "open", "waits": False}
        return agenda.Entry(kind=kind, id="", account_id=None, title="X", account="", **(said | more)).is_late(
            on, DAY_OF, now
        )

    yesterday = DAY_OF - timedelta(days=1)
    assert [late("task"), late("task", yesterday), late("call", **hour), late("visit", state="planned", **hour)] == [
        False, True, True, True,
    ]  # fmt: skip
    assert not late("meeting", **hour), "it took place"
    assert not late("visit", yesterday, state="done", **hour)
    assert not late("call", yesterday, repeats=True, **hour)


def test_a_time_is_offered_where_it_fits_and_not_across_a_meeting(planned, server, monkeypatch):
    now = datetime.fromisoformat(f"{DAY}T05:00:00+00:00")
    monkeypatch.setattr("mobile.field.store.moments.now", lambda _outbox: now)
    ask = lambda: offers.offers(planned, server.user_id, uid(1001), DAY_OF, lasts_s=1_800)  # noqa: E731
    (day,) = ask()
    first = min(day.offers, key=lambda one: one.starts_at)
    assert (first.after, first.shade, first.starts_at.minute % 5) == ("", "good", 0)
    assert all(one.ends_at - one.starts_at == timedelta(seconds=1_800) for one in day.offers)
    taking.next_step(
        planned, None, "Talk", kind="meeting",
        starts_at=first.starts_at.isoformat(), ends_at=first.ends_at.isoformat(),
    )  # fmt: skip
    (again,) = ask()
    assert first.starts_at not in {one.starts_at for one in again.offers}
    site = planned.cache.doc("site", uid(2002))
    with planned.page():
        planned.cache.put_base("site", uid(2002), 2, site | {"lon": None, "lat": None})
    with pytest.raises(offers.NoPlace):
        offers.offers(planned, server.user_id, uid(1002), DAY_OF)


def test_a_begin_is_offered_once_and_coloured_by_the_minutes_that_are_told(planned, server, monkeypatch):
    now = datetime.fromisoformat(f"{DAY}T05:00:00+00:00")
    monkeypatch.setattr("mobile.field.store.moments.now", lambda _outbox: now)
    (day,) = offers.offers(planned, server.user_id, uid(1001), DAY_OF, lasts_s=1_800)
    begins = round((day.offers[0].starts_at - datetime.combine(DAY_OF, datetime.min.time(), ZONE)).total_seconds())
    two = [offers.Slot(None, begins, 1_020), offers.Slot(None, begins, 1_080)]
    monkeypatch.setattr(offers, "slots", lambda *_args: two)
    (day,) = offers.offers(planned, server.user_id, uid(1001), DAY_OF, lasts_s=1_800)
    assert [one.detour_s for one in day.offers] == [1_020]
    shade = lambda detour_s: offers.Offer(now, now, detour_s, "").shade  # noqa: E731
    assert [shade(s) for s in (629, 631, 1_529, 1_531)] == ["good", "warn", "warn", "bad"], "10, 11, 25 and 26 min"


def test_what_lies_on_the_phone_is_told_by_kind(planned):
    held = {one.kind: one for one in holdings.everything(planned, [])}
    assert [held[kind].count for kind in ("accounts", "visits", "plans", "photos", "journal")] == [2, 2, 1, 0, 0]
    assert held["accounts"].octets > 400
    assert held["journal"].octets > 0
