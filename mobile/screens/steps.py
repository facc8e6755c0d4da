"""Small forms: the next step at an account, and a new lead where the map was held."""

from datetime import timedelta

from mobile.field import reads, taking
from mobile.field.store import clock
from mobile.screens.parts import frame
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Chips, Field, Notice, PushButton

DAYS = {"w_today": 0, "w_tomorrow": 1, "w_week": 7, "w_month": 30}


class StepFields(Column):
    """What is to be done, and when."""

    def __init__(self, ctx, typed=None, **kwargs):
        super().__init__(spacing=10, **kwargs)
        self.typed = typed if typed is not None else {}
        words = ctx.words
        self.subject = Field("", self.typed.get("step", ""), hint=words("next_step_hint"))
        self.subject.input.bind(text=lambda _f, text: self.typed.update(step=text))
        chosen = self.typed.setdefault("step_when", "w_week")
        self.when = Chips([(key, words(key)) for key in DAYS], chosen, lambda v: self.typed.update(step_when=v))
        self.add_widget(self.subject)
        self.add_widget(self.when)

    @property
    def due_on(self):
        return (clock.today() + timedelta(days=DAYS[self.when.chosen])).isoformat()


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


def build_lead(ctx, lon, lat):
    """Somebody met in the field; what looks alike on this phone is named before it is saved."""
    words = ctx.words
    fields = {key: Field(words(key)) for key in ("company", "person", "phone")}
    note, alike, warning = Field(words("note"), lines=3), Column(), Column()

    def look(_input, text):
        alike.clear_widgets()
        found = ctx.accounts().near(text, lon, lat)
        if found:
            alike.add_widget(Notice(words("lead_like", names=", ".join(line.name for line in found)), "warn"))
            for line in found:
                go = lambda one=line: ctx.nav.go("account", account_id=one.id)  # noqa: E731 a tap
                alike.add_widget(PushButton(line.name, go, "building_2", "quiet"))

    def save():
        values = {key: field.value for key, field in fields.items()}
        if not values["company"] and not values["person"]:
            warning.clear_widgets()
            warning.add_widget(Notice(words("lead_missing"), "warn"))
            return
        taking.new_lead(ctx.files, lon, lat, note=note.value, **values)
        _saved(ctx)

    fields["company"].input.bind(text=look)
    place = Text(words("lead_here", place=f"{lat:.5f}, {lon:.5f}"), 14, ink="quiet")
    button = PushButton(words("save"), save, "check")
    content = Scroller(place, fields["company"], alike, fields["person"], fields["phone"], note, warning, button)
    return frame(ctx, words("new_lead"), content, back=True)


def _saved(ctx):
    ctx.nav.saved()
    ctx.nav.back()
    ctx.nav.toast(ctx.words("saved"))
