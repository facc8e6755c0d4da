"""Unsent work as a file: one button, wherever the rep may be stuck."""

import sqlite3
import threading

from kivy.clock import mainthread

from mobile.field.sync.export import NoKey, NothingUnsent
from mobile.widgets.base import Column, Text
from mobile.widgets.controls import Notice, PushButton


class Export(Column):
    """The button, what it is for, and what came of it. Needs neither the server nor the PIN: the file is sealed."""

    def __init__(self, ctx, **kwargs):
        super().__init__(spacing=8, **kwargs)
        self.ctx, words = ctx, ctx.words
        self.button = PushButton(words("export"), self.start, "download", "quiet")
        self.notes = Column()
        for part in (self.button, Text(words("export_help"), 14, ink="quiet"), self.notes):
            self.add_widget(part)

    def start(self):
        """Write in a thread: photos may be many, and on a phone the way to share is another app."""
        self.button.disabled = True
        self.say("exporting")
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            made, where = self.ctx.phone.hand_out(self.ctx.words)
        except NothingUnsent:
            self.say("export_nothing", "good")
        except NoKey:
            self.say("export_no_key", "warn")
        except (OSError, sqlite3.Error, ValueError):
            self.say("export_failed", "bad")
        else:
            self._made(made, where)

    @mainthread
    def _made(self, made, where):
        words = self.ctx.words
        what = words.count("exported_entries", "exported_entries_1", made.ops)
        if made.photos:
            key = "exported_photos_1" if made.photos == 1 else "exported_photos"
            what = words(key, what=what, n=made.photos)
        text = words("exported", what=what, where=where)
        if made.aside:
            text += " " + words.count("exported_aside", "exported_aside_1", made.aside)
        if made.lost:
            text += " " + words.count("exported_lost", "exported_lost_1", made.lost)
        self._show(text, "good")

    @mainthread
    def say(self, key, kind="info"):
        self._show(self.ctx.words(key), kind, done=key != "exporting")

    def _show(self, text, kind, done=True):
        self.button.disabled = not done
        self.notes.clear_widgets()
        self.notes.add_widget(Notice(text, kind))


def offered(ctx):
    """What a screen in the way of the app shows of it: nothing when everything is on the server."""
    return [Export(ctx)] if ctx.phone.holds_unsent() else []
