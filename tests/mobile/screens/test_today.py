"""The day as *Today* lays it out: stops, legs, what was done beside the route, and days that are not fetched yet."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mobile.field import reads
from mobile.field.store import clock
from mobile.field.store.cache import DELETED
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


def test_what_was_done_beside_the_route_stands_where_its_time_is(screen):
    from mobile.screens.today import _in_time

    ctx = screen.app.ctx
    first, second, third, loose = reads.day(ctx.files, ctx.user_id, ctx.today).stops[:4]
    at = lambda hour: datetime(2026, 11, 30, hour, tzinfo=ctx.zone)  # noqa: E731
    first = replace(first, state="done", done_at=at(9), arrives_at=at(8), starts_at=at(8))
    second, third = (replace(s, arrives_at=at(h), starts_at=at(h)) for s, h in ((second, 11), (third, 13)))
    loose = replace(loose, state="done", done_at=at(10), arrives_at=None, starts_at=None)
    assert loose.begins_at == at(10)
    assert _in_time([first, second, third, loose]) == [first, loose, replace(second, drive_s=None), third]
    late = replace(loose, done_at=at(15))
    assert _in_time([first, second, third, late]) == [first, second, third, late]
    waiting = replace(loose, state="planned", done_at=None)
    assert _in_time([first, second, third, waiting]) == [first, second, third, waiting]


def test_a_stop_after_one_beside_the_route_has_no_leg(screen, monkeypatch):
    from mobile.field import restday

    ctx = screen.app.ctx
    day = reads.day(ctx.files, ctx.user_id, ctx.today)
    at = lambda hour: datetime(2026, 11, 30, hour, tzinfo=ctx.zone)  # noqa: E731
    first, second, third, loose = (replace(s, drive_s=13 * 60, distance_m=None) for s in day.stops[:4])
    first, second, third = (
        replace(s, arrives_at=at(h), starts_at=at(h)) for s, h in ((first, 8), (second, 11), (third, 13))
    )
    first = replace(first, state="done", done_at=at(9))
    loose = replace(loose, state="done", done_at=at(10), arrives_at=None, starts_at=None, drive_s=None)
    legs = []
    for stops in ((first, second, third), (first, second, third, loose)):
        told = replace(day, stops=stops, returns_at=None)
        monkeypatch.setattr(restday, "day_as_taken", lambda *_args, told=told: told)
        screen.app.go("today")
        screen.frames()
        legs.append([words for words in screen.words() if words.startswith("13 min")])
    assert [len(one) for one in legs] == [4, 2], "nor has the card of the next stop"


@pytest.mark.parametrize(("hours", "late"), [(-2, True), (2, False)])
def test_a_next_stop_whose_time_is_past_is_late(world, open_app, hours, late):
    begins = (clock.now() + timedelta(hours=hours)).isoformat()
    for n in range(1, 5):
        stop = world.server.world.rows["stop", uid(4000 + n)]["d"]
        world.server.put("stop", uid(4000 + n), stop | {"arrives_at": begins, "starts_at": begins}, 7)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    (eyebrow,) = [words for words in screen.words() if words.startswith("Next stop")]
    assert eyebrow.endswith("late") == late


def test_a_stop_keeps_its_name_when_the_office_deletes_the_account(open_app, world):
    server, visit = world.server, world.server.world.rows["visit", uid(3001)]["d"]
    server.put("visit", uid(3001), visit | {"state": "done"})
    server.put("account", uid(1001), None)
    server.put("site", uid(2001), None)
    server.put("stop", uid(4001), None)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    assert screen.shows("Müller GmbH")
    assert screen.shows("done  ·  deleted by the office")
    screen.tap("Müller GmbH")
    assert screen.shows("The office has deleted this account.")
    screen.app.go("week")
    screen.frames()
    assert screen.shows("Müller GmbH")
    screen.app.on_stop()
    server.put("visit", uid(3001), None)
    assert world.sync().ok
    assert world.store.cache.doc(DELETED, uid(1001)) is None, "of a visit that is gone no name is kept"


def test_on_another_day_the_next_stop_is_opened_and_nobody_is_checked_in(screen, world):
    ctx = screen.app.ctx
    assert screen.shows("Check in")
    ctx.day = ctx.today + timedelta(days=1)
    for kind, ids in (("route", [5000]), ("visit", range(3001, 3005))):
        for n in ids:
            row = world.server.world.rows[kind, uid(n)]["d"] | {"day": ctx.day.isoformat()}
            world.server.put(kind, uid(n), row)
    assert world.sync().ok
    screen.app.again()
    screen.frames()
    assert not screen.shows("Check in")
    screen.tap("Open")
    assert screen.shows("Outcome")
    assert ctx.files.outbox.ops() == []


def test_the_way_home_stands_before_the_end_of_the_day(open_app, world):
    route = world.server.world.rows["route", uid(5000)]["d"]
    world.server.put("route", uid(5000), route | {"drive_s": 780, "distance_m": 4_300}, 7)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    told = screen.words()
    assert told.index("13 min drive · 4.3 km") < told.index("Back at Depot")


def test_before_the_first_sync_has_ended_the_days_are_said_to_be_fetched(screen):
    files = screen.app.ctx.files
    synced_at = files.cache.meta.get("synced_at")
    files.cache.meta.set("synced_at", None)
    screen.app.ctx.day = screen.app.ctx.today + timedelta(days=60)
    screen.app.again()
    screen.frames()
    assert screen.shows("Your days are being fetched from the server.")
    assert not screen.shows("No visits on this day")
    screen.app.ctx.problem = "The server does not answer."
    screen.app.again()
    screen.frames()
    assert screen.shows("They come with the next sync."), "it could not be fetched"
    screen.app.ctx.problem = None
    files.cache.meta.set("synced_at", synced_at)
    screen.app.again()
    screen.frames()
    assert screen.shows("No visits on this day")


def test_today_lists_the_stops_and_the_next_one_is_large(screen):
    assert screen.shows("Next stop")
    assert screen.shows("4 stops")
    assert screen.shows("Bäckerei Näscher")


def test_a_day_is_told_done_only_where_all_of_it_is_and_the_break_stands_between_the_stops(world, open_app):
    rows, today = world.server.world.rows, clock.now().date().isoformat()
    route = {"break_starts_at": f"{today}T12:00:00Z", "break_s": 2700}
    world.server.put("route", uid(5000), rows["route", uid(5000)]["d"] | route, 7)
    for n, hour in ((1, 9), (2, 11), (3, 13), (4, 15)):
        times = {"arrives_at": f"{today}T{hour:02}:00:00Z", "starts_at": f"{today}T{hour:02}:00:00Z"}
        world.server.put("stop", uid(4000 + n), rows["stop", uid(4000 + n)]["d"] | times, 7)
        state = {"state": "missed" if n == 2 else "done"}
        world.server.put("visit", uid(3000 + n), rows["visit", uid(3000 + n)]["d"] | state, 7)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    assert screen.shows("No visit of this day lies ahead: 3 done, 1 missed.")
    lines = [one for one in screen.words() if one in ("11:00", "13:00", "Break until 12:45")]
    assert lines == ["11:00", "Break until 12:45", "13:00"]
    screen.app.on_stop()
    world.server.put("visit", uid(3002), rows["visit", uid(3002)]["d"] | {"state": "done"}, 7)
    assert world.sync().ok
    world.kill()
    assert open_app(world.folder, syncing=False).shows("All visits of this day are done.")
