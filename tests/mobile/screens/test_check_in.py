"""Checking in: where the rep stands, judged against the pin."""

import pytest

from mobile.field.checkin import Fix
from mobile.field.store import clock
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


class Standing:
    """A phone whose rep walks about."""

    def __init__(self, lon=9.5205, accuracy_m=12.0):
        self.lon, self.accuracy_m = lon, accuracy_m

    def fix(self):
        return Fix(self.lon, 47.14, self.accuracy_m, clock.now())

    def rest(self):
        """Nothing runs here."""


def test_a_visit_that_was_checked_in_says_so_after_a_restart_too(open_app, world):
    where = Standing()
    screen = open_app(world.folder, syncing=False, position=where)
    screen.tap("Check in")
    screen.app.on_stop()
    screen = open_app(world.folder, syncing=False, position=where)
    screen.tap("Finish visit")
    assert screen.shows("38 m from the pin: verified")
    assert not screen.shows("Check in again")
    where.lon = 9.60
    screen.tap("order")
    screen.tap("Save visit")
    came, left = (op.body["d"]["checkin"] for op in screen.app.ctx.store.outbox.ops())
    assert (came["lon"], left["lon"]) == (9.5205, 9.6), "the end of the visit has a reading of its own"


def test_a_check_in_where_no_pin_is_known_says_that_its_place_is_kept(open_app, world):
    for e, row_id in (("site", uid(2001)),):
        world.server.put(e, row_id, world.server.world.rows[e, row_id]["d"] | {"lon": None, "lat": None}, 412)
    assert world.sync().ok
    world.kill()
    screen = open_app(world.folder, syncing=False, position=Standing(9.53))
    screen.tap("Check in")
    assert screen.shows("Your place is kept. The site had no pin to compare it with")
    assert not screen.shows("No position available")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert (op.body["d"]["checkin"]["lon"], op.body["d"]["checkin"]["unpinned"]) == (9.53, True)


@pytest.mark.parametrize("way", ["Save visit", "Missed"])
def test_a_visit_without_a_check_in_keeps_no_place(screen, way):
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    screen.tap(way)
    (op,) = screen.app.ctx.store.outbox.ops()
    assert op.body["d"]["checkin"] is None


def test_a_poor_check_in_is_repeated_and_one_far_off_asks_why(open_app, world):
    where = Standing(accuracy_m=900)
    screen = open_app(world.folder, syncing=False, position=where)
    screen.tap("Check in")
    assert screen.shows("too coarse to verify")
    where.lon, where.accuracy_m = 9.53, 10
    screen.tap("Check in again")
    assert screen.shows("outside 150 m")
    screen.tap("order")
    screen.tap("Save visit")
    assert screen.shows("Say why you are not at the pin")
    (form,) = [one for one in screen.widgets() if hasattr(one, "reason")]
    form.reason.input.text = "Met at the building site"
    assert not screen.shows("Say why you are not at the pin")
    screen.tap("Save visit")
    told = [(op.body["d"]["state"], op.body["d"]["note"]) for op in screen.app.ctx.store.outbox.ops()]
    assert told == [
        ("checked_in", None), ("checked_in", None), ("checked_in", "Met at the building site"), ("done", None),
    ]  # fmt: skip
    screen.tap("Check in")
    (form,) = [one for one in screen.widgets() if hasattr(one, "reason")]
    form.reason.input.text = "The road is closed"
    screen.tap("Missed")
    told = [(op.body["d"]["state"], op.body["d"]["note"]) for op in screen.app.ctx.store.outbox.ops()[4:]]
    assert told == [("checked_in", None), ("checked_in", "The road is closed"), ("missed", None)]


@pytest.mark.parametrize("accuracy_m", [0.0, -1.0, 1e9, float("inf"), float("nan")])
def test_a_receiver_that_tells_no_accuracy_lets_one_check_in(open_app, world, accuracy_m):
    screen = open_app(world.folder, syncing=False, position=Standing(9.5205, accuracy_m))
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    screen.tap("Check in")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert op.body["d"]["checkin"]["accuracy_m"] == (0.0 if accuracy_m == 0 else 100_000.0)
    screen.tap("order")
    screen.tap("Save visit")
    assert len(screen.app.ctx.store.outbox.ops()) == 2
