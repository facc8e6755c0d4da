"""Signing in, the lock, and leaving."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
import segno
from PIL import Image

from mobile.field import locking
from mobile.field.capture import edit
from mobile.field.store import clock
from mobile.field.sync.run import Report
from tests.mobile.conftest import uid
from tests.mobile.field.fake_server import FakeServer
from tests.mobile.test_headless import Listener
from tests.mobile.window import SIZES, fill_for_today

pytestmark = pytest.mark.window


def test_a_rep_signs_in_and_sees_today(tmp_path, open_app):
    fake = FakeServer()
    fill_for_today(fake)
    listener = Listener(fake)
    listener.start()
    screen = open_app(tmp_path / "new", server=f"http://127.0.0.1:{listener.port}")
    form = screen.app.stage.screen
    form.login.input.text, form.password.input.text = "mara", "wrong"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("The login or the password is wrong."))
    form.password.input.text = "secret"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("Next stop"))
    screen.app.worker.stop()
    listener.stop()


def test_whatever_stops_signing_in_ends_in_words_and_it_can_be_tried_again(tmp_path, open_app, monkeypatch):
    screen = open_app(tmp_path / "new")
    form = screen.app.stage.screen
    form.login.input.text, form.password.input.text = "mara", "secret"
    unusable = (
        "blah blah",
        "http://127.0.0.1:8l56",
        "http://[::1",
        "http://a..b",
        "https://crm.example/a b",
        "https://",
    )
    for address in unusable:
        form.say("")
        form.server.input.text = address
        screen.frames()
        screen.tap("Sign in")
        screen.until(lambda: screen.shows("This is not the address of a server."))
        assert form.server.is_wrong
        assert not form.button.disabled, address

    def fails(*_args):
        raise KeyError("a bug")

    monkeypatch.setattr(screen.app.phone, "sign_in", fails)
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("Signing in did not work (KeyError)."))
    assert not form.button.disabled


def test_the_app_speaks_the_devices_language_and_another_before_one_signs_in(tmp_path, open_app, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_CH.UTF-8")
    screen = open_app(tmp_path / "new")
    assert screen.shows("Passwort")
    screen.app.stage.screen.server.input.text = "https://crm.example"
    screen.tap("English")
    assert screen.shows("Password")
    assert screen.app.stage.screen.server.value == "https://crm.example", "what was typed stays"


def test_a_rep_signs_in_with_a_code_scanned_or_typed_and_is_told_what_is_wrong_with_it(tmp_path, open_app):
    from mobile.device.desktop import FolderCamera

    fake = FakeServer()
    fill_for_today(fake)
    fake.codes = {"ABCDE-23456": "mara"}
    listener = Listener(fake)
    listener.start()
    lens, address = tmp_path / "lens", f"http://127.0.0.1:{listener.port}"
    lens.mkdir()
    Image.new("L", (300, 300), 200).save(lens / "a-wall.png")
    segno.make("https://example.com/menu").save(str(lens / "b-menu.png"), scale=4)
    segno.make(f"waymark://sign-in?{urlencode({'server': address, 'code': 'ABCDE-23456'})}", error="m").save(
        str(lens / "c-ours.png"), scale=4
    )
    screen = open_app(tmp_path / "new", camera=FolderCamera(lens))
    screen.tap("Scan a code")
    screen.until(lambda: screen.shows("No code was found in the picture."))
    screen.tap("Scan a code")
    screen.until(lambda: screen.shows("This is no code for Waymark."))
    screen.tap("Type the code")
    form = screen.app.stage.screen
    form.server.input.text = address
    for typed, said in (("abcde-2345O", "A code has ten letters"), ("zzzzz99999", "does not know this code")):
        form.code.input.text = typed
        screen.tap("Sign in")
        screen.until(lambda words=said: screen.shows(words))
        assert form.code.is_wrong == said.startswith("A code"), typed
    screen.tap("Scan a code")
    screen.until(lambda: screen.shows(f"This code is for {address}."))
    assert screen.app.stage.screen.code.value == "ABCDE-23456"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("Next stop"))
    screen.app.sign_out()
    screen.frames()
    screen.tap("Type the code")
    form = screen.app.stage.screen
    assert form.server.value == address, "it is not typed again"
    form.code.input.text = "abcde 23456"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("This code has let a phone in already."))
    listener.stop()


@pytest.mark.parametrize("language", ["en", "de"])
def test_on_a_small_phone_nothing_moves_after_wrong_pins_and_all_of_it_fits(screen, language):
    from mobile.screens.lock import Lock

    ctx, size = screen.app.ctx, SIZES["small phone"]
    screen.app.choose("language", language)
    locking.set_pin(ctx.phone.secrets, ctx.user_id, "2580")
    screen.resize(size)
    screen.app.guard._touched -= locking.IDLE_S
    screen.app.guard.look()
    screen.frames()
    try:
        (lock,) = screen.widgets(Lock)
        where = lambda: [w.to_window(*w.pos) for w in lock.walk() if getattr(w, "label", None)]  # noqa: E731
        before = where()
        assert min(y for _x, y in before) >= 0, "the last button is on the page"
        for _ in range(8):
            for digit in "1111":
                lock.pad.press(digit)
            lock.submit()
            screen.frames()
            assert where() == before
        assert screen.shows(ctx.words("pin_wait_long")) or screen.shows(ctx.words("pin_wait", n=5).split(".")[0])
    finally:
        screen.resize(SIZES["phone"])


def test_a_pin_closes_the_screen_after_five_minutes_and_unsent_work_lives_on(screen):
    from mobile.field import locking

    screen.app.go("settings")
    screen.frames()
    screen.tap("Set a PIN")
    for digits in ("25", "2580", "2581", "2580", "2580"):
        for digit in digits:
            screen.tap(digit)
        screen.tap("Done")
    assert screen.shows("Remove the PIN"), "too short, then not the same, then twice the same"
    screen.tap("back")
    guard, store = screen.app.guard, screen.app.ctx.store
    screen.app.go("settings")
    screen.frames()
    screen.tap("Lock now")
    assert screen.shows("Locked"), "as soon as the rep says so"
    for digit in "2580":
        screen.tap(digit)
    screen.tap("Unlock")
    assert screen.shows("Lock now"), "where the rep was"
    screen.tap("back")
    edit(store, "account", uid(1001), {"phone": "mine"})
    guard.look()
    assert not screen.shows("Locked"), "somebody is there"
    guard._touched -= locking.IDLE_S
    guard.look()
    screen.frames()
    assert screen.shows("Locked")
    assert not screen.shows("Müller GmbH")
    screen.app.go("accounts")
    screen.frames()
    assert not screen.shows("Müller GmbH"), "nothing leads around it"
    screen.resize(SIZES["tablet"])  # all of it fits, and stands in the middle
    where = lambda: next(w.to_window(*w.center) for w in screen.widgets() if getattr(w, "label", None) == "5")  # noqa: E731
    screen.tap("Sign in with the password")
    screen.tap("Back to the PIN")
    assert screen.shows("Locked"), "who tapped it by mistake in a dead zone gets back"
    screen.tap("Unlock")
    assert screen.shows("A PIN has four to eight digits."), "nothing typed is no wrong try"
    for digit in "1111":
        screen.tap(digit)
    before = where()
    screen.tap("Unlock")
    assert screen.shows("This is not the PIN.")
    assert where() == before, "the keys stay under the thumb"
    screen.resize(SIZES["phone"])
    for digit in "2589":
        screen.key(digit)
    screen.key(8)
    screen.key("0")
    screen.key(13)
    assert screen.shows("Müller GmbH")
    assert len(store.outbox.ops()) == 1


def test_a_phone_that_was_alone_too_long_asks_for_the_password_and_keeps_unsent_work(open_app, world, monkeypatch):
    from mobile.field import locking

    edit(world.store, "account", uid(1001), {"phone": "mine"})
    locking.close_after(world.store.outbox, 3)
    with monkeypatch.context() as before:
        before.setattr(clock, "boot_id", lambda: "an earlier start of the machine")
        locking.in_contact(world.store.outbox, clock.now() - timedelta(days=3, hours=1))
    world.kill()
    screen = open_app(world.folder, syncing=False)
    assert screen.shows("has not spoken with the server for 3 days")
    assert screen.shows("One entry is kept")
    assert not (world.home.user_folder(world.server.user_id) / "cache.db").exists()
    world.sign_in()
    assert world.sync().results == {"applied": 1}


def test_nobody_signs_out_over_unsent_work(screen):
    screen.tap("Check in")
    screen.tap("Missed")
    screen.until(lambda: not screen.shows("Looking for the best order"))  # the page under a finger is another one then
    screen.tap("Leave it as it is")
    screen.tap("More")
    screen.tap("Settings")
    assert screen.shows("2 entries are not sent yet")
    assert not screen.shows("Sign out")


def test_a_sync_that_ends_after_the_app_was_closed_touches_nothing(screen):
    screen.app.go("sync")
    screen.app.on_stop()
    screen.app._synced(Report())
    screen.app._mark_syncing()
    screen.frames()


def test_what_is_empty_is_named_and_another_language_keeps_what_was_typed(tmp_path, open_app):
    screen = open_app(tmp_path / "new")
    screen.tap("Sign in")
    assert screen.shows("Still empty: Server address, Login, Password")
    form = screen.app.stage.screen
    assert (form.server.is_wrong, form.button.disabled) == (True, False)
    form.login.input.text, form.password.input.text = "mara", "secret"
    assert not form.login.is_wrong
    screen.tap("Sign in")
    assert screen.shows("Still empty: Server address")
    screen.tap("Deutsch")
    form = screen.app.stage.screen
    assert (form.login.value, form.password.input.text) == ("mara", "secret")
    screen.tap("Code eintippen")
    screen.app.stage.screen.code.input.text = "ABCDE"
    screen.tap("English")
    assert screen.app.stage.screen.code.value == "ABCDE"
    screen.tap("Sign in")
    assert screen.shows("Still empty: Server address")


def test_a_server_that_is_none_of_ours_is_told_so_and_one_without_https_how_it_is_written(tmp_path, open_app, world):
    class Foreign(BaseHTTPRequestHandler):
        """Knows no way to be asked but GET."""

        def log_message(self, *_args):
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"127.0.0.1:{server.server_port}"
    screen = open_app(tmp_path / "new")
    form = screen.app.stage.screen
    form.login.input.text, form.password.input.text = "mara", "secret"
    form.server.input.text = f"http://{place}"
    screen.tap("Sign in")
    screen.until(lambda: screen.shows("Something answers at this address, but it is no Waymark"))
    form.server.input.text = place
    screen.tap("Sign in")
    screen.until(lambda: screen.shows(f"Nothing answers at https://{place}. A server without https needs http://"))
    server.shutdown()
    server.server_close()


def test_who_signs_out_with_forms_that_are_not_finished_hears_that_they_stay(screen):
    screen.app.go("next_step", account_id=uid(1001))
    screen.frames()
    next(one for one in screen.widgets() if hasattr(one, "subject")).subject.input.text = "Bring samples"
    screen.app.go("settings")
    screen.frames()
    assert screen.shows("1 form is not finished. It stays on this phone")


def test_on_a_tablet_the_form_is_narrow_and_its_bar_at_the_edge(tmp_path, open_app):
    from mobile.widgets.base import Scroller

    screen = open_app(tmp_path / "new")
    screen.resize(SIZES["tablet"])
    (page,) = screen.widgets(Scroller)
    assert page.right == screen.app.stage.width
    assert screen.app.stage.screen.server.width < 440
    screen.resize(SIZES["phone"])
