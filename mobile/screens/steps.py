"""A small form: the next step at an account."""

from datetime import timedelta

from mobile.field import reads, taking
from mobile.screens.parts import frame
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Notice, PushButton

DAYS = {"w_today": 0, "w_tomorrow": 1, "w_week": 7, "w_month": 30}


class StepFields(Column):
    """What is to be done, and when."""

    def __init__(self, ctx, typed, **kwargs):
        super().__init__(spacing=10, **kwargs)
        self.ctx, words = ctx, ctx.words
        self.subject = typed.field("step", hint=words("next_step_hint"))
        self.when = typed.chips("step_when", [(key, words(key)) for key in DAYS], "w_week")
        self.add_widget(self.subject)
        self.add_widget(self.when)

    @property
    def due_on(self):
        return (self.ctx.today + timedelta(days=DAYS[self.when.chosen])).isoformat()


def build(ctx, account_id):
    account = ctx.files.cache.doc("account", account_id) or {}
    typed = Typed(ctx, ("next_step",), {"account_id": account_id}, account.get("name"))
    fields, warning = StepFields(ctx, typed), Column()

    def save():
        if not fields.subject.value:
            warning.clear_widgets()
            warning.add_widget(Notice(ctx.words("subject_missing"), "warn"))
            return
        site = reads.main_site(ctx.files, account_id) or {}
        step, due_on = fields.subject.value, fields.due_on
        typed.save(lambda: taking.next_step(ctx.files, account_id, step, due_on=due_on, site_id=site.get("id")))
        ctx.nav.saved()
        ctx.nav.back()
        ctx.nav.toast(ctx.words("saved"))

    button = PushButton(ctx.words("save"), save, "check")
    content = Scroller(Text(account.get("name") or "", 20, True), typed.told(), fields, warning, button)
    return frame(ctx, ctx.words("next_step"), content, back=True)
