"""A small form: the next step at an account."""

from datetime import timedelta

from mobile.field import reads, taking
from mobile.screens.parts import frame
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Chips, Field, Notice, PushButton

DAYS = {"w_today": 0, "w_tomorrow": 1, "w_week": 7, "w_month": 30}


class StepFields(Column):
    """What is to be done, and when."""

    def __init__(self, ctx, typed=None, on_type=None, **kwargs):
        super().__init__(spacing=10, **kwargs)
        self.ctx = ctx
        self.typed = typed if typed is not None else {}
        keep = on_type or self.typed.update
        words = ctx.words
        self.subject = Field("", self.typed.get("step", ""), hint=words("next_step_hint"))
        self.subject.input.bind(text=lambda _f, text: keep(step=text))
        chosen = self.typed.setdefault("step_when", "w_week")
        self.when = Chips([(key, words(key)) for key in DAYS], chosen, lambda v: keep(step_when=v))
        self.add_widget(self.subject)
        self.add_widget(self.when)

    @property
    def due_on(self):
        return (self.ctx.today + timedelta(days=DAYS[self.when.chosen])).isoformat()


def build(ctx, account_id):
    account = ctx.files.cache.doc("account", account_id) or {}
    fields, warning = StepFields(ctx), Column()

    def save():
        if not fields.subject.value:
            warning.clear_widgets()
            warning.add_widget(Notice(ctx.words("subject_missing"), "warn"))
            return
        site = reads.main_site(ctx.files, account_id) or {}
        taking.next_step(ctx.files, account_id, fields.subject.value, due_on=fields.due_on, site_id=site.get("id"))
        _saved(ctx)

    button = PushButton(ctx.words("save"), save, "check")
    content = Scroller(Text(account.get("name") or "", 20, True), fields, warning, button)
    return frame(ctx, ctx.words("next_step"), content, back=True)


def _saved(ctx):
    ctx.nav.saved()
    ctx.nav.back()
    ctx.nav.toast(ctx.words("saved"))
