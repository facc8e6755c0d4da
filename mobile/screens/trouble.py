"""What the rep is told when something could not be saved or opened: nothing is lost, and it may be tried again."""

import sqlite3

from kivy.base import ExceptionHandler, ExceptionManager

from mobile.field.limits import Unfit
from mobile.field.store.outbox import OpTooLarge
from mobile.reasons import label
from mobile.widgets.base import Scroller
from mobile.widgets.controls import Notice, PushButton


def told(words, error):
    """Why nothing was saved, in words; None where it is no refusal."""
    if isinstance(error, Unfit):
        return words(f"unfit_{error.code}", field=label(words, error.field), **error.values)
    if isinstance(error, OpTooLarge):
        return words("unfit_too_large")
    return words("unsaved") if isinstance(error, sqlite3.OperationalError) else None


class Refusals(ExceptionHandler):
    """Says why a save was refused; the screen stays as it is, with all that was typed."""

    def __init__(self, app):
        super().__init__()
        self.app = app

    def handle_exception(self, inst):
        text = told(self.app.ctx.words, inst)
        if text is None:
            return ExceptionManager.RAISE
        self.app.toast(text, "bad")
        return ExceptionManager.PASS


def build(ctx, again):
    """In place of every screen while the files cannot be opened."""
    return Scroller(Notice(ctx.words("unopened"), "warn"), PushButton(ctx.words("try_again"), again, "refresh_cw"))
