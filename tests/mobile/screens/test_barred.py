"""A phone that the office has locked or retired shows no data; what is unsent stays, and is said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mobile.field import locking, tracks
from mobile.field.capture import edit
from mobile.field.store import clock
from mobile.field.sync.worker import SyncWorker
from tests.mobile.conftest import uid
from tests.mobile.test_headless import Listener
from tests.mobile.window import recorded_all_day

pytestmark = pytest.mark.window


@pytest.fixture
def online(world):
    """The world's server on a port of this machine, and an entry that it does not have."""
    edit(world.store, "account", uid(1001), {"note": "mine"})
    world.kill()
    listener = Listener(world.server)
    listener.start()
    world.home.remember(replace(world.home.signed_in(), server=f"http://127.0.0.1:{listener.port}"))
    yield world
    listener.stop()


def test_a_locked_phone_says_why_and_opens_by_itself_once_it_is_unlocked(online, open_app):
    online.server.barred = "device_locked"
    screen = open_app(online.folder)
    screen.until(lambda: screen.shows("Locked by the office"))
    assert screen.shows("One entry that is not sent yet is kept on this phone.")
    assert not [word for word in screen.words() if "Müller" in word or "Next stop" in word or word == "Sign in"]
    screen.app.go("accounts")
    assert screen.shows("Locked by the office")
    online.server.barred = ""
    screen.until(lambda: screen.shows("Try again"))
    screen.tap("Try again")
    screen.until(lambda: not screen.shows("Locked by the office"))
    assert online.server.world.rows["account", uid(1001)]["d"]["note"] == "mine"


def test_a_retired_phone_shows_no_data_and_says_who_has_what_was_not_sent(online, open_app):
    online.server.barred = "retired"
    screen = open_app(online.folder)
    screen.until(lambda: screen.shows("Held by the office: 1 entry waits for a decision."))
    assert screen.shows("Retired by the office")
    assert len(online.server.quarantine) == 1
    count = screen.app.ctx.store.cache.db.execute("select count(*) from row where base is not null").fetchone()[0]
    assert count == 0
    assert [op.body["f"]["note"][1] for op in screen.app.ctx.store.outbox.ops()] == ["mine"]
    screen.tap("Sign in")
    assert screen.shows("Password")


def test_a_clock_that_jumped_covers_the_data_until_the_server_is_reached(online, open_app, monkeypatch):
    locking.in_contact(online.store.outbox, clock.now())
    online.kill()
    screen = open_app(online.folder, syncing=False)
    assert not screen.shows("has jumped")
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=400))
    screen.app.guard.look()
    screen.frames()
    assert screen.shows("The clock of this phone has jumped")
    assert screen.shows("One entry that is not sent yet is kept on this phone.")
    assert not [word for word in screen.words() if "Müller" in word or word == "Sign in"]
    monkeypatch.undo()
    screen.app.guard.look()
    screen.frames()
    assert not screen.shows("has jumped"), "it was set right"

    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=400))
    screen.app.guard.look()
    screen.app.syncing = True
    screen.app.files.open(screen.app._entered)
    screen.until(lambda: not screen.shows("has jumped"))
    assert online.server.world.rows["account", uid(1001)]["d"]["note"] == "mine"
    assert screen.app.ctx.store.cache.doc("account", uid(1001))["name"] == "Müller GmbH", "nothing was destroyed"


def test_what_runs_by_a_clock_goes_on_after_a_phone_is_retired_and_records_no_way(online, open_app, monkeypatch):
    hello = online.server._hello
    monkeypatch.setattr(online.server, "_hello", lambda *said: hello(*said) | {"tracks": recorded_all_day()})
    screen = open_app(online.folder)
    screen.until(lambda: tracks.is_news(screen.app.ctx.files.outbox))
    screen.app.footsteps.look()
    assert len(screen.app.ctx.files.outbox.fixes.all()) == 1
    online.server.barred = "retired"
    screen.app.sync_now()
    screen.until(lambda: screen.shows("Retired by the office"))
    screen.app.footsteps.look()
    screen.app.guard.look()
    ops = screen.app.ctx.files.outbox.ops()
    assert [op.e for op in ops] == ["account", "track"], "what was recorded before is kept with the rest"
    screen.app.footsteps.look()
    assert screen.app.ctx.files.outbox.fixes.all() == []


def test_whom_the_office_has_switched_off_hears_of_it_at_sign_in_and_a_stranger_does_not(online, open_app):
    online.server.barred = "retired"
    screen = open_app(online.folder)
    screen.until(lambda: screen.shows("or switched off whoever uses it"))
    screen.tap("Sign in")
    form = screen.app.stage.screen
    form.password.input.text = "wrong"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("or the office has switched this person off"))
    form.login.input.text = "somebody"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("The login or the password is wrong."))


def test_a_phone_that_is_to_be_wiped_is_wiped_at_sign_in_too_and_then_starts_anew(online, open_app):
    screen = open_app(online.folder, syncing=False)
    screen.app.sign_out()
    screen.frames()
    online.server.barred = "wipe"
    screen.app.stage.screen.login.input.text = "mara"
    screen.app.stage.screen.password.input.text = "secret"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("The office has wiped this phone."))
    assert not (online.folder / "users" / online.server.user_id).exists()
    assert online.server.world.devices == {}, "it has told so"
    online.server.barred = ""
    screen.tap("Sign in")
    screen.until(lambda: screen.app.ctx.store is not None)


def test_a_sync_that_ends_under_a_finger_takes_no_tap_away(online, open_app):
    online.server.barred = "retired"
    screen = open_app(online.folder, syncing=False)
    report = screen.app.phone.sync_by_itself()
    screen.app.worker = SyncWorker(lambda: report, lambda _report: None)  # it never starts: the reports are ours
    screen.app._synced(report)
    screen.until(lambda: screen.shows("or switched off whoever uses it"))
    screen.tap("Sign in", held=lambda: screen.app._synced(report))
    assert screen.app.stage.screen.password
