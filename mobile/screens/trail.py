"""Looks where the rep is while the app is open; whether that may be kept, `field/tracks.py` says."""

from kivy.clock import Clock

from mobile.field import tracks
from mobile.field.store import moments


class Footsteps:
    """The clock behind the recording of the rep's way."""

    def __init__(self, app):
        self.app, self._trail, self._event = app, None, None

    def start(self):
        """Somebody is let in."""
        self.stop()
        self._trail = tracks.Trail(lambda: self.app.ctx.files, self.app.phone.position)
        self._event = Clock.schedule_interval(lambda _dt: self.look(), tracks.LOOK_S)

    def stop(self):
        """Nobody is signed in."""
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def look(self):
        """Called by the clock."""
        if self._trail.look(moments.now(self.app.ctx.files.outbox)):
            self.app.saved()
