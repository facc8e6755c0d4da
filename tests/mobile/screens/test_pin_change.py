"""A PIN that is set is asked for before it is changed or removed, with as many tries as at the lock."""

from datetime import UTC, datetime, timedelta

import pytest

from mobile.field import locking
from mobile.field.store import clock

pytestmark = pytest.mark.window
LATER = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture
def phone(screen):
    """A phone with a PIN, at its settings."""
    locking.set_pin(screen.app.phone.secrets, screen.app.ctx.user_id, "2580")
    screen.app.go("settings")
    screen.frames()
    return screen


def typed(screen, digits):
    for digit in digits:
        screen.tap(digit)
    screen.tap("Done")


def opens(screen, digits):
    """Whether digits are the PIN that is set now."""
    return locking.try_pin(screen.app.phone.secrets, screen.app.ctx.user_id, digits, LATER).ok


def test_it_is_changed_by_whoever_knows_it(phone):
    phone.tap("Change the PIN")
    assert phone.shows("The PIN that is set now.")
    for digits in ("4711", "258", "2580", "4711", "4711"):
        typed(phone, digits)
    assert phone.shows("The PIN is set.")
    assert opens(phone, "4711")


def test_it_is_removed_by_whoever_knows_it(phone):
    phone.tap("Remove the PIN")
    typed(phone, "0000")
    assert phone.shows("This is not the PIN.")
    assert locking.has_pin(phone.app.phone.secrets, phone.app.ctx.user_id)
    typed(phone, "2580")
    assert phone.shows("The PIN is removed.")
    assert not locking.has_pin(phone.app.phone.secrets, phone.app.ctx.user_id)


def test_wrong_ones_wait_as_at_the_lock_and_the_right_one_too_meanwhile(phone):
    ctx = phone.app.ctx
    phone.tap("Change the PIN")
    typed(phone, "0000")
    for day in range(1, locking.FREE_TRIES):
        locking.try_pin(ctx.phone.secrets, ctx.user_id, "0000", clock.now() + timedelta(days=day))
    typed(phone, "2580")
    assert phone.shows("Too many wrong tries. Wait some minutes.")
    phone.app.back()
    phone.frames()
    phone.tap("Remove the PIN")
    assert phone.shows("Too many wrong tries."), "another way to the same question is no way round"
    assert opens(phone, "2580")


def test_whoever_has_forgotten_it_signs_in_with_the_password(phone):
    phone.tap("Change the PIN")
    phone.tap("Sign in with the password")
    assert phone.app.trail[-1] == ("sign_in", {"forgotten": True})
