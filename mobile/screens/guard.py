"""When the app asks for the PIN, and when days without the server close the data."""

import time

from kivy.clock import Clock
from kivy.core.window import Window

from mobile.field import locking
from mobile.field.store import clock

LOOK_S = 10.0


class Guard:
    """Watches how long nobody has touched the phone; a time away in the background counts too."""

    def __init__(self, app):
        self.app, self.asks = app, False
        self.doubts = False
        """The phone's clock says that it was alone for too long, and another one that it was not."""
        self._touched, self._event, self._begun = self._now(), None, False

    @staticmethod
    def _now():
        return time.monotonic()

    def start(self):
        """Somebody is let in. The first time after a start of the app the PIN is asked for at once."""
        self.asks = not self._begun and self._has_pin()
        self._begun, self._touched = True, self._now()
        if self._event is None:
            self._event = Clock.schedule_interval(lambda _dt: self.look(), LOOK_S)
            Window.bind(on_touch_down=self._touch, on_key_down=self._touch)

    def stop(self):
        """Nobody is signed in."""
        self.asks = self.doubts = False
        if self._event is not None:
            self._event.cancel()
            self._event = None
            Window.unbind(on_touch_down=self._touch, on_key_down=self._touch)

    def _touch(self, *_args):
        self.look()
        self._touched = self._now()
        return False

    def in_use(self):
        """Whether somebody has touched the phone in the last minutes."""
        return self._now() - self._touched < locking.IDLE_S

    def look(self):
        """Close what has to be closed by now; called by the clock, by each touch and when the app comes back."""
        if self.app.ctx.store is None:
            return
        was = self.doubts
        if self.closes_data():
            return
        if self.doubts != was:
            self.app.again()
        if not self.asks and self._now() - self._touched >= locking.IDLE_S and self._has_pin():
            self.lock()

    def lock(self):
        """Ask for the PIN now; who has none is not shut out."""
        self.asks = self._has_pin()
        self.app.again()

    def closes_data(self):
        """Whether too many days have passed without the server: the data is closed, unsent work is kept."""
        app = self.app
        found = locking.look(app.ctx.store.outbox, clock.now())
        self.doubts = found == locking.DOUBTED
        if found != locking.ALONE:
            return False
        days = locking.days_alone(app.ctx.store.outbox)
        unsent = app.phone.close_data(app.ctx.store)
        app.ctx.store = None
        said = "alone_unsent_one" if unsent == 1 else "alone_unsent"
        kept = " " + app.ctx.words(said, n=unsent) if unsent else ""
        app.leave(note=app.ctx.words("alone", n=days) + kept)
        return True

    def _has_pin(self):
        return locking.has_pin(self.app.phone.secrets, self.app.ctx.user_id)
