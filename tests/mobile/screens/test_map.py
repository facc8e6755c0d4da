"""The map: its layers, its gestures, pins that are moved."""

import math
from dataclasses import replace

import pytest

from mobile.field import zones
from tests.mobile.conftest import uid
from tests.mobile.make_pack import ATTRIBUTION

pytestmark = pytest.mark.window


class Stopped:
    """A sync that is over."""

    def nudge(self, after_s=0.0):
        """It does not begin again."""

    def stop(self):
        """It has."""


def test_prospects_and_leads_are_layers_of_the_map(screen):
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    keys = lambda: {pin.key for pin in day_map.map.pins}  # noqa: E731
    assert {f"account:{uid(1009)}", f"account:{uid(6901)}"} <= keys()
    screen.tap("Layers")
    screen.tap("Leads")
    assert f"account:{uid(6901)}" not in keys()
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    assert f"account:{uid(6901)}" not in keys(), "it stays as the rep wants it"
    day_map.tapped(f"account:{uid(1009)}")
    screen.frames()
    screen.tap("Open")
    assert screen.shows("Log a visit")


def test_what_a_sync_brings_is_on_the_map_and_counted_without_leaving_it(screen, world):
    from mobile.field.sync.run import Report
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    screen.tap("Layers")
    (day_map,) = screen.widgets(DayMap)
    firms = sum(one.layer == "firm" for one in day_map.people.values())
    row = world.server.world.rows["prospect", uid(7001)]["d"]
    world.server.put("prospect", uid(7003), row | {"id": uid(7003), "name": "Am Berg", "lat": 47.15}, 412)
    assert world.sync().ok
    screen.app.worker = Stopped()
    screen.app._synced(Report(ok=True, rows=1))
    screen.frames()
    assert sum(one.layer == "firm" for one in day_map.people.values()) == firms + 1
    assert f"account:{uid(7003)}" in {pin.key for pin in day_map.map.pins}
    assert screen.widgets(DayMap) == [day_map], "nothing jumps under the rep's fingers"


def test_an_order_that_was_taken_has_its_numbers_on_the_map(screen):
    from mobile.field import restday
    from mobile.screens.map_view import DayMap

    files, me, today = screen.app.ctx.files, screen.app.ctx.user_id, screen.app.ctx.today
    restday.take(files, restday.propose(restday.ahead_of(files, me, today), spent=lambda: 1.0))
    shown = restday.day_as_taken(files, me, today)
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    assert day_map.day == shown
    doors = {pin.key.removeprefix("stop:"): pin.ink for pin in day_map.map.pins if pin.key.startswith("stop:")}
    (here,) = (ink for numbers, ink in doors.items() if str(shown.next_stop.number) in numbers.split("+"))
    assert here == "accent"
    assert len(day_map._route()) == len([s for s in shown.stops if not s.is_out and s.arrives_at]) + 1


def test_who_is_overdue_is_counted_at_a_bubble_and_firms_come_from_near(screen, world):
    from mobile.screens.map_view import FIRMS_SINCE, DayMap

    for n in (1, 2):
        account = {"name": f"Late {n}", "status": "customer", "tags": [], "account_class": "A"}
        world.server.put("account", uid(1100 + n), account | {"last_visit_on": "2020-01-01"}, 412)
        place = {"account_id": uid(1100 + n), "is_main": True, "city": "Vaduz", "lon": 9.5301, "lat": 47.1421}
        world.server.put("site", uid(2100 + n), place, 412)
    assert world.sync().ok
    world.kill()
    screen.app.ctx.index = None
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    view = day_map.map
    firms = {f"account:{uid(7001)}", f"account:{uid(7002)}"}
    assert firms < {pin.key for pin in view.pins}
    gathered = view._clusters(FIRMS_SINCE - 1)
    assert not firms & {key for found in gathered for key in found.keys}
    assert firms <= {key for found in view._clusters(FIRMS_SINCE) for key in found.keys}
    late = [dict(found.inks).get("bad") for found in gathered if f"account:{uid(1101)}" in found.keys]
    assert late == [2]
    screen.tap(screen.app.ctx.words("layers"))
    assert screen.shows("Firms are shown when you zoom in.")


def test_where_the_route_begins_has_a_mark_that_says_when(screen):
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    (home,) = [pin for pin in day_map.map.pins if pin.icon == "house"]
    assert (home.lon, home.lat) == (9.5, 47.1)
    day_map.tapped(home.key)
    screen.frames()
    assert screen.shows("00:30  Leave Depot")
    assert screen.shows("Back at Depot")


def test_no_name_lies_under_the_buttons_and_no_stop_upon_home(screen):
    from mobile.screens.map_view import DayMap
    from mobile.widgets import mapmarks
    from mobile.widgets.controls import IconButton

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    nearer = next(w for w in screen.widgets(IconButton) if w.label == "zoom in")
    boxes = [(one.x, one.y, one.width, one.height) for one in day_map.map._obstacles()]
    x, y = nearer.center_x - day_map.map.x, nearer.center_y - day_map.map.y
    assert any(abs(x - cx) <= wide / 2 and abs(y - cy) <= high / 2 for cx, cy, wide, high in boxes)
    assert mapmarks.beside(0, 0, 12, [(100, 0, 12)]) == (0, 0)
    assert mapmarks.beside(4, 0, 12, [(0, 0, 12)]) == (24, 0)
    assert mapmarks.beside(0, 0, 12, [(0, 0, 12)]) == (0, 24)


def test_the_map_beside_today_shows_who_lies_around_too(open_app, world):
    from mobile.screens.map_view import DayMap

    screen = open_app(world.folder, syncing=False)
    screen.resize((1024, 768))
    try:
        (day_map,) = screen.widgets(DayMap)
        assert f"account:{uid(1009)}" in {pin.key for pin in day_map.map.pins}
    finally:
        screen.resize((412, 732))


def test_the_map_shows_pins_and_whose_data_it_is(screen):
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    assert screen.shows(ATTRIBUTION)
    view = day_map.map
    assert len(view.pins) == 6, "four stops at one door are one pin, and there is the depot"
    assert view.pins[0].label == "4 ×"
    view.load_all()
    assert view._tiles
    before = view.zoom
    screen.tap("zoom in")
    assert view.zoom > before
    view.fit([(view.pins[0].lon, view.pins[0].lat)])
    screen.tap_at(*view.lonlat_px(view.pins[0].lon, view.pins[0].lat))
    assert sum(w == "Open" for w in screen.words()) == 4, "each stop of the door has its line"


def test_the_map_of_the_day_holds_where_it_begins_and_ends(open_app, world):
    from mobile.screens.map_view import DayMap

    route = world.server.world.rows["route", uid(5000)]["d"]
    far = {"name": "Home", "lon": 9.6, "lat": 47.25}
    world.server.put("route", uid(5000), route | {"start": far, "end": far}, 7)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False)
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    for pin in (day_map.map.pins[0], next(pin for pin in day_map.map.pins if pin.icon == "house")):
        x, y = day_map.map.lonlat_px(pin.lon, pin.lat)
        assert (0 < x < day_map.width, day_map.y < y < day_map.top) == (True, True), pin


def test_the_map_stays_where_one_looked_while_somebody_new_is_written_down(screen):
    """After a save from a long press it jumped to the stops of the day."""
    from mobile.screens.map_view import DayMap

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    screen.tap("zoom in")
    day_map.map.fit([(9.53, 47.15)])
    looked = day_map.map.view
    day_map.held(9.531, 47.151)
    screen.frames()
    form = screen.app.stage.screen
    next(w for w in screen.widgets() if getattr(w, "KIND", "") == "lead").fields["company"].input.text = "Kiosk Neu"
    screen.tap("Save")
    assert form is not screen.app.stage.screen
    (day_map,) = screen.widgets(DayMap)
    assert day_map.map.view == looked
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    assert day_map.map.view != looked, "opened anew it shows the day"


def test_what_became_of_a_stop_is_not_told_by_colour_alone(screen):
    from mobile.field.capture import VisitTarget, visit_event
    from mobile.screens.map_view import DayMap

    ctx = screen.app.ctx
    site = ctx.files.cache.doc("site", uid(2001))
    ctx.files.cache.put_base("site", uid(2001), 9, site | {"lon": 9.54})
    visit_event(ctx.files, VisitTarget(uid(1001), uid(2001), ctx.today.isoformat(), "UTC", uid(3001)), "done")
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    signs = {pin.label: pin.sign for pin in day_map.map.pins if pin.label}
    assert signs == {"1": "check", "2·3·4": ""}


def test_two_fingers_turn_the_map_around_what_they_hold_and_the_compass_sets_north_up(screen):
    from kivy.tests.common import UnitTestTouch

    from mobile.screens.map_view import DayMap
    from mobile.widgets.mapmarks import Pin

    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    view = day_map.map
    view.load_all()
    x, y = view.center
    held = view.px_lonlat(x, y)
    still, finger = UnitTestTouch(x - 80, y), UnitTestTouch(x + 80, y)
    for touch in (still, finger):
        touch.touch_down()
    still.touch_move(x, y - 80)
    finger.touch_move(x, y + 80)
    for touch in (still, finger):
        touch.touch_up()
    assert math.degrees(view.bearing) == pytest.approx(90, abs=1)
    assert view.px_lonlat(*view.lonlat_px(*held)) == pytest.approx(held)
    view.load_all()
    screen.tap("north up")
    assert view.bearing == 0
    view.show([Pin(str(n), 9.52 + n / 1e6, 47.14, ink="bad", gathers=True) for n in range(5)])
    ((found, (cx, cy, _radius)),) = view._crowds.items()
    assert len(found.keys) == 5
    before = view.zoom
    view.tap(cx, cy)
    assert view.zoom > before, "a tap on a bubble looks closer"


def test_the_rep_drags_the_pin_to_the_door_and_proposes_it(screen):
    from mobile.screens.pin import PinForm

    screen.app.go("account", account_id=uid(1001))
    screen.frames()
    screen.tap("Move the pin")
    (form,) = screen.widgets(PinForm)
    screen.tap("Propose")
    assert screen.shows("Drag the pin, or tap")
    before = form.map.centre
    x, y = form.map.lonlat_px(*form.map.at)
    screen.drag((x + 4, y - 3), (x + 64, y + 37))
    assert form.map.centre == before, "the map stays where it is"
    assert form.map.lonlat_px(*form.map.at) == pytest.approx((x + 60, y + 40), abs=1)
    assert screen.shows(f"{round(form.moved_m)} m from the present pin")
    form.note.input.text = "Behind the church"
    screen.tap("Propose")
    assert screen.shows("Saved on this phone.")
    assert screen.shows("waits for a network.")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.body["d"]["note"], op.body["d"]["fix"]["accuracy_m"]) == ("Behind the church", 12.0)
    assert screen.shows("1 on phone")
    store = screen.app.ctx.store
    zones.heard(store.outbox, "Pacific/Auckland")  # thirteen hours ahead of UTC in November
    at = {"state": "accepted", "proposed_at": "2026-11-28T12:54:00Z", "account_id": uid(1001), "site_id": uid(2001)}
    store.cache.put_base("pin_proposal", op.row_id, 9, op.body["d"] | at | {"id": op.row_id})
    store.outbox.acknowledge(op.n, "applied", {"n": op.n, "status": "applied"})
    store.rebuild_overlay()
    screen.app.again()
    screen.frames()
    assert screen.shows("Sun 01:54"), "in the rep's zone, not in that of the machine"


def test_the_pin_can_be_put_where_the_rep_stands(screen):
    from mobile.screens.pin import PinForm

    screen.app.go("pin", site_id=uid(2001))
    screen.frames()
    (form,) = screen.widgets(PinForm)
    screen.tap("Where I stand")
    assert form.map.at == (9.5205, 47.14)
    assert screen.shows("38 m from the present pin")


def test_me_without_a_position_says_so_and_goes_where_i_am_not_where_i_was(screen):
    from mobile.screens.map_view import DayMap

    nearby = screen.app.phone.position
    screen.tap("Map")
    (day_map,) = screen.widgets(DayMap)
    nearby.fix = lambda: None
    before = day_map.map.view
    screen.tap("me")
    assert screen.shows("The phone does not know where it is now.")
    assert day_map.map.view == before
    nearby.fix = lambda: replace(day_map.fix, lon=9.6, lat=47.2)
    screen.tap("me")
    assert day_map.map.px_lonlat(*day_map.map.center) == pytest.approx((9.6, 47.2), abs=1e-3)
