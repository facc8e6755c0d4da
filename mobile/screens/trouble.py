"""What the rep is told when something could not be saved or opened: nothing is lost, and it may be tried again."""

import sqlite3

from kivy.base import ExceptionHandler, ExceptionManager
from kivy.clock import Clock

from mobile.field.drafts import CALLED, TakenMeanwhile
from mobile.field.limits import Unfit
from mobile.field.store.outbox import OpTooLarge
from mobile.field.store.sqlite import is_damage
from mobile.reasons import label
from mobile.widgets.base import Scroller
from mobile.widgets.controls import Field, Notice, PushButton

AGAIN_S = 3.0
"""After so long what could not be opened is tried once more."""


def told(words, error):
    """Why nothing was saved, in words; None where it is no refusal."""
    if isinstance(error, Unfit):
        return "\n".join(
            words(f"unfit_{one.code}", field=one.called or label(words, one.field), **one.values)
            for one in error.faults
        )
    if isinstance(error, TakenMeanwhile):
        return words("taken_meanwhile")
    if isinstance(error, OpTooLarge):
        return words("unfit_too_large")
    return words("unsaved") if isinstance(error, sqlite3.OperationalError) else None


class Refusals(ExceptionHandler):
    """Says why a save was refused; the screen stays as it is, with all that was typed. What has to be written otherwise
    stands in the form until it is saved again."""

    def __init__(self, app):
        super().__init__()
        self.app = app

    def handle_exception(self, inst):
        if isinstance(inst, sqlite3.Error) and is_damage(inst):
            self.app.files.mend()
            return ExceptionManager.PASS
        text = told(self.app.ctx.words, inst)
        if text is None:
            return ExceptionManager.RAISE
        form = next((widget for widget in self.app.stage.walk() if hasattr(widget, "warning")), None)
        if form is None or isinstance(inst, sqlite3.Error):  # which a second tap may mend
            self.app.toast(text, "bad")
            return ExceptionManager.PASS
        form.warning.clear_widgets()
        form.warning.add_widget(Notice(text, "warn"))
        wrong = mark(form, [one.field for one in inst.faults] if isinstance(inst, Unfit) else ())
        if isinstance(form, Scroller) and (wrong or form.warning in form.walk(restrict=True)):
            form.show_soon(wrong or form.warning)
        return ExceptionManager.PASS


def mark(form, names):
    """Let the fields of a form with these names stand out, the others as ever. Returns the first one that does, of the
    company's own as well; None where none does."""
    fields = [one for one in form.walk(restrict=True) if isinstance(one, Field) and one.name]
    known = {one.name for one in fields}
    wrong = {name if name in known else CALLED.get(("site", name)) for name in names}
    for one in fields:
        one.mark(one.name in wrong)
    return next((one for one in form.walk(restrict=True) if getattr(one, "is_wrong", False)), None)


def lead_to(form, name):
    """Show the field of a form with this name as soon as everything has its height; without one, the beginning."""
    field = next((one for one in form.walk(restrict=True) if name and getattr(one, "name", "") == name), None)
    if field is not None:
        form.show_soon(field)


class Files:
    """The signed-in user's files as the app has them open."""

    def __init__(self, app):
        self.app = app

    def open(self, then):
        """Open them, which mends damaged ones, and go on; until that can be done the rep is told so."""
        self.close()
        try:
            self.app.ctx.store = self.app.phone.home.store()
        except (sqlite3.Error, OSError):  # no room, no file handle, damage: everything is there still
            self._wait(then)
            return
        then()

    def close(self):
        ctx = self.app.ctx
        self.app.footsteps.stop()
        if ctx.store is not None:
            ctx.store.close()
        ctx.store = None

    def mend(self):
        """They turned out to be damaged: closed, and open again as soon as whoever opens them has mended them."""
        self.close()
        self._wait(self.mended)

    def mended(self):
        """On where the rep was."""
        self.app.ctx.index = None
        self.app.footsteps.start()
        self.app.again()

    def _wait(self, then):
        self.app.stage.show(build(self.app.ctx, lambda: self.open(then)))


def build(ctx, again):
    """In place of every screen while the files cannot be opened; it goes on by itself once they can."""
    page = Scroller(Notice(ctx.words("unopened"), "warn"), PushButton(ctx.words("try_again"), again, "refresh_cw"))
    Clock.schedule_once(lambda _dt: again() if page.parent is not None else None, AGAIN_S)
    return page
