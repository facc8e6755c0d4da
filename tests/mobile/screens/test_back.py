"""The way back, what a finger means, and what a form says at once."""

import subprocess

import pytest

from tests.mobile.conftest import uid

pytestmark = pytest.mark.window
ESCAPE = 27


def shown(screen):
    return screen.app.trail[-1][0]


def test_back_puts_away_what_lies_on_the_map_before_it_leads_to_today(screen):
    screen.tap("Map")
    screen.tap("Layers")
    assert screen.shows("Prospects")
    screen.key(ESCAPE)
    assert (shown(screen), screen.shows("Prospects")) == ("map", False)
    screen.key(ESCAPE)
    assert shown(screen) == "today"
    assert screen.app._key(screen.window, ESCAPE) is False, "from Today the app is left"


def test_back_leads_from_the_code_to_the_password(open_app, tmp_path):
    screen = open_app(tmp_path / "new", syncing=False)
    screen.tap("Type the code")
    screen.key(ESCAPE)
    assert screen.shows("Password")
    assert screen.app._key(screen.window, ESCAPE) is False


def test_a_finger_that_moves_far_has_not_tapped_however_late_that_is_seen(screen):
    from kivy.tests.common import UnitTestTouch

    screen.tap("More")
    (way,) = [w for w in screen.widgets() if getattr(w, "label", None) == "Week"]
    x, y = way.to_window(*way.center)
    touch = UnitTestTouch(x, y)
    touch.touch_down()
    screen.frames(20)
    touch.touch_move(x, y + 30)
    touch.touch_up()
    screen.frames()
    assert shown(screen) == "more"
    screen.tap("Today")  # what was pulled swings back
    screen.tap("More")
    screen.tap("Week")
    screen.until(lambda: shown(screen) == "week")


def test_the_second_tap_on_a_save_does_not_save_what_lies_below(screen):
    screen.app.go("visit", account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    screen.tap("Take an order")
    screen.tap("one more Milch 1 l")
    (save,) = [w for w in screen.widgets() if getattr(w, "label", None) == "Save the order"]
    place = save.to_window(*save.center)
    screen.app.stage.settle_s = 60
    screen.tap_at(*place)
    screen.until(lambda: shown(screen) == "visit")
    screen.tap_at(*place)
    screen.frames(30)
    assert (shown(screen), [op.e for op in screen.app.ctx.store.outbox.ops()]) == ("visit", ["order"])
    screen.app.stage.settle_s = 0
    screen.tap("Save visit")
    assert [op.e for op in screen.app.ctx.store.outbox.ops()] == ["order", "visit_event"]


def test_the_second_tap_on_one_of_several_does_not_do_the_next(screen):
    screen.tap("More")
    open_ones = lambda: [w for w in screen.widgets() if getattr(w, "label", None) == "Done"]  # noqa: E731 a look
    before = len(open_ones())
    assert before > 1
    screen.reach(open_ones()[0])
    place = open_ones()[0].to_window(*open_ones()[0].center)
    screen.app.stage.settle_s = 60
    screen.tap_at(*place)
    screen.until(lambda: len(open_ones()) < before)
    screen.tap_at(*place)
    screen.frames(30)
    assert (len(open_ones()), len(screen.app.ctx.store.outbox.ops())) == (before - 1, 1)


def test_arrows_are_tapped_as_fast_as_one_likes(screen):
    screen.app.stage.settle_s = 60
    day = screen.app.ctx.today
    for _ in range(3):
        screen.tap("next day")
    assert (screen.app.ctx.day - day).days == 3
    screen.app.go("week")
    screen.frames()
    screen.app.go("settings")
    screen.frames()
    screen.tap("back")
    screen.tap("back")
    assert shown(screen) == "today"


def test_back_goes_nowhere_behind_the_pin(screen):
    from mobile.field import locking

    screen.app.go("account", account_id=uid(1001))
    locking.set_pin(screen.app.phone.secrets, screen.app.ctx.user_id, "1234")
    screen.app.guard.lock()
    screen.frames()
    assert screen.app._key(screen.window, ESCAPE) is False
    for digit in "1234":
        screen.tap(digit)
    screen.tap("Unlock")
    screen.until(lambda: shown(screen) == "account" and not screen.app.guard.asks)


def test_another_day_begins_at_its_top_and_the_next_stop_is_opened_by_its_name(screen):
    from mobile.widgets.base import Scroller

    (scroller, *_others) = screen.widgets(Scroller)
    scroller.scroll_y = 0
    screen.tap("next day")
    screen.tap("previous day")
    assert screen.widgets(Scroller)[0].scroll_y == 1
    (card,) = [w for w in screen.widgets() if hasattr(w, "stop")]
    told = card.children[-1]
    screen.tap_at(*told.to_window(*told.center))
    visit = {"visit_id": card.stop.visit_id, "account_id": card.stop.account_id}
    screen.until(lambda: screen.app.trail[-1] == ("visit", visit))


def test_a_form_that_was_come_to_twice_is_left_once(screen):
    screen.app.go("account", account_id=uid(1001))
    screen.app.go("visit", account_id=uid(1001))
    screen.frames()
    screen.tap("order")
    screen.app.go("sync")
    screen.app.go("visit", visit_id=uid(3999), account_id=uid(1001))
    screen.frames()
    screen.app.back()
    assert [step[0] for step in screen.app.trail] == ["today", "account", "sync"]


def test_a_price_follows_what_is_typed_and_too_much_says_how_much_it_may_be(screen):
    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    screen.tap("one more Milch 1 l")
    (field,) = [w for w in screen.widgets() if hasattr(w, "product")]
    field.input.text = "60"
    assert screen.shows("4.10 CHF")
    field.input.text = "2"
    assert not screen.shows("4.10 CHF")
    field.input.text = "9999999999"
    assert screen.shows("0 lines") or not screen.shows("CHF before tax"), "what is no quantity is in no sum"
    screen.tap("Save the order")
    assert screen.shows("“9999999999” Milch 1 l is too much: at most 999,999.")


def test_a_long_figure_that_is_typed_over_is_seen_from_its_first_digit(screen):
    from mobile.widgets.controls import Field

    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    screen.tap("one more Milch 1 l")
    (field,) = [w for w in screen.widgets(Field) if hasattr(w, "product")]
    field.input.focus = True
    for digit in "999999999999999":
        field.input.insert_text(digit)
    screen.frames()
    assert field.input.scroll_x > 0
    field.input.select_all()
    field.input.delete_selection()
    field.input.insert_text("2")
    screen.frames()
    assert field.input.scroll_x == 0


def test_a_new_account_without_a_place_is_compared_with_whom_everybody_knows(screen):
    from mobile.screens.leads import AccountForm

    screen.app.go("new_account")
    screen.frames()
    (form,) = screen.widgets(AccountForm)
    screen.tap("Save")
    assert form.fields["name"].is_wrong
    form.fields["name"].input.text = "Muller"
    screen.frames()
    assert screen.shows("Somebody called alike, or at the same door, is known already.")
    form.fields["city"].input.text = "Zürich"
    screen.frames()
    assert not screen.shows("is known already."), "somebody called so in another town"
    form.fields["city"].input.text = "vaduz"
    screen.tap("Save")
    assert screen.shows("Tap save once more")
    assert screen.app.ctx.store.outbox.ops() == []


def test_the_wait_after_wrong_pins_counts_down(screen, monkeypatch):
    from mobile.field import locking

    left = [2]
    monkeypatch.setattr(locking, "waiting_s", lambda *_args: left[0])
    locking.set_pin(screen.app.phone.secrets, screen.app.ctx.user_id, "1234")
    screen.app.guard.lock()
    screen.frames()
    assert screen.shows("Wait 2 seconds.")
    left[0] = 1
    screen.until(lambda: screen.shows("Wait a second."))
    left[0] = 0
    screen.until(lambda: not screen.shows("Too many"))


@pytest.mark.parametrize("opened", [True, False])
def test_what_nothing_opens_is_said(screen, monkeypatch, tmp_path, opened):
    program = tmp_path / "xdg-open"
    program.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/asked\nexit {0 if opened else 3}\n")
    program.chmod(0o755)
    monkeypatch.setattr("mobile.device.desktop.shutil.which", lambda _name: str(program))
    done = []
    run = subprocess.run

    def ran(*args, **kwargs):
        made = run(*args, **kwargs)
        done.append(made)
        return made

    monkeypatch.setattr("mobile.device.desktop.subprocess.run", ran)
    screen.app.open_link("tel:+423")
    screen.until(lambda: done and screen.shows("This machine cannot open tel:+423.") is not opened)
    assert (tmp_path / "asked").read_text().strip() == "tel:+423"
